package app_test

import (
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/toplu/toplu/iyzico/iyzicotest"
)

func TestProbe(t *testing.T) {
	t.Parallel()
	server, err := iyzicotest.NewServer(iyzicotest.Config{
		Merchants: map[string]string{"sandbox-key": "sandbox-secret"},
		Settings:  iyzicotest.Settings{SecondAuth: iyzicotest.SecondAuthFailure, Balance: new(iyzicotest.Money(100_000)), SettleWithin: 1e8},
	})
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(server)
	t.Cleanup(listener.Close)
	env := func(base, key string) map[string]string {
		return map[string]string{
			"TOPLU_IYZICO_BASEURL": base, "TOPLU_MERCHANTS_DEFAULT_APIKEY": key, "TOPLU_MERCHANTS_DEFAULT_SECRETKEY": "sandbox-secret",
		}
	}
	r := run(t, env(listener.URL, "sandbox-key"), "", "probe", "--json", "--wait", "1s")
	report := decode[struct {
		Host     string
		Findings []struct {
			Question, Answer, Setting, Means string
			Open                             bool
		}
	}](t, r)
	var settings []string
	for _, f := range report.Findings {
		settings = append(settings, f.Setting)
	}
	if r.code != 0 || !slices.Contains(settings, "secondAuth=failure") || !slices.Contains(settings, "duplicateExternalId=reject") || len(report.Findings) != 14 {
		t.Errorf("got %+v", r)
	}
	run(t, env("https://api.iyzipay.com", "sandbox-key"), "", "probe").want(t, 1, "", "is not iyzico's sandbox")
	run(t, env("https://sandbox-api.iyzipay.com", "live-key"), "", "probe").want(t, 1, "", "no keys of the sandbox")
	run(t, env(listener.URL, "sandbox-key"), "", "probe", "--merchant", "nobody").want(t, 2, "", "no merchant")
	if calls := server.Provider().Books().Calls[iyzicotest.OpInit]; calls < 10 {
		t.Errorf("%d calls of init", calls)
	}
}
