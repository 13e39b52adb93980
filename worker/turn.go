package worker

import (
	"context"
	"slices"
	"time"

	"github.com/toplu/toplu/schema"
)

// A merchant has turns of its own, so that one's empty balance, slow bank or
// flood delays nobody else.
type merchant struct {
	waiting []int64 // offsets of plans that have not had their turn, in the order of the log
	missed  bool    // that it is not in the configuration is logged
}

// standing tells whether iyzico can be called for a merchant.
func (s *Shard) standing(merchant string) Standing {
	if s.ports.Standing == nil {
		return Clear
	}
	return s.ports.Standing(merchant)
}

// merchantOf returns the merchant's turns.
func (s *Shard) merchantOf(name string) *merchant {
	m := s.merchants[name]
	if m == nil {
		m = &merchant{}
		s.merchants[name] = m
		s.order = append(s.order, name)
	}
	return m
}

// foldPlan takes in a plan whose items have gone through the claims: accepted
// is answered now, the rest when its turn comes.
func (s *Shard) foldPlan(f *foldedPlan) {
	defer func() { s.plansNext = max(s.plansNext, f.offset+1) }()
	records := s.early[f.offset]
	delete(s.early, f.offset)
	if f.plan == nil {
		return // a genesis, an import, or a plan in quarantine
	}
	owned, n := f.owned()
	old := f.offset < s.recovery.planOffset // it was told before the checkpoint
	if old {
		s.recovery.told = f.offset
	}
	if !old {
		s.dropped(f, owned)
	}
	if n == 0 || s.batches[f.offset] != nil || s.asleep[f.offset] != nil {
		return // a copy, or another's: it owns nothing and writes nothing
	}
	emit := s.emit
	if old {
		emit = nil
	}
	b := newBatch(f.plan, f.offset, owned, emit)
	m := s.merchantOf(f.plan.Merchant)
	if len(records) == 0 && (len(m.waiting) > 0 || s.inFlight(f.plan.Merchant) >= s.cfg.terms(f.plan.Merchant).MaxOpen) {
		if i, waits := slices.BinarySearch(m.waiting, f.offset); !waits {
			m.waiting = slices.Insert(m.waiting, i, f.offset)
			s.gauges.waits(b)
		}
		return
	}
	s.open(b, records)
}

// open has a batch driven from now on.
func (s *Shard) open(b *batch, records []queued) {
	b.drive.awaits = None
	b.drive.lastEvent = s.outbox.emitted
	b.emit = func(st *schema.Status) {
		s.emit(st)
		b.drive.lastEvent = s.outbox.emitted
	}
	s.batches[b.offset] = b
	s.missing(b)
	for _, q := range records {
		s.applyRecord(b, q)
	}
	s.advance(b)
}

// dropped answers for the items of a plan that an earlier plan owns: the same
// content is a duplicate, another is a conflict and goes to the dead letters.
func (s *Shard) dropped(f *foldedPlan, owned []bool) {
	for i := range f.plan.Items {
		if owned[i] {
			continue
		}
		r := f.plan.Request(i)
		if s.duplicate(f.plan, i, f.owners[i].Content) {
			s.ports.Metrics.duplicate()
			continue
		}
		s.ports.Metrics.conflict()
		s.log.Error().Str("payout", r.PayoutID).Interface("source", f.plan.Items[i].Source).Msg("a payout id was used again with other content: not paid, put aside")
		s.conflict(f.plan, i)
	}
}

// inFlight counts the merchant's batches in memory that are not answered.
func (s *Shard) inFlight(merchant string) int {
	n := 0
	for _, b := range s.batches {
		if b.merchant == merchant && (b.plan == nil || !b.settled()) {
			n++
		}
	}
	return n
}

// turns gives free places to waiting batches, one a merchant at a time.
func (s *Shard) turns() {
	if s.stopping || !s.ready() || !s.claimsOK {
		return
	}
	for given := true; given; {
		given = false
		for _, name := range s.order {
			m := s.merchants[name]
			if len(m.waiting) > 0 && s.inFlight(name) < s.cfg.terms(name).MaxOpen {
				s.takeTurn(m.waiting[0])
				given = true
			}
		}
	}
}

// takeTurn has the plan at offset read again for its turn, if it waits for one.
func (s *Shard) takeTurn(offset int64) bool {
	for name, m := range s.merchants {
		i, ok := slices.BinarySearch(m.waiting, offset)
		if !ok {
			continue
		}
		m.waiting = slices.Delete(m.waiting, i, i+1)
		s.gauges.taken(offset)
		s.placehold(offset, name)
		return true
	}
	return false
}

// placehold keeps a place for a batch whose plan is
// read from the logs.
func (s *Shard) placehold(offset int64, merchant string) {
	b := &batch{offset: offset, merchant: merchant}
	b.drive.awaits = None
	s.batches[offset] = b
	s.advance(b)
}

// load reads a batch's plan, the claims on it and its records so far. A plan is
// not kept in memory while it waits.
func (s *Shard) load(b *batch) {
	epoch, offset, reread := s.epoch, b.offset, b.drive.reread
	s.call(b, "load", func(ctx context.Context) func() {
		f, records, err := s.read(ctx, epoch, offset, reread)
		return func() {
			if err != nil {
				s.log.Warn().Err(err).Int64("plan", offset).Msg("cannot read a plan for its turn, trying again")
				s.doubt(err)
				s.again(b, s.cfg.Grace)
				return
			}
			s.loaded(b, f, records)
		}
	})
}

func (s *Shard) read(ctx context.Context, epoch string, offset int64, reread []int64) (*foldedPlan, []queued, error) {
	e, err := s.ports.Plans.ReadAt(ctx, offset)
	if err != nil {
		return nil, nil, err
	}
	rec, err := schema.DecodePlan(e.Value)
	if err != nil {
		return nil, nil, err
	}
	s.tryOpen(rec.Plan)
	f := &foldedPlan{offset: offset, plan: rec.Plan}
	if f.owners, err = s.owners(ctx, epoch, offset, rec.Plan); err != nil {
		return nil, nil, err
	}
	records := make([]queued, 0, len(reread))
	for _, o := range reread {
		e, err := s.ports.Journal.ReadAt(ctx, o)
		if err != nil {
			return nil, nil, err
		}
		r, err := schema.DecodeRecord(e.Value)
		if err != nil {
			return nil, nil, err
		}
		records = append(records, queued{offset: o, record: r})
	}
	return f, records, nil
}

// loaded puts a batch that was read in the place kept for it.
func (s *Shard) loaded(place *batch, f *foldedPlan, records []queued) {
	owned, n := f.owned()
	if f.plan == nil || n == 0 {
		panic(&ImpossibleError{"at offset " + itoa(f.offset), "a waiting plan owns nothing any more"})
	}
	b := newBatch(f.plan, f.offset, owned, nil)
	waiting := s.merchantOf(b.merchant).waiting
	s.gauges.read(b, len(waiting) == 0 || b.offset < waiting[0])
	b.drive = place.drive
	b.drive.busy, b.drive.reread, b.drive.retry = false, nil, nil
	b.drive.wake = time.Time{}
	s.open(b, append(records, place.queue...))
}

// forget lets go of a closed batch.
func (s *Shard) forget(b *batch) {
	delete(s.batches, b.offset)
	s.ports.Metrics.closed()
}
