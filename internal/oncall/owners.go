package oncall

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// ErrNotKnown says that it cannot be told which payouts are taken already: the
// claims are lost, or do not stand at the end of the plans.
var ErrNotKnown = errors.New("it is not known which payouts are taken")

// lookUp is how many ids the claims are asked for at a time.
const lookUp = 2000

// owners tells who owns payout ids, in their order. It believes the claims only
// under the journal's epoch and at the end of the plans, else [ErrNotKnown].
func (d *Desk) owners(ctx context.Context, ids []string) ([]worker.Owner, error) {
	views, troubles, err := d.Look(ctx)
	if err != nil {
		return nil, err
	}
	if len(troubles) > 0 {
		return nil, fmt.Errorf("%w: shard %d: %s", ErrNotKnown, troubles[0].Shard, troubles[0].Text)
	}
	byShard := map[int][]int{} // indices of ids
	for i, id := range ids {
		shard := schema.Shard(id, d.Shards)
		byShard[shard] = append(byShard[shard], i)
	}
	all := make([]worker.Owner, len(ids))
	for _, v := range views {
		if err := d.ask(ctx, v, ids, byShard[v.Shard], all); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// ask fills in the owners of the ids at these places, all of one shard.
func (d *Desk) ask(ctx context.Context, v *worker.ShardView, ids []string, places []int, all []worker.Owner) error {
	if v.LogID == "" { // nothing was ever planned, so nobody owns anything
		for _, i := range places {
			all[i].Offset = worker.None
		}
		return nil
	}
	if v.ClaimsTrouble != "" {
		return fmt.Errorf("%w: shard %d: %s", ErrNotKnown, v.Shard, v.ClaimsTrouble)
	}
	for len(places) > 0 {
		n := min(lookUp, len(places))
		some := make([]string, n)
		for j, i := range places[:n] {
			some[j] = ids[i]
		}
		owners, err := d.Claims.Lookup(ctx, v.Shard, v.Epoch, v.PlanEnd-1, some)
		if err != nil {
			return fmt.Errorf("%w: shard %d: %w", ErrNotKnown, v.Shard, err)
		}
		for j, i := range places[:n] {
			all[i] = owners[j]
		}
		places = places[n:]
	}
	return nil
}

// ownersUpTo tells which plans of a shard before end own payout ids, in their
// order: by the claims as far as those can be believed, and past them by the plans.
// Of an owner that the plans name only the offset is set.
//
// Nobody owns an id only if every plan there is was seen: it fails with
// [ErrNotKnown] where one cannot be read, or was lost.
func (d *Desk) ownersUpTo(ctx context.Context, v *worker.ShardView, end int64, ids []string) ([]worker.Owner, error) {
	owners, from := d.claimed(ctx, v, end, ids)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	missing := map[string]int{}
	for i, id := range ids {
		if owners[i].Offset == worker.None {
			missing[id] = i
		}
	}
	plans := d.Logs(v.Shard).Plans
	for at := from; at < end && len(missing) > 0; {
		chunk, err := plans.Read(ctx, at)
		if err != nil {
			return nil, err
		}
		for _, e := range chunk.Entries {
			if e.Offset >= end {
				break
			}
			rec, err := schema.DecodePlan(e.Value)
			switch {
			case err == nil:
			case slices.Contains(v.Quarantined, e.Offset):
				continue // it owns nothing
			case len(missing) > 0:
				return nil, fmt.Errorf("%w: shard %d: the plan at offset %d cannot be read, and may have %s: %w", ErrNotKnown, v.Shard, e.Offset, ids[slices.Min(slices.Collect(maps.Values(missing)))], err)
			}
			for _, id := range payoutIDs(&rec) {
				if i, wanted := missing[id]; wanted {
					owners[i].Offset = e.Offset
					delete(missing, id)
				}
			}
		}
		at = chunk.Next
	}
	return owners, d.notShorter(ctx, v, len(missing))
}

// claimed asks the claims about plans before end, and says from where on the plans
// have to be searched for what they do not know. Claims that cannot tell are a
// trouble of the shard, and know nothing.
func (d *Desk) claimed(ctx context.Context, v *worker.ShardView, end int64, ids []string) (owners []worker.Owner, from int64) {
	none := make([]worker.Owner, len(ids))
	for i := range none {
		none[i].Offset = worker.None
	}
	through := min(v.Claims.Watermark, end-1)
	if v.ClaimsTrouble != "" || through < 0 {
		return none, 0
	}
	for at := 0; at < len(ids); at += lookUp {
		some, err := d.Claims.Lookup(ctx, v.Shard, v.Epoch, through, ids[at:min(at+lookUp, len(ids))])
		if err != nil {
			v.ClaimsTrouble = err.Error()
			return none, 0
		}
		owners = append(owners, some...)
	}
	return owners, through + 1
}

// notShorter fails if ids are missing in a log that has lost plans.
func (d *Desk) notShorter(ctx context.Context, v *worker.ShardView, missing int) error {
	if missing == 0 {
		return nil
	}
	if v.Shorter {
		return fmt.Errorf("%w: shard %d: %s", ErrNotKnown, v.Shard, v.ClaimsTrouble)
	}
	if v.LogID != "" || v.PlanEnd > 0 {
		return nil
	}
	if state, err := d.Claims.State(ctx, v.Shard); err == nil {
		return fmt.Errorf("%w: shard %d: Redis has claims of log %s, and payout.batches is empty: Kafka's topics were lost or made anew", ErrNotKnown, v.Shard, state.LogID)
	}
	return nil
}

// payoutIDs are the ids that a record of the plan log asks for.
func payoutIDs(rec *schema.PlanRecord) []string {
	var ids []string
	switch {
	case rec.Plan != nil:
		for i := range rec.Plan.Items {
			ids = append(ids, rec.Plan.Items[i].PayoutID)
		}
	case rec.Imported != nil:
		for i := range rec.Imported.Items {
			ids = append(ids, rec.Imported.Items[i].PayoutID)
		}
	}
	return ids
}
