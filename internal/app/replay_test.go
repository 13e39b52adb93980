package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/toplu/toplu/schema/schematest"
)

type replayJSON struct {
	Ranges []struct{ Partition, From, To int64 }
	Read   int
	Known  map[string]int
	UsedUp int
	Again  int
	New    []struct{ PayoutID, Amount string }
	Sums   map[string]string `json:"newSums"`
	// Of a run.
	Listed, Taken, OnTheirWay, ToSend, Sent int
}

// Requests that nobody ever took are found and paid, and nothing else is.
func TestReplay(t *testing.T) {
	t.Parallel()
	s := newShift(t, 20*time.Millisecond)
	// Written before a group that begins now: never read by it.
	s.send(t, "lost-1", "lost-2", "again-1")
	s.env = plus(s.env, "TOPLU_KAFKA_STARTAT=now")
	s.start(t)
	s.until(t, func(result) bool { return s.began(t) }, "status")
	s.send(t, "known-1", "again-1")
	s.says(t, ": paid", "explain", "known-1")
	s.says(t, ": paid", "explain", "again-1")
	s.poison(t, "not json")
	s.says(t, "not_json", "dlq", "list")
	path := filepath.Join(t.TempDir(), "lost.plan")
	planned := s.until(t, func(r result) bool { return r.code == 0 && loose[replayJSON](t, r).Read == 6 }, "replay", "plan", "--from", "0", "--out", path, "--json")
	v := loose[replayJSON](t, planned)
	if len(v.New) != 2 || v.Sums["TRY"] != "20.00" || v.Known["paid"] != 3 || v.UsedUp != 0 {
		t.Fatalf("%s", planned.out)
	}
	ids := v.New[0].PayoutID + " " + v.New[1].PayoutID
	if ids != "lost-1 lost-2" && ids != "lost-2 lost-1" {
		t.Errorf("new: %s", ids)
	}
	s.run(t, "replay", "plan", "--from", "0").want(t, 0, "NEW, would be paid: 2 (20.00 TRY)", "")
	s.run(t, "replay", "plan", "--from", "yesterday").want(t, 2, "", "neither an offset nor a time")
	s.run(t, "replay", "plan", "--from", "2100-01-01T00:00:00Z").want(t, 0, "NEW, would be paid: 0", "")
	only := loose[replayJSON](t, s.run(t, "replay", "plan", "--from", "2020-01-01T00:00:00Z", "--id-file", file(t, "ids", "lost-2\n\n"), "--json"))
	if len(only.New) != 1 || only.New[0].PayoutID != "lost-2" {
		t.Errorf("%+v", only)
	}

	// A plan that was touched pays nobody.
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	touched := file(t, "touched.plan", strings.Replace(string(text), `"10.00"`, `"11.00"`, 1))
	s.run(t, "replay", "run", touched, "--yes").want(t, 1, "", "the file was changed")
	s.run(t, "replay", "run", file(t, "x", "{}"), "--yes").want(t, 1, "", "its version is 0")
	s.run(t, "replay", "run", path).want(t, 2, "", "add --yes")
	s.run(t, "replay", "run", path, "--dry-run").want(t, 0, "2 to be sent", "")
	s.run(t, "replay", "run", path, "--yes", "--by", "ayse", "--reason", "the topic was lost").want(t, 0, "2 sent to payout.requests", "")
	if v := loose[replayJSON](t, s.run(t, "replay", "run", path, "--yes", "--json")); v.Sent != 0 || v.Listed != 2 {
		t.Errorf("again: %+v", v)
	}
	s.says(t, ": paid", "explain", "lost-1")
	s.says(t, ": paid", "explain", "lost-2")
	if v := loose[replayJSON](t, s.run(t, "replay", "run", path, "--yes", "--json")); v.Taken != 2 || v.Sent != 0 {
		t.Errorf("again: %+v", v)
	}
	story := s.run(t, "explain", "lost-1")
	story.want(t, 0, ", replayed from payout.requests/", "")
	story.want(t, 0, " by ayse: the topic was lost", "")
	s.noted(t, "replay", "ayse", "lost-1", "the topic was lost")
	marked := 0
	for _, rec := range s.requests(t) {
		for _, h := range rec.Headers {
			if h.Key == "toplu-replayed-by" && string(h.Value) == "ayse" {
				marked++
				if err := schematest.Headers(t)("requested", rec.Message().Headers); err != nil {
					t.Error(err)
				}
			}
		}
	}
	if marked != 2 {
		t.Errorf("%d requests carry the mark", marked)
	}
	if v, r := s.audit(t, "--iyzico"); !v.Agrees || len(v.Sums) != 1 || v.Sums[0].Count != 4 {
		t.Errorf("%s", r.out)
	}
}

// A stretch with requests that were paid elsewhere can be planned, and pays the others:
// the usual state after Kafka was lost.
func TestReplayOfWhatWasPaidElsewhere(t *testing.T) {
	t.Parallel()
	s := newShift(t, 20*time.Millisecond)
	s.send(t, "lost-1", "elsewhere-1", "elsewhere-2")
	s.env = plus(s.env, "TOPLU_KAFKA_STARTAT=now")
	s.start(t)
	s.until(t, func(result) bool { return s.began(t) }, "status")
	s.run(t, "claims", "import", file(t, "ids", "elsewhere-1\nelsewhere-2\n"), "--reason", "the old system", "--yes").want(t, 0, "2 imported", "")
	path := filepath.Join(t.TempDir(), "lost.plan")
	s.until(t, func(r result) bool { return r.code == 0 && loose[replayJSON](t, r).Read == 3 }, "replay", "plan", "--from", "0", "--out", path, "--json")
	r := s.run(t, "replay", "plan", "--from", "0", "--out", path)
	r.want(t, 0, "NEW, would be paid: 1 (10.00 TRY)", "")
	r.want(t, 0, "2         paid elsewhere: imported", "")
	s.run(t, "replay", "run", path, "--yes").want(t, 0, "1 sent", "")
	s.says(t, ": paid", "explain", "lost-1")
	if v, r := s.audit(t, "--iyzico"); !v.Agrees || len(v.Sums) != 1 || v.Sums[0].Count != 1 {
		t.Errorf("%s", r.out)
	}
}

// A plan that lists an id which another payout has taken since is refused whole.
func TestReplayPlanThatNoLongerMatches(t *testing.T) {
	t.Parallel()
	s := newShift(t, 20*time.Millisecond)
	s.send(t, "lost-1", "lost-2")
	s.env = plus(s.env, "TOPLU_KAFKA_STARTAT=now")
	s.start(t)
	s.until(t, func(result) bool { return s.began(t) }, "status")
	path := filepath.Join(t.TempDir(), "lost.plan")
	s.until(t, func(r result) bool { return r.code == 0 && loose[replayJSON](t, r).Read == 2 }, "replay", "plan", "--from", "0", "--out", path, "--json")
	s.poison(t, `{"payoutId":"lost-1","recipient":{"type":"PHONE","value":"+905350000000"},"amount":{"value":"99.00","currency":"TRY"}}`)
	s.says(t, ": paid", "explain", "lost-1")
	s.until(t, func(r result) bool { // answered and committed: only the claims know it now
		st := loose[statusJSON](t, r)
		return st.Requests[0].Lag+st.Requests[1].Lag == 0
	}, "status", "--json")
	s.run(t, "replay", "run", path, "--yes").want(t, 1, "", "lost-1 belongs to a payout with other content by now")
	s.run(t, "explain", "lost-2").want(t, 0, "not seen", "")
}

// began reports whether the group has decided where every partition begins.
func (s *shift) began(t *testing.T) bool {
	t.Helper()
	cfg, client := kafkaOf(t, s.env)
	committed, err := client.CommittedOffsets(t.Context(), cfg.Kafka.Group, cfg.Kafka.Topics().Requests)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range committed {
		if !c.Found {
			return false
		}
	}
	return len(committed) == 2
}
