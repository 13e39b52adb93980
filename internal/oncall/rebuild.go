package oncall

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// Rebuilt is how the refill of a shard's claims went.
type Rebuilt struct {
	Shard    int           `json:"shard"`
	Claims   int64         `json:"claims"` // that stand now
	Plans    int64         `json:"plans"`  // offset of the last plan, which they stand at
	Took     time.Duration `json:"tookNanoseconds"`
	Finished bool          `json:"finished"` // false: no worker has taken the command or begun to refill in time
	Emptied  bool          `json:"emptied"`
}

// Rebuild empties the claims of a shard, and waits while its worker fills them
// again from the log under a new epoch, after it has put into the journal who asked; nothing new of the shard is paid
// meanwhile. told hears how far the claims stand, and of how many plans. A shard
// whose logs cannot be folded is left alone: they are all there is to refill from.
func (d *Desk) Rebuild(ctx context.Context, shard int, c schema.Command, told func(stand, end int64)) (Rebuilt, error) {
	r := Rebuilt{Shard: shard}
	v, err := d.observe(ctx, shard)
	if err != nil {
		return r, fmt.Errorf("the claims are left as they are: %w", err)
	}
	// Nobody who refills, nobody who empties.
	c.Kind = schema.CmdRebuild
	answers, err := d.Note(ctx, []int{shard}, c)
	if err != nil || answers[0].Verdict != Counted {
		return r, err
	}
	r.Emptied = true
	began := d.Now()
	before := ""
	state, err := d.Claims.State(ctx, shard)
	switch {
	case err == nil:
		before = state.Epoch
		if err := d.Claims.Condemn(ctx, shard, before); err != nil {
			return r, err
		}
	case !errors.Is(err, worker.ErrClaimsLost):
		return r, err
	}
	last := v.PlanEnd - 1
	for {
		state, err := d.Claims.State(ctx, shard)
		if err != nil && !errors.Is(err, worker.ErrClaimsLost) {
			return r, err
		}
		r.Took = d.Now().Sub(began)
		if err == nil && state.Epoch != before {
			told(state.Watermark, v.PlanEnd)
			r.Claims, r.Plans = state.Count, state.Watermark
			if state.Watermark >= last {
				r.Finished = true
				return r, nil
			}
		} else if r.Took > cmp.Or(d.Patience, patience) {
			return r, nil
		}
		select {
		case <-ctx.Done():
			return r, fmt.Errorf("the claims of shard %d are emptied, its worker refills them: %w", shard, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}
