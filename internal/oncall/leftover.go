package oncall

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema"
)

// A Leftover is a topic of requests that was read once and that no merchant names
// any more, with requests in it that nobody will answer.
type Leftover struct {
	Topic  string `json:"topic"`
	Unread int64  `json:"unread"` // an upper bound: offsets may have gaps
}

// Leftovers finds them by the floors, which remember every topic that was ever
// read. A topic that is gone is none.
func (d *Desk) Leftovers(ctx context.Context) ([]Leftover, error) {
	floors, err := d.floors(ctx)
	if err != nil {
		return nil, err
	}
	return d.leftovers(ctx, floors)
}

func (d *Desk) leftovers(ctx context.Context, floors map[part]schema.Floor) ([]Leftover, error) {
	once := map[string]bool{}
	for p := range floors {
		if !slices.Contains(d.Topics.Sources(), p.topic) {
			once[p.topic] = true
		}
	}
	all := []Leftover{}
	for topic := range once {
		bounds, err := d.OffsetsOf(ctx, topic)
		if errors.Is(err, kafkaio.ErrTopicMissing) {
			continue
		}
		if err != nil {
			return nil, err
		}
		l := Leftover{Topic: topic}
		for id, b := range bounds {
			l.Unread += max(0, b.End-max(b.Start, floors[part{topic, id}].Offset))
		}
		if l.Unread > 0 {
			all = append(all, l)
		}
	}
	slices.SortFunc(all, func(a, b Leftover) int { return strings.Compare(a.Topic, b.Topic) })
	return all, nil
}
