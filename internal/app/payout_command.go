package app

import (
	"context"
	"fmt"

	"github.com/toplu/toplu/internal/oncall"
	"github.com/toplu/toplu/schema"
)

type payoutCommands struct {
	Cancel payoutCancelCommand `cmd:"" help:"Withdraw one payout from its batch."`
}

type payoutCancelCommand struct {
	jsonFlag
	changeFlags
	PayoutID string `arg:"" help:"The payout's id." name:"payout-id"`
}

// Help says more than the line in the list of commands.
func (*payoutCancelCommand) Help() string {
	return `Before the point of no return the payout becomes cancelled, for good; its batch is given up at iyzico and the other payouts go into the next attempt. After it, the answer says that it is too late: it becomes cancelled only if the attempt dies.` + changeHelp + `

Example:

  toplu payout cancel order-1042-seller-77 --reason "order returned" --config toplu.yaml`
}

// Run cancels the payout.
func (c *payoutCancelCommand) Run(ctx context.Context, p *program) error {
	if !schema.ValidPayoutID(c.PayoutID) {
		return usageError{fmt.Sprintf("%q is no payout id: 1 to 64 of A-Z a-z 0-9 . _ : -", c.PayoutID)}
	}
	s, d, err := p.desk(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	story, err := d.Explain(ctx, c.PayoutID)
	if err != nil {
		return err
	}
	if !c.JSON {
		p.say("%s: %s. Next: %s", c.PayoutID, status(story), story.Next)
	}
	would, err := c.would(ctx, d, story)
	if err != nil {
		return err
	}
	if c.DryRun {
		if c.JSON {
			return p.printJSON(dryRun{DryRun: true, Would: would})
		}
		p.say("%s", would)
		return nil
	}
	if ok, err := c.confirmed(ctx, p, "%s.\nCancel it?", would); !ok {
		return err
	}
	answer, err := d.CancelPayout(ctx, c.PayoutID, c.command(p, schema.CmdCancel))
	if err != nil {
		return err
	}
	return p.sayAnswer(c.JSON, answer)
}

// would says what the cancel would come to.
func (*payoutCancelCommand) would(ctx context.Context, d *oncall.Desk, story *oncall.Payout) (string, error) {
	switch {
	case story.Imported:
		return "refused: it was paid elsewhere, no batch has this payout", nil
	case !story.Seen:
		return "refused: no batch has this payout", nil
	case story.Final:
		return "refused: the payout is " + string(story.Status), nil
	}
	batch, err := d.Show(ctx, oncall.Place{Shard: story.Shard, Plan: story.Plan})
	if err != nil {
		return "", err
	}
	if batch.Gone {
		return "too late: its batch is past the point of no return; the payout would be cancelled only if this attempt dies", nil
	}
	return fmt.Sprintf("the payout of %s %s would be cancelled", story.Amount.Value, story.Amount.Currency), nil
}

func status(story *oncall.Payout) string {
	switch {
	case story.Imported:
		return "imported"
	case !story.Seen:
		return "not seen"
	}
	return string(story.Status)
}
