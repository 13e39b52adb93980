package demo_test

import (
	"testing"
	"time"

	"github.com/toplu/toplu/internal/demo"
	"github.com/toplu/toplu/schema"
)

// The judge must be able to find the books wrong.
func TestJudgeFinds(t *testing.T) {
	t.Parallel()
	parts, err := demo.Start(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer parts.Close()
	orders := demo.Orders(1, time.Now())
	if r := parts.Judge(orders, demo.NewLedger()); r.Balanced || r.Unanswered != 1 {
		t.Errorf("nothing was answered, and the judge says %+v", r)
	}
	ledger := demo.NewLedger()
	for i, status := range []schema.PayoutStatus{schema.Accepted, schema.Submitted, schema.Paid} {
		s := schema.Status{PayoutID: orders[0].ID, Merchant: "default", Sequence: i + 1, Status: status, Amount: schema.Amount{Minor: orders[0].Minor, Currency: schema.TRY}, OccurredAt: time.Now()}
		if err := ledger.Book(schema.EncodeStatus(&s)); err != nil {
			t.Fatal(err)
		}
	}
	if r := parts.Judge(orders, ledger); r.Balanced || r.Paid != 1 {
		t.Errorf("the ledger says paid and iyzico's books are empty, and the judge says %+v", r)
	}
	s := schema.Status{PayoutID: orders[0].ID, Merchant: "default", Sequence: 5, Status: schema.Failed, OccurredAt: time.Now(), Amount: schema.Amount{Minor: 1, Currency: schema.TRY}}
	if err := ledger.Book(schema.EncodeStatus(&s)); err != nil {
		t.Fatal(err)
	}
	if r := parts.Judge(orders, ledger); len(r.Wrong) < 3 {
		t.Errorf("paid became failed, and the judge says only %q", r.Wrong)
	}
}
