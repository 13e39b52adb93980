package app

import (
	"context"
	"fmt"

	"github.com/toplu/toplu/internal/oncall"
	"github.com/toplu/toplu/schema"
)

type rebuildCommand struct {
	jsonFlag
	changeFlags
	Shard []int `help:"Only these shards, separated by commas. Default: all, one after the other." placeholder:"N"`
}

// Help says more than the line in the list of commands.
func (*rebuildCommand) Help() string {
	return `Empties the claims in Redis of a shard and waits until its worker has filled them again from the log, while the service runs. Redis decides nothing, so nothing can be lost; until a shard is refilled it completes no new batch, and requests of its payouts wait. For claims that an audit found wrong, or a Redis that nobody trusts.

Who asks and why goes through payout.commands into the journal first. Exit status 1 if no worker has taken that within 15 s, and then nothing is emptied, or has not begun to refill a shard in as long.

Example:

  toplu rebuild --shard 2 --config toplu.yaml`
}

// rebuildReport is what rebuild prints.
type rebuildReport struct {
	DryRun bool             `json:"dryRun"`
	Shards []oncall.Rebuilt `json:"shards"`
}

// Run rebuilds shard after shard.
func (c *rebuildCommand) Run(ctx context.Context, p *program) error {
	s, d, err := p.desk(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	shards := c.Shard
	if len(shards) == 0 {
		for shard := range d.Shards {
			shards = append(shards, shard)
		}
	}
	for _, shard := range shards {
		if shard < 0 || shard >= d.Shards {
			return usageError{fmt.Sprintf("--shard %d: there are 0 to %d", shard, d.Shards-1)}
		}
	}
	report := rebuildReport{DryRun: c.DryRun, Shards: []oncall.Rebuilt{}}
	if c.DryRun {
		if c.JSON {
			return p.printJSON(rebuildReport{DryRun: true, Shards: wouldBe(shards)})
		}
		p.say("would empty and refill the claims of shards %s", numbers(shards))
		return nil
	}
	if ok, err := c.confirmed(ctx, p, "Empty and refill the claims of shards %s?", numbers(shards)); !ok {
		return err
	}
	failed, err := c.rebuild(ctx, p, d, shards, &report)
	if c.JSON {
		if printed := p.printJSON(report); printed != nil {
			return printed
		}
	}
	if err == nil && failed {
		return errReported
	}
	return err
}

func (c *rebuildCommand) rebuild(ctx context.Context, p *program, d *oncall.Desk, shards []int, report *rebuildReport) (failed bool, err error) {
	for _, shard := range shards {
		bar := p.progress(1, fmt.Sprintf("refilling shard %d", shard))
		r, err := d.Rebuild(ctx, shard, c.command(p, schema.CmdRebuild), func(stand, end int64) {
			bar.ChangeMax64(max(1, end-1))
			_ = bar.Set64(max(0, stand))
		})
		bar.end()
		if err != nil {
			return true, err
		}
		report.Shards = append(report.Shards, r)
		switch {
		case c.JSON:
		case r.Finished:
			p.say("shard %d: %d claims, refilled in %.1f s", r.Shard, r.Claims, r.Took.Seconds())
		case !r.Emptied:
			p.say("shard %d: left as it is; no worker has taken the command yet", r.Shard)
		default:
			p.say("shard %d: emptied; no worker refills it yet", r.Shard)
		}
		if !r.Finished {
			return true, nil // the others still stand
		}
	}
	return false, nil
}

// wouldBe lists shards that nothing was done about.
func wouldBe(shards []int) []oncall.Rebuilt {
	all := make([]oncall.Rebuilt, len(shards))
	for i, shard := range shards {
		all[i].Shard = shard
	}
	return all
}
