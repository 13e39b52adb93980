package app

import (
	"context"
	"fmt"
	"time"

	"github.com/toplu/toplu/internal/oncall"
	"github.com/toplu/toplu/schema"
)

type explainCommand struct {
	jsonFlag
	PayoutID string        `arg:"" help:"The payout's id." name:"payout-id"`
	Search   time.Duration `default:"10s" help:"How long duplicates and dead letters are searched for at most. Default: ${default}." placeholder:"DURATION"`
}

// Help says more than the line in the list of commands.
func (*explainCommand) Help() string {
	return `Tells a payout's whole story from the logs, also while the claims in Redis are lost or filled again: where it was asked for, its batch, the claim, every step with its ids and who asked for it, every status, duplicates and dead letters of the same id, and what comes next or why nothing does. The recipient is masked.

Example:

  toplu explain order-1042-seller-77 --config toplu.yaml`
}

// Run explains the payout.
func (c *explainCommand) Run(ctx context.Context, p *program) error {
	if !schema.ValidPayoutID(c.PayoutID) {
		return usageError{fmt.Sprintf("%q is no payout id: 1 to 64 of A-Z a-z 0-9 . _ : -", c.PayoutID)}
	}
	s, d, err := p.desk(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	// Before the plans are looked through: what was answered by now stands in them.
	read, err := d.Answered(ctx)
	if err != nil {
		return explainKafka(err)
	}
	story, err := d.Explain(ctx, c.PayoutID)
	if err != nil {
		return err
	}
	if !story.Seen {
		story.Read = read
	}
	if story.Trail, err = d.Trail(ctx, c.PayoutID, story.Source, c.Search); err != nil {
		return explainKafka(err)
	}
	if c.JSON {
		return p.printJSON(story)
	}
	c.print(p, story)
	return nil
}

// print writes the story as text.
func (c *explainCommand) print(p *program, story *oncall.Payout) {
	if story.Imported {
		p.say("%s: imported at offset %d of shard %d. Next: %s", story.PayoutID, story.Plan, story.Shard, story.Next)
		p.sayTrail(story.Trail)
		return
	}
	if !story.Seen {
		p.say("%s: not seen. No batch has it (shard %d, plans up to offset %d).", story.PayoutID, story.Shard, story.PlanEnd)
		for _, r := range story.Read {
			p.say("  %s/%d is answered to offset %d of %d", r.Topic, r.Partition, r.Answered, r.End)
		}
		p.sayTrail(story.Trail)
		p.say("next: %s", story.Next)
		return
	}
	p.say("%s: %s", story.PayoutID, orDash(string(story.Status)))
	p.say("  %s %s to %s, merchant %s", story.Amount.Value, story.Amount.Currency, story.Recipient, story.Merchant)
	p.say("  asked for by event %s at %s/%d offset %d", orDash(story.EventID), story.Source.Topic, story.Source.Partition, story.Source.Offset)
	if story.ClaimsTrouble == "" {
		p.say("  claimed by plan offset %d; the claims stand at %d of epoch %s", story.Plan, story.Watermark, story.Epoch)
	} else {
		p.say("  owned by plan offset %d, as the log has it: the claims cannot tell (%s)", story.Plan, story.ClaimsTrouble)
	}
	p.say("  batch %s of %d items, shard %d, plan offset %d", story.BatchID, story.Items, story.Shard, story.Plan)
	p.sayTrail(story.Trail)
	p.say("statuses")
	for _, l := range story.Statuses {
		p.say("  %s  %d %-13s event %s  %s", stamp(l.At), l.Sequence, l.Status, l.EventID, l.Reason)
	}
	p.say("journal")
	p.sayJournal(story.Journal)
	p.say("next: %s", story.Next)
}

// sayTrail says what else the topics hold of a payout.
func (p *program) sayTrail(t *oncall.Trail) {
	for _, m := range t.Duplicates {
		what := "asked for again"
		if m.Cancel {
			what = "withdrawn"
		}
		p.say("  %s by event %s at %s/%d offset %d, %s", what, orDash(m.EventID), m.Source.Topic, m.Source.Partition, m.Source.Offset, stamp(m.At))
	}
	for i := range t.Letters {
		l := &t.Letters[i]
		p.say("  dead letter %s of %s, read at %s/%d offset %d: %s: %s", l.Place(), stamp(l.At), l.Source.Topic, l.Source.Partition, l.Source.Offset, l.Code, l.Text)
	}
	if !t.Whole {
		p.say("  (not everything was searched: --search gives it more time)")
	}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000") }

func void(why string) string {
	if why == "" {
		return ""
	}
	return "  (does not count: " + why + ")"
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
