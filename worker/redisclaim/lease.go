package redisclaim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bsm/redislock"
	"github.com/redis/go-redis/v9"
)

// Errors of leases.
var (
	// ErrLeaseHeld: another worker drives the shard now.
	ErrLeaseHeld = errors.New("the shard's lease is held by another worker")
	// ErrLeaseLost: the lease ran out or was removed; another may hold it.
	ErrLeaseLost = errors.New("the shard's lease is lost")
)

// Leases keep two workers from doing the same work at the same time. They are
// for efficiency only, and safety never rests on them: a worker may be frozen
// past its lease and wake, a failover may forget one. What keeps a payout from
// being paid twice is the journal and the provider's own fence.
type Leases struct {
	rdb    *redislock.Client
	prefix string
}

// NewLeases returns the leases beside the claims with the same prefix.
func NewLeases(rdb redis.UniversalClient, prefix string) *Leases {
	return &Leases{rdb: redislock.New(rdb), prefix: prefix}
}

// Obtain takes the shard's lease for ttl, of at least a millisecond, or returns
// [ErrLeaseHeld] at once. After any other error the lease may stand, held by
// nobody, until ttl has passed.
func (l *Leases) Obtain(ctx context.Context, shard int, ttl time.Duration) (*Lease, error) {
	// Not under the claims' key: what begins with that is swept.
	key := fmt.Sprintf("%s:lease:{%s-%d}", l.prefix, l.prefix, shard)
	lock, err := l.rdb.Obtain(ctx, key, ttl, nil)
	switch {
	case errors.Is(err, redislock.ErrNotObtained):
		return nil, ErrLeaseHeld
	case err != nil:
		return nil, explain(err)
	}
	return &Lease{lock: lock}, nil
}

// A Lease is held until its time is over or it is released. It is safe for
// concurrent use.
type Lease struct{ lock *redislock.Lock }

// Refresh lets the lease last ttl from now on, or returns [ErrLeaseLost].
func (l *Lease) Refresh(ctx context.Context, ttl time.Duration) error {
	err := l.lock.Refresh(ctx, ttl, nil)
	switch {
	case errors.Is(err, redislock.ErrNotObtained):
		return ErrLeaseLost
	case err != nil:
		return explain(err)
	}
	return nil
}

// Release gives the lease back, or returns [ErrLeaseLost] if it was not held
// any more. Another worker's lease is left alone.
func (l *Lease) Release(ctx context.Context) error {
	err := l.lock.Release(ctx)
	switch {
	case errors.Is(err, redislock.ErrLockNotHeld):
		return ErrLeaseLost
	case err != nil:
		return explain(err)
	}
	return nil
}
