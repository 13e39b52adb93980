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
			continue // Fold and Lookup have no use for it
		}
		for name, damage := range map[string]func(){
			"deleted": func() { server.HDel(meta, field) },
			"changed": func() { server.HSet(meta, field, "x") },
			"raised":  func() { server.HSet(meta, field, "999999999999") },
		} {
			if name == "raised" && field == "wm" {
				continue // past the log: whoever knows the log sees that
			}
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
	server := miniredis.RunT(t)
	rdb := dial(t, server.Addr())
	store := open(t, rdb, "toplu")
	begin(t, store, "epoch-1")
	fold(t, store, plan("epoch-1", 0, 200))
	bucket, meta := tamper{t, rdb, store}.bucket(shard, "id-7"), store.Meta(shard)
	for _, change := range []func(){
		func() { server.Del(bucket); server.HSet(bucket, "a", "hash") },
		func() { server.Del(meta); _ = server.Set(meta, "a string") },
	} {
		change()
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

// Claims that an older version left are given up, not misread: its buckets were hashes.
func TestOlderLayout(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	store := open(t, dial(t, server.Addr()), "toplu")
	meta := store.Meta(shard)
	server.HSet(meta, "v", "1", "log", "log-1", "epoch", "epoch-1", "gen", "ABCDEFGH",
		"wm", "0", "n", "1", "low", "1", "split", "0", "0", "1")
	server.HSet(meta+":ABCDEFGH:0", redisclaim.DigestOf("id-0"), strings.Repeat("\x00", 17))
	_, err := store.Fold(t.Context(), plan("epoch-1", 1, 2))
	if !errors.Is(err, worker.ErrClaimsCorrupt) {
		t.Errorf("Fold: error %v, want %v", err, worker.ErrClaimsCorrupt)
	}
	if _, err = store.Lookup(t.Context(), shard, "epoch-1", 0, ids(2)); !errors.Is(err, worker.ErrClaimsCorrupt) {
		t.Errorf("Lookup: error %v, want %v", err, worker.ErrClaimsCorrupt)
	}
	// A worker that has nothing to fold finds out by the state; its log is told all the same.
	want := worker.ClaimsState{LogID: "log-1", Epoch: "epoch-1 of layout 1", Count: 1}
	if state, err := store.State(t.Context(), shard); state != want || err != nil {
		t.Errorf("State: %+v, %v, want %+v", state, err, want)
	}
	begin(t, store, "epoch-2")
	store.AwaitSweeps()
	fold(t, store, plan("epoch-2", 0, 2))
	if server.Exists(meta + ":ABCDEFGH:0") {
		t.Error("the older bucket is left")
	}
}

// A plan that touches no damaged bucket itself may have to split one.
func TestSplitOfADamagedBucket(t *testing.T) {
	t.Parallel()
	// 204 claims fill 17 buckets; one more splits bucket 1 into 1 and 17.
	for name, damage := range map[string]func(s *miniredis.Miniredis, buckets string){
		"deleted":         func(s *miniredis.Miniredis, buckets string) { s.Del(buckets + "1") },
		"of another type": func(s *miniredis.Miniredis, buckets string) { s.Del(buckets + "1"); s.HSet(buckets+"1", "a", "hash") },
		"cut": func(s *miniredis.Miniredis, buckets string) {
			content, _ := s.Get(buckets + "1")
			_ = s.Set(buckets+"1", content[redisclaim.ClaimSize:])
		},
		"cut within a claim": func(s *miniredis.Miniredis, buckets string) {
			content, _ := s.Get(buckets + "1")
			_ = s.Set(buckets+"1", content[1:])
		},
		"a claim too many": func(s *miniredis.Miniredis, buckets string) {
			content, _ := s.Get(buckets + "1")
			_ = s.Set(buckets+"1", content+content[:redisclaim.ClaimSize])
		},
		"a claim exchanged for another bucket's": func(s *miniredis.Miniredis, buckets string) {
			content, _ := s.Get(buckets + "1")
			stray, _ := s.Get(buckets + "2")
			_ = s.Set(buckets+"1", stray[:redisclaim.ClaimSize]+content[redisclaim.ClaimSize:])
		},
		"half in the way":                  func(s *miniredis.Miniredis, buckets string) { _ = s.Set(buckets+"17", "") },
		"half in the way, of another type": func(s *miniredis.Miniredis, buckets string) { s.HSet(buckets+"17", "a", "hash") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := miniredis.RunT(t)
			store := open(t, dial(t, server.Addr()), "toplu")
			begin(t, store, "epoch-1")
			fold(t, store, plan("epoch-1", 0, 204))
			meta := store.Meta(shard)
			damage(server, meta+":"+server.HGet(meta, "gen")+":")

			before := server.Dump()
			_, err := store.Fold(t.Context(), worker.Fold{
				Shard: shard, Epoch: "epoch-1", Offset: 1, Predecessor: 0, Items: items(untouched()),
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

// What a claim cannot be is noticed by whoever looks into its bucket for another.
func TestDamagedClaims(t *testing.T) {
	t.Parallel()
	const size = redisclaim.ClaimSize
	for name, damage := range map[string]func(content string) string{
		"wiped out in its place": func(content string) string {
			at := len(content) - 3*size // the last but one, for one place is free
			return content[:at] + strings.Repeat("\xff", size) + content[at+size:]
		},
		"of a plan that is not folded yet": func(content string) string { return content[:12] + "\x00\x00\x00\x00\x01" + content[17:] },
		"cut within":                       func(content string) string { return content[:len(content)-1] },
		"longer":                           func(content string) string { return content + "\xff" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rdb := dial(t, miniredis.RunT(t).Addr())
			store := open(t, rdb, "toplu")
			begin(t, store, "epoch-1")
			fold(t, store, plan("epoch-1", 0, 204))
			d := tamper{t, rdb, store}
			bucket, id := withFree(t, d, 1)
			d.set(bucket, damage(d.content(bucket)))
			_, err := store.Lookup(t.Context(), shard, "epoch-1", 0, []string{id})
			wantCorrupt(t, "Lookup", err)
			_, err = store.Fold(t.Context(), worker.Fold{Shard: shard, Epoch: "epoch-1", Offset: 1, Predecessor: 0, Items: items(id)})
			wantCorrupt(t, "Fold", err)
		})
	}
}

// withFree returns a bucket with claims and so many free places, of sixteen and one
// split, and a new id that belongs in there. The next to be split is 1.
func withFree(t *testing.T, d tamper, places int) (bucket, id string) {
	t.Helper()
	for n := range 1000 {
		id := fmt.Sprint("new-", n)
		number := redisclaim.DigestOf(id)[3] % 16
		if number < 2 {
			continue
		}
		for _, key := range d.buckets(shard) {
			content := d.content(key)
			free := strings.Count(content, strings.Repeat("\xff", redisclaim.ClaimSize))
			if strings.HasSuffix(key, fmt.Sprint(":", number)) && free == places && len(content) > free*redisclaim.ClaimSize {
				return key, id
			}
		}
	}
	t.Fatalf("no bucket has %d free places", places)
	return "", ""
}

// untouched is an id that does not lie in bucket 1 or 2, of sixteen and one split.
func untouched() string {
	for n := 0; ; n++ {
		id := fmt.Sprint("new-", n)
		if bucket := redisclaim.DigestOf(id)[3] % 16; bucket > 2 {
			return id
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

func wantCorrupt(t *testing.T, call string, err error) {
	t.Helper()
	if !errors.Is(err, worker.ErrClaimsCorrupt) {
		t.Errorf("%s: error %v, want %v", call, err, worker.ErrClaimsCorrupt)
	}
}
