package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

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
	first                        int // number of the payout at index 0
	asked, init, submitted, paid []time.Time
	over                         []time.Duration // of each payout: to init, over its batch's own waiting
	topics                       map[string]TopicCost
	twice                        int // statuses of which there must be one and were more
}

// read reads what the logs tell since from of n payouts from number first on.
// Times of statuses and requests are those of their records, to the millisecond;
// that of init is when the worker had iyzico's answer to it.
func (b *Bench) read(ctx context.Context, first, n int, from map[string]map[int]int64) (*story, error) {
	s := &story{
		first: first, asked: make([]time.Time, n), init: make([]time.Time, n), submitted: make([]time.Time, n), paid: make([]time.Time, n),
		topics: map[string]TopicCost{},
	}
	items := map[planAt][]int32{}
	each := []struct {
		topic string
		see   func(r *kafkaio.Record) error
	}{
		{b.Topics.Requests, func(r *kafkaio.Record) error {
			if i := b.number(r.Key) - first; i >= 0 && i < n && s.asked[i].IsZero() {
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
				list[i] = int32(b.number([]byte(rec.Plan.Items[i].PayoutID)))
			}
			items[planAt{r.Partition, r.Offset}] = list
			return nil
		}},
		{b.Topics.Journal, func(r *kafkaio.Record) error {
			rec, err := schema.DecodeRecord(r.Value)
			if err != nil || rec.Type != schema.RecCreated {
				return err
			}
			b.created(s, items[planAt{r.Partition, rec.Plan}], rec.At)
			return nil
		}},
		{b.Topics.Statuses, func(r *kafkaio.Record) error {
			i := b.number(r.Key)
			switch kind(r) {
			case submittedEvent:
				s.note(s.submitted, i, r.Time)
			case paidEvent:
				s.note(s.paid, i, r.Time)
			}
			return nil
		}},
	}
	for _, t := range each {
		cost, err := b.readAll(ctx, t.topic, from[t.topic], t.see)
		if err != nil {
			return nil, err
		}
		s.topics[b.plain(t.topic)] = cost
	}
	return s, nil
}

// The types of status events that are looked for.
const (
	submittedEvent = "payout.submitted.v1"
	paidEvent      = "payout.paid.v1"
)

// created notes that iyzico has answered init for a batch. It was due to be
// sealed when it was full, or when its first request was old enough.
func (b *Bench) created(s *story, items []int32, at time.Time) {
	var oldest, newest time.Time
	for _, number := range items {
		i := int(number) - s.first
		s.note(s.init, int(number), at)
		if i < 0 || i >= len(s.asked) {
			return // of another Life
		}
		if asked := s.asked[i]; oldest.IsZero() || asked.Before(oldest) {
			oldest = asked
		}
		if asked := s.asked[i]; asked.After(newest) {
			newest = asked
		}
	}
	due := newest
	if len(items) < b.MaxItems {
		due = oldest.Add(b.MaxWait)
	}
	for range items {
		s.over = append(s.over, at.Sub(due))
	}
}

// planAt is a plan's place.
type planAt struct {
	partition int
	offset    int64
}

// note keeps the first time of a payout, by its number.
func (s *story) note(times []time.Time, number int, at time.Time) {
	switch i := number - s.first; {
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

// first is the beginning of every partition.
func (b *Bench) first() map[int]int64 {
	first := map[int]int64{}
	for p := range b.Partitions {
		first[p] = 0
	}
	return first
}

// ends tells where each partition of each topic ends.
func (b *Bench) ends(ctx context.Context) (map[string]map[int]int64, error) {
	ends := map[string]map[int]int64{}
	for _, topic := range []string{b.Topics.Requests, b.Topics.Batches, b.Topics.Journal, b.Topics.Statuses} {
		bounds, err := b.Kafka.Offsets(ctx, topic)
		if err != nil {
			return nil, err
		}
		ends[topic] = map[int]int64{}
		for p, o := range bounds {
			ends[topic][p] = o.End
		}
	}
	return ends, nil
}

// readAll reads a topic from where it is told to where it ends now, one partition
// after the other and one record at a time.
func (b *Bench) readAll(ctx context.Context, topic string, from map[int]int64, see func(*kafkaio.Record) error) (TopicCost, error) {
	var cost TopicCost
	bounds, err := b.Kafka.Offsets(ctx, topic)
	if err != nil {
		return cost, err
	}
	for p := range len(bounds) {
		if err := b.scan(ctx, topic, p, from[p], bounds[p].End, func(records []kafkaio.Record) error {
			for i := range records {
				cost.add(&records[i])
				if err := see(&records[i]); err != nil {
					return fmt.Errorf("%s/%d offset %d: %w", topic, p, records[i].Offset, err)
				}
			}
			return nil
		}); err != nil {
			return cost, err
		}
	}
	return cost, nil
}

// scan reads a partition from from up to end.
func (b *Bench) scan(ctx context.Context, topic string, partition int, from, end int64, see func([]kafkaio.Record) error) error {
	r := b.Kafka.NewReader(topic, partition, from, kafkaio.ReaderOptions{MaxBytes: 4 << 20})
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
