package worker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/toplu/toplu/schema"
)

// Known answers who owns payout ids, for whoever plans. It believes Redis only
// under an epoch that the shard's journal has, and only if the plan log is
// folded to where it ended when it was asked. It is safe for concurrent use.
type Known struct {
	// Steady leaves the jitter out, as [Config.Steady] does. To be set before use.
	Steady bool

	claims Claims
	logs   func(shard int) (plans, journal Log)
	log    zerolog.Logger

	mu     sync.Mutex
	epochs map[int]knownEpoch // guarded by mu
}

// A knownEpoch is the epoch of a shard as its journal had it up to an offset.
type knownEpoch struct {
	epoch string
	next  int64
}

// NewKnown returns a Known that reads the shards' logs through logs.
func NewKnown(claims Claims, logs func(shard int) (plans, journal Log), log zerolog.Logger) *Known {
	return &Known{claims: claims, logs: logs, log: log, epochs: map[int]knownEpoch{}}
}

// checkpointStretch is how many records are looked at for a checkpoint at once;
// workers write one about every 2000.
const checkpointStretch = 4000

// slow is how long an answer may take before the log says what it waits for.
const slow = 5 * time.Second

// Owners tells who owns each id. It waits until it knows: while no worker has
// folded the plan log to its end, while the claims are filled again, while Redis
// or Kafka are away. It fails only when ctx ends.
func (k *Known) Owners(ctx context.Context, shard int, ids []string) ([]Owner, error) {
	retry := Config{Steady: k.Steady}.backOff(time.Second)
	retry.InitialInterval = 2 * time.Millisecond
	retry.Reset()
	for waited := time.Duration(0); ; {
		owners, err := k.ask(ctx, shard, ids)
		if err == nil {
			return owners, nil
		}
		d := retry.NextBackOff()
		if waited < slow && waited+d >= slow {
			k.log.Warn().Err(err).Int("shard", shard).Msg("waiting for a worker to know which requests are new")
		}
		waited += d
		if err := pause(ctx, d); err != nil {
			return nil, err
		}
	}
}

// Glance tells who owns each id as far as the plan log is folded at this moment. It
// waits for nobody, and fails where the claims cannot be read, also while the epoch
// is not known yet: [Known.Owners] finds that out.
func (k *Known) Glance(ctx context.Context, shard int, ids []string) ([]Owner, error) {
	k.mu.Lock()
	e := k.epochs[shard]
	k.mu.Unlock()
	if e.epoch == "" {
		return nil, errNotBegun
	}
	return k.claims.Lookup(ctx, shard, e.epoch, None, ids)
}

// errNotBegun says that a shard has no epoch, or none that is known here.
var errNotBegun = errors.New("no worker has begun this shard yet")

func (k *Known) ask(ctx context.Context, shard int, ids []string) ([]Owner, error) {
	plans, journal := k.logs(shard)
	_, end, err := plans.Bounds(ctx)
	if err != nil {
		return nil, err
	}
	e, err := k.epoch(ctx, shard, journal, false)
	if err != nil {
		return nil, err
	}
	owners, err := k.claims.Lookup(ctx, shard, e, end-1, ids)
	if errors.Is(err, ErrClaimsCorrupt) {
		// The worker may not touch what is damaged for long; it is told by
		// finding nothing, and fills all of it again.
		if condemnErr := k.claims.Condemn(ctx, shard, e); condemnErr != nil {
			return nil, fmt.Errorf("%w, and cannot be given up: %w", err, condemnErr)
		}
		k.log.Error().Err(err).Int("shard", shard).Msg("the claims in Redis are damaged and given up")
	}
	if errors.Is(err, ErrClaimsLost) {
		// Perhaps a new epoch has begun: the journal tells, Redis does not.
		if _, readErr := k.epoch(ctx, shard, journal, true); readErr != nil {
			return nil, readErr
		}
	}
	return owners, err
}

// epoch returns the shard's epoch as the journal has it, reading on if it is not
// known yet or may have changed.
func (k *Known) epoch(ctx context.Context, shard int, journal Log, again bool) (string, error) {
	k.mu.Lock()
	e := k.epochs[shard]
	k.mu.Unlock()
	if e.epoch != "" && !again {
		return e.epoch, nil
	}
	start, end, err := journal.Bounds(ctx)
	if err != nil {
		return "", err
	}
	if e.next == 0 {
		best, err := lastCheckpoint(ctx, journal, start, end, checkpointStretch)
		if err != nil {
			return "", err
		}
		if best != nil {
			e = knownEpoch{best.Epoch, best.Checkpoint.JournalOffset}
		}
	}
	for e.next < end {
		chunk, err := journal.Read(ctx, e.next)
		if err != nil {
			return "", err
		}
		for _, entry := range chunk.Entries {
			if string(entry.Key) != string(schema.RecEpoch) {
				continue
			}
			r, err := schema.DecodeRecord(entry.Value)
			if err != nil {
				return "", err
			}
			if r.Previous == e.epoch {
				e.epoch = r.Epoch
			}
		}
		e.next = chunk.Next
	}
	if e.epoch == "" {
		return "", errNotBegun
	}
	k.mu.Lock()
	k.epochs[shard] = e
	k.mu.Unlock()
	return e.epoch, nil
}
