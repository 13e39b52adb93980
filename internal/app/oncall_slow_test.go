//go:build integration && slow

package app_test

import (
	"fmt"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/realparts"
)

// TestSlowManyPayouts says what a replay and an audit cost: of 100,000 requests
// that are known, with 10 among them that nobody ever took.
func TestSlowManyPayouts(t *testing.T) {
	const payouts = 100_000
	s := newRealShift(t, realparts.Kafka42, 200*time.Millisecond)
	s.send(t, "lost-0", "lost-1", "lost-2", "lost-3", "lost-4", "lost-5", "lost-6", "lost-7", "lost-8", "lost-9")
	s.env = plus(s.env, "TOPLU_BATCH_MAXITEMS=1000", "TOPLU_KAFKA_STARTAT=now")
	s.start(t)
	s.until(t, func(result) bool { return s.began(t) }, "topics", "check")
	for from := 0; from < payouts; from += 10_000 {
		ids := make([]string, 10_000)
		for i := range ids {
			ids[i] = fmt.Sprintf("many-%06d", from+i)
		}
		s.send(t, ids...)
	}
	for deadline := time.Now().Add(10 * time.Minute); ; time.Sleep(500 * time.Millisecond) {
		st := loose[statusJSON](t, s.run(t, "status", "--json"))
		if st.Requests[0].Lag+st.Requests[1].Lag == 0 && len(st.States) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("not answered in time: %+v", st)
		}
	}
	path := filepath.Join(t.TempDir(), "lost.plan")
	began := time.Now()
	plan := loose[replayJSON](t, s.run(t, "replay", "plan", "--from", "0", "--out", path, "--json"))
	t.Logf("replay plan over %d requests: %s", plan.Read, time.Since(began))
	if len(plan.New) != 10 || plan.Sums["TRY"] != "100.00" || plan.Known["paid"] != payouts {
		t.Fatalf("%+v", plan)
	}
	s.run(t, "replay", "run", path, "--yes").want(t, 0, "10 sent", "")
	for i := range 10 {
		s.says(t, ": paid", "explain", fmt.Sprintf("lost-%d", i))
	}
	s.stop()
	for _, args := range [][]string{nil, {"--iyzico"}} {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began = time.Now()
		v, r := s.audit(t, args...)
		took := time.Since(began)
		runtime.ReadMemStats(&after)
		if !v.Agrees || len(v.Sums) != 1 || v.Sums[0].Count != payouts+10 {
			t.Errorf("%s", r.out[:min(len(r.out), 5000)])
		}
		t.Logf("audit %v of %d payouts: %s, %d MiB taken from the system in all, %d MiB allocated over time", args, payouts, took, after.Sys>>20, (after.TotalAlloc-before.TotalAlloc)>>20)
	}
}
