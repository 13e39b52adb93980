package iyzicotest_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/iyzico/iyzicotest"
)

func TestEverythingSettlesWithinASecond(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iyzicotest.Settings{})
	requestID := w.init("b", "1", "2", "3")
	w.wait(time.Hour)
	equal(t, "before auth", w.status(requestID), "INIT")
	w.auth(requestID)
	w.wait(time.Second)
	equal(t, "batch", w.status(requestID), "COMPLETED")
	if diff := cmp.Diff(map[string]int{"1": 1, "2": 1, "3": 1}, w.payments()); diff != "" {
		t.Errorf("payments (-want +got):\n%s", diff)
	}
	if _, busy := w.Next(); busy {
		t.Error("something is still to happen")
	}
}

// A client must see every documented step, items behind their batch, and
// items of one batch in different states.
func TestStepsOfABatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iyzicotest.Settings{SettleWithin: iyzicotest.Duration(time.Hour)})
	var ids []string
	for i := range 40 {
		ids = append(ids, strconv.Itoa(i))
	}
	requestID := w.init("b", ids...)
	w.auth(requestID)
	var batches, items []string
	lagged, mixed := false, false
	for {
		r := w.report(requestID)
		batches = append(batches, r.Batch.Status.String())
		seen := map[string]bool{}
		for _, it := range r.Items {
			items = append(items, it.Status.String())
			seen[it.Status.String()] = true
		}
		lagged = lagged || (r.Batch.Status == iyzicotest.BatchPublishedToQueue && len(seen) == 1 && seen["INIT"])
		mixed = mixed || len(seen) > 1
		next, busy := w.Next()
		if !busy {
			break
		}
		w.now = next
	}
	if diff := cmp.Diff([]string{"IN_PROGRESS", "PUBLISHED_TO_QUEUE", "COMPLETED"}, slices.Compact(batches)); diff != "" {
		t.Errorf("batch (-want +got):\n%s", diff)
	}
	slices.Sort(items)
	if diff := cmp.Diff([]string{"INIT", "PROCESSING", "QUEUED", "SUCCESS"}, slices.Compact(items)); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
	if !lagged {
		t.Error("no report shows PUBLISHED_TO_QUEUE with every item still INIT")
	}
	if !mixed {
		t.Error("no report shows items in different states")
	}
}

func TestTotalsGrowWithSuccess(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iyzicotest.Settings{})
	r := batch("b", "1", "2", "3")
	r.Items[2].Amount.Value = 0 // INVALID, and in no total
	requestID := w.Init(key, r).RequestID
	got := w.report(requestID).Batch
	want := iyzicotest.Batch{ExternalID: "b", MerchantID: 1, Currency: "TRY", TotalAmount: 200_00}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("before (-want +got):\n%s", diff)
	}
	w.auth(requestID)
	w.settle()
	want.Status, want.TotalSuccessfulAmount, want.TotalCommissionAmount = iyzicotest.BatchCompleted, 200_00, 40_00
	if diff := cmp.Diff(want, w.report(requestID).Batch); diff != "" {
		t.Errorf("after (-want +got):\n%s", diff)
	}
}

// fates gives items the fate their id says.
func fates(id string) iyzicotest.Fate {
	return map[string]iyzicotest.Fate{
		"paid": iyzicotest.FatePaid, "failed": iyzicotest.FateFailed, "returned": iyzicotest.FateReturned,
		"lost": iyzicotest.FateReturnFailed, "invalid": iyzicotest.FateInvalid,
	}[id]
}

func TestFates(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iyzicotest.Settings{Fate: fates, Balance: new(iyzicotest.Money(1000_00))})
	requestID := w.paid("b", "paid", "failed", "returned", "lost", "invalid")
	if diff := cmp.Diff([]string{"SUCCESS", "FAILED", "DEPOSIT_SUCCESS", "DEPOSIT_FAIL", "INVALID"}, w.items(requestID)); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"paid": 1}, w.payments()); diff != "" {
		t.Errorf("payments (-want +got):\n%s", diff)
	}
	equal(t, "balance", w.balance(), 1000_00-3*120_00)
	equal(t, "message", w.report(requestID).Items[1].ErrorMessage, "SIM3001 refused by the bank")
}

func TestFateComesBeforeTheDials(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iyzicotest.Settings{Fate: fates})
	w.SetFaults(iyzicotest.Faults{InvalidItems: iyzicotest.Always, FailItems: iyzicotest.Always})
	if diff := cmp.Diff([]string{"SUCCESS", "INVALID"}, w.items(w.paid("b", "paid", "of no fate"))); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
}

// FAILED is seen before the money comes back.
func TestRefundComesLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iyzicotest.Settings{Fate: fates, RefundAfter: iyzicotest.Duration(time.Hour)})
	requestID := w.paid("b", "returned")
	equal(t, "first", w.items(requestID)[0], "FAILED")
	equal(t, "batch", w.status(requestID), "FAIL")
	w.wait(time.Hour)
	equal(t, "later", w.items(requestID)[0], "DEPOSIT_SUCCESS")
}

func TestRefund(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		refund  iyzicotest.Refund
		faults  iyzicotest.Faults
		status  string
		balance iyzicotest.Money
	}{
		{iyzicotest.RefundByDial, iyzicotest.Faults{}, "FAILED", 880_00},
		{iyzicotest.RefundByDial, iyzicotest.Faults{DepositSuccess: iyzicotest.Always}, "DEPOSIT_SUCCESS", 1000_00},
		{iyzicotest.RefundByDial, iyzicotest.Faults{DepositFail: iyzicotest.Always}, "DEPOSIT_FAIL", 880_00},
		{iyzicotest.RefundAlways, iyzicotest.Faults{}, "DEPOSIT_SUCCESS", 1000_00},
		{iyzicotest.RefundAlways, iyzicotest.Faults{DepositFail: iyzicotest.Always}, "DEPOSIT_FAIL", 880_00},
		{iyzicotest.RefundNever, iyzicotest.Faults{DepositSuccess: iyzicotest.Always}, "FAILED", 1000_00},
	} {
		w := newWorld(t, iyzicotest.Settings{Refund: c.refund, Balance: new(iyzicotest.Money(1000_00))})
		c.faults.FailItems = iyzicotest.Always
		w.SetFaults(c.faults)
		requestID := w.paid("b", "1")
		equal(t, string(c.refund), w.items(requestID)[0], c.status)
		equal(t, string(c.refund)+" "+c.status+": balance", w.balance(), c.balance)
		equal(t, string(c.refund)+": payments", w.payments()["1"], 0)
	}
}

func TestSharesOfFailedItems(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iyzicotest.Settings{})
	w.SetFaults(iyzicotest.Faults{FailItems: 500_000, DepositSuccess: 400_000, DepositFail: 400_000})
	var ids []string
	for i := range 1000 {
		ids = append(ids, strconv.Itoa(i))
	}
	count := map[string]int{}
	for _, status := range w.items(w.paid("b", ids...)) {
		count[status]++
	}
	for status, about := range map[string]int{"SUCCESS": 500, "DEPOSIT_SUCCESS": 200, "DEPOSIT_FAIL": 200, "FAILED": 100} {
		if n := count[status]; n < about*7/10 || n > about*13/10 {
			t.Errorf("%s: got %d, want about %d", status, n, about)
		}
	}
}

func TestMixedResult(t *testing.T) {
	t.Parallel()
	for choice, want := range map[iyzicotest.MixedResult]string{
		iyzicotest.MixedResultCompleted: "COMPLETED",
		iyzicotest.MixedResultFail:      "FAIL",
		iyzicotest.MixedResultStay:      "PUBLISHED_TO_QUEUE",
	} {
		w := newWorld(t, iyzicotest.Settings{MixedResult: choice, Fate: fates})
		equal(t, string(choice)+": mixed", w.status(w.paid("mixed", "paid", "failed")), want)
		equal(t, string(choice)+": all paid", w.status(w.paid("good", "paid")), "COMPLETED")
		equal(t, string(choice)+": none paid", w.status(w.paid("bad", "failed", "returned")), "FAIL")
	}
}

func TestDebit(t *testing.T) {
	t.Parallel()
	for choice, want := range map[iyzicotest.Debit]struct{ amid, end iyzicotest.Money }{
		iyzicotest.DebitAtQueueing: {1000_00 - 240_00, 1000_00 - 240_00},
		iyzicotest.DebitOnSuccess:  {1000_00, 1000_00 - 120_00},
	} {
		w := newWorld(t, iyzicotest.Settings{Debit: choice, Fate: fates, Balance: new(iyzicotest.Money(1000_00))})
		requestID := w.init("b", "paid", "failed")
		w.auth(requestID)
		w.wait(200 * time.Millisecond)
		equal(t, string(choice)+": amid", w.balance(), want.amid)
		w.settle()
		equal(t, string(choice)+": in the end", w.balance(), want.end)
	}
}

func TestCommission(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		settings     iyzicotest.Settings
		amount, want iyzicotest.Money
	}{
		{iyzicotest.Settings{}, 100_00, 20_00},
		{iyzicotest.Settings{CommissionFlat: new(iyzicotest.Money(1_50))}, 100_00, 1_50},
		{iyzicotest.Settings{CommissionFlat: new(iyzicotest.Money(0))}, 100_00, 0},
		{iyzicotest.Settings{CommissionBasisPoints: 125}, 100_00, 1_25},
		{iyzicotest.Settings{CommissionBasisPoints: 125}, 99, 1},
		{iyzicotest.Settings{CommissionBasisPoints: 125}, 900_000_000_000_000_000, 11_250_000_000_000_000},
	} {
		w := newWorld(t, c.settings)
		r := batch("b", "1")
		r.Items[0].Amount.Value = c.amount
		a := w.Init(key, r)
		equal(t, c.amount.String(), w.report(a.RequestID).Items[0].Commission, c.want)
	}
}

func TestResumeWhenFunded(t *testing.T) {
	t.Parallel()
	for _, resumes := range []bool{false, true} {
		w := newWorld(t, iyzicotest.Settings{ResumeWhenFunded: resumes, Balance: new(iyzicotest.Money(0))})
		first, second := w.paid("b1", "1"), w.paid("b2", "2")
		equal(t, "without money", w.status(first), "INSUFFICIENT_BALANCE")
		w.Deposit(key, 130_00) // enough for one
		w.settle()
		w.Deposit(key, 1)
		w.settle()
		equal(t, "first paid", w.payments()["1"] == 1, resumes)
		equal(t, "second paid", w.payments()["2"], 0)
		equal(t, "first completed", w.status(first) == "COMPLETED", resumes)
		equal(t, "second", w.status(second), "INSUFFICIENT_BALANCE")
	}
}

func TestLowBalanceDial(t *testing.T) {
	t.Parallel()
	for _, resumes := range []bool{false, true} {
		w := newWorld(t, iyzicotest.Settings{ResumeWhenFunded: resumes})
		w.SetFaults(iyzicotest.Faults{LowBalance: iyzicotest.Always})
		requestID := w.paid("b", "1")
		equal(t, "batch", w.status(requestID), "INSUFFICIENT_BALANCE")
		w.SetFaults(iyzicotest.Faults{})
		w.settle()
		equal(t, "goes on when the dial is off", w.status(requestID) == "COMPLETED", resumes)
	}
	w := newWorld(t, iyzicotest.Settings{BalanceCheck: iyzicotest.BalanceCheckAtAuth})
	w.SetFaults(iyzicotest.Faults{LowBalance: iyzicotest.Always})
	equal(t, "at auth", code(w.Auth(key, w.init("b", "1"))), "SIM1010")
}

func TestSettleDelayDial(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iyzicotest.Settings{})
	w.SetFaults(iyzicotest.Faults{SettleDelay: 60_000})
	requestID := w.paid("b", "1")
	equal(t, "at first", w.items(requestID)[0], "PROCESSING")
	w.wait(time.Minute)
	equal(t, "later", w.items(requestID)[0], "SUCCESS")
}

// Money that comes back from one batch pays for another that waits.
func TestRefundFundsTheNextBatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iyzicotest.Settings{Fate: fates, ResumeWhenFunded: true, Balance: new(iyzicotest.Money(120_00))})
	w.auth(w.init("b1", "returned"))
	w.auth(w.init("b2", "paid"))
	w.wait(400 * time.Millisecond)
	equal(t, "at first", w.Books().Batches[1].Status, iyzicotest.BatchInsufficientBalance)
	w.wait(2 * time.Second)
	equal(t, "payments", w.payments()["paid"], 1)
	equal(t, "balance", w.balance(), 0)
}
