package bench

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/toplu/toplu/internal/kafkaio"
)

// A probe is one payout of each shard, asked for to see when it is answered.
type probe struct {
	at   time.Time     // when it was asked for
	ids  []string      // by partition
	from map[int]int64 // where payout.statuses ended before
}

// patience is how long a probe may take.
const patience = 10 * time.Minute

// ask writes a probe.
func (b *Bench) ask(ctx context.Context) (*probe, error) {
	ends, err := b.ends(ctx)
	if err != nil {
		return nil, err
	}
	p := &probe{at: b.Now(), ids: make([]string, b.Partitions), from: ends[b.Topics.Statuses]}
	var messages []kafkaio.Message
	for len(messages) < b.Partitions {
		b.probeID++
		id := fmt.Sprintf("%s-probe-%d", b.Name, b.probeID)
		partition := kafkaio.PartitionFor([]byte(id), b.Partitions)
		if p.ids[partition] == "" {
			p.ids[partition] = id
			messages = append(messages, request(id, b.probeID, p.at))
		}
	}
	b.probes += len(messages)
	return p, b.Kafka.Publish(ctx, b.Topics.Requests, messages)
}

// answered waits until every payout of a probe has had an event, and returns when
// the last was written.
func (b *Bench) answered(ctx context.Context, p *probe, event string) (last time.Time, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("a payout of each shard was asked for, and not all have had %s after %s", event, patience))
	defer cancel()
	times := make([]time.Time, len(p.ids))
	group, reading := errgroup.WithContext(ctx)
	for partition, id := range p.ids {
		group.Go(func() (err error) {
			times[partition], err = b.seen(reading, partition, p.from[partition], id, event)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return last, err
	}
	for _, at := range times {
		if at.After(last) {
			last = at
		}
	}
	return last, nil
}

// seen reads statuses until a payout has had an event.
func (b *Bench) seen(ctx context.Context, partition int, from int64, id, event string) (time.Time, error) {
	r := b.Kafka.NewReader(b.Topics.Statuses, partition, from, kafkaio.ReaderOptions{})
	for {
		batch, err := r.Next(ctx)
		if err != nil {
			return time.Time{}, err
		}
		for i := range batch.Records {
			if rec := &batch.Records[i]; string(rec.Key) == id && kind(rec) == event {
				return rec.Time, nil
			}
		}
	}
}

// ready starts a worker whose group begins at from, and returns when it has paid
// a payout of each shard.
func (b *Bench) ready(ctx context.Context, from map[int]int64) (*Part, error) {
	p, err := b.ask(ctx)
	if err != nil {
		return nil, err
	}
	worker, err := b.Worker(ctx, lifeGroup, b.url, from)
	if err != nil {
		return nil, err
	}
	_, err = b.answered(ctx, p, paidEvent)
	return worker, err
}
