package oncall

import (
	"context"

	"github.com/toplu/toplu/schema"
)

// Quarantine has a shard go past a plan that nobody can read. The shard's worker
// refuses it for any other plan.
func (d *Desk) Quarantine(ctx context.Context, shard int, plan int64, by, reason string) (Answer, error) {
	a, r, err := d.give(ctx, shard, &schema.Command{Kind: schema.CmdQuarantine, Plan: plan, By: by, Reason: reason})
	if err == nil && r != nil && a.Verdict == "" {
		a.Verdict, a.Text = Counted, "the plan owns nothing, and the shard goes on. The requests in it are planned again by a replay"
	}
	return a, err
}
