package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/app"
	"github.com/toplu/toplu/internal/demo"
	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema"
)

// A shift is the surroundings of a service, and the service while it runs.
type shift struct {
	env  map[string]string
	stop func()
	logs lockedBuffer
}

// newShift starts Kafka, Redis and iyzico in this process and makes the topics.
// settle is how long iyzico takes over a batch.
func newShift(t *testing.T, settle time.Duration) *shift {
	t.Helper()
	parts, err := demo.Start(t.Context(), settle)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(parts.Close)
	s := &shift{env: plus(parts.Env(), "TOPLU_LOG_LEVEL=error", "TOPLU_KAFKA_SESSIONTIMEOUT=6s"), stop: func() {}}
	s.run(t, "topics", "create", "--partitions", "2").want(t, 0, "", "")
	return s
}

func (s *shift) run(t *testing.T, args ...string) result {
	t.Helper()
	return run(t, s.env, "", args...)
}

// start runs the service until stop, or the end of the test.
func (s *shift) start(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int, 1)
	go func() {
		done <- app.Run(ctx, []string{"run"}, func(name string) string { return s.env[name] }, strings.NewReader(""), &s.logs, &s.logs)
	}()
	s.stop = sync.OnceFunc(func() {
		cancel()
		if code := <-done; code != 0 {
			t.Errorf("the service ended with %d: %s", code, s.logs.String())
		}
	})
	t.Cleanup(s.stop)
}

// send sends payouts of 10.00 TRY each.
func (s *shift) send(t *testing.T, ids ...string) {
	t.Helper()
	var lines strings.Builder
	for _, id := range ids {
		fmt.Fprintf(&lines, `{"payoutId":%q,"recipient":{"type":"IBAN","value":"TR330006100519786457841326","name":"Ayşe Yılmaz"},"amount":{"value":"10.00","currency":"TRY"}}`+"\n", id)
	}
	run(t, s.env, lines.String(), "send", "-").want(t, 0, "", "")
}

// until repeats a command until ok, and returns its last result.
func (s *shift) until(t *testing.T, ok func(result) bool, args ...string) result {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; {
		r := s.run(t, args...)
		if ok(r) {
			return r
		}
		if time.Now().After(deadline) {
			t.Fatalf("not reached: toplu %s: %+v", strings.Join(args, " "), r)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// says waits until a command's standard output has a text.
func (s *shift) says(t *testing.T, text string, args ...string) {
	t.Helper()
	s.until(t, func(r result) bool { return strings.Contains(r.out, text) }, args...)
}

type batchJSON struct {
	BatchID  string
	Shard    int
	State    string
	Stuck    bool
	Statuses map[string]struct {
		Count int
		Value string
	}
	Holds   []struct{ By, Reason string }
	Journal []struct{ Record, By, Text, DoesNotCount string }
	Items   []struct{ PayoutID, Status, Recipient string }
	Next    string
}

// batches is batch list.
func (s *shift) batches(t *testing.T, args ...string) []batchJSON {
	t.Helper()
	r := s.run(t, append([]string{"batch", "list", "--json"}, args...)...)
	if r.code != 0 {
		t.Fatalf("%+v", r)
	}
	return loose[struct{ Batches []batchJSON }](t, r).Batches
}

// noted checks that one record of the journals says who did what, and all of texts.
func (s *shift) noted(t *testing.T, kind, by string, texts ...string) {
	t.Helper()
	n := 0
	for _, rec := range s.all(t, "payout.journal") {
		r, err := schema.DecodeRecord(rec.Value)
		if err != nil || r.Type != schema.RecNoted || r.Reason.Code != kind || r.By != by {
			continue
		}
		if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(r.Reason.Text, text) }) {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d records of the journal tell of a %s by %s with %q, want 1", n, kind, by, texts)
	}
}

// batchOf is the batch that owns a payout, as explain names it.
func (s *shift) batchOf(t *testing.T, payout string) string {
	t.Helper()
	return loose[struct{ BatchID string }](t, s.run(t, "explain", payout, "--json")).BatchID
}

func TestHoldCancelResume(t *testing.T) {
	t.Parallel()
	s := newShift(t, 50*time.Millisecond)
	s.start(t)
	pause := []string{"pause", "--reason", "a drill", "--by", "ayse", "--json"}
	type pauseReport struct {
		Kind, Merchant, Verdict string
		DryRun                  bool
		Shards                  []struct {
			Shard                       int
			CommandOffset, RecordOffset int64
			Verdict, Text, Record, Code string
		}
	}
	s.run(t, pause...).want(t, 2, "", "add --yes")
	if v := decode[pauseReport](t, s.run(t, append(pause, "--dry-run")...)); !v.DryRun || v.Verdict != "" {
		t.Errorf("%+v", v)
	}
	r := s.run(t, append(pause, "--yes")...)
	if v := decode[pauseReport](t, r); r.code != 0 || v.Verdict != "counted" || len(v.Shards) != 2 || v.Shards[1].Record != "paused" {
		t.Fatalf("%+v", r)
	}

	s.send(t, "a-1", "a-2", "a-3", "a-4", "a-5", "a-6")
	s.says(t, "accepted", "explain", "a-6")
	s.until(t, func(result) bool {
		all := s.batches(t)
		for _, b := range all {
			if b.State != "created" {
				return false
			}
		}
		return len(all) > 0
	}, "batch", "list")
	batch := s.batchOf(t, "a-1")

	// A hold, shown as such, with who and why.
	s.run(t, "batch", "hold", batch, "--dry-run").want(t, 0, "the batch would be held", "")
	s.run(t, "batch", "hold", batch, "--yes", "--by", "ayse", "--reason", "looks odd").want(t, 0, "counted: the batch is held", "")
	stuck := s.batches(t, "--stuck")
	if len(stuck) != 1 || stuck[0].BatchID != batch || stuck[0].State != "held" || stuck[0].Holds[0].By != "ayse" || stuck[0].Holds[0].Reason != "looks odd" {
		t.Errorf("%+v", stuck)
	}
	s.run(t, "batch", "list").want(t, 0, "! held", "")

	// One payout is taken out.
	s.run(t, "payout", "cancel", "a-1", "--dry-run").want(t, 0, "the payout of 10.00 TRY would be cancelled", "")
	s.run(t, "payout", "cancel", "a-1", "--yes", "--reason", "order returned").want(t, 0, "counted: the payout is cancelled", "")
	s.run(t, "payout", "cancel", "a-1", "--yes").want(t, 1, "refused: the payout is cancelled", "")
	s.run(t, "payout", "cancel", "never-seen", "--yes").want(t, 1, "refused: no batch has this payout", "")
	s.run(t, "batch", "resolve", batch, "--paid", "--evidence", "none", "--yes").want(t, 1, "refused: iyzico's answer stands", "")
	s.run(t, "batch", "resolve", batch, "--evidence", "none", "--yes").want(t, 2, "", "--paid or --dead")
	s.run(t, "batch", "hold", "nosuchbatch", "--yes").want(t, 1, "", "no such batch: nosuchbatch")
	s.run(t, "batch", "hold", "7/1", "--yes").want(t, 1, "", "no such batch at 7/1")

	// The story has all of it.
	show := loose[batchJSON](t, s.run(t, "batch", "show", batch, "--json"))
	var story []string
	for _, l := range show.Journal {
		story = append(story, l.Record)
	}
	if got := strings.Join(story, " "); !strings.HasPrefix(got+" ", "creating created held cancel ") {
		t.Errorf("journal: %s", got)
	}
	text := s.run(t, "batch", "show", batch, "--items")
	text.want(t, 0, "by ayse", "")
	text.want(t, 0, "IBAN TR33***1326", "")
	if strings.Contains(text.out, "TR330006") || strings.Contains(text.out, "Ayşe") {
		t.Error("a recipient is shown")
	}

	s.run(t, "batch", "resume", batch, "--yes").want(t, 0, "counted: the batch is no longer held", "")
	s.run(t, "batch", "resume", batch, "--yes").want(t, 1, "refused: the batch has no hold", "")
	s.run(t, "resume", "--yes").want(t, 0, "counted: batches are completed again", "")
	s.run(t, "resume", "--yes").want(t, 1, "refused: nothing is paused there", "")
	s.says(t, ": paid", "explain", "a-2")
	s.run(t, "explain", "a-1").want(t, 0, "a-1: cancelled", "")
	s.says(t, "no open batches", "batch", "list")

	// A closed batch is found by its id and says that it is.
	s.run(t, "batch", "show", batch).want(t, 0, "closed", "")
	s.run(t, "batch", "cancel", batch, "--yes").want(t, 1, "refused: every payout of the batch is answered", "")
}

// Past the point of no return the answer says so.
func TestTooLate(t *testing.T) {
	t.Parallel()
	s := newShift(t, time.Hour)
	s.start(t)
	s.send(t, "a-1")
	s.says(t, ": submitted", "explain", "a-1")
	batch := s.batchOf(t, "a-1")
	s.run(t, "batch", "cancel", batch, "--dry-run").want(t, 0, "too late", "")
	s.run(t, "payout", "cancel", "a-1", "--dry-run").want(t, 0, "too late", "")
	s.run(t, "batch", "hold", batch, "--yes").want(t, 0, "too late: the batch is past the point of no return", "")
	s.run(t, "payout", "cancel", "a-1", "--yes").want(t, 0, "too late: the batch is past the point of no return", "")
	s.run(t, "batch", "show", batch).want(t, 0, "the cancel of 1 payouts waits for the attempt's death", "")
	if list := s.batches(t); len(list) != 1 || list[0].State != "submitted" {
		t.Errorf("%+v", list)
	}
}

// loose reads some fields of the JSON object on standard output.
func loose[T any](t *testing.T, r result) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(r.out), &v); err != nil {
		t.Fatalf("standard output is not JSON (%v): %+v", err, r)
	}
	return v
}

type statusJSON struct {
	Requests []struct {
		Lag      int64
		OldestAt *time.Time
	}
	Shards []struct {
		Shard                      int
		PlanEnd, Watermark, Behind int64
		Owner, Trouble             string
	}
	States []struct {
		State   string
		Batches int
	}
	Stuck     []batchJSON
	Merchants []struct {
		Merchant, Currency  string
		Payable, Unanswered struct {
			Count int
			Value string
		}
	}
	DeadLetters []struct {
		Code  string
		Count int
	}
	Pauses []struct {
		Merchant, By, Reason string
		Shards               []int
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	s := newShift(t, time.Hour)
	// Before anything has run.
	s.send(t, "a-1", "a-2", "a-3")
	s.run(t, "status").want(t, 0, "0 open batches", "")
	before := loose[statusJSON](t, s.run(t, "status", "--json"))
	waiting := int64(0)
	for _, r := range before.Requests {
		waiting += r.Lag
		if r.Lag > 0 && r.OldestAt == nil {
			t.Errorf("%+v", r)
		}
	}
	if waiting != 3 || len(before.States) != 0 {
		t.Errorf("%+v", before)
	}

	s.start(t)
	s.says(t, ": submitted", "explain", "a-1")
	s.says(t, ": submitted", "explain", "a-2")
	s.says(t, ": submitted", "explain", "a-3")
	s.run(t, "pause", "--merchant", "default", "--by", "ayse", "--reason", "a drill", "--yes").want(t, 0, "", "")
	s.run(t, "pause", "--merchant", "nobody", "--yes").want(t, 2, "", "not a merchant of the configuration")
	s.send(t, "b-1", "b-2")
	s.says(t, "created", "status")
	s.run(t, "batch", "hold", s.batchOf(t, "b-1"), "--reason", "looks odd", "--yes").want(t, 0, "", "")
	s.poison(t, "not json")
	s.poison(t, "nor this")
	s.says(t, "not_json", "status")

	r := s.until(t, func(r result) bool {
		st := loose[statusJSON](t, r)
		return len(st.DeadLetters) == 1 && st.DeadLetters[0].Count == 2 && st.Requests[0].Lag+st.Requests[1].Lag == 0
	}, "status", "--json")
	st := loose[statusJSON](t, r)
	if r.code != 0 || len(st.Stuck) != 1 || st.Stuck[0].State != "held" {
		t.Errorf("%+v", r)
	}
	if m := st.Merchants; len(m) != 1 || m[0].Payable.Value != "20.00" || m[0].Unanswered.Value != "30.00" || m[0].Unanswered.Count != 3 {
		t.Errorf("money %+v", m)
	}
	if ps := st.Pauses; len(ps) != 1 || ps[0].Merchant != "default" || ps[0].By != "ayse" || ps[0].Reason != "a drill" || len(ps[0].Shards) != 2 {
		t.Errorf("pauses %+v", ps)
	}
	for _, sh := range st.Shards {
		if sh.Owner == "" || sh.Trouble != "" || sh.Behind != 0 {
			t.Errorf("shard %+v", sh)
		}
	}
	text := s.run(t, "status")
	for _, want := range []string{"PAUSED: merchant default", "STUCK", "looks odd by ", "IYZICO", "2 (20.00 TRY)", "3 (30.00 TRY)", "DEAD LETTERS"} {
		text.want(t, 0, want, "")
	}
}

// poison writes a request that is none.
func (s *shift) poison(t *testing.T, value string) {
	t.Helper()
	cfg, client := kafkaOf(t, s.env)
	if err := client.Publish(t.Context(), cfg.Kafka.Topics().Requests, []kafkaio.Message{{
		Key: []byte("poison"), Value: []byte(value), Headers: []kafkaio.Header{{Key: "x-user", Value: []byte("Ayşe")}},
	}}); err != nil {
		t.Fatal(err)
	}
}
