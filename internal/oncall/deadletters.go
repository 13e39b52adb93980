package oncall

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema"
)

// A Letter is a dead letter: a request that could not be taken, and why.
type Letter struct {
	Partition int           `json:"partition"`
	Offset    int64         `json:"offset"`
	At        time.Time     `json:"at"` // when it was put aside
	Code      string        `json:"code"`
	Text      string        `json:"text"`
	PayoutID  string        `json:"payoutId,omitempty"`
	EventID   string        `json:"eventId,omitempty"`
	Source    schema.Source `json:"source"` // where it was read

	// Closed says why the letter is sealed still; "": it is not. Its content is
	// not known then.
	Closed string `json:"closed,omitempty"`

	message schema.Message
}

// A Cause groups dead letters by their reason code.
type Cause struct {
	Code     string    `json:"code"`
	Count    int       `json:"count"`
	FirstAt  time.Time `json:"firstAt"`
	LatestAt time.Time `json:"latestAt"`
	Text     string    `json:"text"` // of the latest
}

// DeadLetters tells of the last n dead letters of each partition, the oldest of a
// partition first; n below 1 is all. It ends early when tell returns false.
func (d *Desk) DeadLetters(ctx context.Context, n int64, tell func(*Letter) (bool, error)) error {
	bounds, err := d.Kafka.Offsets(ctx, d.Topics.DLQ)
	if err != nil {
		return err
	}
	more := true
	for _, p := range slices.Sorted(maps.Keys(bounds)) {
		from := bounds[p].Start
		if n > 0 {
			from = max(from, bounds[p].End-n)
		}
		err := d.readTopic(ctx, d.Topics.DLQ, p, from, bounds[p].End, func(r kafkaio.Record) (bool, error) {
			var err error
			more, err = tell(d.openLetter(r))
			return more, err
		})
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// openLetter reads the headers of a dead letter, and opens it if it is sealed and
// its key is there.
func (d *Desk) openLetter(r kafkaio.Record) *Letter {
	l := &Letter{Partition: r.Partition, Offset: r.Offset, At: r.Time, message: r.Message()}
	if opened, err := d.Seal.OpenLetter(l.message); err != nil {
		l.Closed, l.message.Value = err.Error(), nil
	} else {
		l.message = opened
	}
	get := func(name string) string {
		text, _ := l.message.Get(name)
		return text
	}
	l.Code, l.Text, l.PayoutID, l.EventID = cmp.Or(get(schema.HeaderReasonCode), "none"), get(schema.HeaderReason), get(schema.HeaderPayoutID), schema.EventID(l.message)
	l.Source.Topic = get(schema.HeaderTopic)
	l.Source.Partition, _ = strconv.Atoi(get(schema.HeaderPartition))
	l.Source.Offset, _ = strconv.ParseInt(get(schema.HeaderOffset), 10, 64)
	if at, err := time.Parse(time.RFC3339Nano, get(schema.HeaderTime)); err == nil {
		l.At = at
	}
	return l
}

// Causes groups the last n dead letters of each partition, the most frequent
// cause first.
func (d *Desk) Causes(ctx context.Context, n int64) ([]Cause, error) {
	g := NewCauses()
	err := d.DeadLetters(ctx, n, func(l *Letter) (bool, error) {
		g.Add(l)
		return true, nil
	})
	return g.List(), err
}

// Causes groups letters. It is not safe for concurrent use.
type Causes struct{ found map[string]*Cause }

// NewCauses returns a group of no letters.
func NewCauses() *Causes { return &Causes{map[string]*Cause{}} }

// Add adds a letter.
func (g *Causes) Add(l *Letter) {
	c := g.found[l.Code]
	if c == nil {
		c = &Cause{Code: l.Code, FirstAt: l.At}
		g.found[l.Code] = c
	}
	c.Count++
	if l.At.Before(c.FirstAt) {
		c.FirstAt = l.At
	}
	if !l.At.Before(c.LatestAt) {
		c.LatestAt, c.Text = l.At, l.Text
	}
}

// List returns the causes, the most frequent first.
func (g *Causes) List() []Cause {
	all := []Cause{}
	for _, c := range g.found {
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b Cause) int { return cmp.Or(b.Count-a.Count, cmp.Compare(a.Code, b.Code)) })
	return all
}

// DeadLetter returns the letter at a place.
func (d *Desk) DeadLetter(ctx context.Context, partition int, offset int64) (*Letter, error) {
	r, err := d.Kafka.ReadAt(ctx, d.Topics.DLQ, partition, offset)
	if err != nil {
		return nil, err
	}
	return d.openLetter(r), nil
}

// Size is the length of the original value in bytes.
func (l *Letter) Size() int { return len(l.message.Value) }
