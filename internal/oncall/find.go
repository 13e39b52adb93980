package oncall

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/toplu/toplu/schema"
)

// ErrNoBatch says that no batch goes by the name that was asked for.
var ErrNoBatch = errors.New("no such batch")

// A Place is where a batch's plan stands in payout.batches.
type Place struct {
	Shard int   `json:"shard"`
	Plan  int64 `json:"planOffset"`
}

// Find returns the place of a batch, named by its id or by SHARD/OFFSET. Open
// batches are found at once; for others every plan log is read until the id
// comes, so a place is the faster name. It fails with [ErrNoBatch].
func (d *Desk) Find(ctx context.Context, name string) (Place, error) {
	if shard, offset, ok := strings.Cut(name, "/"); ok {
		n, err := strconv.Atoi(shard)
		plan, planErr := strconv.ParseInt(offset, 10, 64)
		if err != nil || planErr != nil || n < 0 || n >= d.Shards || plan < 1 {
			return Place{}, fmt.Errorf("%w at %s: a place is SHARD/OFFSET with a shard below %d", ErrNoBatch, name, d.Shards)
		}
		return Place{n, plan}, nil
	}
	views, _, err := d.Look(ctx)
	if err != nil {
		return Place{}, err
	}
	for _, v := range views {
		for i := range v.Batches {
			if v.Batches[i].ID == name {
				return Place{v.Shard, v.Batches[i].Plan}, nil
			}
		}
	}
	for shard := range d.Shards {
		plan, err := d.search(ctx, shard, name)
		if err != nil || plan > 0 {
			return Place{shard, plan}, err
		}
	}
	return Place{}, fmt.Errorf("%w: %s", ErrNoBatch, name)
}

// search looks for a batch in a shard's plans; 0 is none. The first plan with an
// id is the batch.
func (d *Desk) search(ctx context.Context, shard int, id string) (int64, error) {
	plans := d.Logs(shard).Plans
	_, end, err := plans.Bounds(ctx)
	if err != nil {
		return 0, err
	}
	for at := int64(0); at < end; {
		chunk, err := plans.Read(ctx, at)
		if err != nil {
			return 0, err
		}
		for _, e := range chunk.Entries {
			if string(e.Key) == id {
				return e.Offset, nil
			}
		}
		at = chunk.Next
	}
	return 0, nil
}

// A BatchStory is a batch with its records and payouts.
type BatchStory struct {
	Batch
	Journal []JournalLine `json:"journal"`
	Items   []BatchItem   `json:"items"`
}

// A BatchItem is a payout of a batch.
type BatchItem struct {
	PayoutID  string              `json:"payoutId"`
	Amount    string              `json:"amount"`
	Recipient string              `json:"recipient"` // type and masked value
	Status    schema.PayoutStatus `json:"status"`
	Reference string              `json:"referenceCode,omitempty"`
}

// Show tells a batch's story. Payouts that another batch owns are left out.
func (d *Desk) Show(ctx context.Context, at Place) (*BatchStory, error) {
	t, err := d.tell(ctx, at)
	if err != nil {
		return nil, err
	}
	v := t.story.View()
	s := &BatchStory{Batch: d.describe(d.outlook(ctx), t.in, &v), Journal: journalLines(t.story)}
	last := map[string]schema.Status{}
	for _, st := range t.story.All() {
		last[st.PayoutID] = st
	}
	for i := range t.plan.Items {
		it := &t.plan.Items[i]
		st, own := last[it.PayoutID]
		if !own {
			continue
		}
		s.Items = append(s.Items, BatchItem{
			PayoutID: it.PayoutID, Amount: schema.FormatMinor(it.Minor), Status: st.Status, Reference: st.ReferenceCode,
			Recipient: t.recipient(it),
		})
	}
	return s, nil
}
