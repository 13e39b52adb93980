package app_test

import (
	"strings"
	"testing"
	"time"
)

// Logs that were lost begin closed, and are not opened by what was asked of
// those before them.
func TestCommandsOfLostLogs(t *testing.T) {
	t.Parallel()
	s := newShift(t, 20*time.Millisecond)
	s.start(t)
	s.send(t, "a-1")
	s.says(t, ": paid", "explain", "a-1")
	// An earlier loss had been mended so.
	s.run(t, "claims", "import", "--none", "--open", "--reason", "a drill", "--yes").want(t, 0, "", "")
	s.stop()
	_, client := kafkaOf(t, s.env)
	anew := func(topics ...string) {
		t.Helper()
		if err := client.DeleteTopics(t.Context(), topics...); err != nil {
			t.Fatal(err)
		}
		s.run(t, "topics", "create", "--partitions", "2").want(t, 0, "", "")
	}
	anew("payout.batches", "payout.journal", "payout.requests")
	s.run(t, "run").want(t, 1, "", "payout.commands")
	if n := len(s.records(t, "payout.batches")); n != 0 {
		t.Errorf("logs were begun: %d records", n)
	}

	anew("payout.commands")
	s.start(t)
	s.says(t, "CLOSED: ", "status")
	s.send(t, "a-1")
	s.run(t, "claims", "import", file(t, "paid", "a-1"), "--open", "--reason", "panel", "--yes").want(t, 0, "1 imported; opened shards: 0, 1", "")
	if r := s.run(t, "status"); strings.Contains(r.out, "CLOSED") {
		t.Errorf("%s", r.out)
	}
	s.run(t, "explain", "a-1").want(t, 0, "paid elsewhere", "")
}
