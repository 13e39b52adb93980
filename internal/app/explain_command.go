package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
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
	return `Tells a payout's whole story from the logs, also while the claims in Redis are lost or filled again: where it was asked for, its batch, the claim, and in the order of time every step with its ids and who asked for it, every status with its event id, duplicates and dead letters of the same id, who sent its request or its statuses again and why; then what comes next, or why nothing does. The recipient is masked.

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
	if story.Trail, err = d.Trail(ctx, story, c.Search); err != nil {
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
		p.sayHistory(story)
		return
	}
	if !story.Seen {
		p.say("%s: not seen. No batch has it (shard %d, plans up to offset %d).", story.PayoutID, story.Shard, story.PlanEnd)
		for _, r := range story.Read {
			p.say("  %s/%d is answered to offset %d of %d", r.Topic, r.Partition, r.Answered, r.End)
		}
		p.sayHistory(story)
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
	p.sayHistory(story)
	p.say("next: %s", story.Next)
}

// sayHistory tells everything that is known to have happened, in the order of time:
// what the topics hold, what the journal says, and the statuses that came of it.
func (p *program) sayHistory(story *oncall.Payout) {
	type event struct {
		at   time.Time
		text string
	}
	var all []event
	add := func(at time.Time, format string, args ...any) {
		all = append(all, event{at, strings.TrimRight(fmt.Sprintf(format, args...), " ")})
	}
	t := story.Trail
	if t.Request != nil {
		add(t.Request.At, "asked for by %s", mentioned(t.Request))
	}
	for i := range t.Duplicates {
		m, what := &t.Duplicates[i], "asked for again"
		switch {
		case m.Cancel:
			what = "withdrawn"
		case !story.Seen:
			what = "asked for"
		}
		add(m.At, "%s by %s", what, mentioned(m))
	}
	for i := range t.Letters {
		l := &t.Letters[i]
		add(l.At, "dead letter %s of event %s, read at %s/%d offset %d: %s: %s", l.Place(), orDash(l.EventID), l.Source.Topic, l.Source.Partition, l.Source.Offset, l.Code, l.Text)
	}
	if story.PlannedAt != nil {
		add(*story.PlannedAt, "planned, at offset %d of payout.batches", story.Plan)
	}
	for i := range story.Journal {
		add(story.Journal[i].At, "%s", journalLine(&story.Journal[i]))
	}
	for _, l := range story.Statuses {
		add(l.At, "status %d %-13s event %s  %s", l.Sequence, l.Status, l.EventID, l.Reason)
	}
	for _, l := range t.Reemits {
		add(l.At, "statuses published again by %s: %s", orDash(l.By), l.Text)
	}
	slices.SortStableFunc(all, func(a, b event) int { return a.at.Compare(b.at) })
	for _, e := range all {
		p.say("  %s  %s", stamp(e.at), e.text)
	}
	if !t.Whole {
		p.say("  (not everything was searched: --search gives it more time)")
	}
}

// mentioned names a request's event, where it stands, and who sent it again.
func mentioned(m *oncall.Mention) string {
	parts := []string{fmt.Sprintf("event %s at %s/%d offset %d", orDash(m.EventID), m.Source.Topic, m.Source.Partition, m.Source.Offset)}
	for _, s := range m.Sent {
		parts = append(parts, fmt.Sprintf("%s from %s by %s: %s", s.How, s.From, orDash(s.By), orDash(s.Why)))
	}
	return strings.Join(parts, ", ")
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
