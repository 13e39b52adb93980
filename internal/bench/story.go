package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema"
)

// A TopicCost is what went through one topic.
type TopicCost struct {
	Records int64 `json:"records"`
	Bytes   int64 `json:"bytes"` // keys, values and headers, before compression
}

func (c *TopicCost) add(r *kafkaio.Record) {
	c.Records++
	c.Bytes += int64(len(r.Key) + len(r.Value))
	for _, h := range r.Headers {
		c.Bytes += int64(len(h.Key) + len(h.Value))
	}
}

// A story is what the logs tell of a run: when each payout was asked for, sent
// to iyzico, submitted and paid.
type story struct {
	asked, init, submitted, paid []time.Time
	topics                       map[string]TopicCost
	twice                        int // statuses of which there must be one and were more
}

// read reads the logs of a run of n payouts. Times of statuses and requests are
// those of their records, to the millisecond.
func (b *Bench) read(ctx context.Context, n int) (*story, error) {
	s := &story{
		asked: make([]time.Time, n), init: make([]time.Time, n), submitted: make([]time.Time, n), paid: make([]time.Time, n),
		topics: map[string]TopicCost{},
	}
	items := map[planAt][]int32{}
	each := []struct {
		topic string
		see   func(r *kafkaio.Record) error
	}{
		{b.Topics.Requests, func(r *kafkaio.Record) error {
			if i := b.ids.number(r.Key); i >= 0 && i < n && s.asked[i].IsZero() {
				s.asked[i] = r.Time
			}
			return nil
		}},
		{b.Topics.Batches, func(r *kafkaio.Record) error {
			rec, err := schema.DecodePlan(r.Value)
			if err != nil || rec.Plan == nil {
				return err
			}
			list := make([]int32, len(rec.Plan.Items))
			for i := range list {
				list[i] = int32(b.ids.number([]byte(rec.Plan.Items[i].PayoutID)))
			}
			items[planAt{r.Partition, r.Offset}] = list
			return nil
		}},
		{b.Topics.Journal, func(r *kafkaio.Record) error {
			rec, err := schema.DecodeRecord(r.Value)
			if err != nil || rec.Type != schema.RecCreating {
				return err
			}
			for _, i := range items[planAt{r.Partition, rec.Plan}] {
				s.note(s.init, int(i), rec.At)
			}
			return nil
		}},
		{b.Topics.Statuses, func(r *kafkaio.Record) error {
			i := b.ids.number(r.Key)
			switch kind(r) {
			case "payout.submitted.v1":
				s.note(s.submitted, i, r.Time)
			case "payout.paid.v1":
				s.note(s.paid, i, r.Time)
			}
			return nil
		}},
	}
	for _, t := range each {
		cost, err := b.readAll(ctx, t.topic, t.see)
		if err != nil {
			return nil, err
		}
		s.topics[b.plain(t.topic)] = cost
	}
	return s, nil
}

// planAt is a plan's place.
type planAt struct {
	partition int
	offset    int64
}

// note keeps the first time of a payout.
func (s *story) note(times []time.Time, i int, at time.Time) {
	switch {
	case i < 0 || i >= len(times):
	case times[i].IsZero():
		times[i] = at
	default:
		s.twice++
	}
}

// kind is the type of the event in a record.
func kind(r *kafkaio.Record) string {
	for _, h := range r.Headers {
		if h.Key == "ce_type" {
			return string(h.Value)
		}
	}
	return ""
}

// readAll reads a topic to where it ends now, one record at a time.
func (b *Bench) readAll(ctx context.Context, topic string, see func(*kafkaio.Record) error) (TopicCost, error) {
	var cost TopicCost
	err := b.scan(ctx, topic, func(records []kafkaio.Record) error {
		for i := range records {
			cost.add(&records[i])
			if err := see(&records[i]); err != nil {
				return fmt.Errorf("%s/%d offset %d: %w", topic, records[i].Partition, records[i].Offset, err)
			}
		}
		return nil
	})
	return cost, err
}

// scan reads a topic to where it ends now, one partition after the other.
func (b *Bench) scan(ctx context.Context, topic string, see func([]kafkaio.Record) error) error {
	bounds, err := b.Kafka.Offsets(ctx, topic)
	if err != nil {
		return err
	}
	for p := range len(bounds) {
		if err := b.scanPartition(ctx, topic, p, bounds[p].End, see); err != nil {
			return err
		}
	}
	return nil
}

// scanAtOnce is scan with all partitions at the same time.
func (b *Bench) scanAtOnce(ctx context.Context, topic string, see func(partition int, records []kafkaio.Record) error) error {
	bounds, err := b.Kafka.Offsets(ctx, topic)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for p, o := range bounds {
		group.Go(func() error {
			return b.scanPartition(ctx, topic, p, o.End, func(r []kafkaio.Record) error { return see(p, r) })
		})
	}
	return group.Wait()
}

func (b *Bench) scanPartition(ctx context.Context, topic string, partition int, end int64, see func([]kafkaio.Record) error) error {
	r := b.Kafka.NewReader(topic, partition, 0, kafkaio.ReaderOptions{MaxBytes: 4 << 20})
	for r.Offset() < end {
		batch, err := r.Next(ctx)
		if err != nil {
			return err
		}
		if err := see(batch.Records); err != nil {
			return err
		}
	}
	return nil
}

// A Spread is how long something took for half and for 99 of 100 payouts.
type Spread struct {
	P50 time.Duration `json:"p50"`
	P99 time.Duration `json:"p99"`
}

// spread tells how long it took from each payout's beginning to to. A payout
// begins to wait when it is asked for, or when the worker began to read.
func (s *story) spread(to []time.Time, began time.Time) Spread {
	var took []time.Duration
	for i, at := range to {
		if at.IsZero() || s.asked[i].IsZero() {
			continue
		}
		from := s.asked[i]
		if from.Before(began) {
			from = began
		}
		took = append(took, at.Sub(from))
	}
	return spreadOf(took)
}

// spreadOf sorts what it is given.
func spreadOf(took []time.Duration) Spread {
	if len(took) == 0 {
		return Spread{}
	}
	slices.Sort(took)
	return Spread{P50: took[len(took)/2], P99: took[min(len(took)-1, len(took)*99/100)]}
}

// last is the latest of the times.
func last(times []time.Time) time.Time {
	return slices.MaxFunc(times, time.Time.Compare)
}

// missing counts the payouts without a time.
func missing(times []time.Time) int {
	n := 0
	for _, t := range times {
		if t.IsZero() {
			n++
		}
	}
	return n
}
