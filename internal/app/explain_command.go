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
	return `Tells a payout's whole story from the logs: where it was asked for, its batch, the claim, every step with its ids and who asked for it, every status, duplicates and dead letters of the same id, and what comes next or why nothing does. The recipient is masked.

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
	story, err := d.Explain(ctx, c.PayoutID)
	if err != nil {
		return err
	}
	if story.Trail, err = d.Trail(ctx, c.PayoutID, story.Source, c.Search); err != nil {
		return explainKafka(err)
	}
	if c.JSON {
		return p.printJSON(story)
	}
	c.print(ctx, p, s, story)
	return nil
}

// print writes the story as text.
func (c *explainCommand) print(ctx context.Context, p *program, s *service, story *oncall.Payout) {
	if story.Imported {
		p.say("%s: imported at offset %d of shard %d. Next: %s", story.PayoutID, story.Plan, story.Shard, story.Next)
		p.sayTrail(story.Trail)
		return
	}
	if !story.Seen {
		p.say("%s: not seen. No batch has it (shard %d).", story.PayoutID, story.Shard)
		s.sayRead(ctx, p)
		p.sayTrail(story.Trail)
		return
	}
	p.say("%s: %s", story.PayoutID, orDash(string(story.Status)))
	p.say("  %s %s to %s, merchant %s", story.Amount.Value, story.Amount.Currency, story.Recipient, story.Merchant)
	p.say("  asked for by event %s at %s/%d offset %d", orDash(story.EventID), story.Source.Topic, story.Source.Partition, story.Source.Offset)
	p.say("  claimed by plan offset %d; the claims stand at %d of epoch %s", story.Plan, story.Watermark, story.Epoch)
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

// sayRead says how far the requests have been read.
func (s *service) sayRead(ctx context.Context, p *program) {
	for _, topic := range s.topics.Sources() {
		committed, err := s.kafka.CommittedOffsets(ctx, s.cfg.GroupOf(topic), topic)
		if err != nil {
			return
		}
		ends, err := s.kafka.Offsets(ctx, topic)
		if err != nil {
			return
		}
		for partition := range len(ends) {
			p.say("  %s/%d is answered to offset %d of %d", topic, partition, max(0, committed[partition].Offset), ends[partition].End)
		}
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
