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
	Sent    []SentAgain   `json:"sentAgain,omitempty"`
}

// SentAgain says that a request was written by somebody on call, and why.
type SentAgain struct {
	How  string `json:"how"`  // redriven or replayed
	From string `json:"from"` // place in the dead letters, or of the first request
	By   string `json:"by"`
	Why  string `json:"why,omitempty"`
}

// sentAgain reads the marks of [Desk.Redrive] and [Desk.RunReplay].
func sentAgain(m schema.Message) []SentAgain {
	var all []SentAgain
	for _, h := range []struct{ how, from, by, why string }{
		{"replayed", HeaderReplayedFrom, HeaderReplayedBy, HeaderReplayedWhy},
		{"redriven", HeaderRedrivenFrom, HeaderRedrivenBy, HeaderRedrivenWhy},
	} {
		s := SentAgain{How: h.how}
		var marked bool
		if s.From, marked = m.Get(h.from); !marked {
			continue
		}
		s.By, _ = m.Get(h.by)
		s.Why, _ = m.Get(h.why)
		all = append(all, s)
	}
	return all
}

// mention is what a record of the requests says of itself.
func mention(r *kafkaio.Record) Mention {
	m := r.Message()
	return Mention{
		Source: schema.Source{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset}, At: r.Time,
		EventID: schema.EventID(m), Cancel: schema.IsCancel(m), Sent: sentAgain(m),
	}
}

// A Trail is what the topics hold of a payout beside its batch. Only records whose
// key is the payout id are found among the requests, as order systems write them.
type Trail struct {
	Request    *Mention  `json:"request,omitempty"` // the one that was taken, if its topic has it still
	Duplicates []Mention `json:"duplicates"`        // beside that
	Letters    []Letter  `json:"deadLetters"`
	// Reemits are the notes of the shard's journal, since the payout was planned, of
	// statuses that were published again; each says of which.
	Reemits []JournalLine `json:"reemits,omitempty"`
	// Whole is false if the search was ended before it had seen everything.
	Whole bool `json:"searchedWhole"`
}

// Trail looks for a payout among the dead letters and in its partition of each topic
// of requests: from where its own request stands, or, if no batch has it, in all that
// the topic still has. It ends at the latest when its time is over.
func (d *Desk) Trail(ctx context.Context, p *Payout, atMost time.Duration) (*Trail, error) {
	t := &Trail{Duplicates: []Mention{}, Letters: []Letter{}, Whole: true}
	search, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	err := d.trail(search, p, t)
	if err != nil && ctx.Err() == nil && errors.Is(search.Err(), context.DeadlineExceeded) {
		t.Whole, err = false, nil
	}
	return t, err
}

func (d *Desk) trail(ctx context.Context, p *Payout, t *Trail) error {
	if err := d.ownRequest(ctx, p.Source, t); err != nil {
		return err
	}
	err := d.DeadLetters(ctx, 0, func(l *Letter) (bool, error) {
		if l.PayoutID == p.PayoutID {
			t.Letters = append(t.Letters, *l)
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	for _, topic := range d.Topics.Sources() {
		if err := d.mentions(ctx, topic, p.PayoutID, p.Source, t); err != nil {
			return err
		}
	}
	return d.reemits(ctx, p, t)
}

// ownRequest reads the request that was taken. Its topic may have lost it, or be read
// no more.
func (d *Desk) ownRequest(ctx context.Context, at *schema.Source, t *Trail) error {
	if at == nil || !slices.Contains(d.Topics.Sources(), at.Topic) {
		return nil
	}
	bounds, err := d.Kafka.Offsets(ctx, at.Topic)
	if err != nil {
		return err
	}
	if b := bounds[at.Partition]; at.Offset < b.Start || at.Offset >= b.End {
		return nil
	}
	return d.readTopic(ctx, at.Topic, at.Partition, at.Offset, at.Offset+1, func(r kafkaio.Record) (bool, error) {
		own := mention(&r)
		t.Request = &own
		return false, nil
	})
}

// reemits reads the notes of what was published again since the payout was planned.
func (d *Desk) reemits(ctx context.Context, p *Payout, t *Trail) error {
	if p.PlannedAt == nil {
		return nil
	}
	logs := d.Logs(p.Shard)
	from, err := logs.JournalAt(ctx, *p.PlannedAt)
	if err != nil {
		return err
	}
	_, end, err := logs.Journal.Bounds(ctx)
	if err != nil {
		return err
	}
	for from < end {
		chunk, err := logs.Journal.Read(ctx, from)
		if err != nil {
			return err
		}
		for _, e := range chunk.Entries {
			if string(e.Key) != string(schema.RecNoted) {
				continue
			}
			// What nobody can read is told of by status, and stops its shard.
			if r, err := schema.DecodeRecord(e.Value); err == nil && r.Reason != nil && r.Reason.Code == string(schema.CmdReemit) {
				t.Reemits = append(t.Reemits, JournalLine{At: r.At, Offset: e.Offset, Record: r.Type, By: r.By, Text: r.Reason.Text})
			}
		}
		from = chunk.Next
	}
	return nil
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
		t.Duplicates = append(t.Duplicates, mention(&r))
		return true, nil
	})
}
