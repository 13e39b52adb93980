package app_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/schema/schematest"
)

// TestRareEventsAreValid has happen what does not in a usual run, and holds every
// event in the public topics against its schema. The usual ones are in
// TestEventsOfARunAreValid.
func TestRareEventsAreValid(t *testing.T) {
	t.Parallel()
	s := newShift(t, 20*time.Millisecond)
	s.start(t)
	faults := func(dials string) {
		t.Helper()
		answer, err := http.Post(s.env["TOPLU_IYZICO_BASEURL"]+"/_simulator/faults", "application/json", strings.NewReader(dials))
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("faults: %v, %v", answer, err)
		}
		_ = answer.Body.Close()
	}
	s.run(t, "pause", "--yes").want(t, 0, "", "")
	s.send(t, "withdrawn")
	s.write(t, "payout.requests", nil, schema.EncodeCancel(&schema.Cancel{PayoutID: "withdrawn", Reason: "returned", Source: "/shop", ID: "c"}, time.Now()))
	s.says(t, "withdrawn: cancelled", "explain", "withdrawn")
	s.run(t, "resume", "--yes").want(t, 0, "", "")
	faults(`{"failItems":1,"depositFail":1}`)
	s.send(t, "kept-back")
	s.says(t, "kept-back: return_failed", "explain", "kept-back")
	faults(`{"lowBalance":1}`)
	s.send(t, "unfunded")
	s.says(t, "unfunded: unknown", "explain", "unfunded")
	faults(`{}`)
	s.send(t, "usual")
	s.says(t, "usual: paid", "explain", "usual")

	validate, headers, seen := schematest.Validator(t), schematest.Headers(t), map[string]int{}
	for _, r := range s.all(t, "payout.requests", "payout.statuses") {
		m := r.Message()
		kind, _ := m.Get("ce_type")
		seen[kind]++
		if err := validate(kind, m.Value); err != nil {
			t.Errorf("%s: %v: %s", kind, err, m.Value)
		}
		if err := headers(schematest.HeadersOf(kind), m.Headers); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
	for _, kind := range []string{"requested", "cancel", "accepted", "submitted", "unknown", "paid", "failed", "return_failed", "cancelled"} {
		if seen["payout."+kind+".v1"] == 0 {
			t.Errorf("no %s among %v", kind, seen)
		}
	}
}

// all reads all there is in some topics.
func (s *shift) all(t *testing.T, topics ...string) (all []kafkaio.Record) {
	t.Helper()
	_, client := kafkaOf(t, s.env)
	for _, topic := range topics {
		bounds, err := client.Offsets(t.Context(), topic)
		if err != nil {
			t.Fatal(err)
		}
		for partition, b := range bounds {
			for r := client.NewReader(topic, partition, b.Start, kafkaio.ReaderOptions{}); r.Offset() < b.End; {
				batch, err := r.Next(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, batch.Records...)
			}
		}
	}
	return all
}
