package oncall

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/toplu/toplu/internal/kafkaio"
)

// A Lag is how far a partition of the requests is answered.
type Lag struct {
	Partition int   `json:"partition"`
	Committed int64 `json:"committed"` // the first request that is not answered for certain
	End       int64 `json:"end"`
	Lag       int64 `json:"lag"` // an upper bound: offsets may have gaps
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
	lags := []Lag{}
	for _, p := range slices.Sorted(maps.Keys(bounds)) {
		l := Lag{Partition: p, Committed: bounds[p].Start, End: bounds[p].End}
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
