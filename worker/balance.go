package worker

import (
	"context"
	"fmt"
	"time"

	"github.com/toplu/toplu/schema"
)

// reserveFor is after how long what was set aside for a batch is forgotten: a
// worker that vanished must not keep a merchant's money for ever.
const reserveFor = time.Hour

// balance waits until the balance covers the attempt beside what the merchant's
// other batches, in all workers, are about to take. Too low is a wait, never a
// failure. iyzico tells the balance without a currency; the configuration says
// which it is, and no other is compared with it.
//
// Commit point: the money is set aside. A crash right here leaves it so until the
// next session sets it aside again, or it is forgotten.
func (s *Shard) balance(b *batch) {
	if s.cfg.SkipBalance || b.plan.Currency != s.cfg.terms(b.merchant).BalanceCurrency {
		b.drive.funded = true
		s.advance(b)
		return
	}
	p, ok := s.ports.Merchant(b.merchant)
	if !ok {
		return
	}
	r, need, own := s.reserve(b), b.drive.need.Minor, s.reserved(b)
	s.ask(b, "balance", func(ctx context.Context) func() {
		// Asked before the balance: a batch that is debited in between counts
		// twice then, and not not at all.
		before := max(own, s.setAside(ctx, r))
		has, err := p.Balance(ctx)
		taken, others := int64(has) >= need+before, before
		if err == nil && s.ports.Reserves != nil {
			t, o, failed := s.ports.Reserves.Take(ctx, r, int64(has), before)
			if failed == nil {
				taken, others = t, max(before, o)
			}
		}
		return func() {
			if err != nil {
				s.again(b, s.cfg.Grace)
				return
			}
			if taken {
				b.drive.funded, b.drive.reserved = true, true
				return
			}
			b.drive.note = fmt.Sprintf("the balance is %s %s, %s are needed and %s are set aside for other batches", has, b.plan.Currency, schema.FormatMinor(need), schema.FormatMinor(others))
			s.log.Warn().Str("batch", b.plan.ID).Str("merchant", b.merchant).Str("balance", has.String()).Str("needed", schema.FormatMinor(need)).Str("setAside", schema.FormatMinor(others)).Msg("the balance is too low, waiting for money")
			s.ports.Metrics.unfunded(b.merchant, s.ports.Now().UTC())
			s.again(b, s.cfg.Grace)
		}
	})
}

// reserved is what the merchant's other batches in this shard will take and
// iyzico has not taken yet.
func (s *Shard) reserved(but *batch) int64 {
	var sum int64
	for _, b := range s.batches {
		if b != but && b.plan != nil && b.merchant == but.merchant && b.plan.Currency == but.plan.Currency && !b.settled() && !b.drive.debited && (b.phase >= completing || b.drive.funded) {
			sum += b.drive.need.Minor
		}
	}
	return sum
}

// setAside asks what is set aside for other batches by all workers; 0 if nobody
// can tell: then this shard's own have to do.
func (s *Shard) setAside(ctx context.Context, r Reserve) int64 {
	if s.ports.Reserves == nil {
		return 0
	}
	others, err := s.ports.Reserves.Others(ctx, r)
	if err != nil {
		s.log.Warn().Err(err).Str("batch", r.Batch).Msg("what other workers have set aside is not known: the balance is compared with this shard's batches alone")
	}
	return others
}

func (s *Shard) reserve(b *batch) Reserve {
	return Reserve{Merchant: b.merchant, Currency: b.plan.Currency, Batch: b.plan.ID, Minor: b.drive.need.Minor, For: reserveFor}
}

// release gives back what is set aside for a batch: iyzico has taken it, or the
// batch is not about to be completed any more. If that fails it is forgotten
// later.
func (s *Shard) release(b *batch) {
	b.drive.reserved = false
	if s.ports.Reserves == nil {
		return
	}
	r := s.reserve(b)
	s.spawn(func(ctx context.Context) func() {
		if err := s.ports.Reserves.Release(ctx, r); err != nil {
			s.log.Debug().Err(err).Str("batch", r.Batch).Msg("what was set aside is not given back, and forgotten later")
		}
		return nil
	})
}

// waits lets go of the money of a batch that has to wait before its point of no
// return, however long: the balance is looked at again before it goes on.
func (s *Shard) waits(b *batch) {
	if b.phase < completing && b.drive.funded {
		b.drive.funded = false
		if b.drive.reserved {
			s.release(b)
		}
	}
}
