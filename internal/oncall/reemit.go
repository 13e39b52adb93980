package oncall

import (
	"context"
	"fmt"
	"time"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// A Wanted says which statuses are meant: those of payouts, of a batch, or of a
// stretch of time.
type Wanted struct {
	PayoutIDs []string
	Batch     string // id or place
	From, To  time.Time
}

// Statuses tells of the statuses that are meant, those of a payout in sequence.
// For payouts and batches it reads their records; for a stretch of time it folds
// the whole log. Refusals of requests are no statuses of payouts and not told.
func (d *Desk) Statuses(ctx context.Context, w *Wanted, tell func(*schema.Status) error) error {
	switch {
	case len(w.PayoutIDs) > 0:
		return d.statusesOf(ctx, w.PayoutIDs, tell)
	case w.Batch != "":
		at, err := d.Find(ctx, w.Batch)
		if err != nil {
			return err
		}
		t, err := d.tell(ctx, at)
		if err != nil {
			return err
		}
		return each(t.story.All(), tell)
	}
	in := worker.Listener{Open: d.open, Status: func(s *schema.Status) error {
		if s.OccurredAt.Before(w.From) || !w.To.IsZero() && !s.OccurredAt.Before(w.To) {
			return nil
		}
		return tell(s)
	}}
	for shard := range d.Shards {
		logs := d.Logs(shard)
		if _, err := worker.Retell(ctx, shard, logs.Plans, logs.Journal, in); err != nil {
			return err
		}
	}
	return nil
}

// statusesOf tells of payouts, batch by batch.
func (d *Desk) statusesOf(ctx context.Context, ids []string, tell func(*schema.Status) error) error {
	owners, err := d.owners(ctx, ids)
	if err != nil {
		return err
	}
	wanted := map[Place]map[string]bool{}
	var order []Place
	for i, id := range ids {
		if owners[i].Offset == worker.None {
			return fmt.Errorf("%s: not seen; no batch has it, so it has no status", id)
		}
		at := Place{schema.Shard(id, d.Shards), owners[i].Offset}
		if wanted[at] == nil {
			wanted[at] = map[string]bool{}
			order = append(order, at)
		}
		wanted[at][id] = true
	}
	views := map[int]*worker.ShardView{}
	for _, at := range order {
		if views[at.Shard] == nil {
			if views[at.Shard], err = d.glance(ctx, at.Shard); err != nil {
				return err
			}
		}
		t, err := d.tellBy(ctx, views[at.Shard], at.Plan)
		if err != nil {
			return err
		}
		var some []schema.Status
		for _, s := range t.story.All() {
			if wanted[at][s.PayoutID] {
				some = append(some, s)
			}
		}
		if err := each(some, tell); err != nil {
			return err
		}
	}
	return nil
}

func each(all []schema.Status, tell func(*schema.Status) error) error {
	for i := range all {
		if err := tell(&all[i]); err != nil {
			return err
		}
	}
	return nil
}

// Reemit publishes the statuses that are meant again: the very same events with
// the very same ids, at most rate in a second. told hears how many are sent,
// after each chunk. Those before an error are sent.
func (d *Desk) Reemit(ctx context.Context, to *kafkaio.Client, topic string, w *Wanted, rate int, told func(n int)) error {
	// One pace for all that is sent: a new one for each chunk would begin each at once.
	pace := newPace(rate)
	defer pace.stop()
	most := pace.atOnce * max(1, 1000/pace.atOnce)
	var chunk []kafkaio.Addressed
	flush := func() error {
		_, err := send(ctx, to.PublishAll, chunk, pace, told)
		chunk = nil
		return err
	}
	err := d.Statuses(ctx, w, func(s *schema.Status) error {
		if chunk = append(chunk, kafkaio.Addressed{Topic: topic, Message: kafkaio.Messages(schema.EncodeStatus(s))[0]}); len(chunk) < most {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}
