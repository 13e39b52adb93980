package iyzicotest_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/toplu/toplu/iyzico/iyzicotest"
)

const key = "merchant-a"

// world is a provider under a clock that only the test moves.
type world struct {
	*iyzicotest.Provider
	t   *testing.T
	now time.Time
}

func newWorld(t *testing.T, s iyzicotest.Settings) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	p, err := iyzicotest.NewProvider(s, func() time.Time { return w.now }, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		t.Fatalf("NewProvider: %v", err)
	}
	w.Provider = p
	return w
}

func (w *world) wait(d time.Duration) { w.now = w.now.Add(d) }

// settle waits longer than anything takes by default.
func (w *world) settle() { w.wait(time.Second) }

// batch is an init request with an item of 100.00 for each id.
func batch(externalID string, ids ...string) iyzicotest.InitRequest {
	r := iyzicotest.InitRequest{ExternalID: externalID, ConversationID: "conversation", Purpose: "SALARY"}
	for _, id := range ids {
		r.Items = append(r.Items, iyzicotest.InitItem{
			ItemExternalID: id,
			RecipientType:  "IBAN",
			RecipientInfo:  "TR330006100519786457841326",
			RecipientName:  "Ayşe Yılmaz",
			Description:    "Order",
			Amount:         iyzicotest.Amount{Value: 100_00, Currency: "TRY"},
		})
	}
	return r
}

// init makes a batch and returns its requestId.
func (w *world) init(externalID string, ids ...string) string {
	w.t.Helper()
	a := w.Init(key, batch(externalID, ids...))
	if !a.OK() {
		w.t.Fatalf("Init %s: %s %s", externalID, a.Code, a.Message)
	}
	return a.RequestID
}

func (w *world) auth(requestID string) {
	w.t.Helper()
	if a := w.Auth(key, requestID); !a.OK() {
		w.t.Fatalf("Auth: %s %s", a.Code, a.Message)
	}
}

// paid makes, authorises and settles a batch.
func (w *world) paid(externalID string, ids ...string) string {
	w.t.Helper()
	requestID := w.init(externalID, ids...)
	w.auth(requestID)
	w.settle()
	return requestID
}

// report reads a whole batch.
func (w *world) report(requestID string) iyzicotest.Answer {
	w.t.Helper()
	a := w.Retrieve(key, iyzicotest.RetrieveRequest{RequestID: requestID, Size: 1000})
	if !a.OK() {
		w.t.Fatalf("Retrieve: %s %s", a.Code, a.Message)
	}
	return a
}

func (w *world) status(requestID string) string {
	w.t.Helper()
	return w.report(requestID).Batch.Status.String()
}

// items are the statuses of a batch's items, in order.
func (w *world) items(requestID string) []string {
	w.t.Helper()
	var statuses []string
	for _, it := range w.report(requestID).Items {
		statuses = append(statuses, it.Status.String())
	}
	return statuses
}

// payments counts the transfers of every item.
func (w *world) payments() map[string]int {
	paid := map[string]int{}
	for t := range w.Books().Transfers {
		paid[t.ItemExternalID]++
	}
	return paid
}

func (w *world) balance() iyzicotest.Money {
	w.t.Helper()
	a := w.Balance(key)
	if !a.OK() {
		w.t.Fatalf("Balance: %s %s", a.Code, a.Message)
	}
	return a.Balance
}

// code is what a call was answered with.
func code(a iyzicotest.Answer) string {
	if a.Delivery != iyzicotest.Whole {
		return "not whole"
	}
	if a.Code == "" {
		return "success"
	}
	return a.Code
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
