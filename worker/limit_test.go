package worker_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/toplu/toplu/iyzico/iyzicotest"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// records are the journal's records of batches.
func (b *bench) records(t *testing.T) []schema.Record {
	t.Helper()
	chunk, err := b.journal.Read(context.Background(), 0)
	if err != nil {
		t.Fatal(err)
	}
	var all []schema.Record
	for _, e := range chunk.Entries {
		r, err := schema.DecodeRecord(e.Value)
		if err != nil {
			t.Fatal(err)
		}
		if r.Batch != "" {
			all = append(all, r)
		}
	}
	return all
}

// TestLimitsHold: a batch above a limit is held before iyzico hears of it, with
// the reason; once a person has resumed it, it is paid and never held for it again.
func TestLimitsHold(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		terms worker.Terms
		why   string
	}{
		"payout": {worker.Terms{MaxPayout: 10051}, "payout a-2 is 100.52 TRY, and the merchant's limits.payout is 100.51"},
		"batch":  {worker.Terms{MaxBatch: 30000}, "the batch is 301.53 TRY, and the merchant's limits.batch is 300.00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, iyzicotest.Settings{})
			plan := b.plan(t, "a", 3)
			cfg := quick
			cfg.Merchants = map[string]worker.Terms{"default": tt.terms}
			var at int64
			b.run(t, cfg, func() bool {
				chunk, _ := b.journal.Read(context.Background(), 0)
				for _, e := range chunk.Entries {
					if strings.Contains(string(e.Value), `"held"`) {
						at = e.Offset
					}
				}
				return at > 0
			})
			held := b.records(t)
			if len(held) != 1 || held[0].Hold != schema.HoldLimit || held[0].Reason.Text != tt.why || b.books(t).Calls["init"] != 0 {
				t.Fatalf("records %+v, calls %v", held, b.books(t).Calls)
			}
			value, err := schema.EncodeRecord(&schema.Record{Type: schema.RecResumed, Batch: plan.ID, Plan: 1, Session: "p", By: "oncall", At: time.Now(), Which: []int64{at}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.journal.Append(t.Context(), schema.Message{Key: []byte(plan.ID), Value: value}); err != nil {
				t.Fatal(err)
			}
			b.run(t, cfg, b.final(t, 3))
			for _, r := range b.records(t)[1:] {
				if r.Type == schema.RecHeld {
					t.Errorf("held again: %+v", r)
				}
			}
		})
	}
}

func TestLimitsThatAreReached(t *testing.T) {
	t.Parallel()
	b := newBench(t, iyzicotest.Settings{})
	b.plan(t, "a", 3)
	cfg := quick
	cfg.Merchants = map[string]worker.Terms{"default": {MaxPayout: 10052, MaxBatch: 30153}, "other": {MaxPayout: 1}}
	b.run(t, cfg, b.final(t, 3))
}

// TestNotBefore: a batch that waits for its merchant's opening is accepted and not
// created before; the next one of another merchant's does not wait for it.
func TestNotBefore(t *testing.T) {
	t.Parallel()
	b := newBench(t, iyzicotest.Settings{})
	p := b.plan(t, "now", 1)
	p.Items[0].PayoutID, p.NotBefore = "later-0", time.Now().Add(1500*time.Millisecond).UTC()
	p.ID = schema.PlanID(p)
	b.write(t, p)
	b.run(t, quick, b.final(t, 2))
	created := 0
	for _, r := range b.records(t) {
		if r.Batch == p.ID && r.Type == schema.RecCreating {
			created++
			if r.At.Before(p.NotBefore) {
				t.Errorf("created %v before its time", p.NotBefore.Sub(r.At))
			}
		}
	}
	if created != 1 {
		t.Errorf("%d times created", created)
	}
	st := worker.NewStory(p, 2, []worker.Owner{{Offset: 2}})
	if want := "not before " + p.NotBefore.Format(time.RFC3339); !strings.Contains(st.Next(), want) {
		t.Errorf("people are told %q", st.Next())
	}
	if v, err := json.Marshal(st.View()); err != nil || !strings.Contains(string(v), `"NotBefore"`) {
		t.Errorf("%s %v", v, err)
	}
}
