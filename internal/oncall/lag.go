package oncall

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// A Lag is how far a partition of the requests is answered.
type Lag struct {
	Partition int   `json:"partition"`
	Committed int64 `json:"committed"` // the first request that is not answered for certain
	End       int64 `json:"end"`
	// Floor is the furthest offset ever committed. What lies between a lower
	// Committed and it was set back: it is passed over, or parked.
	Floor int64 `json:"floor"`
	Lag   int64 `json:"lag"` // an upper bound: offsets may have gaps
	// OldestAt is when the first unanswered request was written; nil: there is none.
	OldestAt *time.Time `json:"oldestAt,omitempty"`
}

// Lags tells how far each partition of the requests is answered.
func (d *Desk) Lags(ctx context.Context) ([]Lag, error) {
	committed, err := d.Kafka.CommittedOffsets(ctx, d.Group, d.Topics.Requests)
	if err != nil {
		return nil, err
	}
	bounds, err := d.Kafka.Offsets(ctx, d.Topics.Requests)
	if err != nil {
		return nil, err
	}
	floors, err := d.floors(ctx)
	if err != nil {
		return nil, err
	}
	lags := []Lag{}
	for _, p := range slices.Sorted(maps.Keys(bounds)) {
		l := Lag{Partition: p, Committed: bounds[p].Start, End: bounds[p].End, Floor: floors[p].Offset}
		if committed[p].Found {
			l.Committed = committed[p].Offset
		}
		l.Lag = max(0, l.End-l.Committed)
		if l.Lag > 0 && l.Committed >= bounds[p].Start {
			err := d.readTopic(ctx, d.Topics.Requests, p, l.Committed, l.End, func(r kafkaio.Record) (bool, error) {
				l.OldestAt = &r.Time
				return false, nil
			})
			if err != nil {
				return nil, err
			}
			if l.OldestAt == nil {
				l.Lag = 0 // markers and aborted requests alone
			}
		}
		lags = append(lags, l)
	}
	return lags, nil
}

// floors are the floors of the requests' partitions. Shards that nobody has begun
// have none, and those that are closed have them all the same.
func (d *Desk) floors(ctx context.Context) (map[int]schema.Floor, error) {
	here := map[int]schema.Floor{}
	for shard := range d.Shards {
		found, err := worker.ReadFloors(ctx, d.Logs(shard).Journal)
		if err != nil && !errors.Is(err, worker.ErrNotBegun) && !errors.Is(err, worker.ErrClosed) {
			return nil, fmt.Errorf("shard %d: %w", shard, err)
		}
		for _, f := range found {
			if f.Topic == d.Topics.Requests {
				here[f.Partition] = f
			}
		}
	}
	return here, nil
}

// Reached is the offset below which nothing is on its way by itself any more: what
// was committed, or stood below the floor when the group was set back.
func (l *Lag) Reached() int64 { return min(l.End, max(l.Committed, l.Floor)) }
