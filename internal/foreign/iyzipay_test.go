//go:build integration && slow

package foreign_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

// TestSlowIyzipay has iyzico's own SDK sign and send every call of the Mass
// Payout API to the simulator, with iyzico's sample batch.
func TestSlowIyzipay(t *testing.T) {
	url := startSimulator(t)
	sample := absolute(t, "../../iyzico/iyzicotest/testdata/init-request.json")
	type answer struct{ Status, ErrorCode string }
	call := func(secret string) map[string]answer {
		t.Helper()
		answers := map[string]answer{}
		out := run(t, []string{nodeEnv(t)}, "node", "testdata/iyzipay.js", url, "sandbox-key", secret, sample)
		if err := json.Unmarshal([]byte(out), &answers); err != nil || len(answers) != 6 {
			t.Fatalf("%v: %s", err, out)
		}
		return answers
	}
	for name, a := range call("sandbox-secret") {
		if a.Status != "success" {
			t.Errorf("%s: %+v", name, a)
		}
	}
	for name, a := range call("another-secret") {
		if a.Status != "failure" || a.ErrorCode != "1000" {
			t.Errorf("%s with a wrong secret: %+v", name, a)
		}
	}
	eventually(t, 10*time.Second, func() string { // a batch takes its time to settle
		if paid := transfers(t, url); len(paid) != 4 {
			return fmt.Sprintf("paid: %v", paid)
		}
		return ""
	})
}
