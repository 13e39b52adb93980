package app

import (
	"context"
	"fmt"
)

type quarantineCommand struct {
	jsonFlag
	changeFlags
	Shard int   `help:"The shard that is stuck." required:"" placeholder:"N"`
	Plan  int64 `help:"The offset in payout.batches that cannot be read." required:"" placeholder:"OFFSET"`
}

// Help says more than the line in the list of commands.
func (*quarantineCommand) Help() string {
	return `Has a shard go past a plan that nobody can read: the plan owns nothing from then on. The log and /readyz say at which shard and offset one is stuck. Be sure that no newer version of toplu wrote the plan, and that all workers are of one version: another that can read it might have begun to pay it. The requests in it are not lost, a replay plans them again.` + changeHelp + `

Example:

  toplu quarantine --shard 2 --plan 1042 --reason "written by hand" --config toplu.yaml`
}

// quarantineReport is what a dry run prints.
type quarantineReport struct {
	DryRun bool  `json:"dryRun"`
	Shard  int   `json:"shard"`
	Plan   int64 `json:"plan"`
}

// Run puts the plan in quarantine.
func (c *quarantineCommand) Run(ctx context.Context, p *program) error {
	if c.Reason == "" {
		return usageError{"--reason is needed: it is all that will be known of the plan"}
	}
	s, d, err := p.desk(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	if c.Shard < 0 || c.Shard >= d.Shards || c.Plan < 1 {
		return usageError{fmt.Sprintf("--shard %d --plan %d: there are shards 0 to %d, and plans from 1 on", c.Shard, c.Plan, d.Shards-1)}
	}
	if c.DryRun {
		if c.JSON {
			return p.printJSON(quarantineReport{true, c.Shard, c.Plan})
		}
		p.say("would have shard %d go past plan %d", c.Shard, c.Plan)
		return nil
	}
	if ok, err := c.confirmed(ctx, p, "Plan %d of shard %d will own nothing. Go on?", c.Plan, c.Shard); !ok {
		return err
	}
	a, err := d.Quarantine(ctx, c.Shard, c.Plan, c.by(p), c.Reason)
	if err != nil {
		return err
	}
	return p.sayAnswer(c.JSON, a)
}
