package iyzicotest_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/iyzico/iyzicotest"
)

func TestEmptyBooks(t *testing.T) {
	t.Parallel()
	c := newClient(t, iyzicotest.Settings{})
	equal(t, "books", strings.TrimSpace(string(c.do("GET", "/_simulator/books", "", nil, "").body)),
		`{"transfers":[],"calls":{"init":0,"auth":0,"retrieve":0,"item":0,"cancel":0,"balance":0},`+
			`"batches":[],"accounts":[],"totals":{"transfers":0,"amount":"0.00"}}`)
}

func TestBooksOverHTTP(t *testing.T) {
	t.Parallel()
	c := newClient(t, iyzicotest.Settings{SettleWithin: 1, SecondAuth: iyzicotest.SecondAuthPaysAgain, Fate: fates})
	requestID := c.init("b", "1", "failed")
	c.auth(requestID)
	c.call("GET", "balance", nil)
	c.auth(requestID)
	transfer := map[string]string{
		"apiKey": key, "itemExternalId": "1", "externalId": "b", "requestId": requestID,
		"amount": "100.50", "currency": "TRY", "status": "SUCCESS",
	}
	want := books{
		Transfers: []map[string]string{transfer, transfer},
		Calls:     map[string]int{"init": 1, "auth": 2, "retrieve": 0, "item": 0, "cancel": 0, "balance": 1},
	}
	if diff := cmp.Diff(want, c.books()); diff != "" {
		t.Errorf("books (-want +got):\n%s", diff)
	}
	var more struct {
		Batches  []map[string]any `json:"batches"`
		Accounts []map[string]any `json:"accounts"`
		Totals   map[string]any   `json:"totals"`
	}
	if err := json.Unmarshal(c.do("GET", "/_simulator/books", "", nil, "").body, &more); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"SUCCESS": json.Number("1"), "FAILED": json.Number("1")}, numbers(more.Batches[0]["items"])); diff != "" {
		t.Errorf("items of the batch (-want +got):\n%s", diff)
	}
	equal(t, "amount in all", more.Totals["amount"], any("201.00"))
	equal(t, "accounts", len(more.Accounts), 1)
}

func numbers(v any) map[string]any {
	data, _ := json.Marshal(v)
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.UseNumber()
	m := map[string]any{}
	_ = d.Decode(&m)
	return m
}

func TestBooksKeepTheirTransfers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iyzicotest.Settings{})
	w.paid("b1", "1")
	before := w.Books()
	w.paid("b2", "2")
	equal(t, "count", before.Count, 1)
	for range 2 { // they can be read again
		for tr := range before.Transfers {
			equal(t, "transfer", tr.ItemExternalID, "1")
			break
		}
	}
}

func TestReset(t *testing.T) {
	t.Parallel()
	c := newClient(t, iyzicotest.Settings{SettleWithin: 1})
	requestID := c.init("b", "1")
	c.auth(requestID)
	c.faults(`{"balanceLost":1}`)
	equal(t, "transfers before", len(c.books().Transfers), 1)
	equal(t, "HTTP", c.do("POST", "/_simulator/reset", "", nil, "").http, 200)
	b := c.books()
	equal(t, "transfers", len(b.Transfers), 0)
	equal(t, "calls", b.Calls["init"], 0)
	equal(t, "the old batch", c.auth(requestID).json.ErrorCode, "SIM1002")
	equal(t, "faults are off", c.call("GET", "balance", nil).http, 200)
	c.init("b", "1")
}
