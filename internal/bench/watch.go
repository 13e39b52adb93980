package bench

import (
	"context"
	"time"
)

// An Idle is what a worker takes that has nothing to do.
type Idle struct {
	Seconds Seconds `json:"seconds"`
	CPU     int64   `json:"cpuMicrosPerSecond"` // 10000 are 1 % of a core
}

// Idle looks at a worker for a while.
func (b *Bench) Idle(ctx context.Context, worker *Part, watch time.Duration) (Idle, error) {
	before, err := worker.Usage()
	if err != nil {
		return Idle{}, err
	}
	if err := b.wait(ctx, "watching an idle worker", watch); err != nil {
		return Idle{}, err
	}
	after, err := worker.Usage()
	if err != nil {
		return Idle{}, err
	}
	took := after.Done.Sub(before.Done)
	return Idle{Seconds: Seconds(took), CPU: perSecond((after.CPU - before.CPU).Microseconds(), took)}, nil
}

// A Stalled is what a worker holds while iyzico takes calls and answers none.
type Stalled struct {
	Payouts     int     `json:"payouts"`     // accepted, and waiting
	Seconds     Seconds `json:"seconds"`     // from the first request written until the last is accepted
	Watched     Seconds `json:"watched"`     // after that
	PeakMiB     int64   `json:"peakMiB"`     // resident memory of the worker's process, at most
	ResidentMiB int64   `json:"residentMiB"` // in the end
}

// Stalled has iyzico answer nothing any more, and a worker accept n payouts. The
// worker goes on; iyzico is gone in the end.
func (b *Bench) Stalled(ctx context.Context, n int, watch time.Duration) (Stalled, *Part, error) {
	if _, err := b.simulator(ctx); err != nil {
		return Stalled{}, nil, err
	}
	worker, err := b.ready(ctx, b.first())
	if err != nil {
		return Stalled{}, worker, err
	}
	if err := b.dial(ctx, `{"delayMs":`+forEver+`}`); err != nil {
		return Stalled{}, worker, err
	}
	before, err := worker.Usage()
	if err != nil {
		return Stalled{}, worker, err
	}
	began := b.Now()
	if err := b.fill(ctx, n); err != nil {
		return Stalled{}, worker, err
	}
	goal := before.Counts["accepted"] + int64(n)
	accepted, err := b.await(ctx, worker, "accepting", goal, func(u *Usage) int64 { return u.Counts["accepted"] })
	if err != nil {
		return Stalled{}, worker, err
	}
	if err := b.wait(ctx, "watching a stalled worker", watch); err != nil {
		return Stalled{}, worker, err
	}
	u, err := worker.Usage()
	if err != nil {
		return Stalled{}, worker, err
	}
	// Otherwise the worker would wait for answers before it ends.
	b.iyzico.Kill()
	return Stalled{
		Payouts: n, Seconds: Seconds(accepted.Done.Sub(began)), Watched: Seconds(u.Done.Sub(accepted.Done)),
		PeakMiB: u.PeakBytes >> 20, ResidentMiB: u.Resident >> 20,
	}, worker, nil
}

// wait lets a while pass.
func (b *Bench) wait(ctx context.Context, what string, d time.Duration) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for began := b.Now(); ; {
		passed := b.Now().Sub(began)
		b.Progress(what, int(passed.Seconds()), int(d.Seconds()))
		if passed >= d {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}
