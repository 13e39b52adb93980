package workertest

import (
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/toplu/toplu/worker"
)

// claimBuckets is how many buckets a shard has here. As in Redis, what was
// deleted is noticed only when its bucket is touched; so there are several.
const claimBuckets = 16

var (
	_ worker.Claims = (*Claims)(nil)
	_ Tamper        = (*Claims)(nil)
)

// Claims are [worker.Claims] in memory, with the faults of a Redis that loses,
// forgets and is exchanged. They are safe for concurrent use.
type Claims struct {
	mu     sync.Mutex
	shards map[int]claimShard // guarded by mu
}

// claimShard is what stands for one shard: state, and buckets with the count
// that each should have.
type claimShard struct {
	state   worker.ClaimsState
	buckets [claimBuckets]claimBucket
}

type claimBucket struct {
	count  int
	owners map[string]worker.Owner
}

// NewClaims returns claims in which nothing stands.
func NewClaims() *Claims { return &Claims{shards: map[int]claimShard{}} }

// State implements [worker.Claims].
func (c *Claims) State(ctx context.Context, shard int) (worker.ClaimsState, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return worker.ClaimsState{}, err
	}
	s, ok := c.shards[shard]
	if !ok {
		return worker.ClaimsState{}, worker.ErrClaimsLost
	}
	return s.state, nil
}

// Begin implements [worker.Claims].
func (c *Claims) Begin(ctx context.Context, shard int, logID, epoch string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if s, ok := c.shards[shard]; ok && s.state.Epoch == epoch {
		return nil
	}
	c.shards[shard] = emptyShard(logID, epoch, worker.None)
	return nil
}

// Condemn implements [worker.Claims].
func (c *Claims) Condemn(ctx context.Context, shard int, epoch string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if s, ok := c.shards[shard]; ok && s.state.Epoch == epoch {
		delete(c.shards, shard)
	}
	return nil
}

// Fold implements [worker.Claims].
func (c *Claims) Fold(ctx context.Context, f worker.Fold) ([]worker.Owner, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if f.Predecessor < worker.None || f.Offset <= f.Predecessor {
		return nil, fmt.Errorf("fold of offset %d after %d: not an order of records", f.Offset, f.Predecessor)
	}
	s, ok := c.shards[f.Shard]
	if !ok || s.state.Epoch != f.Epoch {
		return nil, worker.ErrClaimsLost
	}
	before := s.state.Watermark >= f.Offset
	switch {
	case before, s.state.Watermark == f.Predecessor:
	case s.state.Watermark < f.Predecessor:
		return nil, &worker.LowError{Watermark: s.state.Watermark, Want: f.Predecessor}
	default:
		return nil, &worker.LowError{Watermark: s.state.Watermark, Want: f.Offset}
	}

	limit := f.Predecessor
	if before {
		limit = f.Offset
	}
	seen := make(map[string]bool, len(f.Items))
	owners := make([]worker.Owner, len(f.Items))
	for i, it := range f.Items {
		if seen[it.PayoutID] {
			return nil, fmt.Errorf("fold of offset %d: a payout id stands twice in one plan", f.Offset)
		}
		seen[it.PayoutID] = true
		owner, err := s.owner(it.PayoutID, limit)
		if err != nil || before && owner.Offset == worker.None {
			return nil, worker.ErrClaimsCorrupt
		}
		owners[i] = owner
	}
	if before {
		return owners, nil
	}

	for i, it := range f.Items {
		if owners[i].Offset == worker.None {
			owners[i] = worker.Owner{Offset: f.Offset, Content: it.Content}
			b := &s.buckets[bucketOf(it.PayoutID)]
			b.owners[it.PayoutID] = owners[i]
			b.count++
			s.state.Count++
		}
	}
	s.state.Watermark = f.Offset
	c.shards[f.Shard] = s
	return owners, nil
}

// Lookup implements [worker.Claims].
func (c *Claims) Lookup(
	ctx context.Context, shard int, epoch string, through int64, ids []string,
) ([]worker.Owner, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s, ok := c.shards[shard]
	if !ok || s.state.Epoch != epoch {
		return nil, worker.ErrClaimsLost
	}
	if s.state.Watermark < through {
		return nil, &worker.LowError{Watermark: s.state.Watermark, Want: through}
	}
	owners := make([]worker.Owner, len(ids))
	for i, id := range ids {
		owner, err := s.owner(id, s.state.Watermark)
		if err != nil {
			return nil, err
		}
		owners[i] = owner
	}
	return owners, nil
}

// Wipe deletes all that stands for the shard, as FLUSHALL does.
func (c *Claims) Wipe(shard int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.shards, shard)
}

// Snapshot remembers what stands for the shard; restore rolls it back to that,
// as an old dump or a stale replica does. restore may be called many times.
func (c *Claims) Snapshot(shard int) (restore func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old, ok := c.shards[shard]
	old = old.clone()
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if !ok {
			delete(c.shards, shard)
			return
		}
		c.shards[shard] = old.clone()
	}
}

// Swap puts another installation's claims in the shard's place: empty, with a
// watermark that may be as high as any.
func (c *Claims) Swap(shard int, logID, epoch string, watermark int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shards[shard] = emptyShard(logID, epoch, watermark)
}

// DeleteState deletes the shard's state; without it nothing stands.
func (c *Claims) DeleteState(shard int) { c.Wipe(shard) }

// DeleteClaim deletes the claim of one payout id.
func (c *Claims) DeleteClaim(shard int, payoutID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.shards[shard]
	delete(s.buckets[bucketOf(payoutID)].owners, payoutID)
}

// DeleteBucket deletes the bucket in which the payout id's claim lies.
func (c *Claims) DeleteBucket(shard int, payoutID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.shards[shard]
	clear(s.buckets[bucketOf(payoutID)].owners)
}

// DeleteOne deletes a claim or a whole bucket, whichever r picks. It returns
// false if there is none. The same r and claims give the same choice.
func (c *Claims) DeleteOne(shard int, r *rand.Rand) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	var full []map[string]worker.Owner
	s := c.shards[shard]
	for i := range s.buckets {
		if len(s.buckets[i].owners) > 0 {
			full = append(full, s.buckets[i].owners)
		}
	}
	if len(full) == 0 {
		return false
	}
	owners := full[r.IntN(len(full))]
	if r.IntN(2) == 0 {
		clear(owners)
		return true
	}
	ids := slices.Sorted(maps.Keys(owners))
	delete(owners, ids[r.IntN(len(ids))])
	return true
}

func emptyShard(logID, epoch string, watermark int64) claimShard {
	s := claimShard{state: worker.ClaimsState{LogID: logID, Epoch: epoch, Watermark: watermark}}
	for i := range s.buckets {
		s.buckets[i].owners = map[string]worker.Owner{}
	}
	return s
}

func (s *claimShard) clone() claimShard {
	c := *s
	for i := range c.buckets {
		c.buckets[i].owners = maps.Clone(c.buckets[i].owners)
	}
	return c
}

// owner returns who holds the id, [worker.None] for nobody, and an error if its
// bucket is damaged or the owner is past limit.
func (s *claimShard) owner(id string, limit int64) (worker.Owner, error) {
	b := &s.buckets[bucketOf(id)]
	if len(b.owners) != b.count {
		return worker.Owner{}, worker.ErrClaimsCorrupt
	}
	owner, ok := b.owners[id]
	if !ok {
		return worker.Owner{Offset: worker.None}, nil
	}
	if owner.Offset > limit {
		return worker.Owner{}, worker.ErrClaimsCorrupt
	}
	return owner, nil
}

func bucketOf(id string) int {
	h := fnv.New32a()
	h.Write([]byte(id))
	return int(h.Sum32() % claimBuckets)
}
