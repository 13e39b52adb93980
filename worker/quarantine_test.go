package worker_test

import (
	"context"
	"testing"
	"time"

	"github.com/toplu/toplu/iyzico/iyzicotest"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// A plan that nobody can read stops what is behind it, until a person says that
// it owns nothing; also when the claims are filled again, and after a restart.
func TestQuarantine(t *testing.T) {
	t.Parallel()
	d := &desk{bench: newBench(t, iyzicotest.Settings{SettleWithin: iyzicotest.Duration(5 * time.Millisecond)})}
	ports := d.ports(t)
	d.release()
	cfg := quick
	cfg.CheckpointRecords = 5
	d.plan(t, "a", 2)
	if _, err := d.plans.Append(t.Context(), schema.Message{Key: []byte("x"), Value: []byte("a plan by hand")}); err != nil {
		t.Fatal(err)
	}
	d.plan(t, "b", 2)
	d.ask(t, schema.Command{Kind: schema.CmdQuarantine, Plan: 1, Reason: "the wrong one"})

	ctx, cancel := context.WithCancel(t.Context())
	s := worker.NewShard(0, cfg, ports)
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	waitFor(t, "trouble, and no quarantine of a plan that can be read", func() bool {
		return s.Trouble() != "" && len(d.asked(t)) == 1 && d.asked(t)[0] == "noted readable"
	})
	if _, claimed := d.last(t)["b-0"]; claimed {
		t.Error("the plan behind was told before the one that cannot be read was dealt with")
	}
	d.ask(t, schema.Command{Kind: schema.CmdQuarantine, Plan: 2, Reason: "written by hand"})
	waitFor(t, "all four", d.final(t, 4))
	if s.Trouble() != "" {
		t.Errorf("still in trouble: %s", s.Trouble())
	}
	d.claims.Wipe(0)
	d.plan(t, "c", 1)
	waitFor(t, "the fifth, after a wipe", d.final(t, 5))
}

func TestQuarantineOutlivesARestart(t *testing.T) {
	t.Parallel()
	d := &desk{bench: newBench(t, iyzicotest.Settings{SettleWithin: iyzicotest.Duration(5 * time.Millisecond)})}
	ports := d.ports(t)
	d.release()
	cfg := quick
	cfg.CheckpointRecords = 1
	d.genesis(t, 1)
	if _, err := d.plans.Append(t.Context(), schema.Message{Key: []byte("x"), Value: []byte(`{"v":9}`)}); err != nil {
		t.Fatal(err)
	}
	d.ask(t, schema.Command{Kind: schema.CmdQuarantine, Plan: 1, Reason: "of a version that was never released"})
	d.plan(t, "a", 1)
	d.runWith(t, cfg, ports, d.final(t, 1)) // leaves a checkpoint
	d.claims.Wipe(0)
	d.plan(t, "b", 1)
	d.runWith(t, cfg, ports, d.final(t, 2))
	if bk := d.books(t); len(bk.Transfers) != 2 {
		t.Errorf("%d transfers", len(bk.Transfers))
	}
}
