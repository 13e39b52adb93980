package iyzicotest_test

import (
	"encoding/json"
	"testing"

	"github.com/toplu/toplu/iyzico/iyzicotest"
)

func TestMoneyIsExact(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"100": "100.00", "100.5": "100.50", "0.01": "0.01", "20.00000000": "20.00", "-5.25": "-5.25", "0": "0.00",
		"9999999999999999.99": "9999999999999999.99",
		"100.505":             "refused", "1e2": "refused", "": "refused", ".5": "refused", "5.": "refused",
		"+1": "refused", "1,5": "refused", "99999999999999999": "refused", "--1": "refused",
	} {
		var m iyzicotest.Money
		got := "refused"
		if err := m.UnmarshalText([]byte(text)); err == nil {
			got = m.String()
		}
		equal(t, text, got, want)
	}
}

// A request with an amount that is none must stay readable: one line is
// refused, the others go on.
func TestAmountThatIsNoneRefusesTheLineAlone(t *testing.T) {
	t.Parallel()
	for _, value := range []string{`"100.50"`, `1e2`, `100.505`, `null`, `-1`, `0`, `true`, `{}`, `99999999999999999999`} {
		w := newWorld(t, iyzicotest.Settings{})
		r := batch("b", "good", "bad")
		if err := json.Unmarshal([]byte(value), &r.Items[1].Amount.Value); err != nil {
			t.Errorf("%s: %v", value, err)
		}
		a := w.Init(key, r)
		if !a.OK() || len(a.InvalidItems) != 1 || a.InvalidItems[0].ErrorCode != "SIM2003" {
			t.Errorf("%s: got %s %v, want the second line refused for its amount", value, code(a), a.InvalidItems)
		}
	}
}
