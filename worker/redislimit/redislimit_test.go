package redislimit_test

import (
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
	"github.com/toplu/toplu/worker/redislimit"
)

// suite is what holds on miniredis and on the real one.
func suite(t *testing.T, rdb redis.UniversalClient) {
	t.Helper()
	t.Cleanup(func() { _ = rdb.Close() })
	rate(t, rdb)
	reserves(t, rdb)
}

func rate(t *testing.T, rdb redis.UniversalClient) {
	t.Helper()
	// Two workers, 120 calls a minute: two at once, then one each half second.
	a, b := redislimit.New(rdb, "p"), redislimit.New(rdb, "p")
	var waits []time.Duration
	began := time.Now()
	for i := range 6 {
		s := a
		if i%2 == 1 {
			s = b
		}
		wait, err := s.Rate(t.Context(), "m", 120)
		if err != nil {
			t.Fatal(err)
		}
		waits = append(waits, wait)
	}
	passed := time.Since(began) + time.Millisecond
	const half = 500 * time.Millisecond
	for i, want := range []time.Duration{0, 0, half, 2 * half, 3 * half, 4 * half} {
		if waits[i] > want || waits[i] < want-passed {
			t.Errorf("call %d waits %v, want %v less what has passed", i, waits[i], want)
		}
	}
	if wait, err := a.Rate(t.Context(), "other", 120); wait != 0 || err != nil {
		t.Errorf("another merchant waits %v %v", wait, err)
	}
}

func reserves(t *testing.T, rdb redis.UniversalClient) {
	t.Helper()
	s := redislimit.New(rdb, "p")
	r := func(batch string, minor int64) worker.Reserve {
		return worker.Reserve{Merchant: "m", Currency: schema.TRY, Batch: batch, Minor: minor, For: time.Minute}
	}
	take := func(x worker.Reserve, available, least int64, want bool, wantOthers int64) {
		t.Helper()
		taken, others, err := s.Take(t.Context(), x, available, least)
		if err != nil || taken != want || others != wantOthers {
			t.Errorf("%s: %v, others %d, %v; want %v, %d", x.Batch, taken, others, err, want, wantOthers)
		}
	}
	take(r("a", 70), 100, 0, true, 0)
	take(r("a", 70), 100, 0, true, 0) // again is no more
	take(r("b", 40), 100, 0, false, 70)
	take(r("b", 30), 100, 0, true, 70)
	take(r("c", 1), 101, 101, false, 100)
	take(worker.Reserve{Merchant: "m", Currency: schema.USD, Batch: "d", Minor: 90, For: time.Minute}, 100, 0, true, 0)
	if others, err := s.Others(t.Context(), r("c", 1)); others != 100 || err != nil {
		t.Errorf("others have %d, %v", others, err)
	}
	take(r("b", 50), 100, 0, false, 70) // it needs more now, and has nothing any more
	if others, _ := s.Others(t.Context(), r("a", 1)); others != 0 {
		t.Errorf("b still has %d", others)
	}
	if err := s.Release(t.Context(), r("a", 70)); err != nil {
		t.Fatal(err)
	}
	take(r("b", 9_000_000_000_000_001), 9_000_000_000_000_001, 0, true, 0)
	if others, _ := s.Others(t.Context(), r("x", 1)); others != 9_000_000_000_000_001 {
		t.Errorf("a large sum is %d", others)
	}
	short := r("b", 5)
	short.For = time.Millisecond
	take(short, 100, 0, true, 0)
	for deadline := time.Now().Add(20 * time.Second); ; {
		others, err := s.Others(t.Context(), r("x", 1))
		if others == 0 && err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a reserve does not expire")
		}
	}
}

func TestMiniredis(t *testing.T) {
	t.Parallel()
	m := miniredis.RunT(t)
	suite(t, redis.NewClient(&redis.Options{Addr: m.Addr()}))
}

func TestAway(t *testing.T) {
	t.Parallel()
	rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
	defer rdb.Close()
	s := redislimit.New(rdb, "p")
	if _, err := s.Rate(t.Context(), "m", 1); err == nil {
		t.Error("no error")
	}
	if taken, _, err := s.Take(t.Context(), worker.Reserve{}, 1, 0); taken || err == nil {
		t.Error("no error")
	}
}
