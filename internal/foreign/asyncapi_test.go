//go:build integration && slow

package foreign_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// TestSlowAsyncAPI has the AsyncAPI project's own parser read the document of
// the topics. Advice to use a newer version of AsyncAPI is let pass.
func TestSlowAsyncAPI(t *testing.T) {
	var found struct {
		Version  string
		Channels []string
		Messages []struct {
			Title      string
			Properties []string
		}
		Diagnostics []struct {
			Severity   int // 0 an error, 1 a warning, 2 information
			Path, Text string
		}
	}
	out := run(t, []string{nodeEnv(t)}, "node", "testdata/asyncapi.js", absolute(t, "../../schema/asyncapi.yaml"))
	if err := json.Unmarshal([]byte(out), &found); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, d := range found.Diagnostics {
		if d.Severity < 2 {
			t.Errorf("%s: %s", d.Path, d.Text)
		}
	}
	if found.Version != "3.0.0" || !slices.Equal(found.Channels, []string{"payout.requests", "payout.statuses", "payout.requests.dlq"}) || len(found.Messages) != 7 {
		t.Errorf("got %s", out)
	}
	for _, m := range found.Messages { // the schemas are found through their references
		want := "payoutId"
		switch {
		case m.Title == "a dead letter":
			continue
		case strings.HasSuffix(m.Title, "(structured)"):
			want = "data"
		}
		if !slices.Contains(m.Properties, want) {
			t.Errorf("%s has properties %v", m.Title, m.Properties)
		}
	}
}
