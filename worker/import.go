package worker

import (
	"context"
	"fmt"
	"strings"

	"github.com/toplu/toplu/schema"
)

// importIDs writes the ids of a command to the plan log, where they are claimed
// in their turn like those of a plan, and returns when this session has folded
// them. A crash after the append leaves the command unanswered, and the next
// session writes the ids once more: the later copy owns nothing. The record it
// returns, if any, refuses the command, or says which ids a plan was first with.
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
	var planned []string
	for retry := s.cfg.backOff(s.cfg.Grace); ; { // here: to begin again would write the ids again
		epoch := ""
		if err := s.wait(ctx, func() bool { epoch = s.epoch; return s.plansNext > offsets[0] }); err != nil {
			return nil, err
		}
		if planned, err = s.planned(ctx, epoch, offsets[0], c.Imports); err == nil {
			break
		}
		s.doubt(err)
		s.log.Warn().Err(err).Msg("cannot read who owns imported payout ids, trying again")
		if err := pause(ctx, retry.NextBackOff()); err != nil {
			return nil, err
		}
	}
	if len(planned) == 0 {
		return nil, nil //nolint:nilnil // nothing speaks against the command
	}
	const most = 20
	names := strings.Join(planned[:min(most, len(planned))], ", ")
	if len(planned) > most {
		names += ", …"
	}
	return noted("imported_in_part", fmt.Sprintf("%d of the %d payout ids are in batches here, which pay them: %s. The others are used up: %s", len(planned), len(c.Imports), names, c.Reason)), nil
}

// planned lists those of the ids that an import at offset claims in vain, since a
// plan before it owns them. An earlier import is as good as this one.
func (s *Shard) planned(ctx context.Context, epoch string, offset int64, imports []schema.Import) ([]string, error) {
	ids := make([]string, len(imports))
	for i := range imports {
		ids[i] = imports[i].PayoutID
	}
	owners, err := s.ports.Claims.Lookup(ctx, s.number, epoch, offset, ids)
	if err != nil {
		return nil, err
	}
	var all []string
	plans := map[int64]bool{offset: false}
	for i, o := range owners {
		if o.Offset == None {
			return nil, ErrClaimsCorrupt // what is folded has an owner
		}
		isPlan, known := plans[o.Offset]
		if !known {
			e, err := s.ports.Plans.ReadAt(ctx, o.Offset)
			if err != nil {
				return nil, err
			}
			rec, err := schema.DecodePlan(e.Value)
			if err != nil {
				return nil, err
			}
			isPlan = rec.Plan != nil
			plans[o.Offset] = isPlan
		}
		if isPlan {
			all = append(all, ids[i])
		}
	}
	return all, nil
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
