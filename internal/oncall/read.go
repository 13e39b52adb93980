package oncall

import (
	"context"

	"github.com/toplu/toplu/internal/kafkaio"
)

// readTopic reads a partition from an offset to an end, in order, until tell
// returns false.
func (d *Desk) readTopic(ctx context.Context, topic string, partition int, from, end int64, tell func(kafkaio.Record) (bool, error)) error {
	r := d.Kafka.NewReader(topic, partition, from, kafkaio.ReaderOptions{MaxBytes: 4 << 20})
	for r.Offset() < end {
		batch, err := r.Next(ctx)
		if err != nil {
			return err
		}
		for _, rec := range batch.Records {
			if rec.Offset >= end {
				return nil
			}
			if more, err := tell(rec); err != nil || !more {
				return err
			}
		}
		if batch.Next >= batch.LastStable && batch.LastStable < end {
			return nil // a transaction is open: what follows is not there yet
		}
	}
	return nil
}
