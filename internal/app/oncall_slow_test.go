//go:build integration && slow

package app_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/realparts"
)

// TestSlowAuditOfManyPayouts says what an audit costs.
func TestSlowAuditOfManyPayouts(t *testing.T) {
	const payouts = 100_000
	s := newRealShift(t, realparts.Kafka42, 200*time.Millisecond)
	s.env = plus(s.env, "TOPLU_BATCH_MAXITEMS=1000")
	s.start(t)
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
	s.stop()
	for _, args := range [][]string{nil, {"--iyzico"}} {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := time.Now()
		v, r := s.audit(t, args...)
		took := time.Since(began)
		runtime.ReadMemStats(&after)
		if !v.Agrees || len(v.Sums) != 1 || v.Sums[0].Count != payouts {
			t.Errorf("%s", r.out[:min(len(r.out), 5000)])
		}
		t.Logf("audit %v of %d payouts: %s, %d MiB taken from the system in all, %d MiB allocated over time", args, payouts, took, after.Sys>>20, (after.TotalAlloc-before.TotalAlloc)>>20)
	}
}
