package worker_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/toplu/toplu/iyzico/iyzicotest"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// A slowAuth is an iyzico whose auth is under way until it is let go.
type slowAuth struct {
	worker.Provider
	let        chan struct{}
	began, cut atomic.Int64
}

func (p *slowAuth) Auth(ctx context.Context, requestID string) error {
	p.began.Add(1)
	select {
	case <-p.let:
	case <-ctx.Done():
		p.cut.Add(1)
	}
	return p.Provider.Auth(ctx, requestID)
}

// takenLeases are leases that count how often one was taken.
type takenLeases struct {
	free
	taken [2]atomic.Int64
}

func (c *takenLeases) Obtain(_ context.Context, shard int, _ time.Duration) (worker.Lease, error) {
	c.taken[shard].Add(1)
	return free{}, nil
}

// A mutedLease is one whose keeper stopped answering once the shard had it.
type mutedLease struct{ asked, answer chan struct{} }

func (l mutedLease) Obtain(context.Context, int, time.Duration) (worker.Lease, error) { return l, nil }

func (l mutedLease) Refresh(context.Context, time.Duration) error {
	select {
	case l.asked <- struct{}{}:
	default:
	}
	<-l.answer // as a read from a socket, it does not look at the context
	return errors.New("no answer")
}

func (l mutedLease) Release(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestWorkerEndsWhereTheLeaseHangs: a Redis that takes everything and answers nothing
// does not keep a worker from ending, neither by a refresh nor by the release.
func TestWorkerEndsWhereTheLeaseHangs(t *testing.T) {
	t.Parallel()
	b := newBench(t, iyzicotest.Settings{})
	lease := mutedLease{asked: make(chan struct{}, 1), answer: make(chan struct{})}
	defer close(lease.answer)
	ports := b.ports(t)
	w := worker.NewWorker(quick, func(int) worker.Ports { return ports }, lease, 30*time.Millisecond, zerolog.Nop())
	w.Assign(t.Context(), []int{0})
	<-lease.asked
	w.Stop()
}

// journal reads every record of a shard, those about the shard itself too.
func journal(t *testing.T, b *bench) []schema.Record {
	t.Helper()
	chunk, err := b.journal.Read(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	all := make([]schema.Record, len(chunk.Entries))
	for i, e := range chunk.Entries {
		if all[i], err = schema.DecodeRecord(e.Value); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// TestShardIsKeptOverARebalance: whoever keeps a shard keeps its session, with the
// memory of the calls it made. Its auth that was under way ends as if nothing had
// happened, nothing is asked of iyzico a second time, and the claims keep their epoch;
// the shard that goes and comes back has a session of its own.
func TestShardIsKeptOverARebalance(t *testing.T) {
	t.Parallel()
	kept, moved := newBench(t, iyzicotest.Settings{}), newBench(t, iyzicotest.Settings{})
	kept.plan(t, "a", 2)
	moved.plan(t, "b", 2)
	ports := []worker.Ports{kept.ports(t), moved.ports(t)}
	client, _ := ports[0].Merchant("default")
	iyzico := &slowAuth{Provider: client, let: make(chan struct{})}
	ports[0].Merchant = func(string) (worker.Provider, bool) { return iyzico, true }
	var leases takenLeases
	w := worker.NewWorker(quick, func(shard int) worker.Ports { return ports[shard] }, &leases, time.Second, zerolog.Nop())
	defer w.Stop()

	first, end := context.WithCancel(t.Context())
	w.Assign(first, []int{0, 1})
	waitFor(t, "auth is under way", func() bool { return iyzico.began.Load() == 1 })
	waitFor(t, "the other shard pays", moved.final(t, 2))
	end() // a generation ends before the next begins
	second, end := context.WithCancel(t.Context())
	w.Assign(second, []int{0})
	waitFor(t, "the other shard is given up", func() bool {
		all := journal(t, moved)
		return all[len(all)-1].Type == schema.RecCheckpoint
	})
	end()
	w.Assign(t.Context(), []int{0, 1})
	moved.plan(t, "c", 2)
	waitFor(t, "the other shard pays again", moved.final(t, 4))
	close(iyzico.let)
	waitFor(t, "the shard that was kept pays", kept.final(t, 2))
	kept.plan(t, "d", 2)
	waitFor(t, "and goes on", kept.final(t, 4))

	if n := iyzico.cut.Load(); n > 0 {
		t.Error("auth was cut off")
	}
	if n := leases.taken[0].Load(); n != 1 {
		t.Errorf("the lease of the shard that was kept was taken %d times", n)
	}
	if calls := kept.books(t).Calls; calls["init"] != 2 || calls["auth"] != 2 || calls["cancel"] != 0 {
		t.Errorf("calls of the shard that was kept: %v", calls)
	}
	for name, want := range map[string]struct {
		of       *bench
		sessions int
	}{"kept": {kept, 1}, "moved": {moved, 2}} {
		sessions, epochs := map[string]bool{}, 0
		for _, r := range journal(t, want.of) {
			sessions[r.Session] = true
			if r.Type == schema.RecEpoch {
				epochs++
			}
		}
		if len(sessions) != want.sessions || epochs != 1 {
			t.Errorf("the shard that was %s has %d sessions and %d epochs", name, len(sessions), epochs)
		}
	}
}
