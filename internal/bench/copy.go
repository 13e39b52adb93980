package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"
)

// A Copy is what the Kafka client alone takes for the same records.
type Copy struct {
	Seconds           Seconds `json:"seconds"`
	PayoutsPerSecond  int64   `json:"payoutsPerSecond"`
	ReadSeconds       Seconds `json:"readSeconds"` // of the requests alone
	RequestsPerSecond int64   `json:"requestsPerSecond"`
}

// Copy reads every record of the run and writes it to one other topic, which is
// there already, with kafka-go and nothing of ours. Before that it reads the
// requests alone. Partitions go at the same time.
func (b *Bench) Copy(ctx context.Context, to string) (Copy, error) {
	client := b.Kafka.Library()
	began := b.Now()
	if err := b.byLibrary(ctx, client, b.Topics.Requests, func(int, []kafka.Record) error { return nil }); err != nil {
		return Copy{}, err
	}
	read := b.Now().Sub(began)
	began = b.Now()
	group, ctx := errgroup.WithContext(ctx)
	for _, topic := range []string{b.Topics.Requests, b.Topics.Batches, b.Topics.Journal, b.Topics.Statuses} {
		group.Go(func() error {
			return b.byLibrary(ctx, client, topic, func(partition int, records []kafka.Record) error {
				res, err := client.Produce(ctx, &kafka.ProduceRequest{
					Topic: to, Partition: partition, RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(records...),
				})
				if err != nil {
					return fmt.Errorf("copy %s/%d: %w", topic, partition, err)
				}
				return res.Error
			})
		})
	}
	if err := group.Wait(); err != nil {
		return Copy{}, err
	}
	took := b.Now().Sub(began)
	n := int64(b.written + b.probes)
	return Copy{
		Seconds: Seconds(took), PayoutsPerSecond: perSecond(n, took),
		ReadSeconds: Seconds(read), RequestsPerSecond: perSecond(n, read),
	}, nil
}

// byLibrary reads a topic, its partitions at the same time. What it has see is about
// one batch at a time, so that it can be written as one.
func (b *Bench) byLibrary(ctx context.Context, client *kafka.Client, topic string, see func(partition int, records []kafka.Record) error) error {
	bounds, err := b.Kafka.Offsets(ctx, topic)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for partition, o := range bounds {
		group.Go(func() error {
			for next := int64(0); next < o.End; {
				records, err := fetchByLibrary(ctx, client, topic, partition, next)
				if err != nil {
					return fmt.Errorf("read %s/%d from %d: %w", topic, partition, next, err)
				}
				if len(records) == 0 {
					continue
				}
				next = records[len(records)-1].Offset + 1
				if err := see(partition, records); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// fetchByLibrary reads what comes from an offset on, keys and values included.
func fetchByLibrary(ctx context.Context, client *kafka.Client, topic string, partition int, from int64) ([]kafka.Record, error) {
	res, err := client.Fetch(ctx, &kafka.FetchRequest{
		Topic: topic, Partition: partition, Offset: from, MinBytes: 1, MaxBytes: 512 << 10, MaxWait: 500 * time.Millisecond,
	})
	if err == nil {
		err = res.Error
	}
	if err != nil {
		return nil, err
	}
	var records []kafka.Record
	for {
		r, err := res.Records.ReadRecord()
		switch {
		case errors.Is(err, io.EOF):
			return records, nil
		case err != nil:
			return nil, err
		case r.Offset < from: // a batch is sent whole
			continue
		}
		key, err := kafka.ReadAll(r.Key)
		if err != nil {
			return nil, err
		}
		value, err := kafka.ReadAll(r.Value)
		if err != nil {
			return nil, err
		}
		records = append(records, kafka.Record{Offset: r.Offset, Time: r.Time, Key: kafka.NewBytes(key), Value: kafka.NewBytes(value), Headers: r.Headers})
	}
}
