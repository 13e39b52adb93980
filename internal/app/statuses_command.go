package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/internal/oncall"
	"github.com/toplu/toplu/schema"
)

type statusesCommands struct {
	Reemit reemitCommand `cmd:"" help:"Publish statuses again: the same events with the same ids."`
}

type reemitCommand struct {
	jsonFlag
	changeFlags
	IDs   []string  `help:"Those of these payouts, separated by commas." name:"ids" placeholder:"PAYOUT-ID" xor:"what"`
	Batch string    `help:"Those of this batch: its id, or SHARD/OFFSET." placeholder:"BATCH" xor:"what"`
	From  time.Time `help:"Those that came about at or after this time." placeholder:"RFC3339" xor:"what"`
	To    time.Time `help:"With --from: those before this time." placeholder:"RFC3339"`
	Topic string    `help:"Publish to this topic instead of the statuses'." placeholder:"TOPIC"`
	Rate  int       `default:"5000" help:"Events a second at most. Default: ${default}." placeholder:"N"`
}

// Help says more than the line in the list of commands.
func (*reemitCommand) Help() string {
	return `For a ledger that has lost some: folds the log and publishes the very same events with the very same ids. A ledger that books each id once books nothing twice. Events of refused requests are not among them. Who asked and why goes through payout.commands into the journal of the shards concerned.

Example:

  toplu statuses reemit --from 2026-03-01T00:00:00Z --to 2026-03-02T00:00:00Z --config toplu.yaml
  toplu statuses reemit --ids order-1042-seller-77 --topic ledger.repair --config toplu.yaml`
}

// reemitReport is what was published again.
type reemitReport struct {
	DryRun   bool                        `json:"dryRun"`
	Topic    string                      `json:"topic"`
	Events   int                         `json:"events"`
	Statuses map[schema.PayoutStatus]int `json:"statuses"`
	Sent     int                         `json:"sent"`

	of map[int]bool // shards whose statuses are meant
}

func (r *reemitReport) shards() []int { return slices.Sorted(maps.Keys(r.of)) }

// Run publishes the statuses.
func (c *reemitCommand) Run(ctx context.Context, p *program) error {
	switch {
	case len(c.IDs) == 0 && c.Batch == "" && c.From.IsZero():
		return usageError{"say which statuses are meant: --ids, --batch or --from"}
	case !c.To.IsZero() && c.From.IsZero():
		return usageError{"--to goes with --from"}
	case c.Rate < 1 || c.Rate > 1_000_000:
		return usageError{fmt.Sprintf("--rate %d: allowed: 1 to 1000000", c.Rate)}
	}
	s, d, err := p.desk(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	to, topic, closeTo, err := c.target(ctx, s)
	if err != nil {
		return err
	}
	defer closeTo()
	wanted := &oncall.Wanted{PayoutIDs: c.IDs, Batch: c.Batch, From: c.From, To: c.To}
	report := reemitReport{DryRun: c.DryRun, Topic: topic, Statuses: map[schema.PayoutStatus]int{}, of: map[int]bool{}}
	found := p.progress(-1, "looking for statuses")
	err = d.Statuses(ctx, wanted, func(st *schema.Status) error {
		found.add(1)
		report.Events++
		report.of[schema.Shard(st.PayoutID, d.Shards)] = true
		report.Statuses[st.Status]++
		return nil
	})
	found.end()
	if err != nil {
		return err
	}
	if report.Events > 0 && !c.DryRun {
		if ok, err := c.confirmed(ctx, p, "Publish %d events to %s?", report.Events, topic); !ok {
			return err
		}
		note := c.command(p, schema.CmdReemit)
		note.Reason = c.meant(topic) + ": " + orDash(c.Reason)
		if err := d.NoteOnly(ctx, report.shards(), note); err != nil {
			return err
		}
		bar := p.progress(int64(report.Events), "publishing")
		err = d.Reemit(ctx, to, topic, wanted, c.Rate, func(n int) {
			report.Sent += n
			bar.add(n)
		})
		bar.end()
	}
	if c.JSON {
		if printed := p.printJSON(report); printed != nil {
			return printed
		}
		return err
	}
	if c.DryRun {
		p.say("%d events would be published to %s", report.Events, topic)
		return nil
	}
	p.say("%d of %d events published to %s", report.Sent, report.Events, topic)
	return err
}

// meant says which statuses are meant, for the stories of their payouts.
func (c *reemitCommand) meant(topic string) string {
	what := "of batch " + c.Batch
	switch {
	case len(c.IDs) > 5:
		what = fmt.Sprintf("of %s and %d more payouts", strings.Join(c.IDs[:5], ", "), len(c.IDs)-5)
	case len(c.IDs) > 0:
		what = "of " + strings.Join(c.IDs, ", ")
	case c.Batch == "":
		what = "from " + c.From.UTC().Format(time.RFC3339)
		if !c.To.IsZero() {
			what += " to " + c.To.UTC().Format(time.RFC3339)
		}
	}
	return "those " + what + " to " + topic
}

// target is where the events go. A client knows only the topics it was made for.
func (c *reemitCommand) target(ctx context.Context, s *service) (*kafkaio.Client, string, func(), error) {
	if c.Topic == "" || c.Topic == s.topics.Statuses {
		return s.kafka, s.topics.Statuses, func() {}, nil
	}
	if slices.Contains(allTopics(s.topics), c.Topic) {
		return nil, "", nil, usageError{"--topic " + c.Topic + ": statuses have no place there"}
	}
	client, err := dialKafka(s.cfg.Kafka, s.log, c.Topic)
	if err != nil {
		return nil, "", nil, err
	}
	if _, err := client.Partitions(ctx, c.Topic); err != nil {
		client.Close()
		return nil, "", nil, err
	}
	return client, c.Topic, client.Close, nil
}
