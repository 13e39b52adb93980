// Package throttle stands between a merchant's batches and iyzico: a circuit
// breaker, a number of calls under way, and a rate. Each merchant has its own, so
// that the trouble of one delays nobody else.
//
// Nothing here is needed for safety, and nothing here may harm it. A call that is
// not let through is one that was never sent ([iyzico.OutcomeNotSent]): not a
// refusal, not a lost answer. auth is always let through, at once: when it comes
// here its completing is written, and a call that is not made then costs the batch
// an attempt. While the breaker is open no completing is written, see
// [worker.Ports].
package throttle

import (
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"
	"github.com/sony/gobreaker/v2"
	"golang.org/x/sync/semaphore"

	"github.com/toplu/toplu/iyzico"
	"github.com/toplu/toplu/worker"
)

// Config says how much a merchant may call. Zero values switch that part off.
type Config struct {
	Merchant string
	// Failures are the calls that must fail in a row for the breaker to open, and
	// Pause is how long it then lets none through before one tries.
	Failures int
	Pause    time.Duration
	// Concurrency is how many calls may be under way in this process.
	Concurrency int
	// Pace waits until the next call may be made.
	Pace func(ctx context.Context) error
	Log  zerolog.Logger
}

// A Gate is a [worker.Provider] that lets a merchant's calls through to another.
// It is safe for concurrent use.
type Gate struct {
	to      worker.Provider
	cfg     Config
	breaker *gobreaker.TwoStepCircuitBreaker[struct{}] // nil: none
	slots   *semaphore.Weighted                        // nil: no limit
}

var _ worker.Provider = (*Gate)(nil)

// New returns the gate to a merchant's provider.
func New(to worker.Provider, cfg Config) *Gate {
	g := &Gate{to: to, cfg: cfg}
	if cfg.Concurrency > 0 {
		g.slots = semaphore.NewWeighted(int64(cfg.Concurrency))
	}
	if cfg.Failures > 0 {
		g.breaker = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
			Name: cfg.Merchant, MaxRequests: 1, Timeout: cfg.Pause,
			ReadyToTrip:   func(c gobreaker.Counts) bool { return int(c.ConsecutiveFailures) >= cfg.Failures },
			IsSuccessful:  answered,
			IsExcluded:    func(err error) bool { return errors.Is(err, context.Canceled) },
			OnStateChange: g.changed,
		})
	}
	return g
}

// answered reports whether the end of a call speaks for the merchant's account,
// the traffic and the network. A refusal of a batch does.
func answered(err error) bool {
	return err == nil || iyzico.OutcomeOf(err) == iyzico.OutcomeRefused && iyzico.KindOf(err) != iyzico.KindTraffic
}

func (g *Gate) changed(merchant string, _, to gobreaker.State) {
	switch to {
	case gobreaker.StateOpen:
		g.cfg.Log.Warn().Str("merchant", merchant).Dur("pause", g.cfg.Pause).Msg("iyzico refuses or does not answer this merchant's calls: its circuit breaker is open, nobody is rejected")
	case gobreaker.StateClosed:
		g.cfg.Log.Info().Str("merchant", merchant).Msg("iyzico answers this merchant again: its circuit breaker is closed")
	case gobreaker.StateHalfOpen:
	}
}

// Standing tells whether calls are let through.
func (g *Gate) Standing() worker.Standing {
	if g.breaker == nil {
		return worker.Clear
	}
	switch g.breaker.State() {
	case gobreaker.StateOpen:
		return worker.Stopped
	case gobreaker.StateHalfOpen:
		return worker.Trying
	case gobreaker.StateClosed:
	}
	return worker.Clear
}

// pass makes a call when it may be made.
func (g *Gate) pass(ctx context.Context, op string, call func() error) error {
	if g.slots != nil {
		if err := g.slots.Acquire(ctx, 1); err != nil {
			return notSent(op, "no free place among the merchant's calls: "+err.Error())
		}
		defer g.slots.Release(1)
	}
	if g.cfg.Pace != nil {
		if err := g.cfg.Pace(ctx); err != nil {
			return notSent(op, "the merchant's rate: "+err.Error())
		}
	}
	if g.breaker == nil {
		return call()
	}
	// Last, so that it tells what is known when the call is made.
	done, err := g.breaker.Allow()
	if err != nil {
		return notSent(op, "the merchant's circuit breaker: "+err.Error())
	}
	err = call()
	done(err)
	return err
}

func notSent(op, why string) error {
	return &iyzico.Error{Op: op, Message: why, Outcome: iyzico.OutcomeNotSent, Kind: iyzico.KindTraffic}
}

// Auth implements [worker.Provider]. It is let through whatever stands in the way.
func (g *Gate) Auth(ctx context.Context, requestID string) error {
	if g.breaker == nil {
		return g.to.Auth(ctx, requestID)
	}
	done, refused := g.breaker.Allow()
	err := g.to.Auth(ctx, requestID)
	if refused == nil {
		done(err)
	}
	return err
}

// Init implements [worker.Provider].
func (g *Gate) Init(ctx context.Context, r iyzico.InitRequest) (a iyzico.InitAnswer, err error) {
	err = g.pass(ctx, iyzico.OpInit, func() (err error) {
		a, err = g.to.Init(ctx, r)
		return err
	})
	return a, err
}

// Retrieve implements [worker.Provider].
func (g *Gate) Retrieve(ctx context.Context, r iyzico.RetrieveRequest) (rep iyzico.Report, err error) {
	err = g.pass(ctx, iyzico.OpRetrieve, func() (err error) {
		rep, err = g.to.Retrieve(ctx, r)
		return err
	})
	return rep, err
}

// Item implements [worker.Provider].
func (g *Gate) Item(ctx context.Context, referenceCode string) (it iyzico.Item, err error) {
	err = g.pass(ctx, iyzico.OpItem, func() (err error) {
		it, err = g.to.Item(ctx, referenceCode)
		return err
	})
	return it, err
}

// Cancel implements [worker.Provider].
func (g *Gate) Cancel(ctx context.Context, requestID string) error {
	return g.pass(ctx, iyzico.OpCancel, func() error { return g.to.Cancel(ctx, requestID) })
}

// Balance implements [worker.Provider].
func (g *Gate) Balance(ctx context.Context) (has iyzico.Money, err error) {
	err = g.pass(ctx, iyzico.OpBalance, func() (err error) {
		has, err = g.to.Balance(ctx)
		return err
	})
	return has, err
}
