package worker

import (
	"fmt"
	"time"

	"github.com/toplu/toplu/schema"
)

// tooMuch says which of its merchant's limits a batch is above, "" if none. It is
// asked before anything is created, and no more once the batch was held for it:
// whoever resumes it has decided.
//
// Commit point: the batch's first record is then a held. A crash right before it
// leaves nothing; the next session weighs the batch again, by the limits of its
// own configuration.
func (s *Shard) tooMuch(b *batch) string {
	if b.phase != planned || b.weighed {
		return ""
	}
	t := s.cfg.terms(b.merchant)
	if t.MaxPayout == 0 && t.MaxBatch == 0 {
		return ""
	}
	var sum int64
	for i := range b.items {
		if !b.items[i].carried {
			continue
		}
		minor := b.plan.Items[i].Minor
		sum += minor
		if t.MaxPayout > 0 && minor > t.MaxPayout {
			return fmt.Sprintf("payout %s is %s %s, and the merchant's limits.payout is %s", b.plan.Items[i].PayoutID, schema.FormatMinor(minor), b.plan.Currency, schema.FormatMinor(t.MaxPayout))
		}
	}
	if t.MaxBatch > 0 && sum > t.MaxBatch {
		return fmt.Sprintf("the batch is %s %s, and the merchant's limits.batch is %s", schema.FormatMinor(sum), b.plan.Currency, schema.FormatMinor(t.MaxBatch))
	}
	return ""
}

// notBefore tells a person why a plan waits for the clock.
func notBefore(p *schema.Plan) string {
	return "the merchant's cut-off: not before " + p.NotBefore.UTC().Format(time.RFC3339)
}
