package worker_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/toplu/toplu/iyzico"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
	"github.com/toplu/toplu/worker/workertest"
)

// A deskOf is a desk at which people speak of a batch of three payouts at a bank
// in virtual time.
func deskOf(t *testing.T) (*desk, *schema.Plan) {
	t.Helper()
	d := &desk{bench: &bench{claims: workertest.NewClaims(), log: zerolog.Nop()}}
	d.plans.Wait, d.journal.Wait, d.commands.Wait = time.Minute, time.Minute, time.Minute
	return d, d.plan(t, "a", 3)
}

// at runs a session of the desk's shard on a bank, and returns what ends it.
func (d *desk) at(t *testing.T, bank worker.Provider, plans worker.Log) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	s := worker.NewShard(0, worker.Config{Grace: 5 * time.Second}, worker.Ports{
		Plans: plans, Journal: &d.journal, Commands: &d.commands, Claims: d.claims, Statuses: &d.statuses, DeadLetters: &d.dead, Originals: &d.dead,
		Merchant: func(string) (worker.Provider, bool) { return bank, true },
		Now:      time.Now, NewID: d.newID, Log: d.log,
	})
	go func() { done <- s.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// A panel is a bank whose reports, once auth was called, show a batch and its
// payouts as iyzico's panel does. No answer comes to auth.
type panel struct {
	*slowBank
	batch iyzico.BatchStatus
	items [3]iyzico.ItemStatus
}

// newPanel shows a batch that waits for money.
func newPanel() *panel {
	const wait = iyzico.ItemInit
	p := &panel{slowBank: &slowBank{lost: true}, batch: iyzico.BatchInsufficientBalance, items: [3]iyzico.ItemStatus{wait, wait, wait}}
	p.show = func(r iyzico.Report) iyzico.Report {
		if !p.taken {
			return r
		}
		r.Batch.Status = p.batch
		for i := range r.Items {
			r.Items[i].Status = p.items[r.Page*r.Size+i]
		}
		return r
	}
	return p
}

// turn has the panel show something else from now on.
func (p *panel) turn(batch iyzico.BatchStatus, items [3]iyzico.ItemStatus) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.batch, p.items = batch, items
}

// TestResolveIsHeldAgainstIyzico gives words that iyzico's own answer contradicts:
// none of them is taken, and nothing is paid again.
func TestResolveIsHeldAgainstIyzico(t *testing.T) {
	t.Parallel()
	const queued, cancelled, success, failed = iyzico.ItemQueued, iyzico.ItemCanceled, iyzico.ItemSuccess, iyzico.ItemFailed
	of := func(one iyzico.ItemStatus) [3]iyzico.ItemStatus { return [3]iyzico.ItemStatus{one, one, one} }
	words := []schema.ItemWord{{PayoutID: "a-0", Status: schema.Paid}, {PayoutID: "a-1", Status: schema.Failed}}
	for name, tt := range map[string]struct {
		batch   iyzico.BatchStatus
		items   [3]iyzico.ItemStatus
		verdict schema.Verdict
		want    string
	}{
		"dead, and iyzico pays it":             {iyzico.BatchInProgress, of(queued), schema.VerdictDead, "noted contradicted"},
		"dead, and it is paid":                 {iyzico.BatchCompleted, of(success), schema.VerdictDead, "noted contradicted"},
		"dead, and auth may still come":        {iyzico.BatchInit, of(iyzico.ItemInit), schema.VerdictDead, "noted contradicted"},
		"dead, cancelled but for one":          {iyzico.BatchCanceled, [3]iyzico.ItemStatus{cancelled, success, cancelled}, schema.VerdictDead, "noted contradicted"},
		"dead, and iyzico waits for money":     {iyzico.BatchInsufficientBalance, of(iyzico.ItemInit), schema.VerdictDead, "decided"},
		"taken, and it is dead":                {iyzico.BatchCanceled, of(cancelled), schema.VerdictTook, "noted contradicted"},
		"one failed, and iyzico has paid it":   {iyzico.BatchCompleted, [3]iyzico.ItemStatus{success, success, queued}, schema.VerdictItems, "noted contradicted"},
		"one paid, and iyzico says it failed":  {iyzico.BatchCompleted, [3]iyzico.ItemStatus{failed, failed, queued}, schema.VerdictItems, "noted contradicted"},
		"one paid, one failed, as iyzico says": {iyzico.BatchCompleted, [3]iyzico.ItemStatus{success, failed, queued}, schema.VerdictItems, "decided"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d, p := deskOf(t)
				bank := newPanel()
				end := d.at(t, bank, &d.plans)
				time.Sleep(time.Minute) // it is unknown: iyzico waits for money
				bank.turn(tt.batch, tt.items)
				c := schema.Command{Kind: schema.CmdResolve, Batch: p.ID, Plan: 1, Attempt: 1, RequestID: "r", Verdict: tt.verdict, Evidence: "a letter"}
				if tt.verdict == schema.VerdictItems {
					c.Items = words
				}
				d.ask(t, c)
				synctest.Wait() // no time passes, so the worker has not looked by itself
				if got := strings.Join(d.asked(t), ", "); got != tt.want {
					t.Errorf("answers: %q, want %q", got, tt.want)
				}
				end()
			})
		})
	}
}

// TestResolveIsAboutTheAttemptThatWasShown has words come late, or about another
// requestId: iyzico says nothing against them, and they must not settle the attempt
// that is under way now.
func TestResolveIsAboutTheAttemptThatWasShown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, p := deskOf(t)
		bank := newPanel()
		end := d.at(t, bank, &d.plans)
		time.Sleep(time.Minute) // it is unknown: iyzico waits for money
		word := schema.Command{Kind: schema.CmdResolve, Batch: p.ID, Plan: 1, Verdict: schema.VerdictDead, Evidence: "a letter"}
		for _, shown := range []struct {
			attempt   int
			requestID string
		}{{1, "r-0"}, {1, ""}, {2, "r"}, {1, "r"}, {1, "r"}} {
			word.Attempt, word.RequestID = shown.attempt, shown.requestID
			d.ask(t, word)
			time.Sleep(time.Second)
		}
		want := "noted other_attempt, noted other_attempt, noted other_attempt, decided, noted not_unknown"
		if got := strings.Join(d.asked(t), ", "); got != want {
			t.Errorf("answers: %s\nwant: %s", got, want)
		}
		end()
	})
}

// A library lends its plans when it is open.
type library struct {
	*workertest.Log
	open chan struct{}
}

func (l library) ReadAt(ctx context.Context, offset int64) (worker.Entry, error) {
	if offset > 0 {
		<-l.open
	}
	return l.Log.ReadAt(ctx, offset)
}

// A stop is a log of the worker's that it cannot write on past a text.
type stop struct {
	at string
	on chan struct{}
}

func (s stop) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(s.at)) {
		<-s.on
	}
	return len(p), nil
}

// TestResolveOfABatchThatIsBeingRead has a word wait for a batch that a session
// reads again after a restart, and the batch come into memory at the worst moment:
// when it has been found that there is none to ask iyzico about yet.
func TestResolveOfABatchThatIsBeingRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, p := deskOf(t)
		d.write(t, p) // a copy, which owns nothing
		bank := newPanel()
		end := d.at(t, bank, &d.plans)
		time.Sleep(time.Minute)
		end() // with a checkpoint, which lists the batch
		bank.turn(iyzico.BatchInit, bank.items)

		plans := library{&d.plans, make(chan struct{})}
		busy := stop{"a record of a closed batch changes nothing", make(chan struct{})}
		d.log = zerolog.New(busy)
		end = d.at(t, bank, plans)
		synctest.Wait() // the session has read its logs, but for the batch's plan
		d.append(t, `{"v":1,"type":"closed","batch":"x","plan":2,"session":"s","at":"2026-01-01T00:00:00Z"}`)
		synctest.Wait() // and its loop is busy
		d.ask(t, schema.Command{Kind: schema.CmdResolve, Batch: p.ID, Plan: 1, Attempt: 1, RequestID: "r", Verdict: schema.VerdictDead, Evidence: "a feeling"})
		synctest.Wait() // the word comes before the loop
		close(plans.open)
		synctest.Wait() // and right behind it the batch
		close(busy.on)
		time.Sleep(time.Second)
		if got := strings.Join(d.asked(t), ", "); got != "noted contradicted" {
			t.Errorf("answers: %q", got)
		}
		end()
	})
}
