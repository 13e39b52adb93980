package redisclaim_test

import (
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
	if err := d.rdb.HDel(d.t.Context(), d.bucket(shard, payoutID), redisclaim.DigestOf(payoutID)).Err(); err != nil {
		d.t.Fatal(err)
	}
}

func (d tamper) Snapshot(shard int) (restore func()) {
	old := map[string]map[string]string{}
	for _, key := range d.keys(shard) {
		fields, err := d.rdb.HGetAll(d.t.Context(), key).Result()
		if err != nil {
			d.t.Fatal(err)
		}
		old[key] = fields
	}
	return func() {
		d.Wipe(shard)
		for key, fields := range old {
			if err := d.rdb.HSet(d.t.Context(), key, fields).Err(); err != nil {
				d.t.Fatal(err)
			}
		}
	}
}

// keys are all keys of the shard, of every epoch.
func (d tamper) keys(shard int) []string {
	keys, err := d.rdb.Keys(d.t.Context(), d.store.Meta(shard)+"*").Result()
	if err != nil {
		d.t.Fatal(err)
	}
	return keys
}

// buckets are the shard's buckets that count.
func (d tamper) buckets(shard int) []string {
	meta := d.store.Meta(shard)
	gen, err := d.rdb.HGet(d.t.Context(), meta, "gen").Result()
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
		found, err := d.rdb.HExists(d.t.Context(), key, redisclaim.DigestOf(payoutID)).Result()
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
	if err := d.rdb.Del(d.t.Context(), keys...).Err(); err != nil {
		d.t.Fatal(err)
	}
}
