//go:build integration

package redisclaim_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/toplu/toplu/worker"
	"github.com/toplu/toplu/worker/redisclaim"
	"github.com/toplu/toplu/worker/workertest"
)

func TestClaimsOnRedis(t *testing.T) {
	addr := realRedis(t)
	workertest.TestClaims(t, func(t *testing.T) (worker.Claims, workertest.Tamper) {
		rdb := dial(t, addr)
		store := open(t, rdb, t.Name()) // they share the server
		return store, tamper{t, rdb, store}
	})
}

// A cluster of one node refuses what reaches beyond one slot, as a larger one does.
func TestClaimsOnRedisCluster(t *testing.T) {
	addr := realRedis(t, "--cluster-enabled", "yes")
	single := dial(t, addr)
	if err := single.Do(t.Context(), "CLUSTER", "ADDSLOTSRANGE", 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	await(t, func(ctx context.Context) bool { return single.Set(ctx, "ready", 1, 0).Err() == nil })
	workertest.TestClaims(t, func(t *testing.T) (worker.Claims, workertest.Tamper) {
		rdb := redisclaim.Dial(redisclaim.Config{Addrs: []string{addr}, Cluster: true})
		t.Cleanup(func() { rdb.Close() })
		store := open(t, rdb, t.Name())
		return store, tamper{t, rdb, store}
	})
}

func TestMeanwhileOnRedis(t *testing.T) {
	t.Parallel()
	testMeanwhile(t, func(t *testing.T) string { return realRedis(t) })
}

// A fold that has looked claims nothing in a Redis that was emptied since. (Miniredis
// does not tell a watching client.)
func TestEmptiedMeanwhile(t *testing.T) {
	t.Parallel()
	rdb := dial(t, realRedis(t))
	store := open(t, rdb, "toplu")
	begin(t, store, "epoch-1")
	fold(t, store, plan("epoch-1", 0, 200))
	rdb.AddHook(&between{func() { rdb.FlushAll(t.Context()) }})
	owners, err := store.Fold(t.Context(), plan("epoch-1", 1, 400))
	if !errors.Is(err, worker.ErrClaimsLost) {
		t.Errorf("%d owners, error %v, want %v", len(owners), err, worker.ErrClaimsLost)
	}
	if keys, err := rdb.DBSize(t.Context()).Result(); keys != 0 || err != nil {
		t.Errorf("%d keys, %v", keys, err)
	}
}

// What a bucket takes beside its claims must stay little, and long buckets cost time.
func TestBucketsStaySmall(t *testing.T) {
	t.Parallel()
	const claims, bytesPerClaim = 1_000_000, 48
	rdb := dial(t, realRedis(t))
	store := open(t, rdb, "toplu")
	empty := usedMemory(t, rdb)
	fill(t, store, claims)
	if used := usedMemory(t, rdb) - empty; used > claims*bytesPerClaim {
		t.Errorf("%d claims take %d bytes, more than %d each", claims, used, bytesPerClaim)
	}
	buckets := tamper{t, rdb, store}.buckets(shard)
	pipe := rdb.Pipeline()
	for _, key := range buckets {
		pipe.StrLen(t.Context(), key)
	}
	answers, err := pipe.Exec(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	longest := int64(0)
	for _, answer := range answers {
		longest = max(longest, answer.(*redis.IntCmd).Val()/redisclaim.ClaimSize)
	}
	if longest > 61 {
		t.Errorf("a bucket of %d claims", longest)
	}
	t.Logf("%d buckets, the longest of %d", len(buckets), longest)
}

// Out of memory, a fold must change all or nothing; this one changes nothing.
func TestOutOfMemoryChangesNothing(t *testing.T) {
	t.Parallel()
	rdb := dial(t, realRedis(t))
	store := open(t, rdb, "toplu")
	fill(t, store, 5000)
	before := snapshot(t, rdb)
	if err := rdb.ConfigSet(t.Context(), "maxmemory", "100kb").Err(); err != nil {
		t.Fatal(err)
	}
	f := benchPlan(5000, 6000)
	if _, err := store.Fold(t.Context(), f); err == nil {
		t.Fatal("folded without memory")
	}
	if snapshot(t, rdb) != before {
		t.Error("a fold that failed has changed something")
	}
	if err := rdb.ConfigSet(t.Context(), "maxmemory", "0").Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Fold(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

// A user who may do one of a fold's writes and not the other does neither.
func TestForbiddenChangesNothing(t *testing.T) {
	t.Parallel()
	rdb := dial(t, realRedis(t))
	store := open(t, rdb, "toplu")
	fill(t, store, 5000)
	next := benchPlan(5000, 6000)
	before := snapshot(t, rdb)
	for _, forbidden := range []string{"mset", "setrange", "hset", "exec"} {
		rights := func(right string) {
			t.Helper()
			if err := rdb.Do(t.Context(), "ACL", "SETUSER", "default", right+forbidden).Err(); err != nil {
				t.Fatal(err)
			}
		}
		rights("-")
		if _, err := store.Fold(t.Context(), next); err == nil {
			t.Errorf("folded without the right to %s", forbidden)
		}
		rights("+")
		if snapshot(t, rdb) != before {
			t.Fatalf("something was written without the right to %s", forbidden)
		}
	}
	fold(t, store, next)
}

func TestCheckRefusesEviction(t *testing.T) {
	t.Parallel()
	rdb := dial(t, realRedis(t))
	store := open(t, rdb, "toplu")
	if _, err := store.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := rdb.ConfigSet(t.Context(), "maxmemory-policy", "allkeys-lru").Err(); err != nil {
		t.Fatal(err)
	}
	want := "redis: maxmemory-policy is allkeys-lru: it must be noeviction, or claims may be forgotten"
	if _, err := store.Check(t.Context()); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	// Evict ours: what is left must not be believed.
	fill(t, store, 5000)
	if err := rdb.ConfigSet(t.Context(), "maxmemory", "1mb").Err(); err != nil {
		t.Fatal(err)
	}
	rdb.Set(t.Context(), "other", "x", 0) // a write makes room
	evicted, _ := store.Check(t.Context())
	if evicted == 0 {
		t.Error("no eviction seen")
	}
}

// TestOneEvictedKeyIsNoticed has Redis evict one bucket while somebody had changed
// its policy, and the policy put right again: the watermark stands, the epoch is
// right, and evicted_keys alone tells of it. Check does, and whoever asks for a
// claim that was in the bucket hears of damage, not of a free id.
func TestOneEvictedKeyIsNoticed(t *testing.T) {
	t.Parallel()
	rdb := dial(t, realRedis(t))
	store := open(t, rdb, "toplu")
	fill(t, store, 5000)
	asked := benchPlan(2000, 3000)
	lost := asked.Items[0].PayoutID
	set := func(settings ...string) {
		t.Helper()
		for i := 0; i < len(settings); i += 2 {
			if err := rdb.ConfigSet(t.Context(), settings[i], settings[i+1]).Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
	before, err := store.State(t.Context(), shard)
	if err != nil {
		t.Fatal(err)
	}
	bucket := tamper{t, rdb, store}.bucket(shard, lost)
	if err := rdb.Expire(t.Context(), bucket, time.Hour).Err(); err != nil {
		t.Fatal(err)
	}
	set("maxmemory-policy", "volatile-ttl", "maxmemory", "100kb") // of all keys this one alone may go
	rdb.Set(t.Context(), "other", "x", 0)
	set("maxmemory", "0", "maxmemory-policy", "noeviction")

	if n, err := rdb.Exists(t.Context(), bucket).Result(); n != 0 || err != nil {
		t.Fatalf("the bucket is still there: %d, %v", n, err)
	}
	if evicted, err := store.Check(t.Context()); evicted != 1 || err != nil {
		t.Errorf("evicted %d, %v, want the one", evicted, err)
	}
	if after, err := store.State(t.Context(), shard); after != before || err != nil {
		t.Errorf("the state is %+v, was %+v, %v", after, before, err)
	}
	if owners, err := store.Lookup(t.Context(), shard, benchEpoch, 4, []string{lost}); !errors.Is(err, worker.ErrClaimsCorrupt) {
		t.Errorf("looked up: %v, %v", owners, err)
	}
	if owners, err := store.Fold(t.Context(), asked); !errors.Is(err, worker.ErrClaimsCorrupt) {
		t.Errorf("folded again: %d owners, %v", len(owners), err)
	}
	next := benchPlan(5000, 5001)
	next.Items[0].PayoutID = lost
	if owners, err := store.Fold(t.Context(), next); !errors.Is(err, worker.ErrClaimsCorrupt) {
		t.Errorf("claimed by another plan: %v, %v", owners, err)
	}
}

// BenchmarkFold claims fresh ids in plans of 1,000. B/claim is what Redis uses
// at the end; with -benchtime=1000000x for a million claims. cpu-ns/claim is the
// time of Redis's CPU, which says more than claims/s on a busy machine.
func BenchmarkFold(b *testing.B) {
	rdb := dial(b, realRedis(b))
	store := open(b, rdb, "toplu")
	empty, before := usedMemory(b, rdb), usedCPU(b, rdb)
	b.ResetTimer()
	fill(b, store, b.N)
	b.StopTimer()
	b.ReportMetric(float64((usedCPU(b, rdb)-before).Nanoseconds())/float64(b.N), "cpu-ns/claim")
	b.ReportMetric(float64(usedMemory(b, rdb)-empty)/float64(b.N), "B/claim")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "claims/s")
}

// BenchmarkAnswer folds plans again that are folded already, as after a
// restart: 1,000 items of a million.
func BenchmarkAnswer(b *testing.B) {
	store := million(b)
	plans := make([]worker.Fold, 100)
	for i := range plans {
		plans[i] = benchPlan(i*1000, i*1000+1000)
	}
	for n := 0; b.Loop(); n++ {
		if _, err := store.Fold(b.Context(), plans[n%len(plans)]); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "claims/s")
}

// BenchmarkLookup asks for 1,000 ids that nobody owns, among a million claims:
// what the consumer does with new requests.
func BenchmarkLookup(b *testing.B) {
	store := million(b)
	ids := make([]string, 1000)
	for i := range ids {
		ids[i] = fmt.Sprint("new-", i)
	}
	for b.Loop() {
		if _, err := store.Lookup(b.Context(), shard, benchEpoch, worker.None, ids); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "ids/s")
}

const benchEpoch = "6xwzyyhkjn3jbthqyg2m4r5k7d"

// million returns a store with a million claims.
func million(b *testing.B) *redisclaim.Store {
	b.Helper()
	store := open(b, dial(b, realRedis(b)), "toplu")
	fill(b, store, 1_000_000)
	return store
}

// fill begins and folds n ids in plans of 1,000.
func fill(tb testing.TB, store *redisclaim.Store, n int) {
	tb.Helper()
	begin(tb, store, benchEpoch)
	for first := 0; first < n; first += 1000 {
		fold(tb, store, benchPlan(first, min(first+1000, n)))
	}
}

// benchPlan has the ids from first up to end; its offset is first/1000.
func benchPlan(first, end int) worker.Fold {
	ids := make([]string, 0, end-first)
	for n := first; n < end; n++ {
		ids = append(ids, fmt.Sprintf("order-%d-seller-%d", n, n%97))
	}
	offset := int64(first / 1000)
	return worker.Fold{Shard: shard, Epoch: benchEpoch, Offset: offset, Predecessor: offset - 1, Items: items(ids...)}
}

func usedMemory(tb testing.TB, rdb redis.UniversalClient) int {
	tb.Helper()
	used, err := strconv.Atoi(rdb.InfoMap(tb.Context(), "memory").Item("Memory", "used_memory"))
	if err != nil {
		tb.Fatal(err)
	}
	return used
}

// usedCPU is the time that Redis has computed.
func usedCPU(tb testing.TB, rdb redis.UniversalClient) time.Duration {
	tb.Helper()
	info := rdb.InfoMap(tb.Context(), "cpu")
	var used time.Duration
	for _, of := range []string{"used_cpu_user", "used_cpu_sys"} {
		d, err := time.ParseDuration(info.Item("CPU", of) + "s")
		if err != nil {
			tb.Fatal(err)
		}
		used += d
	}
	return used
}

// snapshot is a digest of all that Redis holds.
func snapshot(t *testing.T, rdb redis.UniversalClient) string {
	t.Helper()
	digest, err := rdb.Do(t.Context(), "DEBUG", "DIGEST").Text()
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

// realRedis starts a redis-server of its own, which ends with the test.
func realRedis(tb testing.TB, args ...string) (addr string) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	addr = l.Addr().String()
	_, port, _ := net.SplitHostPort(addr)
	l.Close()

	args = append([]string{
		"--bind", "127.0.0.1", "--port", port, "--dir", tb.TempDir(),
		"--save", "", "--appendonly", "no", "--enable-debug-command", "local",
	}, args...)
	server := exec.Command("redis-server", args...)
	server.Stderr = os.Stderr
	if err := server.Start(); err != nil {
		tb.Fatal("these tests need redis-server: ", err)
	}
	tb.Cleanup(func() {
		server.Process.Kill()
		server.Wait()
	})

	rdb := redisclaim.Dial(redisclaim.Config{Addrs: []string{addr}})
	defer rdb.Close()
	await(tb, func(ctx context.Context) bool { return rdb.Ping(ctx).Err() == nil })
	return addr
}

// await asks until ready, for ten seconds.
func await(tb testing.TB, ready func(context.Context) bool) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for tick := time.Tick(20 * time.Millisecond); !ready(ctx); {
		select {
		case <-ctx.Done():
			tb.Fatal("redis-server is not ready after 10 s")
		case <-tick:
		}
	}
}
