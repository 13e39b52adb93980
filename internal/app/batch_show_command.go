package app

import (
	"context"
	"fmt"

	"github.com/toplu/toplu/internal/oncall"
)

type batchShowCommand struct {
	jsonFlag
	batchArgument
	Items bool `help:"List the payouts too. JSON always has them."`
}

// Help says more than the line in the list of commands.
func (*batchShowCommand) Help() string {
	return `Tells how a batch stands, every record of its journal and whether it counts, and what comes next. Recipients are masked. The id of a closed batch is looked for in the whole of payout.batches; its place is found at once.

Example:

  toplu batch show k5x…q7a --items --config toplu.yaml`
}

// Run shows the batch.
func (c *batchShowCommand) Run(ctx context.Context, p *program) error {
	s, d, err := p.desk(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	_, story, err := c.find(ctx, d)
	if err != nil {
		return err
	}
	if c.JSON {
		return p.printJSON(story)
	}
	c.print(p, d, story)
	return nil
}

func (c *batchShowCommand) print(p *program, d *oncall.Desk, b *oncall.BatchStory) {
	p.say("batch %s: %s", b.ID, b.State)
	p.say("  %d payouts, %s %s, merchant %s, purpose %s", b.Payouts.Count, b.Payouts.Value, b.Currency, b.Merchant, b.Purpose)
	p.say("  sealed %s (%s ago), shard %d, plan offset %d", stamp(b.SealedAt), age(d.Now(), b.SealedAt), b.Shard, b.Plan)
	p.say("  attempt %d, requestId %s", b.Attempt, orDash(b.RequestID))
	p.say("  %s", statusCounts(&b.Batch))
	if b.Withdrawn.Count > 0 {
		p.say("  the cancel of %d payouts waits for the attempt's death", b.Withdrawn.Count)
	}
	for _, h := range b.Holds {
		p.say("  held since %s by %s (%s): %s", stamp(h.Since), orDash(h.By), h.Kind, h.Reason)
	}
	p.say("journal")
	p.sayJournal(b.Journal)
	if c.Items {
		rows := [][]string{{"PAYOUT", "AMOUNT", "RECIPIENT", "STATUS", "REFERENCE"}}
		for _, it := range b.Items {
			rows = append(rows, []string{it.PayoutID, it.Amount, it.Recipient, string(it.Status), orDash(it.Reference)})
		}
		p.table(rows)
	}
	p.say("next: %s", b.Next)
}

// sayJournal prints records and who asked for them.
func (p *program) sayJournal(lines []oncall.JournalLine) {
	for i := range lines {
		p.say("  %s  %s", stamp(lines[i].At), journalLine(&lines[i]))
	}
}

// journalLine is a record, and who asked for it.
func journalLine(l *oncall.JournalLine) string {
	by, call := "", ""
	if l.By != "" {
		by = " by " + l.By
	}
	if l.Call != "" {
		call = "[" + l.Call + "] "
	}
	return fmt.Sprintf("offset %d %-10s attempt %d %s%s %s%s%s", l.Offset, l.Record, l.Attempt, call, l.RequestID, l.Text, by, void(l.Void))
}
