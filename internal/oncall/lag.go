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
	Topic     string `json:"topic"`
	Partition int    `json:"partition"`
	Committed int64  `json:"committed"` // the first request that is not answered for certain
	End       int64  `json:"end"`
	// Floor is the furthest offset ever committed. What lies between a lower
	// Committed and it was set back: it is passed over, or parked.
	Floor int64 `json:"floor"`
	// Skipped are the offsets below Committed that were read by nobody: the group
	// was set forward.
	Skipped int64 `json:"skipped,omitempty"`
	Lag     int64 `json:"lag"` // an upper bound: offsets may have gaps
	// OldestAt is when the first unanswered request was written; nil: there is none.
	OldestAt *time.Time `json:"oldestAt,omitempty"`
}

// Answered is how far a partition of the requests is answered.
type Answered struct {
	Topic     string `json:"topic"`
	Partition int    `json:"partition"`
	Answered  int64  `json:"answered"` // the first request that is not answered for certain
	End       int64  `json:"end"`
}

// Answered tells how far each partition of each topic of requests is answered, by
// the groups alone.
func (d *Desk) Answered(ctx context.Context) ([]Answered, error) {
	var all []Answered
	for _, topic := range d.Topics.Sources() {
		committed, err := d.Kafka.CommittedOffsets(ctx, d.GroupOf(topic), topic)
		if err != nil {
			return nil, err
		}
		bounds, err := d.Kafka.Offsets(ctx, topic)
		if err != nil {
			return nil, err
		}
		for _, p := range slices.Sorted(maps.Keys(bounds)) {
			all = append(all, Answered{topic, p, max(0, committed[p].Offset), bounds[p].End})
		}
	}
	return all, nil
}

// Lags tells how far each partition of each topic of requests is answered.
func (d *Desk) Lags(ctx context.Context) ([]Lag, error) {
	floors, err := d.floors(ctx)
	if err != nil {
		return nil, err
	}
	return d.lags(ctx, floors)
}

func (d *Desk) lags(ctx context.Context, floors map[part]schema.Floor) ([]Lag, error) {
	lags := []Lag{}
	for _, topic := range d.Topics.Sources() {
		some, err := d.lagsOf(ctx, topic, floors)
		if err != nil {
			return nil, err
		}
		lags = append(lags, some...)
	}
	return lags, nil
}

func (d *Desk) lagsOf(ctx context.Context, topic string, floors map[part]schema.Floor) ([]Lag, error) {
	committed, err := d.Kafka.CommittedOffsets(ctx, d.GroupOf(topic), topic)
	if err != nil {
		return nil, err
	}
	bounds, err := d.Kafka.Offsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	var lags []Lag
	for _, p := range slices.Sorted(maps.Keys(bounds)) {
		l := Lag{Topic: topic, Partition: p, Committed: bounds[p].Start, End: bounds[p].End, Floor: floors[part{topic, p}].Offset}
		if committed[p].Found {
			l.Committed = committed[p].Offset
			if f, known := floors[part{topic, p}]; known {
				l.Skipped = max(0, l.Committed-max(f.Answered, bounds[p].Start))
			}
		}
		l.Lag = max(0, l.End-l.Committed)
		if l.Lag > 0 && l.Committed >= bounds[p].Start {
			err := d.readTopic(ctx, topic, p, l.Committed, l.End, func(r kafkaio.Record) (bool, error) {
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

// A part is a partition of a topic of requests.
type part struct {
	topic     string
	partition int
}

// floors are the floors of the requests' partitions, those of topics that are read
// no more too. Shards that nobody has begun have none, and those that are closed
// have them all the same.
func (d *Desk) floors(ctx context.Context) (map[part]schema.Floor, error) {
	here := map[part]schema.Floor{}
	for shard := range d.Shards {
		found, err := worker.ReadFloors(ctx, d.Logs(shard).Journal)
		if err != nil && !errors.Is(err, worker.ErrNotBegun) && !errors.Is(err, worker.ErrClosed) {
			return nil, fmt.Errorf("shard %d: %w", shard, err)
		}
		for _, f := range found {
			here[part{f.Topic, f.Partition}] = f
		}
	}
	return here, nil
}

// Reached is the offset below which nothing is on its way by itself any more: what
// was committed, or stood below the floor when the group was set back.
func (l *Lag) Reached() int64 { return min(l.End, max(l.Committed, l.Floor)) }
