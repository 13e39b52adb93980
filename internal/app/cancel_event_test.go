package app_test

import (
	"testing"
	"time"

	"github.com/toplu/toplu/schema"
)

// An order system withdraws a payout by an event, with no person about.
func TestCancelEvent(t *testing.T) {
	t.Parallel()
	s := newShift(t, 20*time.Millisecond)
	s.start(t)
	cancel := func(id string) {
		t.Helper()
		s.write(t, "payout.requests", nil, schema.EncodeCancel(&schema.Cancel{PayoutID: id, Reason: "returned", Source: "/shop", ID: "c-" + id}, time.Now()))
	}
	cancel("nobody-asked")
	s.says(t, "nothing_to_cancel", "dlq", "list")
	s.run(t, "pause", "--yes").want(t, 0, "", "")
	s.send(t, "a-1", "a-2")
	cancel("a-1")
	s.says(t, "a-1: cancelled", "explain", "a-1")
	s.run(t, "explain", "a-1").want(t, 0, "returned", "")
	s.run(t, "resume", "--yes").want(t, 0, "", "")
	s.says(t, ": paid", "explain", "a-2")
	cancel("a-2") // too late, and it does no harm
	s.send(t, "nobody-asked")
	s.says(t, ": paid", "explain", "nobody-asked")
	if v, r := s.audit(t, "--iyzico"); !v.Agrees {
		t.Errorf("%s", r.out)
	}
}
