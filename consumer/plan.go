package consumer

import (
	"context"
	"sync"
)

// take answers a chunk of events, or has them in open batches, when it returns
// nil. The lookups end with ctx, the writing with work.
func (r *run) take(ctx, work context.Context, events []event) error {
	valid := make([]*event, 0, len(events))
	for i := range events {
		e := &events[i]
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
	if err := r.rounds(ctx, work, valid); err != nil {
		return err
	}
	r.sealAged()
	if err := r.flush(work); err != nil {
		return err
	}
	return r.makeRoom(work)
}

// rounds sorts events until each has met its rivals.
func (r *run) rounds(ctx, work context.Context, events []*event) (err error) {
	for len(events) > 0 && err == nil {
		events, err = r.round(ctx, work, events)
	}
	return err
}

// round sorts events and writes what is full. It returns those that meet a
// rival, a request for the same id with other content that is not in the log
// yet, and cancels of such. Now it is, so the next round learns from the log who
// owns the id.
func (r *run) round(ctx, work context.Context, events []*event) (again []*event, err error) {
	claims, err := r.ask(ctx, events)
	if err != nil {
		return nil, err
	}
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

// ask learns who owns the events' ids, all shards at the same time. Ids that
// are pending here are not asked for: they cannot be folded yet.
func (r *run) ask(ctx context.Context, events []*event) ([]Claim, error) {
	type question struct {
		ids   []string
		index []int
		err   error
	}
	byShard := make(map[int]*question)
	for i, e := range events {
		if _, waits := r.pending[e.id()]; waits {
			continue
		}
		q := byShard[e.shard]
		if q == nil {
			q = &question{}
			byShard[e.shard] = q
		}
		q.ids, q.index = append(q.ids, e.id()), append(q.index, i)
	}
	claims := make([]Claim, len(events))
	var wg sync.WaitGroup
	for shard, q := range byShard {
		wg.Go(func() {
			var answer []Claim
			q.err = r.insist(ctx, "claims", func() (err error) {
				answer, err = r.ports.Known.Known(ctx, shard, q.ids)
				return err
			})
			for n := range answer {
				claims[q.index[n]] = answer[n]
			}
		})
	}
	wg.Wait()
	for _, q := range byShard {
		if q.err != nil {
			return nil, q.err
		}
	}
	return claims, nil
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
