package oncall

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema"
)

// A Mention is a record of a topic of requests that names a payout.
type Mention struct {
	Source  schema.Source `json:"source"`
	At      time.Time     `json:"at"`
	EventID string        `json:"eventId,omitempty"`
	Cancel  bool          `json:"cancel,omitempty"` // a payout.cancel.v1
}

// A Trail is what the topics hold of a payout beside its batch. Only records whose
// key is the payout id are found among the requests, as order systems write them.
type Trail struct {
	Duplicates []Mention `json:"duplicates"` // beside the one that was taken
	Letters    []Letter  `json:"deadLetters"`
	// Whole is false if the search was ended before it had seen everything.
	Whole bool `json:"searchedWhole"`
}

// Trail looks for a payout among the dead letters and in its partition of each topic
// of requests: from where its own request stands, source, or without one in all that
// the topic still has. It ends at the latest when its time is over.
func (d *Desk) Trail(ctx context.Context, payoutID string, source *schema.Source, atMost time.Duration) (*Trail, error) {
	t := &Trail{Duplicates: []Mention{}, Letters: []Letter{}, Whole: true}
	search, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	err := d.DeadLetters(search, 0, func(l *Letter) (bool, error) {
		if l.PayoutID == payoutID {
			t.Letters = append(t.Letters, *l)
		}
		return true, nil
	})
	if err == nil {
		for _, topic := range d.Topics.Sources() {
			if err = d.mentions(search, topic, payoutID, source, t); err != nil {
				break
			}
		}
	}
	if err != nil && ctx.Err() == nil && errors.Is(search.Err(), context.DeadlineExceeded) {
		t.Whole, err = false, nil
	}
	return t, err
}

func (d *Desk) mentions(ctx context.Context, topic, payoutID string, source *schema.Source, t *Trail) error {
	bounds, err := d.Kafka.Offsets(ctx, topic)
	if err != nil {
		return err
	}
	if len(bounds) == 0 {
		return nil
	}
	p := kafkaio.PartitionFor([]byte(payoutID), len(slices.Collect(maps.Keys(bounds))))
	from := bounds[p].Start
	if source != nil && source.Topic == topic && source.Partition == p {
		from = max(from, source.Offset)
	}
	return d.readTopic(ctx, topic, p, from, bounds[p].End, func(r kafkaio.Record) (bool, error) {
		m := r.Message()
		if string(m.Key) != payoutID || source != nil && *source == (schema.Source{Topic: topic, Partition: r.Partition, Offset: r.Offset}) {
			return true, nil
		}
		id, _ := m.Get("ce_id")
		t.Duplicates = append(t.Duplicates, Mention{
			Source: schema.Source{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset}, At: r.Time, EventID: id, Cancel: schema.IsCancel(m),
		})
		return true, nil
	})
}
