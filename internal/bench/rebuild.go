package bench

import (
	"context"
	"errors"
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
	var filling time.Time
	var before int64 // when it was seen that they are being filled
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for late := b.Now().Add(patience); ; {
		n, err := b.Claims.Count(ctx)
		if err != nil {
			return r, err
		}
		if n > 0 && filling.IsZero() {
			filling, before = b.Now(), n
		}
		b.Progress("filling claims", int(n), int(r.Claims))
		if n >= r.Claims {
			break
		}
		if b.Now().After(late) {
			return r, errors.New("the claims are not filled again")
		}
		select {
		case <-ctx.Done():
			return r, context.Cause(ctx)
		case <-tick.C:
		}
	}
	filled := b.Now()
	r.Seconds = Seconds(filled.Sub(wiped))
	r.ClaimsPerSecond = perSecond(r.Claims-before, filled.Sub(filling))
	paid, err := b.answered(ctx, p, paidEvent)
	r.Paying = Seconds(paid.Sub(wiped))
	return r, err
}
