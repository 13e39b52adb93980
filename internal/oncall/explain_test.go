package oncall_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/oncall"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
	"github.com/toplu/toplu/worker/workertest"
)

// A paid payout is found whatever has become of the claims, and nobody is told that
// it was never seen: they might pay it again.
func TestExplainNeedsNoClaims(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(t *testing.T, r *room){
		"as they should be": func(*testing.T, *room) {},
		"lost":              func(_ *testing.T, r *room) { r.desk.Claims = workertest.NewClaims() },
		"away":              func(_ *testing.T, r *room) { r.desk.Claims = &away{} },
		"being filled again": func(t *testing.T, r *room) {
			t.Helper()
			r.write(t, schema.Record{Type: schema.RecEpoch, Epoch: "e-2", Previous: "e-1"})
			if err := r.claims.Begin(t.Context(), 0, "log", "e-2"); err != nil {
				t.Fatal(err)
			}
		},
		"half filled again": func(t *testing.T, r *room) {
			t.Helper()
			r.write(t, schema.Record{Type: schema.RecEpoch, Epoch: "e-2", Previous: "e-1"})
			if err := r.claims.Begin(t.Context(), 0, "log", "e-2"); err != nil {
				t.Fatal(err)
			}
			r.folded = worker.None
			r.fold(t, "e-2", 1, "a")
		},
		"of an old dump": func(t *testing.T, r *room) {
			t.Helper()
			r.write(t, schema.Record{Type: schema.RecEpoch, Epoch: "e-2", Previous: "e-1"})
		},
		"of a plan that has it not": func(t *testing.T, r *room) {
			t.Helper()
			r.claims = workertest.NewClaims()
			r.desk.Claims = r.claims
			if err := r.claims.Begin(t.Context(), 0, "log", "e-1"); err != nil {
				t.Fatal(err)
			}
			r.folded = worker.None
			r.fold(t, "e-1", 1, "a", "b", "c")
			r.fold(t, "e-1", 2, "a", "b", "c")
		},
		"in a journal that nobody can read": func(t *testing.T, r *room) {
			t.Helper()
			if _, err := r.journal.Append(t.Context(), schema.Message{Key: []byte("x"), Value: []byte(`{"v":9}`)}); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			r.write(t, schema.Record{Type: schema.RecEpoch, Epoch: "e-1"})
			r.plan(t, "a")
			second := r.plan(t, "a", "b", "c") // a is a duplicate
			r.write(t, schema.Record{Type: schema.RecCreating, Batch: second.ID, Plan: 2, Attempt: 1})
			harm(t, r)
			p, err := r.desk.Explain(t.Context(), "b")
			if err != nil || !p.Seen || p.Plan != 2 || p.Status != schema.Accepted || p.Amount == nil || len(p.Journal) != 1 {
				t.Errorf("b: %+v, %v", p, err)
			}
			if p, err := r.desk.Explain(t.Context(), "a"); err != nil || p.Plan != 1 {
				t.Errorf("a: %+v, %v", p, err)
			}
			if p, err := r.desk.Explain(t.Context(), "never"); err != nil || p.Seen || p.PlanEnd != 3 {
				t.Errorf("never asked for: %+v, %v", p, err)
			}
			if name == "of a plan that has it not" {
				return // an audit's matter, but for the payout that is asked for
			}
			// And a batch is told of with its own payouts alone.
			s, err := r.desk.Show(t.Context(), oncall.Place{Plan: 2})
			if err != nil {
				t.Fatal(err)
			}
			var own []string
			for _, it := range s.Items {
				own = append(own, it.PayoutID)
			}
			if !slices.Equal(own, []string{"b", "c"}) {
				t.Errorf("the batch has %v", own)
			}
		})
	}
}

// away is a Redis that does not answer.
type away struct{ worker.Claims }

var errAway = errors.New("connection refused")

func (*away) State(context.Context, int) (worker.ClaimsState, error) {
	return worker.ClaimsState{}, errAway
}

func (*away) Lookup(context.Context, int, string, int64, []string) ([]worker.Owner, error) {
	return nil, errAway
}

// What was planned and not claimed yet is seen, and what was paid elsewhere too.
func TestExplainBehindTheWatermark(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.write(t, schema.Record{Type: schema.RecEpoch, Epoch: "e-1"})
	r.plan(t, "a")
	r.append(t, "b")
	im, err := schema.EncodeImported(&schema.Imported{By: "ayse", Reason: "the old system", At: time.Now(), Items: []schema.Import{{PayoutID: "c"}}})
	if err != nil {
		t.Fatal(err)
	}
	r.appendPlan(t, "imported", im)
	if p, err := r.desk.Explain(t.Context(), "b"); err != nil || !p.Seen || p.Plan != 2 {
		t.Errorf("b: %+v, %v", p, err)
	}
	if p, err := r.desk.Explain(t.Context(), "c"); err != nil || !p.Imported || !strings.Contains(p.Next, "the old system") {
		t.Errorf("c: %+v, %v", p, err)
	}
}

// Where a plan may have it that nobody can see, the answer is no "not seen".
func TestExplainDoesNotKnow(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		make func(t *testing.T, r *room)
		says string
	}{
		"a plan cannot be read": {func(t *testing.T, r *room) {
			t.Helper()
			r.plan(t, "a")
			r.appendPlan(t, "x", []byte("poison"))
		}, "offset 2 cannot be read, and may have never"},
		"Kafka has lost plans": {func(t *testing.T, r *room) {
			t.Helper()
			r.plan(t, "a")
			r.fold(t, "e-1", 7, "b")
		}, "Kafka has lost records"},
		"the topics are new ones": {func(t *testing.T, r *room) {
			t.Helper()
			if err := r.claims.Begin(t.Context(), 0, "another", "e-1"); err != nil {
				t.Fatal(err)
			}
		}, "of log another"},
		"the topics are empty": {func(t *testing.T, r *room) {
			t.Helper()
			r.plan(t, "a")
			logs := r.desk.Logs(0)
			logs.Plans, logs.Journal = &workertest.Log{}, &workertest.Log{}
			r.desk.Logs = func(int) oncall.Logs { return logs }
		}, "payout.batches is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			r.write(t, schema.Record{Type: schema.RecEpoch, Epoch: "e-1"})
			tt.make(t, r)
			p, err := r.desk.Explain(t.Context(), "never")
			if !errors.Is(err, oncall.ErrNotKnown) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%+v, error %v", p, err)
			}
		})
	}
	// A plan in quarantine owns nothing.
	r := newRoom(t)
	r.appendPlan(t, "x", []byte("poison"))
	r.write(t, schema.Record{Type: schema.RecQuarantined, Plan: 1, By: "ayse", Command: 1, Reason: &schema.Reason{Code: "command", Text: "written by hand"}})
	r.append(t, "a")
	if p, err := r.desk.Explain(t.Context(), "a"); err != nil || p.Plan != 2 {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err := r.desk.Explain(t.Context(), "never"); err != nil || p.Seen {
		t.Errorf("%+v, %v", p, err)
	}
}
