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
	PayoutID string `arg:"" help:"The payout's id." name:"payout-id"`
}

// Help says more than the line in the list of commands.
func (*explainCommand) Help() string {
	return `Tells a payout's whole story from the logs: where it was asked for, its batch, every step with its ids, every status, and what comes next or why nothing does. The recipient is masked.

Example:

  toplu explain order-1042-seller-77 --config toplu.yaml`
}

// Run explains the payout.
func (c *explainCommand) Run(ctx context.Context, p *program) error {
	if !schema.ValidPayoutID(c.PayoutID) {
		return usageError{fmt.Sprintf("%q is no payout id: 1 to 64 of A-Z a-z 0-9 . _ : -", c.PayoutID)}
	}
	cfg, err := p.config()
	if err != nil {
		return err
	}
	log, err := newLogger(cfg.Log, p.stderr)
	if err != nil {
		return err
	}
	s, err := newService(cfg, Roles{}, log)
	if err != nil {
		return err
	}
	defer s.close()
	shards, err := s.kafka.Partitions(ctx, s.topics.Batches)
	if err != nil {
		return explainKafka(err)
	}
	shard := schema.Shard(c.PayoutID, shards)
	plans, journal := s.logs(shard)
	story, err := oncall.Explain(ctx, s.claims, oncall.Logs{
		Plans: plans, Journal: journal,
		JournalAt: func(ctx context.Context, t time.Time) (int64, error) {
			at, err := s.kafka.OffsetsAt(ctx, s.topics.Journal, t, shard)
			return at[shard], err
		},
	}, s.seal, shard, c.PayoutID)
	if err != nil {
		return err
	}
	if c.JSON {
		return p.printJSON(story)
	}
	c.print(ctx, p, s, story)
	return nil
}

// print writes the story as text.
func (c *explainCommand) print(ctx context.Context, p *program, s *service, story *oncall.Payout) {
	if !story.Seen {
		p.say("%s: not seen. No batch has it (shard %d).", story.PayoutID, story.Shard)
		s.sayRead(ctx, p)
		p.say("A request that was refused is in %s with the reason.", s.topics.DLQ)
		return
	}
	p.say("%s: %s", story.PayoutID, orDash(string(story.Status)))
	p.say("  %s %s to %s, merchant %s", story.Amount.Value, story.Amount.Currency, story.Recipient, story.Merchant)
	p.say("  asked for by event %s at %s/%d offset %d", orDash(story.EventID), story.Source.Topic, story.Source.Partition, story.Source.Offset)
	p.say("  batch %s of %d items, shard %d, plan offset %d", story.BatchID, story.Items, story.Shard, story.Plan)
	p.say("statuses")
	for _, l := range story.Statuses {
		p.say("  %s  %d %-13s event %s  %s", stamp(l.At), l.Sequence, l.Status, l.EventID, l.Reason)
	}
	p.say("journal")
	for _, l := range story.Journal {
		p.say("  %s  offset %d %-10s attempt %d %s %s%s", stamp(l.At), l.Offset, l.Record, l.Attempt, l.RequestID, l.Text, void(l.Void))
	}
	p.say("next: %s", story.Next)
}

// sayRead says how far the requests have been read.
func (s *service) sayRead(ctx context.Context, p *program) {
	committed, err := s.kafka.CommittedOffsets(ctx, s.cfg.Kafka.Group, s.topics.Requests)
	if err != nil {
		return
	}
	ends, err := s.kafka.Offsets(ctx, s.topics.Requests)
	if err != nil {
		return
	}
	for partition := range len(ends) {
		p.say("  %s/%d is answered to offset %d of %d", s.topics.Requests, partition, max(0, committed[partition].Offset), ends[partition].End)
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
