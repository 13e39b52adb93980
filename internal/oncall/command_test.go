package oncall_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/oncall"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
	"github.com/toplu/toplu/worker/workertest"
)

// A room is a desk over logs in memory, for one shard.
type room struct {
	desk                     *oncall.Desk
	plans, journal, commands workertest.Log
	claims                   *workertest.Claims
	folded                   int64 // the last plan that was claimed
}

func newRoom(t *testing.T) *room {
	t.Helper()
	r := &room{claims: workertest.NewClaims(), folded: worker.None}
	r.desk = &oncall.Desk{
		Logs: func(int) oncall.Logs {
			return oncall.Logs{
				Plans: &r.plans, Journal: &r.journal, Commands: &r.commands,
				JournalAt: func(context.Context, time.Time) (int64, error) { return 0, nil },
			}
		},
		Claims: r.claims, Shards: 1, Now: time.Now, Patience: 100 * time.Millisecond,
	}
	id := func() string { return "log" }
	if _, err := worker.EnsurePlanGenesis(t.Context(), &r.plans, 1, id, time.Now, nil); err != nil {
		t.Fatal(err)
	}
	return r
}

// plan writes a plan of payouts of 10.00 TRY and has it claimed.
func (r *room) plan(t *testing.T, ids ...string) *schema.Plan {
	t.Helper()
	p, offset := r.append(t, ids...)
	if err := r.claims.Begin(t.Context(), 0, "log", "e-1"); err != nil {
		t.Fatal(err)
	}
	r.fold(t, "e-1", offset, ids...)
	return p
}

// append writes a plan of payouts of 10.00 TRY and leaves the claims alone.
func (r *room) append(t *testing.T, ids ...string) (*schema.Plan, int64) {
	t.Helper()
	p := &schema.Plan{Merchant: "default", Purpose: "SETTLEMENT", Currency: schema.TRY, At: time.Now().UTC()}
	for _, id := range ids {
		it := schema.PlanItem{PayoutID: id, Recipient: schema.Recipient{Type: schema.IBAN, Value: "TR330006100519786457841326", Name: "Ayşe Yılmaz"}, Minor: 1000}
		p.Items = append(p.Items, it)
	}
	p.ID = schema.PlanID(p)
	value, err := schema.EncodePlan(p)
	if err != nil {
		t.Fatal(err)
	}
	return p, r.appendPlan(t, p.ID, value)
}

// appendPlan writes a record to the plans.
func (r *room) appendPlan(t *testing.T, key string, value []byte) int64 {
	t.Helper()
	offsets, err := r.plans.Append(t.Context(), schema.Message{Key: []byte(key), Value: value})
	if err != nil {
		t.Fatal(err)
	}
	return offsets[0]
}

// fold has the plan at an offset claimed, the next one in its turn.
func (r *room) fold(t *testing.T, epoch string, offset int64, ids ...string) {
	t.Helper()
	f := worker.Fold{Epoch: epoch, Offset: offset, Predecessor: r.folded}
	for _, id := range ids {
		f.Items = append(f.Items, worker.ClaimItem{PayoutID: id})
	}
	if _, err := r.claims.Fold(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	r.folded = offset
}

// write writes a record to the journal as a worker would.
func (r *room) write(t *testing.T, rec schema.Record) {
	t.Helper()
	rec.Session, rec.At = "s-1", time.Now()
	value, err := schema.EncodeRecord(&rec)
	if err != nil {
		t.Fatal(err)
	}
	key := rec.Batch
	if key == "" {
		key = string(rec.Type)
	}
	if _, err := r.journal.Append(t.Context(), schema.Message{Key: []byte(key), Value: value}); err != nil {
		t.Fatal(err)
	}
}

func TestNoWorkerAnswers(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	p := r.plan(t, "a")
	a, err := r.desk.Command(t.Context(), oncall.Place{Plan: 1}, p.ID, schema.Command{Kind: schema.CmdHold, By: "ayse", Reason: "why not"})
	if err != nil || a.Verdict != oncall.Written || !strings.Contains(a.Text, "no worker has taken it yet") {
		t.Errorf("%+v, %v", a, err)
	}
	e, err := r.commands.ReadAt(t.Context(), a.Command)
	if err != nil {
		t.Fatal(err)
	}
	c, err := schema.DecodeCommand(e.Value)
	if err != nil || c.Kind != schema.CmdHold || c.Batch != p.ID || c.Plan != 1 || c.By != "ayse" || c.Reason != "why not" || c.At.IsZero() {
		t.Errorf("%+v, %v", c, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.desk.Command(ctx, oncall.Place{Plan: 1}, p.ID, schema.Command{Kind: schema.CmdHold, By: "ayse"}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// A record that stands in the journal and does not count is no success: here
// the batch is settled in the moment between the worker's look and its record.
func TestAnswerThatDoesNotCount(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	p := r.plan(t, "a")
	r.write(t, schema.Record{Type: schema.RecCreating, Batch: p.ID, Plan: 1, Attempt: 1})
	r.write(t, schema.Record{Type: schema.RecRefused, Batch: p.ID, Plan: 1, Attempt: 1, Reason: &schema.Reason{Code: "x"}})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for end := int64(0); end == 0 && t.Context().Err() == nil; {
			_, end, _ = r.commands.Bounds(t.Context())
		}
		r.write(t, schema.Record{Type: schema.RecCancel, Batch: p.ID, Plan: 1, By: "ayse", Command: 1})
	}()
	r.desk.Patience = 5 * time.Second
	a, err := r.desk.Command(t.Context(), oncall.Place{Plan: 1}, p.ID, schema.Command{Kind: schema.CmdCancel, By: "ayse"})
	<-done
	if err != nil || a.Verdict != oncall.Refused || !strings.Contains(a.Text, "it does not count: it changes nothing") {
		t.Errorf("%+v, %v", a, err)
	}
}

// What has not moved for long is stuck, and the stuck come first.
func TestStuckFirst(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	p := r.plan(t, "a")
	r.write(t, schema.Record{Type: schema.RecCreating, Batch: p.ID, Plan: 1, Attempt: 1})
	waiting := *p
	waiting.Items = []schema.PlanItem{{PayoutID: "b", Recipient: p.Items[0].Recipient, Minor: 5}}
	waiting.ID, waiting.At = schema.PlanID(&waiting), p.At.Add(-time.Hour)
	value, err := schema.EncodePlan(&waiting)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.plans.Append(t.Context(), schema.Message{Key: []byte(waiting.ID), Value: value}); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		later time.Duration
		want  string
	}{
		"moves": {0, "creating waiting"},
		"stuck": {11 * time.Minute, "!creating waiting"},
	} {
		d := *r.desk
		d.Now = func() time.Time { return time.Now().Add(tt.later) }
		all, troubles, err := d.Batches(t.Context())
		if err != nil || len(troubles) > 0 {
			t.Fatal(err, troubles)
		}
		var got []string
		for _, b := range all {
			mark := ""
			if b.Stuck {
				mark = "!"
			}
			got = append(got, mark+string(b.State))
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %v, want %s", name, got, tt.want)
		}
	}
}
