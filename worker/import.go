package worker

import (
	"context"
	"fmt"

	"github.com/toplu/toplu/schema"
)

// importIDs writes the ids of a command to the plan log, where they are claimed
// in their turn like those of a plan, and returns when this session has folded
// them. A crash after the append leaves the command unanswered, and the next
// session writes the ids once more: the later copy owns nothing. The record it
// returns, if any, refuses the command.
func (s *Shard) importIDs(ctx context.Context, c *schema.Command) (*schema.Record, error) {
	for i := range c.Imports {
		if schema.Shard(c.Imports[i].PayoutID, s.cfg.Partitions) != s.number {
			return noted("other_shard", fmt.Sprintf("item %d of the import is another shard's; nothing of it is imported", i)), nil
		}
	}
	value, err := schema.EncodeImported(&schema.Imported{By: c.By, Reason: c.Reason, At: s.ports.Now(), Items: c.Imports})
	if err != nil {
		return noted("unreadable", err.Error()), nil
	}
	offsets, err := s.ports.Plans.Append(ctx, schema.Message{Key: []byte("imported"), Value: value})
	if err != nil {
		return nil, err
	}
	return nil, s.wait(ctx, func() bool { return s.plansNext > offsets[0] })
}

// claimItems are what a record of the plan log claims.
func claimItems(rec *schema.PlanRecord) []ClaimItem {
	var items []ClaimItem
	switch {
	case rec.Plan != nil:
		items = make([]ClaimItem, len(rec.Plan.Items))
		for i := range rec.Plan.Items {
			items[i] = ClaimItem{PayoutID: rec.Plan.Items[i].PayoutID, Content: rec.Plan.Content(i)}
		}
	case rec.Imported != nil:
		items = make([]ClaimItem, len(rec.Imported.Items))
		for i := range rec.Imported.Items {
			it := &rec.Imported.Items[i]
			items[i] = ClaimItem{PayoutID: it.PayoutID, Content: it.Digest()}
		}
	}
	return items
}
