package iyzicotest_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/toplu/toplu/iyzico/iyzicotest"
)

func TestSettingsByName(t *testing.T) {
	t.Parallel()
	choices := map[string]string{
		"allInvalid":          "accept reject",
		"authAnswer":          "honest failure",
		"balanceCheck":        "worker at-auth",
		"cancelAfterAuth":     "failure noop partial",
		"cancelUnfunded":      "accept refuse",
		"checksum":            "off invalid",
		"debit":               "at-queueing on-success",
		"duplicateExternalId": "reject replay second",
		"duplicateItem":       "invalid accept reject",
		"duplicateOther":      "reject replay second",
		"missingLocale":       "accept reject",
		"mixedResult":         "completed fail stay",
		"pageOverflow":        "clamp refuse",
		"refund":              "by-dial always never",
		"repeatedItem":        "accept invalid unless-cancelled",
		"retrieveLagMode":     "fixed random per-item",
		"retrievePick":        "first last any",
		"secondAuth":          "success failure pays-again",
		"unknownRequest":      "failure http404",
	}
	for field, names := range choices {
		for name := range strings.FieldsSeq(names) {
			s, err := iyzicotest.ParseSettings([]byte(`{"` + field + `":"` + name + `"}`))
			if err != nil {
				t.Errorf("%s %s: %v", field, name, err)
				continue
			}
			text, err := json.Marshal(s)
			if err != nil || !strings.Contains(string(text), `"`+field+`":"`+name+`"`) {
				t.Errorf("%s %s: not kept: %s %v", field, name, text, err)
			}
		}
	}
}

func TestSettingsOfEveryKind(t *testing.T) {
	t.Parallel()
	s, err := iyzicotest.ParseSettings([]byte(`{"balance":1000.50,"settleWithin":"250ms","maxItems":3,
		"rateLimits":{"init":60},"strictJson":true,"httpFailure":422}`))
	if err != nil {
		t.Fatal(err)
	}
	if s.Balance == nil || *s.Balance != 1000_50 || time.Duration(s.SettleWithin) != 250*time.Millisecond ||
		s.MaxItems != 3 || s.RateLimits[iyzicotest.OpInit] != 60 || !s.StrictJSON || s.HTTPFailure != 422 {
		t.Errorf("got %+v", s)
	}
}

func TestSettingsReportEveryMistake(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		json string
		want []string
	}{
		"read": {
			`{"secondAuth":"twice","settleWithin":"soon","maxItems":"many","nonsense":1,"SecondAuth":"success"}`,
			[]string{"secondAuth", "pays-again", "settleWithin", "maxItems", "unknown: SecondAuth, nonsense", "known: allInvalid"},
		},
		"checked": {
			`{"balance":"lots","commissionFlat":-1,"maxPageSize":-1,"retrieveLag":"-1s","httpFailure":500,"httpRateLimit":500,"httpSignature":500,"rateLimits":{"pay":1,"auth":0}}`,
			[]string{"balance", "commissionFlat", "maxPageSize", "retrieveLag", "httpFailure", "httpRateLimit", "httpSignature", `"pay"`, `"auth"`},
		},
		"two commissions": {`{"commissionFlat":1,"commissionBasisPoints":10001}`, []string{"commissionFlat", "more than"}},
		"no object":       {`[]`, []string{"object"}},
	} {
		_, err := iyzicotest.ParseSettings([]byte(c.json))
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is missing in %v", name, want, err)
			}
		}
	}
}

func TestNewProviderRefusesWrongSettings(t *testing.T) {
	t.Parallel()
	_, err := iyzicotest.NewProvider(iyzicotest.Settings{SecondAuth: "twice"}, time.Now, rand.New(rand.NewPCG(1, 1)))
	if err == nil {
		t.Error("a choice that is none was accepted")
	}
	if _, err := iyzicotest.NewProvider(iyzicotest.Settings{}, nil, nil); err == nil {
		t.Error("a provider without a clock was made")
	}
}
