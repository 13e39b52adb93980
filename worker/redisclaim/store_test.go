package redisclaim_test

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
	"github.com/toplu/toplu/worker/redisclaim"
	"github.com/toplu/toplu/worker/workertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestClaimsOnMiniredis(t *testing.T) {
	workertest.TestClaims(t, func(t *testing.T) (worker.Claims, workertest.Tamper) {
		rdb := dial(t, miniredis.RunT(t).Addr())
		store := open(t, rdb, "toplu")
		return store, tamper{t, rdb, store}
	})
}

// Whatever is missing from the state, nobody may be told that an id is free.
func TestDamagedState(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	store := open(t, dial(t, server.Addr()), "toplu")
	begin(t, store, "epoch-1")
	fold(t, store, plan("epoch-1", 0, 200))
	meta := store.Meta(shard)
	fields, err := server.HKeys(meta)
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range fields {
		if field == "log" {
			continue // no script has a use for it
		}
		for name, damage := range map[string]func(){
			"deleted": func() { server.HDel(meta, field) },
			"changed": func() { server.HSet(meta, field, "x") },
		} {
			old := server.HGet(meta, field)
			damage()
			_, err := store.Fold(t.Context(), plan("epoch-1", 0, 200))
			wantDamage(t, name+" "+field+": Fold", err)
			_, err = store.Fold(t.Context(), plan("epoch-1", 1, 400))
			wantDamage(t, name+" "+field+": a new Fold", err)
			_, err = store.Lookup(t.Context(), shard, "epoch-1", 0, ids(200))
			wantDamage(t, name+" "+field+": Lookup", err)
			server.HSet(meta, field, old)
		}
	}
}

func wantDamage(t *testing.T, call string, err error) {
	t.Helper()
	if !errors.Is(err, worker.ErrClaimsLost) && !errors.Is(err, worker.ErrClaimsCorrupt) {
		t.Errorf("%s: error %v, want lost or corrupt", call, err)
	}
}

func TestKeysOfAnotherType(t *testing.T) {
	t.Parallel()
	rdb := dial(t, miniredis.RunT(t).Addr())
	store := open(t, rdb, "toplu")
	begin(t, store, "epoch-1")
	fold(t, store, plan("epoch-1", 0, 200))
	for _, key := range []string{tamper{t, rdb, store}.bucket(shard, "id-7"), store.Meta(shard)} {
		if err := rdb.Set(t.Context(), key, "not a hash", 0).Err(); err != nil {
			t.Fatal(err)
		}
		_, err := store.Fold(t.Context(), plan("epoch-1", 0, 200))
		if !errors.Is(err, worker.ErrClaimsCorrupt) {
			t.Errorf("Fold: error %v, want %v", err, worker.ErrClaimsCorrupt)
		}
	}
	if _, err := store.State(t.Context(), shard); !errors.Is(err, worker.ErrClaimsCorrupt) {
		t.Errorf("State: error %v, want %v", err, worker.ErrClaimsCorrupt)
	}
	begin(t, store, "epoch-2") // heals
	fold(t, store, plan("epoch-2", 0, 200))
}

// A plan that touches no damaged bucket itself may have to split one.
func TestSplitOfADamagedBucket(t *testing.T) {
	t.Parallel()
	// 200 claims fill five buckets; one more splits bucket 1 into 1 and 5.
	for name, damage := range map[string]func(s *miniredis.Miniredis, meta, bucket1, bucket5 string){
		"deleted":         func(s *miniredis.Miniredis, _, bucket1, _ string) { s.Del(bucket1) },
		"one too many":    func(s *miniredis.Miniredis, _, bucket1, _ string) { s.HSet(bucket1, "stray", "x") },
		"half in the way": func(s *miniredis.Miniredis, _, _, bucket5 string) { s.HSet(bucket5, "stray", "x") },
		"half in the way and counted": func(s *miniredis.Miniredis, meta, _, bucket5 string) {
			s.HSet(bucket5, "stray", "x")
			s.HSet(meta, "5", "1")
		},
		"a claim exchanged": func(s *miniredis.Miniredis, _, bucket1, _ string) {
			fields, _ := s.HKeys(bucket1)
			s.HDel(bucket1, fields[0])
			s.HSet(bucket1, "stray", "x")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := miniredis.RunT(t)
			store := open(t, dial(t, server.Addr()), "toplu")
			begin(t, store, "epoch-1")
			fold(t, store, plan("epoch-1", 0, 200))
			meta := store.Meta(shard)
			buckets := meta + ":" + server.HGet(meta, "gen") + ":"
			damage(server, meta, buckets+"1", buckets+"5")

			before := server.Dump()
			_, err := store.Fold(t.Context(), worker.Fold{
				Shard: shard, Epoch: "epoch-1", Offset: 1, Predecessor: 0, Items: items(untouched(t, store)),
			})
			if !errors.Is(err, worker.ErrClaimsCorrupt) {
				t.Errorf("error %v, want %v", err, worker.ErrClaimsCorrupt)
			}
			if server.Dump() != before {
				t.Error("something has changed")
			}
		})
	}
}

// untouched is an id that does not lie in bucket 1, of four and one split.
func untouched(t *testing.T, store *redisclaim.Store) string {
	t.Helper()
	for n := range 1000 {
		id := fmt.Sprint("new-", n)
		_, err := store.Lookup(t.Context(), shard, "epoch-1", 0, []string{id})
		if damaged := redisclaim.DigestOf(id)[3]%4 == 1; err == nil && !damaged {
			return id
		}
	}
	t.Fatal("every bucket is damaged")
	return ""
}

// Redis packs a hash of up to 128 entries.
func TestBucketsStayShort(t *testing.T) {
	t.Parallel()
	rdb := dial(t, miniredis.RunT(t).Addr())
	store := open(t, rdb, "toplu")
	begin(t, store, "epoch-1")
	for offset := range int64(10) {
		fold(t, store, plan("epoch-1", offset, int(offset+1)*1000))
	}
	for _, key := range (tamper{t, rdb, store}).buckets(shard) {
		if n := rdb.HLen(t.Context(), key).Val(); n > 128 {
			t.Errorf("%s has %d claims", key, n)
		}
	}
}

func TestPayoutIDsDoNotReachRedis(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	store := open(t, dial(t, server.Addr()), "toplu")
	begin(t, store, "epoch-1")
	fold(t, store, plan("epoch-1", 0, 200))
	if dump := server.Dump(); strings.Contains(dump, "id-1") {
		t.Error("a payout id stands in Redis")
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	store := open(t, dial(t, server.Addr()), "toplu")
	begin(t, store, "epoch-1")
	store.AwaitSweeps()
	addr := server.Addr()
	server.Close()

	want := "redis: cannot reach " + addr + ": connection refused"
	for name, call := range map[string]func() error{
		"State":  func() error { _, err := store.State(t.Context(), shard); return err },
		"Begin":  func() error { return store.Begin(t.Context(), shard, "log-1", "epoch-2") },
		"Fold":   func() error { _, err := store.Fold(t.Context(), plan("epoch-1", 0, 1)); return err },
		"Lookup": func() error { _, err := store.Lookup(t.Context(), shard, "epoch-1", 0, ids(1)); return err },
		"Check":  func() error { _, err := store.Check(t.Context()); return err },
		"Sweep":  func() error { _, err := store.Sweep(t.Context(), shard); return err },
	} {
		_ = call() // the first may still be sent on a connection that was good
		if err := call(); !errors.Is(err, syscall.ECONNREFUSED) || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", name, err, want)
		}
	}
}

func TestOffsetsBeyondTheFormat(t *testing.T) {
	t.Parallel()
	store := open(t, dial(t, miniredis.RunT(t).Addr()), "toplu")
	begin(t, store, "epoch-1")
	const last = 1<<40 - 2
	f := worker.Fold{Shard: shard, Epoch: "epoch-1", Offset: last, Predecessor: worker.None, Items: items("a")}
	owners, err := store.Fold(t.Context(), f)
	if err != nil || owners[0].Offset != last {
		t.Errorf("owners %v, error %v", owners, err)
	}
	f.Offset, f.Predecessor = last+1, last
	if _, err := store.Fold(t.Context(), f); err == nil {
		t.Error("an offset that a claim cannot hold was folded")
	}
}

func TestCheckOnMiniredis(t *testing.T) {
	t.Parallel()
	store := open(t, dial(t, miniredis.RunT(t).Addr()), "toplu")
	if evicted, err := store.Check(t.Context()); evicted != 0 || err != nil {
		t.Errorf("%d, %v", evicted, err)
	}
}

const shard = 3

func dial(t testing.TB, addr string) redis.UniversalClient {
	t.Helper()
	rdb := redisclaim.Dial(redisclaim.Config{Addrs: []string{addr}, Timeout: time.Minute})
	t.Cleanup(func() {
		if err := rdb.Close(); err != nil {
			t.Error(err)
		}
	})
	return rdb
}

func open(t testing.TB, rdb redis.UniversalClient, prefix string) *redisclaim.Store {
	t.Helper()
	store := redisclaim.New(rdb, prefix)
	t.Cleanup(store.Close)
	return store
}

func begin(t testing.TB, store *redisclaim.Store, epoch string) {
	t.Helper()
	if err := store.Begin(t.Context(), shard, "log-1", epoch); err != nil {
		t.Fatal(err)
	}
}

func fold(t testing.TB, store *redisclaim.Store, f worker.Fold) []worker.Owner {
	t.Helper()
	owners, err := store.Fold(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return owners
}

// plan is the fold at offset with the ids from id-0 up to, not with, id-n.
func plan(epoch string, offset int64, n int) worker.Fold {
	return worker.Fold{Shard: shard, Epoch: epoch, Offset: offset, Predecessor: offset - 1, Items: items(ids(n)...)}
}

func items(ids ...string) []worker.ClaimItem {
	list := make([]worker.ClaimItem, len(ids))
	for i, id := range ids {
		list[i] = worker.ClaimItem{PayoutID: id, Content: schema.Digest{byte(i), byte(i >> 8), 200}}
	}
	return list
}

func ids(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprint("id-", i)
	}
	return list
}
