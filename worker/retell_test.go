package worker_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/iyzico/iyzicotest"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// The logs alone tell every status again: the same events with the same ids that
// the worker published, through restarts and from checkpoints.
func TestRetellIsWhatWasPublished(t *testing.T) {
	t.Parallel()
	b := newBench(t, iyzicotest.Settings{Fate: fails, SettleWithin: iyzicotest.Duration(5 * time.Millisecond)})
	cfg := quick
	cfg.CheckpointRecords, cfg.MaxOpen = 10, 2
	first := b.plan(t, "fails", 2)
	b.plan(t, "a", 3)
	b.run(t, cfg, b.final(t, 5))
	again := *first // planned once more, with one payout that is new
	again.Items = append(again.Items, schema.PlanItem{PayoutID: "b-1", Minor: 5, Recipient: schema.Recipient{Type: schema.Phone, Value: "+905555555555"}})
	again.ID = schema.PlanID(&again)
	b.write(t, &again)
	b.run(t, cfg, b.final(t, 6))

	published := map[string]string{}
	for _, m := range b.statuses.messages {
		id, _ := m.Get("ce_id")
		published[id] = string(m.Value)
	}
	told, open := map[string]string{}, []string{}
	var owned []bool
	r, err := worker.Retell(t.Context(), 0, &b.plans, &b.journal, worker.Listener{
		Status: func(s *schema.Status) error {
			m := schema.EncodeStatus(s)
			id, _ := m.Get("ce_id")
			told[id] = string(m.Value)
			return nil
		},
		Plan: func(offset int64, p *schema.Plan, owners []worker.Owner, _ int64) error {
			if p.ID == again.ID {
				for _, o := range owners {
					owned = append(owned, o.Offset == offset)
				}
			}
			return nil
		},
		Batch: func(v *worker.BatchView, _ *schema.Plan, statuses []schema.PayoutStatus) error {
			if !v.Closed {
				open = append(open, v.ID)
			}
			if v.ID == first.ID && statuses[0] != schema.Failed || v.ID == again.ID && (statuses[0] != "" || statuses[2] != schema.Paid) {
				t.Errorf("%s: %v", v.ID, statuses)
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(published, told); diff != "" {
		t.Errorf("published and told (-published +told):\n%s", diff)
	}
	if r.Claims != 6 || r.PlanEnd != 4 || r.LogID == "" || r.Epoch == "" {
		t.Errorf("%+v", r)
	}
	if diff := cmp.Diff([]bool{false, false, true}, owned); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{first.ID}, open); diff != "" { // its money may come back
		t.Error(diff)
	}

	enough := errors.New("enough")
	if _, err := worker.Retell(t.Context(), 0, &b.plans, &b.journal, worker.Listener{Status: func(*schema.Status) error { return enough }}); !errors.Is(err, enough) {
		t.Errorf("error %v", err)
	}
}

func TestRetellStopsWhereAWorkerWould(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		record string
		want   any
	}{
		"of tomorrow": {`{"v":1,"type":"teleported","batch":"x","plan":1,"session":"s","at":"2026-01-01T00:00:00Z"}`, schema.ErrVersion},
		"impossible":  {`{"v":1,"type":"creating","batch":"another","plan":1,"attempt":1,"session":"s","at":"2026-01-01T00:00:00Z"}`, new(*worker.ImpossibleError)},
		"no plan":     {`{"v":1,"type":"creating","batch":"x","plan":9,"attempt":1,"session":"s","at":"2026-01-01T00:00:00Z"}`, worker.ErrLogID},
	} {
		b := newBench(t, iyzicotest.Settings{})
		b.plan(t, "a", 1)
		b.append(t, tt.record)
		_, err := worker.Retell(t.Context(), 0, &b.plans, &b.journal, worker.Listener{})
		target, isError := tt.want.(error)
		if isError && !errors.Is(err, target) || !isError && !errors.As(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A plan that nobody can read owns nothing once it is in quarantine, for every
// reader of the logs.
func TestPlanInQuarantine(t *testing.T) {
	t.Parallel()
	d := &desk{bench: newBench(t, iyzicotest.Settings{SettleWithin: iyzicotest.Duration(5 * time.Millisecond)})}
	ports := d.ports(t)
	d.release()
	d.plan(t, "a", 1)
	if _, err := d.plans.Append(t.Context(), schema.Message{Value: []byte("scribble")}); err != nil {
		t.Fatal(err)
	}
	d.plan(t, "b", 2)
	look := func() (*worker.ShardView, error) {
		_, err := worker.Retell(t.Context(), 0, &d.plans, &d.journal, worker.Listener{})
		return d.observe(t), err
	}
	if v, err := look(); !strings.Contains(v.PlanTrouble, "offset 2 cannot be read") || !errors.Is(err, schema.ErrRecord) {
		t.Errorf("%q, %v", v.PlanTrouble, err)
	}
	d.ask(t, schema.Command{Kind: schema.CmdQuarantine, Plan: 2, Reason: "written by hand"})
	d.runWith(t, quick, ports, d.final(t, 3))
	if v, err := look(); v.PlanTrouble != "" || err != nil {
		t.Errorf("%q, %v", v.PlanTrouble, err)
	}
}
