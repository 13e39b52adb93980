package app_test

import (
	"strings"
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

// One story in the order of time, with the event ids of both modes of CloudEvents.
func TestExplainTellsInOrder(t *testing.T) {
	t.Parallel()
	s := newShift(t, 20*time.Millisecond)
	s.start(t)
	s.send(t, "a-1")
	s.says(t, ": paid", "explain", "a-1")
	s.write(t, "payout.requests", nil, schema.Message{
		Key: []byte("a-1"), Headers: []schema.Header{{Key: "content-type", Value: []byte("application/cloudevents+json")}},
		Value: []byte(`{"specversion":"1.0","id":"e-again","source":"/shop","type":"payout.requested.v1","data":{"payoutId":"a-1","recipient":{"type":"IBAN","value":"TR330006100519786457841326","name":"Ayşe Yılmaz"},"amount":{"value":"10.00","currency":"TRY"}}}`),
	})
	s.says(t, "asked for again by event e-again at ", "explain", "a-1")
	out := s.run(t, "explain", "a-1").out
	_, out, _ = strings.Cut(out, "batch ") // the head says where it was asked for too
	for _, step := range []string{
		"asked for by event", "planned, at offset", "status 1 accepted", "creating ", "completing ", "status 2 submitted", "settled ", "status 3 paid", "asked for again", "next: ",
	} {
		before, after, found := strings.Cut(out, step)
		if !found {
			t.Fatalf("%s is not told, or not after what comes before it; rest: %s", step, before)
		}
		out = after
	}
}
