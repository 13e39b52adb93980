package worker_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/toplu/toplu/iyzico"
	"github.com/toplu/toplu/iyzico/iyzicotest"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
	"github.com/toplu/toplu/worker/workertest"
)

// A stuck provider answers what the real one answers, but lets no batch come to
// its end before it is released: its balance is empty until then.
type stuck struct {
	worker.Provider
	released chan struct{}
}

func (s *stuck) Balance(ctx context.Context) (iyzico.Money, error) {
	select {
	case <-s.released:
		return s.Provider.Balance(ctx)
	default:
		return 0, nil
	}
}

// A desk is a bench at which somebody gives commands.
type desk struct {
	*bench
	commands workertest.Log
	release  func()
}

func (d *desk) ports(t *testing.T) worker.Ports {
	t.Helper()
	ports := d.bench.ports(t)
	p, _ := ports.Merchant("default")
	s := &stuck{Provider: p, released: make(chan struct{})}
	d.release = func() { close(s.released) }
	ports.Commands = &d.commands
	ports.Merchant = func(string) (worker.Provider, bool) { return s, true }
	return ports
}

func (d *desk) ask(t *testing.T, c schema.Command) {
	t.Helper()
	c.By, c.At = "ops", time.Now()
	value, err := schema.EncodeCommand(&c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.commands.Append(t.Context(), schema.Message{Value: value}); err != nil {
		t.Fatal(err)
	}
}

// asked returns the journal's records that answer commands, as "cancel", "noted not_held".
func (d *desk) asked(t *testing.T) []string {
	t.Helper()
	_, end, _ := d.journal.Bounds(t.Context())
	var all []string
	for o := range end {
		e, err := d.journal.ReadAt(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		r, err := schema.DecodeRecord(e.Value)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case r.Command == 0:
		case r.Type == schema.RecNoted:
			all = append(all, "noted "+r.Reason.Code)
		default:
			all = append(all, string(r.Type))
		}
	}
	return all
}

func TestCommandsBecomeRecords(t *testing.T) {
	t.Parallel()
	d := &desk{bench: newBench(t, iyzicotest.Settings{SettleWithin: iyzicotest.Duration(5 * time.Millisecond)})}
	ports := d.ports(t)
	p := d.plan(t, "a", 3)
	batch := schema.Command{Batch: p.ID, Plan: 1}
	of := func(k schema.CommandKind) schema.Command {
		c := batch
		c.Kind = k
		return c
	}
	d.ask(t, of(schema.CmdResume))
	d.ask(t, of(schema.CmdHold))
	d.ask(t, schema.Command{Kind: schema.CmdCancel, PayoutID: "a-1"})
	d.ask(t, schema.Command{Kind: schema.CmdCancel, PayoutID: "never-seen"})
	d.ask(t, schema.Command{Kind: schema.CmdCancel, PayoutID: "a-1"})
	resolve := of(schema.CmdResolve)
	resolve.Attempt, resolve.Verdict, resolve.Evidence = 1, schema.VerdictDead, "a feeling"
	d.ask(t, resolve)
	d.ask(t, schema.Command{Kind: schema.CmdPause, Merchant: "default"})
	d.ask(t, of(schema.CmdResume))
	if _, err := d.commands.Append(t.Context(), schema.Message{Value: []byte("please stop")}); err != nil {
		t.Fatal(err)
	}
	step := 0
	d.runWith(t, quick, ports, func() bool {
		switch {
		case step == 0 && len(d.asked(t)) == 9:
			step = 1
			d.release() // there is money; only the pause stands in the way now
			d.ask(t, schema.Command{Kind: schema.CmdUnpause})
			d.ask(t, schema.Command{Kind: schema.CmdUnpause, Merchant: "default"})
		case step == 1 && d.final(t, 3)():
			return true
		}
		return false
	})
	want := "noted not_held, held, cancel, noted not_seen, noted answered, noted not_unknown, paused, resumed, noted unreadable, noted not_paused, resumed"
	if got := strings.Join(d.asked(t), ", "); got != want {
		t.Errorf("answers: %s\nwant: %s", got, want)
	}
	last := d.last(t)
	for id, want := range map[string]schema.PayoutStatus{"a-0": schema.Paid, "a-1": schema.Cancelled, "a-2": schema.Paid} {
		if last[id].Status != want {
			t.Errorf("%s is %s, want %s", id, last[id].Status, want)
		}
	}
	if bk := d.books(t); len(bk.Transfers) != 2 {
		t.Errorf("%d transfers", len(bk.Transfers))
	}
}

// A restarted worker does not obey twice: the hold that was resumed stays so.
func TestCommandsAreObeyedOnce(t *testing.T) {
	t.Parallel()
	d := &desk{bench: newBench(t, iyzicotest.Settings{SettleWithin: iyzicotest.Duration(5 * time.Millisecond)})}
	ports := d.ports(t)
	p := d.plan(t, "a", 2)
	d.ask(t, schema.Command{Kind: schema.CmdHold, Batch: p.ID, Plan: 1})
	d.ask(t, schema.Command{Kind: schema.CmdResume, Batch: p.ID, Plan: 1})
	d.runWith(t, quick, ports, func() bool { return len(d.asked(t)) == 2 })
	d.release()
	d.runWith(t, quick, ports, d.final(t, 2))
	if got := len(d.asked(t)); got != 2 {
		t.Errorf("%d answers to two commands", got)
	}
}

// TestCancelFromAnotherTopic has order systems cancel payouts of a merchant from
// topics that are not its own: only from where a payout was asked for, or from a
// topic that its merchant names now, a cancel counts.
func TestCancelFromAnotherTopic(t *testing.T) {
	t.Parallel()
	d := &desk{bench: newBench(t, iyzicotest.Settings{SettleWithin: iyzicotest.Duration(5 * time.Millisecond)})}
	ports := d.ports(t)
	d.plan(t, "a", 3) // asked for in payout.requests
	cancel := func(id, topic string) {
		d.ask(t, schema.Command{Kind: schema.CmdCancel, PayoutID: id, Topic: topic})
	}
	cancel("a-0", "payout.requests.another")
	cancel("a-1", "payout.requests")
	cancel("a-2", "payout.requests.new")
	cfg := quick
	cfg.Merchants = map[string]worker.Terms{"default": {Topics: []string{"payout.requests.new"}}}
	released := false
	d.runWith(t, cfg, ports, func() bool {
		if !released && len(d.asked(t)) == 3 {
			released = true
			d.release()
		}
		return released && d.final(t, 3)()
	})
	if got := strings.Join(d.asked(t), ", "); got != "noted wrong_topic, cancel, cancel" {
		t.Errorf("answers: %s", got)
	}
	last := d.last(t)
	for id, want := range map[string]schema.PayoutStatus{"a-0": schema.Paid, "a-1": schema.Cancelled, "a-2": schema.Cancelled} {
		if last[id].Status != want {
			t.Errorf("%s is %s, want %s", id, last[id].Status, want)
		}
	}
}

// taken is an iyzico whose people authorise what init brings, and init's answer is
// lost.
type taken struct{ *slowBank }

func (b taken) Init(ctx context.Context, r iyzico.InitRequest) (iyzico.InitAnswer, error) {
	_, _ = b.slowBank.Init(ctx, r)
	_ = b.Auth(ctx, "r")
	return iyzico.InitAnswer{}, &iyzico.Error{Op: "init"}
}

// A word about a batch of which the journal has no requestId cannot be a record.
// It is answered all the same: the commands behind it must not wait for ever.
func TestResolveWithoutRequestIDIsAnswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &desk{bench: &bench{claims: workertest.NewClaims(), log: zerolog.Nop()}}
		d.plans.Wait, d.journal.Wait, d.commands.Wait = time.Minute, time.Minute, time.Minute
		p, bank := d.plan(t, "a", 3), taken{&slowBank{}}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		s := worker.NewShard(0, worker.Config{Grace: 5 * time.Second}, worker.Ports{
			Plans: &d.plans, Journal: &d.journal, Commands: &d.commands, Claims: d.claims, Statuses: &d.statuses, DeadLetters: &d.dead, Originals: &d.dead,
			Merchant: func(string) (worker.Provider, bool) { return bank, true },
			Now:      time.Now, NewID: d.newID, Log: d.log,
		})
		go func() { done <- s.Run(ctx) }()
		time.Sleep(time.Minute) // and it is held: somebody else has authorised it
		d.ask(t, schema.Command{Kind: schema.CmdResolve, Batch: p.ID, Plan: 1, Attempt: 1, Verdict: schema.VerdictTook, Evidence: "iyzico's panel"})
		d.ask(t, schema.Command{Kind: schema.CmdPause})
		time.Sleep(time.Minute)
		if got := strings.Join(d.asked(t), ", "); got != "noted no_request, paused" {
			t.Errorf("answers: %q", got)
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}
