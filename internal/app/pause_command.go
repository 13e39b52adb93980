package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/toplu/toplu/internal/oncall"
	"github.com/toplu/toplu/schema"
)

type pauseCommand struct{ pauseChange }

// Help says more than the line in the list of commands.
func (*pauseCommand) Help() string {
	return `No new batch is completed anywhere, or none of the merchant's, until "toplu resume" with the same scope; restarts change nothing about it. Requests are still accepted and batches still prepared. What is past the point of no return goes on.` + changeHelp + `

Example:

  toplu pause --reason "iyzico reports a fault" --config toplu.yaml
  toplu pause --merchant market --reason "wrong key" --config toplu.yaml`
}

// Run pauses payouts.
func (c *pauseCommand) Run(ctx context.Context, p *program) error {
	return c.give(ctx, p, c.command(p, schema.CmdPause))
}

type resumeCommand struct{ pauseChange }

// Help says more than the line in the list of commands.
func (*resumeCommand) Help() string {
	return `Lifts the pause of the same scope: without --merchant the one of everybody, and a merchant's own pause stays. "toplu status" shows which stand.` + changeHelp + `

Example:

  toplu resume --reason "fault is over" --config toplu.yaml`
}

// Run resumes payouts.
func (c *resumeCommand) Run(ctx context.Context, p *program) error {
	return c.give(ctx, p, c.command(p, schema.CmdUnpause))
}

// pauseChange is a pause or its end.
type pauseChange struct {
	jsonFlag
	changeFlags
	Merchant string `help:"Only this merchant. Default: all." placeholder:"NAME"`
}

// pauseReport is what became of it in every shard.
type pauseReport struct {
	Kind     schema.CommandKind `json:"kind"`
	Merchant string             `json:"merchant,omitempty"` // none: all
	Verdict  oncall.Verdict     `json:"verdict"`
	DryRun   bool               `json:"dryRun"`
	Shards   []oncall.Answer    `json:"shards"`
}

// give asks, gives the command to every shard and prints the answers.
func (c *pauseChange) give(ctx context.Context, p *program, command schema.Command) error {
	s, d, err := p.desk(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	if _, known := s.cfg.Merchants[c.Merchant]; c.Merchant != "" && !known && command.Kind == schema.CmdPause {
		return usageError{fmt.Sprintf("%q is not a merchant of the configuration, which has %s", c.Merchant, strings.Join(slices.Sorted(maps.Keys(s.cfg.Merchants)), ", "))}
	}
	what := c.what(command.Kind)
	if c.DryRun {
		if c.JSON {
			return p.printJSON(pauseReport{Kind: command.Kind, Merchant: c.Merchant, DryRun: true, Shards: []oncall.Answer{}})
		}
		p.say("would %s in %d shards", what, d.Shards)
		return nil
	}
	if ok, err := c.confirmed(ctx, p, "This will %s. Go on?", what); !ok {
		return err
	}
	command.Merchant = c.Merchant
	answers, err := d.Pause(ctx, command)
	if err != nil {
		for _, a := range answers {
			p.note("shard %d: %s", a.Shard, spoken(a.Verdict))
		}
		return fmt.Errorf("%w\nGive the command again: it is harmless where it was obeyed", err)
	}
	return c.print(p, command.Kind, answers)
}

func (c *pauseChange) what(kind schema.CommandKind) string {
	scope := "every merchant"
	if c.Merchant != "" {
		scope = "merchant " + c.Merchant
	}
	if kind == schema.CmdPause {
		return "pause the payouts of " + scope
	}
	return "resume the payouts of " + scope
}

// print says what became of it: counted as soon as it counts in one shard and is
// refused in the others, for those had nothing to resume.
func (c *pauseChange) print(p *program, kind schema.CommandKind, answers []oncall.Answer) error {
	verdict := oncall.Refused
	for _, a := range answers {
		if a.Verdict == oncall.Counted && verdict == oncall.Refused || a.Verdict == oncall.Written {
			verdict = a.Verdict
		}
	}
	if c.JSON {
		if err := p.printJSON(pauseReport{Kind: kind, Merchant: c.Merchant, Verdict: verdict, Shards: answers}); err != nil {
			return err
		}
		return verdictError(verdict)
	}
	for _, a := range answers {
		p.say("shard %d: %s: %s", a.Shard, spoken(a.Verdict), a.Text)
	}
	return verdictError(verdict)
}
