package redisclaim

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/toplu/toplu/worker"
)

// Fold implements [worker.Claims]. Plans of any size work; one of 1000 items takes
// Redis some 2 ms, in which it serves nobody else.
func (s *Store) Fold(ctx context.Context, f worker.Fold) ([]worker.Owner, error) {
	if f.Predecessor < worker.None || f.Offset <= f.Predecessor || f.Offset > maxOffset {
		return nil, fmt.Errorf("fold of offset %d after %d: not an order of records", f.Offset, f.Predecessor)
	}
	ids := make([]digest, len(f.Items))
	distinct := make(map[digest]struct{}, len(f.Items))
	for i := range f.Items {
		ids[i] = digestOf(f.Items[i].PayoutID)
		distinct[ids[i]] = struct{}{}
	}
	if len(distinct) != len(ids) {
		return nil, fmt.Errorf("fold of offset %d: a payout id stands twice in one plan", f.Offset)
	}
	return s.fold(ctx, &f, ids)
}

func (s *Store) fold(ctx context.Context, f *worker.Fold, ids []digest) ([]worker.Owner, error) {
	for {
		owners, err := s.tryFold(ctx, f, ids)
		if !errors.Is(err, redis.TxFailedErr) {
			return owners, err
		}
	}
}

// tryFold claims what nobody owns, or fails with [redis.TxFailedErr] if something has
// changed since it looked.
func (s *Store) tryFold(ctx context.Context, f *worker.Fold, ids []digest) ([]worker.Owner, error) {
	v, err := s.view(ctx, f.Shard, f.Epoch, func(now *standing) (there, yet []int64) {
		there = now.numbersOf(ids)
		if now.watermark >= f.Offset {
			return there, nil
		}
		return now.withSplits(there, now.splits(len(ids)))
	})
	switch {
	case err != nil:
		return nil, err
	case v.watermark >= f.Offset:
		return folded(v, f, ids)
	case v.watermark < f.Predecessor: // records are missing
		return nil, &worker.LowError{Watermark: v.watermark, Want: f.Predecessor}
	case v.watermark > f.Predecessor: // the log that was folded is not the caller's
		return nil, &worker.LowError{Watermark: v.watermark, Want: f.Offset}
	}
	owners, err := v.owners(ids, f.Predecessor)
	if err != nil {
		return nil, err
	}
	before, fresh := v.standing, 0
	for _, o := range owners {
		if o.Offset == worker.None {
			fresh++
		}
	}
	for range v.splits(fresh) {
		if !v.splitOne() {
			return nil, worker.ErrClaimsCorrupt
		}
	}
	claims := make([]byte, 0, len(ids)*claimSize)
	for i, id := range ids {
		claims = appendClaim(claims, id, f.Offset, f.Items[i].Content)
	}
	all := string(claims)
	for i, id := range ids {
		if owners[i].Offset == worker.None {
			owners[i] = worker.Owner{Offset: f.Offset, Content: f.Items[i].Content}
			v.add(id, all[i*claimSize:][:claimSize])
		}
	}
	v.watermark = f.Offset
	if err := s.write(ctx, f, before, v); err != nil {
		return nil, err
	}
	return owners, nil
}

// folded answers for a plan that was folded before: all its items have owners.
func folded(v *view, f *worker.Fold, ids []digest) ([]worker.Owner, error) {
	owners, err := v.owners(ids, f.Offset)
	for _, o := range owners {
		if o.Offset == worker.None {
			return nil, worker.ErrClaimsCorrupt
		}
	}
	return owners, err
}

// splits is how many buckets must be split before so many claims are added: one for
// each meanLoad of them, so the work is bounded.
func (s *standing) splits(fresh int) int {
	return int(max(0, (s.claims+int64(fresh)+meanLoad-1)/meanLoad-s.buckets()))
}

// nextSplit is what stands after one bucket more is split.
func (s *standing) nextSplit() {
	if s.split++; s.split == s.low {
		s.low, s.split = 2*s.low, 0
	}
}

// withSplits adds to numbers the buckets that the next splits need, and tells which
// these will make.
func (s *standing) withSplits(numbers []int64, splits int) (there, yet []int64) {
	for after := *s; splits > 0; splits-- {
		if after.split < s.buckets() { // not one of those made here
			numbers = append(numbers, after.split)
		}
		yet = append(yet, after.buckets())
		after.nextSplit()
	}
	return numbers, yet
}

// splitOne splits the next bucket, before anything is added. It returns false if a
// claim in there is of another bucket.
func (v *view) splitOne() bool {
	from, to := v.buckets[v.split], v.buckets[v.low+v.split]
	claims := from.added
	if !from.anew {
		claims = from.claims()
	}
	stay, goes := make([]byte, 0, len(claims)), make([]byte, 0, len(claims))
	for ; claims != ""; claims = claims[claimSize:] {
		switch digest([]byte(claims[:digestSize])).hash() % (2 * v.low) {
		case v.split:
			stay = append(stay, claims[:claimSize]...)
		case v.low + v.split:
			goes = append(goes, claims[:claimSize]...)
		default:
			return false
		}
	}
	from.anew, from.added = true, string(stay)
	to.anew, to.added = true, string(goes)
	v.nextSplit()
	return true
}

// add puts a claim beside those there.
func (v *view) add(id digest, claim string) {
	v.buckets[v.bucketOf(id)].added += claim
	v.claims++
}
