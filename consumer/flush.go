package consumer

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/rs/zerolog"

	"github.com/toplu/toplu/schema"
)

// flush writes the sealed batches, the shards at the same time, the batches of
// a shard in order, but for those whose merchant has no key: they wait, see
// keyless.go. What they hold is answered when they are in the log.
func (r *run) flush(ctx context.Context) error {
	byShard := make(map[int][]*batch)
	for _, b := range r.ready {
		if !r.keyless.waits(b.key.merchant, r.cfg.Now()) {
			byShard[b.key.shard] = append(byShard[b.key.shard], b)
		}
	}
	if len(byShard) == 0 {
		return nil
	}
	errs := make(chan error, len(byShard))
	var wg sync.WaitGroup
	for shard, batches := range byShard {
		wg.Go(func() { errs <- r.write(ctx, shard, batches) })
	}
	wg.Wait()
	close(errs)
	for _, b := range r.ready {
		switch {
		case b.written:
			r.landed(ctx, b)
		case b.noKey != nil:
			r.keyless.batch(b, r.cfg.Now())
		}
	}
	r.ready = slices.DeleteFunc(r.ready, func(b *batch) bool { return b.written })
	for err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// write appends batches to one shard.
func (r *run) write(ctx context.Context, shard int, batches []*batch) error {
	for _, b := range batches {
		plan := b.plan(r.cfg.Now())
		// Without its key a plan waits: in clear it would stand in the log for ever.
		if b.noKey = r.ports.Seal.SealPlan(plan); b.noKey != nil {
			continue
		}
		err := r.insist(ctx, "plans", func() error { return r.ports.Plans.Append(ctx, shard, plan) })
		if err != nil {
			return err
		}
		b.written, b.id = true, plan.ID
	}
	return nil
}

// landed is where a batch leaves this process. A crash before it has the next
// owner read the requests again; those that are in the log are then known.
func (r *run) landed(ctx context.Context, b *batch) {
	for i := range b.items {
		delete(r.pending, b.items[i].PayoutID)
	}
	for _, place := range b.places {
		place.answered()
	}
	r.keyless.landed(b)
	r.story(b)
	r.trace(ctx, b)
}

// story says which batch each request went into.
func (r *run) story(b *batch) {
	if r.cfg.Log.GetLevel() <= zerolog.DebugLevel { // there are many
		for i := range b.items {
			r.cfg.Log.Debug().Str("payout", b.items[i].PayoutID).Str("batch", b.id).Msg("planned")
		}
	}
	r.cfg.Log.Info().Str("batch", b.id).Int("shard", b.key.shard).Str("merchant", b.key.merchant).Int("items", len(b.items)).Msg("batch sealed")
}

// insist repeats f with growing pauses until it succeeds or ctx ends. Each
// trouble is logged once, not each attempt.
func (p *Planner) insist(ctx context.Context, what string, f func() error) error {
	pauses := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(50*time.Millisecond),
		backoff.WithMaxInterval(5*time.Second),
		backoff.WithMaxElapsedTime(0),
	)
	if p.cfg.Steady {
		pauses.RandomizationFactor = 0
	}
	told := make(map[string]bool)
	err := backoff.RetryNotify(func() error {
		err := f()
		if errors.Is(err, schema.ErrRecord) {
			return backoff.Permanent(err)
		}
		return err
	}, backoff.WithContext(pauses, ctx), func(err error, _ time.Duration) {
		if ctx.Err() == nil && !told[err.Error()] {
			told[err.Error()] = true
			p.cfg.Log.Warn().Err(err).Str("what", what).Msg("waiting, and trying again")
		}
	})
	if err == nil && len(told) > 0 {
		p.cfg.Log.Info().Str("what", what).Msg("goes on")
	}
	return err
}
