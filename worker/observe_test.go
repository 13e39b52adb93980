package worker_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/iyzico/iyzicotest"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// A reader's claims fail the test if an observer does more than look.
type readersClaims struct {
	worker.Claims
	t *testing.T
}

func (c readersClaims) Fold(context.Context, worker.Fold) ([]worker.Owner, error) {
	c.t.Error("an observer claims")
	return nil, errors.New("not for observers")
}

func (c readersClaims) Begin(context.Context, int, string, string) error {
	c.t.Error("an observer begins an epoch")
	return errors.New("not for observers")
}

func (c readersClaims) Condemn(context.Context, int, string) error {
	c.t.Error("an observer condemns the claims")
	return errors.New("not for observers")
}

func (b *bench) observe(t *testing.T) *worker.ShardView {
	t.Helper()
	v, err := worker.Observe(t.Context(), 0, worker.ObservePorts{Plans: &b.plans, Journal: &b.journal, Claims: readersClaims{b.claims, t}})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// states is "waiting held" and so on, in the order of the log.
func states(v *worker.ShardView) string {
	var all []string
	for _, b := range v.Batches {
		all = append(all, string(b.State))
	}
	return strings.Join(all, " ")
}

func TestObserveNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, iyzicotest.Settings{})
	if v := b.observe(t); v.LogID != "" || len(v.Batches) != 0 {
		t.Errorf("%+v", v)
	}
}

func TestObserveWhatPeopleAsked(t *testing.T) {
	t.Parallel()
	d := &desk{bench: newBench(t, iyzicotest.Settings{})}
	ports := d.ports(t)
	p := d.plan(t, "a", 3)
	d.ask(t, schema.Command{Kind: schema.CmdHold, Batch: p.ID, Plan: 1, Reason: "looks wrong"})
	d.ask(t, schema.Command{Kind: schema.CmdCancel, PayoutID: "a-1"})
	d.ask(t, schema.Command{Kind: schema.CmdPause, Merchant: "default", Reason: "bank holiday"})
	d.runWith(t, quick, ports, func() bool { return len(d.asked(t)) == 3 })
	unclaimed := d.plan(t, "b", 2)

	v := d.observe(t)
	if states(v) != "held waiting" || v.ClaimsTrouble != "" || v.Claims.Watermark != 1 || v.PlanEnd != 3 || v.Commands != 3 {
		t.Fatalf("%s, %+v", states(v), v)
	}
	a, b := v.Batches[0], v.Batches[1]
	if len(a.Statuses) != 2 || a.Statuses[schema.Accepted] != (worker.Tally{Items: 2, Minor: 10050 + 10052}) || a.Statuses[schema.Cancelled] != (worker.Tally{Items: 1, Minor: 10051}) {
		t.Errorf("%+v", a.Statuses)
	}
	if a.ID != p.ID || a.All != (worker.Tally{Items: 3, Minor: 30153}) || a.Payable != (worker.Tally{Items: 2, Minor: 20102}) || a.Gone || a.Attempt != 2 || !a.Claimed {
		t.Errorf("%+v", a)
	}
	if len(a.Holds) != 1 || a.Holds[0].By != "ops" || a.Holds[0].Reason.Text != "looks wrong" || a.Holds[0].Since.IsZero() || !strings.Contains(a.Next, "looks wrong") {
		t.Errorf("%+v", a)
	}
	if b.ID != unclaimed.ID || b.Claimed || b.Payable.Items != 2 {
		t.Errorf("%+v", b)
	}
	if len(v.Pauses) != 1 || v.Pauses[0].Scope != "default" || v.Pauses[0].By != "ops" || v.Pauses[0].Reason.Text != "bank holiday" {
		t.Errorf("pauses %+v", v.Pauses)
	}
}

// Past the point of no return a cancel and a hold wait.
func TestObserveTooLate(t *testing.T) {
	t.Parallel()
	d := &desk{bench: newBench(t, iyzicotest.Settings{SettleWithin: iyzicotest.Duration(time.Hour)})}
	ports := d.ports(t)
	d.release()
	p := d.plan(t, "a", 2)
	asked := false
	d.runWith(t, quick, ports, func() bool {
		if !asked && d.last(t)["a-0"].Status == schema.Submitted {
			asked = true
			d.ask(t, schema.Command{Kind: schema.CmdCancel, Batch: p.ID, Plan: 1})
			d.ask(t, schema.Command{Kind: schema.CmdHold, Batch: p.ID, Plan: 1})
		}
		return len(d.asked(t)) == 2
	})
	b := d.observe(t).Batches[0]
	if b.State != worker.StateSubmitted || !b.Gone || b.Withdrawn.Items != 2 || b.Unanswered.Items != 2 || b.Payable.Items != 0 || len(b.Holds) != 1 || b.RequestID == "" {
		t.Errorf("%+v", b)
	}
}

// A log that hides its checkpoints.
type withoutCheckpoints struct{ worker.Log }

func (l withoutCheckpoints) Read(ctx context.Context, from int64) (worker.Chunk, error) {
	chunk, err := l.Log.Read(ctx, from)
	for i := range chunk.Entries {
		if string(chunk.Entries[i].Key) == string(schema.RecCheckpoint) {
			chunk.Entries[i].Key = nil
		}
	}
	return chunk, err
}

// A checkpoint changes what is read, not what is seen.
func TestObserveFromACheckpoint(t *testing.T) {
	t.Parallel()
	b := newBench(t, iyzicotest.Settings{Fate: fails, SettleWithin: iyzicotest.Duration(5 * time.Millisecond)})
	cfg := quick
	cfg.CheckpointRecords = 15
	cfg.MaxOpen = 2
	b.plan(t, "fails", 2) // stays open: its money may come back
	const closed = 20
	for i := range closed {
		b.plan(t, "p"+string(rune('a'+i)), 1)
	}
	b.run(t, cfg, b.final(t, closed+2))
	b.plan(t, "new", 3)

	ports := worker.ObservePorts{Plans: &b.plans, Journal: &b.journal, Claims: b.claims}
	short, err := worker.Observe(t.Context(), 0, ports)
	if err != nil {
		t.Fatal(err)
	}
	ports.Journal = withoutCheckpoints{&b.journal}
	whole, err := worker.Observe(t.Context(), 0, ports)
	if err != nil {
		t.Fatal(err)
	}
	whole.LastAnswer, short.LastAnswer = time.Time{}, time.Time{} // known of the records read alone
	if diff := cmp.Diff(whole, short); diff != "" {
		t.Errorf("from the beginning and from a checkpoint (-whole +short):\n%s", diff)
	}
	if first := short.Batches[0]; first.State != worker.StateAnswered || first.Statuses[schema.Failed].Items != 2 || first.LastAt.IsZero() {
		t.Errorf("%+v", first)
	}
	if last := short.Batches[len(short.Batches)-1]; last.State != worker.StateWaiting || last.All.Items != 3 {
		t.Errorf("%+v", last)
	}
}

// When Redis is lost the logs still tell what is open, and the view says so.
func TestObserveWithoutClaims(t *testing.T) {
	t.Parallel()
	b := newBench(t, iyzicotest.Settings{SettleWithin: iyzicotest.Duration(time.Hour)})
	b.plan(t, "a", 2)
	b.run(t, quick, func() bool { return b.last(t)["a-1"].Status == schema.Submitted })
	for name, harm := range map[string]func(){
		"wiped":   func() { b.claims.Wipe(0) },
		"another": func() { b.claims.Swap(0, "another", "epoch", 1) },
	} {
		harm()
		v := b.observe(t)
		if v.ClaimsTrouble == "" || len(v.Batches) != 1 || v.Batches[0].Claimed || v.Batches[0].Unanswered.Items != 2 {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

func TestObserveRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	b := newBench(t, iyzicotest.Settings{})
	b.append(t, `{"v":1,"type":"teleported","batch":"x","plan":1,"session":"s","at":"2026-01-01T00:00:00Z"}`)
	_, err := worker.Observe(t.Context(), 0, worker.ObservePorts{Plans: &b.plans, Journal: &b.journal, Claims: b.claims})
	if !errors.Is(err, schema.ErrVersion) || !strings.Contains(err.Error(), "payout.journal offset 1") {
		t.Errorf("error %v", err)
	}
	impossible := newBench(t, iyzicotest.Settings{})
	p := impossible.plan(t, "a", 1)
	impossible.append(t, `{"v":1,"type":"cancel","batch":"`+p.ID+`","plan":1,"only":[7],"by":"x","session":"s","at":"2026-01-01T00:00:00Z"}`)
	if v := impossible.observe(t); states(v) != "impossible" || !strings.Contains(v.Batches[0].Next, "not the batch's") {
		t.Errorf("%+v", v.Batches)
	}
}
