package redisclaim_test

import (
	"context"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/toplu/toplu/worker/redisclaim"
	"github.com/toplu/toplu/worker/workertest"
)

var _ workertest.Tamper = tamper{}

// tamper damages the claims of a store with plain commands.
type tamper struct {
	t     testing.TB
	rdb   redis.UniversalClient
	store *redisclaim.Store
}

func (d tamper) Wipe(shard int) { d.delete(d.keys(shard)...) }

func (d tamper) DeleteState(shard int) { d.delete(d.store.Meta(shard)) }

func (d tamper) DeleteBucket(shard int, payoutID string) { d.delete(d.bucket(shard, payoutID)) }

func (d tamper) DeleteClaim(shard int, payoutID string) {
	if err := d.rdb.HDel(context.Background(), d.bucket(shard, payoutID), redisclaim.DigestOf(payoutID)).Err(); err != nil {
		d.t.Fatal(err)
	}
}

func (d tamper) Snapshot(shard int) (restore func()) {
	ctx := context.Background()
	old := map[string]map[string]string{}
	for _, key := range d.keys(shard) {
		fields, err := d.rdb.HGetAll(ctx, key).Result()
		if err != nil {
			d.t.Fatal(err)
		}
		old[key] = fields
	}
	return func() {
		d.Wipe(shard)
		for key, fields := range old {
			if err := d.rdb.HSet(ctx, key, fields).Err(); err != nil {
				d.t.Fatal(err)
			}
		}
	}
}

// keys are all keys of the shard, of every epoch.
func (d tamper) keys(shard int) []string {
	keys, err := d.rdb.Keys(context.Background(), d.store.Meta(shard)+"*").Result()
	if err != nil {
		d.t.Fatal(err)
	}
	return keys
}

// buckets are the shard's buckets that count.
func (d tamper) buckets(shard int) []string {
	meta := d.store.Meta(shard)
	gen, err := d.rdb.HGet(context.Background(), meta, "gen").Result()
	if err != nil {
		d.t.Fatal(err)
	}
	var buckets []string
	for _, key := range d.keys(shard) {
		if strings.HasPrefix(key, meta+":"+gen+":") {
			buckets = append(buckets, key)
		}
	}
	return buckets
}

// bucket is the key in which the payout id's claim lies.
func (d tamper) bucket(shard int, payoutID string) string {
	for _, key := range d.buckets(shard) {
		found, err := d.rdb.HExists(context.Background(), key, redisclaim.DigestOf(payoutID)).Result()
		if err != nil {
			d.t.Fatal(err)
		}
		if found {
			return key
		}
	}
	d.t.Fatalf("nobody has claimed %s", payoutID)
	return ""
}

func (d tamper) delete(keys ...string) {
	if len(keys) == 0 {
		return
	}
	if err := d.rdb.Del(context.Background(), keys...).Err(); err != nil {
		d.t.Fatal(err)
	}
}
