package iyzicotest_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/toplu/toplu/iyzico/iyzicotest"
)

// A provider in process, under a clock of one's own, that pays again on a
// second auth. The books show it.
func ExampleProvider() {
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	p, err := iyzicotest.NewProvider(
		iyzicotest.Settings{SecondAuth: iyzicotest.SecondAuthPaysAgain},
		func() time.Time { return now },
		rand.New(rand.NewPCG(1, 2)),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	made := p.Init("api-key", iyzicotest.InitRequest{ExternalID: "batch-1", Items: []iyzicotest.InitItem{{
		ItemExternalID: "order-1", RecipientType: "MEMBER_ID", RecipientInfo: "2228853",
		Amount: iyzicotest.Amount{Value: 100_50, Currency: "TRY"},
	}}})
	p.Auth("api-key", made.RequestID)
	p.Auth("api-key", made.RequestID)

	now = now.Add(time.Second)
	for t := range p.Books().Transfers {
		fmt.Println(t.ItemExternalID, t.Amount, t.Currency, t.Status)
	}
	// Output:
	// order-1 100.50 TRY SUCCESS
	// order-1 100.50 TRY SUCCESS
}

// A server that loses the answer of every auth after it took effect.
func ExampleNewServer() {
	s, err := iyzicotest.NewServer(iyzicotest.Config{Merchants: map[string]string{"api-key": "secret"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	s.Provider().SetFaults(iyzicotest.Faults{AuthLostAfter: iyzicotest.Always})

	h := httptest.NewServer(s)
	defer h.Close()
	response, err := http.Get(h.URL + "/_simulator/faults")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	fmt.Println(response.Status)
	// Output: 200 OK
}
