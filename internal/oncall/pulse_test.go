package oncall

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Pulses of several processes are one answer; what nobody repeats is dropped.
func TestJoinPulses(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	before := now.Add(-time.Minute)
	failure := &CallFailure{At: now, Op: "init", Outcome: "refused", Code: "1001"}
	note := func(p Pulse) string {
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	got, err := joinPulses(map[string]string{
		"a":   note(Pulse{At: now, Merchants: []MerchantPulse{{Merchant: "x", Calls: 2, LastSuccess: &before}}}),
		"b":   note(Pulse{At: now, Merchants: []MerchantPulse{{Merchant: "x", Calls: 3, Failed: 1, LastSuccess: &now, LastFailure: failure}, {Merchant: "w"}}}),
		"old": note(Pulse{At: before, Merchants: []MerchantPulse{{Merchant: "x", Calls: 100}}}),
		"bad": "{",
	}, now)
	if err == nil {
		t.Error("a note that cannot be read is not told of")
	}
	want := []MerchantPulse{{Merchant: "w"}, {Merchant: "x", Calls: 5, Failed: 1, LastSuccess: &now, LastFailure: failure}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
