package throttle_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/toplu/toplu/iyzico"
	"github.com/toplu/toplu/worker"
	"github.com/toplu/toplu/worker/throttle"
)

// provider counts calls and answers as it is told.
type provider struct {
	worker.Provider
	err            error
	balances, auth atomic.Int64
	under, most    atomic.Int64
}

func (p *provider) Balance(ctx context.Context) (iyzico.Money, error) {
	p.most.Store(max(p.most.Load(), p.under.Add(1)))
	defer p.under.Add(-1)
	p.balances.Add(1)
	select {
	case <-time.After(time.Second):
		return 1, p.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func (p *provider) Auth(context.Context, string) error { p.auth.Add(1); return p.err }

func traffic() error { return &iyzico.Error{Outcome: iyzico.OutcomeRefused, Kind: iyzico.KindTraffic} }

func TestBreaker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &provider{err: traffic()}
		g := throttle.New(p, throttle.Config{Merchant: "m", Failures: 2, Pause: 10 * time.Second, Log: zerolog.Nop()})
		for range 2 {
			if _, err := g.Balance(t.Context()); !errors.Is(err, p.err) {
				t.Fatal(err)
			}
		}
		if g.Standing() != worker.Stopped {
			t.Fatal("two failures, and it is not open")
		}
		_, err := g.Balance(t.Context())
		if iyzico.OutcomeOf(err) != iyzico.OutcomeNotSent || iyzico.KindOf(err) != iyzico.KindTraffic || p.balances.Load() != 2 {
			t.Errorf("open: %v after %d calls", err, p.balances.Load())
		}
		if err := g.Auth(t.Context(), "r"); p.auth.Load() != 1 || !errors.Is(err, p.err) {
			t.Errorf("auth must be let through: %v", err)
		}
		time.Sleep(11 * time.Second)
		if g.Standing() != worker.Trying {
			t.Error("the pause is over, and nobody tries")
		}
		p.err = nil
		if _, err := g.Balance(t.Context()); err != nil || g.Standing() != worker.Clear {
			t.Errorf("it answers again: %v", err)
		}
	})
}

// What is the batch's own trouble, or ours, says nothing against iyzico.
func TestBreakerStaysClosed(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"refusal of a batch": &iyzico.Error{Outcome: iyzico.OutcomeRefused, Kind: iyzico.KindBatch},
		"our own end":        context.Canceled,
	} {
		synctest.Test(t, func(t *testing.T) {
			g := throttle.New(&provider{err: err}, throttle.Config{Failures: 1, Pause: time.Second, Log: zerolog.Nop()})
			_, _ = g.Balance(t.Context())
			if g.Standing() != worker.Clear {
				t.Errorf("%s opened it", name)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		g := throttle.New(&provider{err: &iyzico.Error{}}, throttle.Config{Failures: 1, Pause: time.Second, Log: zerolog.Nop()})
		_, _ = g.Balance(t.Context())
		if g.Standing() != worker.Stopped {
			t.Error("a lost answer did not open it")
		}
	})
}

func TestConcurrency(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &provider{}
		g := throttle.New(p, throttle.Config{Concurrency: 2, Log: zerolog.Nop()})
		for range 5 {
			go func() { _, _ = g.Balance(t.Context()) }()
		}
		synctest.Wait()
		if err := g.Auth(t.Context(), "r"); err != nil || p.auth.Load() != 1 {
			t.Error("auth must not wait")
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := g.Balance(ended); iyzico.OutcomeOf(err) != iyzico.OutcomeNotSent {
			t.Errorf("whoever gives up waiting has sent nothing: %v", err)
		}
		time.Sleep(10 * time.Second)
		if p.most.Load() != 2 || p.balances.Load() != 5 {
			t.Errorf("%d at a time, %d in all", p.most.Load(), p.balances.Load())
		}
	})
}

// The shared rate is kept; while it is away this process keeps to its part.
func TestPace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		away, asked := false, 0
		pace := throttle.Pace("m", 60, 4, func(context.Context) (time.Duration, error) {
			asked++
			if away {
				return 0, errors.New("away")
			}
			return 3 * time.Second, nil
		}, zerolog.Nop())
		took := func() time.Duration {
			began := time.Now()
			if err := pace(t.Context()); err != nil {
				t.Fatal(err)
			}
			return time.Since(began)
		}
		if d := took(); d != 3*time.Second {
			t.Errorf("waited %v for the shared rate", d)
		}
		away = true
		if d := took() + took() + took(); d < 7*time.Second || asked > 3 {
			t.Errorf("alone three calls took %v, want 4 s between two; asked %d times", d, asked)
		}
		away = false
		time.Sleep(11 * time.Second)
		if d := took(); d != 3*time.Second {
			t.Errorf("it is back, and waited %v", d)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if pace(ended) == nil {
			t.Error("an ended context waits")
		}
	})
}
