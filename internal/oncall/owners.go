package oncall

import (
	"context"
	"errors"
	"fmt"

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
