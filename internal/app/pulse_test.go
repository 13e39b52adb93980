package app

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/internal/oncall"
	"github.com/toplu/toplu/iyzico"
)

func TestRecentCalls(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	c := newRecentCalls(func() time.Time { return now })
	call := c.of("market")
	c.of("quiet")
	call("init", iyzico.OutcomeAccepted, "", time.Second)
	now = now.Add(30 * time.Second)
	call("auth", iyzico.OutcomeUnknown, "", time.Second)
	failed := now
	call("init", iyzico.OutcomeAccepted, "", time.Second)
	success := now
	want := func(calls, failures int) {
		t.Helper()
		want := oncall.Pulse{Process: "p", At: now, Merchants: []oncall.MerchantPulse{
			{Merchant: "market", Calls: calls, Failed: failures, LastSuccess: &success, LastFailure: &oncall.CallFailure{At: failed, Op: "auth", Outcome: "unknown"}},
			{Merchant: "quiet"},
		}}
		if diff := cmp.Diff(want, c.pulse("p")); diff != "" {
			t.Errorf("pulse (-want +got):\n%s", diff)
		}
	}
	want(3, 1)
	now = now.Add(30 * time.Second) // the first call is a minute old
	want(2, 1)
	now = now.Add(time.Hour)
	want(0, 0)
}
