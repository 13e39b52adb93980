package iyzicotest_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/iyzico/iyzicotest"
)

func TestCancelBeforeAuth(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iyzicotest.Settings{})
	r := batch("b", "1", "2")
	r.Items[0].Amount.Value = 0
	requestID := w.Init(key, r).RequestID
	equal(t, "cancel", code(w.Cancel(key, requestID)), "success")
	equal(t, "batch", w.status(requestID), "CANCELED")
	if diff := cmp.Diff([]string{"INVALID", "MASS_PAYOUT_CANCELED"}, w.items(requestID)); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
	equal(t, "again", code(w.Cancel(key, requestID)), "SIM1003")
	equal(t, "of nothing", code(w.Cancel(key, "nobody")), "SIM1002")
}

func TestCancelAfterAuth(t *testing.T) {
	t.Parallel()
	const n = 16
	var ids []string
	for i := range n {
		ids = append(ids, string(rune('a'+i)))
	}
	for _, c := range []struct {
		choice   iyzicotest.CancelAfterAuth
		after    time.Duration
		code     string
		status   string
		payments int
	}{
		{iyzicotest.CancelAfterAuthFailure, 0, "SIM1005", "COMPLETED", n},
		{iyzicotest.CancelAfterAuthFailure, time.Hour, "SIM1005", "COMPLETED", n},
		{iyzicotest.CancelAfterAuthNoop, 0, "success", "COMPLETED", n},
		{iyzicotest.CancelAfterAuthNoop, time.Hour, "success", "COMPLETED", n},
		{iyzicotest.CancelAfterAuthPartial, 0, "success", "CANCELED", 0},
		// 200 ms after auth, some slices are queued and go on.
		{iyzicotest.CancelAfterAuthPartial, 200 * time.Millisecond, "success", "CANCELED", 6},
		{iyzicotest.CancelAfterAuthPartial, 500 * time.Millisecond, "SIM1005", "COMPLETED", n},
		{iyzicotest.CancelAfterAuthPartial, time.Hour, "SIM1005", "COMPLETED", n},
	} {
		name := string(c.choice) + " after " + c.after.String()
		w := newWorld(t, iyzicotest.Settings{CancelAfterAuth: c.choice, Balance: new(iyzicotest.Money(10_000_00))})
		requestID := w.init("b", ids...)
		w.auth(requestID)
		w.wait(c.after)
		equal(t, name, code(w.Cancel(key, requestID)), c.code)
		if c.payments > 0 && c.payments < n {
			statuses := w.items(requestID)
			if !slices.Contains(statuses, "QUEUED") || !slices.Contains(statuses, "MASS_PAYOUT_CANCELED") {
				t.Errorf("%s: got %v, want items both queued and cancelled", name, statuses)
			}
		}
		w.settle()
		equal(t, name+": batch", w.status(requestID), c.status)
		equal(t, name+": payments", len(w.payments()), c.payments)
		equal(t, name+": balance", w.balance(), iyzicotest.Money(10_000_00-120_00*c.payments))
	}
}

func TestCancelUnfunded(t *testing.T) {
	t.Parallel()
	for choice, want := range map[iyzicotest.CancelUnfunded]struct{ code, status string }{
		iyzicotest.CancelUnfundedAccept: {"success", "CANCELED"},
		iyzicotest.CancelUnfundedRefuse: {"SIM1005", "INSUFFICIENT_BALANCE"},
	} {
		w := newWorld(t, iyzicotest.Settings{CancelUnfunded: choice, Balance: new(iyzicotest.Money(0)), ResumeWhenFunded: true})
		requestID := w.paid("b", "1")
		equal(t, string(choice), code(w.Cancel(key, requestID)), want.code)
		equal(t, string(choice)+": batch", w.status(requestID), want.status)

		// A cancelled batch does not come back with the money.
		w.Deposit(key, 1000_00)
		w.settle()
		equal(t, string(choice)+": paid when funded", w.payments()["1"] == 1, choice == iyzicotest.CancelUnfundedRefuse)
	}
}
