package worker

import (
	"maps"
	"slices"
)

// configured reports whether the merchant is in the configuration. If it is not,
// its batches wait where they are, loudly: nobody is rejected, and all goes on
// when it is back. Nothing is written, for the next worker may know it.
func (s *Shard) configured(merchant string) bool {
	_, ok := s.ports.Merchant(merchant)
	return ok
}

// missing logs, once a session, that a batch waits for its merchant.
func (s *Shard) missing(b *batch) {
	m := s.merchantOf(b.merchant)
	if m.missed || s.configured(b.merchant) {
		return
	}
	m.missed = true
	s.log.Error().Str("merchant", b.merchant).Str("batch", b.plan.ID).Msg("a merchant with open batches is not in the configuration: they wait until it is back")
}

// Missing lists the merchants that have unanswered batches here and are not in the
// configuration, in order.
func (w *Worker) Missing() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := map[string]bool{}
	for _, r := range w.shards {
		if r.shard == nil {
			continue
		}
		if names := r.shard.absent.Load(); names != nil {
			for _, name := range *names {
				all[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}
