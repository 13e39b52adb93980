package bench

import (
	"context"
	"fmt"
	"time"
)

// Claims are those of a run.
type Claims interface {
	// Count returns how many there are, of all shards.
	Count(ctx context.Context) (int64, error)
	// Wipe empties Redis.
	Wipe(ctx context.Context) error
}

// A Rebuild is what it takes to fill the claims of an emptied Redis again.
type Rebuild struct {
	Claims          int64   `json:"claims"`
	Seconds         Seconds `json:"seconds"`         // from the wipe until all stand again
	ClaimsPerSecond int64   `json:"claimsPerSecond"` // of all shards, once they are being filled
	Paying          Seconds `json:"paying"`          // from the wipe until a payout of each shard is paid that was asked for at once
}

// Rebuild empties Redis while a worker runs.
func (b *Bench) Rebuild(ctx context.Context) (Rebuild, error) {
	r := Rebuild{}
	var err error
	if r.Claims, err = b.Claims.Count(ctx); err != nil {
		return r, err
	}
	if r.Claims < int64(b.written) {
		return r, fmt.Errorf("%d claims for %d payouts", r.Claims, b.written)
	}
	wiped := b.Now()
	if err := b.Claims.Wipe(ctx); err != nil {
		return r, err
	}
	p, err := b.ask(ctx)
	if err != nil {
		return r, err
	}
	filling, before, err := b.claimed(ctx, "filling claims", r.Claims)
	if err != nil {
		return r, err
	}
	filled := b.Now()
	r.Seconds = Seconds(filled.Sub(wiped))
	r.ClaimsPerSecond = perSecond(r.Claims-before, filled.Sub(filling))
	paid, err := b.answered(ctx, p, paidEvent)
	r.Paying = Seconds(paid.Sub(wiped))
	return r, err
}

// claimed waits until there are so many claims. It returns when they were first
// seen to be more than none, and how many they were then.
func (b *Bench) claimed(ctx context.Context, what string, goal int64) (began time.Time, first int64, err error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for late := b.Now().Add(patience); ; {
		n, err := b.Claims.Count(ctx)
		if err != nil {
			return began, first, err
		}
		if n > 0 && began.IsZero() {
			began, first = b.Now(), n
		}
		b.Progress(what, int(min(n, goal)), int(goal))
		switch {
		case n >= goal:
			return began, first, nil
		case b.Now().After(late):
			return began, first, fmt.Errorf("%s: %d of %d after %s", what, n, goal, patience)
		}
		select {
		case <-ctx.Done():
			return began, first, context.Cause(ctx)
		case <-tick.C:
		}
	}
}
