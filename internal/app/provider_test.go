package app_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/toplu/toplu/iyzico/iyzicotest"
)

// TestStrictProvider has the service pay at an iyzico that is strict wherever its
// pages leave it open, in the settings that the simulation does not draw.
func TestStrictProvider(t *testing.T) {
	t.Parallel()
	s := newShift(t, 20*time.Millisecond)
	server, err := iyzicotest.NewServer(iyzicotest.Config{
		Merchants: map[string]string{s.env["TOPLU_MERCHANTS_DEFAULT_APIKEY"]: s.env["TOPLU_MERCHANTS_DEFAULT_SECRETKEY"]},
		Settings: iyzicotest.Settings{
			StrictJSON: true, MissingLocale: iyzicotest.MissingLocaleReject, Checksum: iyzicotest.ChecksumInvalid,
			DuplicateItem: iyzicotest.DuplicateItemReject, CommissionBasisPoints: 150, HTTPSignature: 200, HTTPRateLimit: 429,
			SettleWithin: iyzicotest.Duration(20 * time.Millisecond),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	server.Provider().SetFaults(iyzicotest.Faults{RateLimit: iyzicotest.Always / 3})
	listener := httptest.NewServer(server)
	t.Cleanup(listener.Close)
	s.env["TOPLU_IYZICO_BASEURL"] = listener.URL
	s.start(t)
	s.send(t, "a", "b", "c")
	for _, id := range []string{"a", "b", "c"} {
		s.says(t, id+": paid", "explain", id)
	}
	n := 0
	for range server.Provider().Books().Transfers {
		n++
	}
	if n != 3 {
		t.Errorf("%d transfers", n)
	}
	for _, r := range s.all(t, "payout.statuses") {
		m := r.Message()
		if kind, _ := m.Get("ce_type"); kind == "payout.paid.v1" && !strings.Contains(string(m.Value), `"commission":{"value":"0.15","currency":"TRY"}`) {
			t.Errorf("commission: %s", m.Value)
		}
	}
}
