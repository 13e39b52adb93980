package consumer

import (
	"context"
	"sync"
)

// Whether a payout id is known is asked for the sake of those that are: what is
// planned a second time owns nothing, for the worker's claims drop it, or put it
// aside if its content is another. So while a shard's requests are new, a sample
// of them is enough; with the first known one in it all are asked for again.
// What would become something else than a plan is always asked for.

// lately is what was found out about one shard's requests.
type lately struct {
	inRow   int // so many in a row were asked for, and new
	skipped int // so many were not looked at since the last one that was
	unasked int // so many were planned since all plans were known to be folded
}

// A question is what is asked about one shard's events, which go by their numbers.
type question struct {
	*lately
	shard int
	must  []int // are asked for
	rest  []int // may be planned if a sample of them is new
	err   error
}

// mustAsk reports whether more hangs on the event's claim than one item of a plan:
// it is a cancel, or before the floor, or not taken from this topic if it is new.
func (e *event) mustAsk() bool {
	return e.cancel != nil || e.below || e.told || e.misplaced != nil
}

// ask learns who owns the events' ids, where that has to be known, all shards at
// the same time. Whose id is pending here is not asked for: that cannot be folded
// yet. After every all events are asked for.
func (r *run) ask(ctx context.Context, events []*event, every bool) ([]Claim, error) {
	byShard := make(map[int]*question)
	for i, e := range events {
		if _, waits := r.pending[e.id()]; waits {
			continue
		}
		q := byShard[e.shard]
		if q == nil {
			q = &question{lately: r.lately[e.shard], shard: e.shard}
			byShard[e.shard] = q
		}
		if every || e.mustAsk() {
			q.must = append(q.must, i)
		} else {
			q.rest = append(q.rest, i)
		}
	}
	claims := make([]Claim, len(events))
	var wg sync.WaitGroup
	for _, q := range byShard {
		wg.Go(func() { q.err = r.learn(ctx, q, events, claims) })
	}
	wg.Wait()
	for _, q := range byShard {
		if q.err != nil {
			return nil, q.err
		}
	}
	return claims, nil
}

// learn puts the answers to one question into claims.
func (r *run) learn(ctx context.Context, q *question, events []*event, claims []Claim) error {
	if r.seemNew(ctx, q, events) {
		q.unasked += len(q.rest)
		r.cfg.Metrics.planUnasked(len(q.rest))
	} else {
		q.must = append(q.must, q.rest...)
	}
	if len(q.must) == 0 {
		return nil
	}
	var answer []Claim
	err := r.insist(ctx, "claims", func() (err error) {
		answer, err = r.ports.Known.Known(ctx, q.shard, ids(events, q.must))
		return err
	})
	if err != nil {
		return err
	}
	q.unasked = 0
	for n, i := range q.must {
		claims[i] = answer[n]
		switch {
		case events[i].mustAsk(): // says nothing about what is new
		case answer[n].Owned:
			q.inRow = 0
		default:
			q.inRow++
		}
	}
	return nil
}

// seemNew reports whether the rest may be planned without being asked for. It is
// asked for now and then all the same: where no worker folds, planning has to stop.
func (r *run) seemNew(ctx context.Context, q *question, events []*event) bool {
	if q.inRow < r.cfg.Sampling.NewInRow || q.unasked+len(q.rest) > r.cfg.Sampling.Unasked {
		return false
	}
	var sample []int
	for _, i := range q.rest {
		if q.skipped == 0 {
			sample = append(sample, i)
		}
		q.skipped = (q.skipped + 1) % r.cfg.Sampling.OneIn
	}
	if len(sample) == 0 {
		return true
	}
	claims, err := r.ports.Known.Glance(ctx, q.shard, ids(events, sample))
	for _, c := range claims {
		if c.Owned {
			q.inRow = 0
		}
	}
	return err == nil && q.inRow > 0
}

// ids are the payout ids of events.
func ids(events []*event, numbers []int) []string {
	out := make([]string, len(numbers))
	for n, i := range numbers {
		out[n] = events[i].id()
	}
	return out
}
