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
	key := d.bucket(shard, payoutID)
	content := d.content(key)
	at := claimIn(content, redisclaim.DigestOf(payoutID))
	d.set(key, content[:at]+content[at+redisclaim.ClaimSize:])
}

func (d tamper) Snapshot(shard int) (restore func()) {
	state, err := d.rdb.HGetAll(d.t.Context(), d.store.Meta(shard)).Result()
	if err != nil {
		d.t.Fatal(err)
	}
	old := map[string]string{}
	for _, key := range d.buckets(shard) {
		old[key] = d.content(key)
	}
	return func() {
		d.Wipe(shard)
		if err := d.rdb.HSet(d.t.Context(), d.store.Meta(shard), state).Err(); err != nil {
			d.t.Fatal(err)
		}
		for key, content := range old {
			d.set(key, content)
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
		if claimIn(d.content(key), redisclaim.DigestOf(payoutID)) >= 0 {
			return key
		}
	}
	d.t.Fatalf("nobody has claimed %s", payoutID)
	return ""
}

// claimIn is where the digest's claim begins in a bucket, or -1.
func claimIn(content, digest string) int {
	for at := 0; at < len(content); at += redisclaim.ClaimSize {
		if strings.HasPrefix(content[at:], digest) {
			return at
		}
	}
	return -1
}

// content is what a bucket holds.
func (d tamper) content(key string) string {
	content, err := d.rdb.Get(d.t.Context(), key).Result()
	if err != nil {
		d.t.Fatal(err)
	}
	return content
}

func (d tamper) set(key, content string) {
	if err := d.rdb.Set(d.t.Context(), key, content, 0).Err(); err != nil {
		d.t.Fatal(err)
	}
}

func (d tamper) delete(keys ...string) {
	if len(keys) == 0 {
		return
	}
	if err := d.rdb.Del(d.t.Context(), keys...).Err(); err != nil {
		d.t.Fatal(err)
	}
}
