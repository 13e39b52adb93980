package oncall

import (
	"context"

	"github.com/toplu/toplu/internal/kafkaio"
)

// AuditExtent is about how many records an audit reads: for who waits for it.
func (d *Desk) AuditExtent(ctx context.Context) (int64, error) {
	logs, err := d.logsExtent(ctx)
	if err != nil {
		return 0, err
	}
	bounds, err := d.Kafka.Offsets(ctx, d.Topics.Statuses)
	return logs + extent(bounds, 0), err
}

// ReplayExtent is about how many records a plan of a stretch reads.
func (d *Desk) ReplayExtent(ctx context.Context, s *Stretch) (int64, error) {
	n, err := d.logsExtent(ctx)
	if err != nil {
		return 0, err
	}
	ranges, err := d.ranges(ctx, s)
	for _, r := range ranges {
		n += r.To - r.From
	}
	return n, err
}

// LettersExtent is about how many the last n dead letters of each partition are; n
// below 1 is all.
func (d *Desk) LettersExtent(ctx context.Context, n int64) (int64, error) {
	bounds, err := d.Kafka.Offsets(ctx, d.Topics.DLQ)
	return extent(bounds, n), err
}

// logsExtent is about how many records all plans and journals have.
func (d *Desk) logsExtent(ctx context.Context) (int64, error) {
	plans, err := d.Kafka.Offsets(ctx, d.Topics.Batches)
	if err != nil {
		return 0, err
	}
	journals, err := d.Kafka.Offsets(ctx, d.Topics.Journal)
	return extent(plans, 0) + extent(journals, 0), err
}

// extent is how many offsets there are in partitions, the last n of each; n below
// 1 is all.
func extent(bounds map[int]kafkaio.Offsets, n int64) int64 {
	all := int64(0)
	for _, b := range bounds {
		part := b.End - b.Start
		if n > 0 {
			part = min(part, n)
		}
		all += part
	}
	return all
}
