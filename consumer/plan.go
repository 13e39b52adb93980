package consumer

import "context"

// take answers a chunk of events, or has them in open batches, when it returns
// nil. The lookups end with ctx, the writing with work.
func (r *run) take(ctx, work context.Context, events []*event) error {
	valid := events[:0]
	for _, e := range events {
		switch {
		case e.told && (e.invalid != nil || e.cancel != nil):
			r.pass(e)
			continue
		case e.invalid != nil && e.below && e.cancel == nil:
			r.park(e)
			continue
		case e.invalid != nil:
			r.refuse(e)
			continue
		case e.cancel == nil && !e.below && e.misplaced == nil:
			r.warn(e)
		}
		valid = append(valid, e)
	}
	if err := r.post(work); err != nil {
		return err
	}
	if err := r.rounds(ctx, work, valid, false); err != nil {
		return err
	}
	r.sealAged()
	if err := r.flush(work); err != nil {
		return err
	}
	return r.makeRoom(work)
}

// rounds sorts events until each has met its rivals. Every one of them is asked
// for, or of those that seem to be new a sample.
func (r *run) rounds(ctx, work context.Context, events []*event, every bool) error {
	for len(events) > 0 {
		claims, err := r.ask(ctx, events, every)
		if err != nil {
			return err
		}
		if events, err = r.round(work, events, claims); err != nil {
			return err
		}
		every = true // what met a rival learns from the log who owns the id
	}
	return nil
}

// round sorts events and writes what is full. It returns those that meet a
// rival, a request for the same id with other content that is not in the log
// yet, and cancels of such. Now it is.
func (r *run) round(work context.Context, events []*event, claims []Claim) (again []*event, err error) {
	for i, e := range events {
		first, waits := r.pending[e.id()]
		switch {
		case waits && r.keyless.behind(e, first):
		case e.cancel != nil && waits:
			// The plan first: a payout that no batch has yet cannot be cancelled.
			r.seal(first.batch, byCancel)
			again = append(again, e)
		case e.cancel != nil && claims[i].Owned:
			r.cancel(e)
		case e.cancel != nil:
			r.nothingToCancel(e)
		case waits && first.content == e.content:
			// Until the first one's plan is in the log nobody else knows of it, and
			// a rival's plan may come before: then both are conflicts.
			first.batch.wait(e)
		case waits && e.misplaced != nil:
			r.misplaced(e, true)
		case waits:
			r.seal(first.batch, byRival)
			again = append(again, e)
		case claims[i].Owned && r.ports.Seal.Same(claims[i].Content, &e.request.Request):
			e.place.answered()
			r.cfg.Metrics.duplicate()
		case (claims[i].Owned || e.misplaced != nil) && e.told:
			r.pass(e)
		case e.misplaced != nil && e.below && !claims[i].Owned:
			r.park(e)
		case e.misplaced != nil:
			r.misplaced(e, claims[i].Owned)
		case claims[i].Owned:
			r.conflict(e)
		case e.below:
			r.park(e)
		default:
			r.add(e)
		}
	}
	if err := r.post(work); err != nil {
		return nil, err
	}
	return again, r.flush(work)
}

// makeRoom seals the oldest batches while too many requests have no answer: a
// batch that fills slowly holds up the commits of its partitions.
func (r *run) makeRoom(work context.Context) error {
	for r.unanswered() > r.cfg.MaxUnanswered {
		b := r.oldest()
		if b == nil {
			return nil
		}
		r.seal(b, byRoom)
		if err := r.flush(work); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) unanswered() int {
	n := 0
	for _, p := range r.progress {
		n += len(p.slots)
	}
	return n
}

func (r *run) warn(e *event) {
	for _, w := range e.request.Warnings {
		r.cfg.Metrics.warned()
		r.often.Warn().Str("payout", e.id()).Int("partition", e.source.Partition).Int64("offset", e.source.Offset).
			Str("warning", w).Msg("a request is odd, and taken")
	}
}
