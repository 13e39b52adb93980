package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/toplu/toplu/internal/config"
	"github.com/toplu/toplu/internal/conformance"
	"github.com/toplu/toplu/internal/demo"
	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema"
)

type conformanceCommand struct {
	jsonFlag
	Ledger     []string      `arg:"" help:"Command that runs the ledger's consumer until it is killed." name:"command"`
	Books      string        `help:"Command that prints the ledger's books as JSON lines; split at blanks." placeholder:"COMMAND" required:""`
	Payouts    int           `default:"1000" help:"Payouts to play. Default: ${default}." placeholder:"N"`
	Partitions int           `default:"4" help:"Partitions of the topic played on. Default: ${default}." placeholder:"N"`
	Seed       uint64        `default:"1" help:"Seed of the order in which events come. Default: ${default}." placeholder:"N"`
	Wait       time.Duration `default:"2m" help:"How long the ledger may take over an act; longer than its consumer group's session time-out. Default: ${default}." placeholder:"DURATION"`
}

// Help says more than the line in the list of commands.
func (*conformanceCommand) Help() string {
	return `Plays a stream of statuses to a ledger and checks its books: duplicates, gaps that are filled late, a late returned, unknown and back, a day told again, statuses of tomorrow, kills amid the work, and a second ledger that joins its consumer group and takes over. Each story that went wrong comes with an example and what it teaches.

The ledger's command gets KAFKA_BROKERS, KAFKA_TOPIC and KAFKA_GROUP in its environment; with a group that is new it must begin at the first offset. The command in --books prints one line for each payout:

  {"payoutId":"…","status":"paid","reserved":"0.00","paid":"100.50","commission":"20.00"}

The topic is a new one on the configured brokers; without a configuration, on a simulated broker in this process. The ledger runs twice at once for a while, on the same books; use one without other books in it. docs/ledger.md has the rules and four ledgers that keep them.

Example:

  toplu conformance --books 'node docs/ledgers/node/ledger.js books' -- node docs/ledgers/node/ledger.js`
}

// Run plays, and fails if the books are wrong.
func (c *conformanceCommand) Run(ctx context.Context, p *program) error {
	if c.Partitions < 1 || c.Payouts < conformance.MinPayouts || c.Payouts > 1_000_000 {
		return usageError{fmt.Sprintf("--payouts: allowed: %d to 1000000; --partitions: 1 and more", conformance.MinPayouts)}
	}
	play, err := conformance.Compose(c.Payouts, c.Partitions, c.Seed, time.Now().UTC())
	if err != nil {
		return err
	}
	k, stop, err := p.conformanceKafka(ctx)
	if err != nil {
		return err
	}
	defer stop()
	topic := "conformance-" + newID()
	client, err := dialKafka(k, zerolog.Nop(), topic)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.CreateTopics(ctx, kafkaio.TopicSpec{Name: topic, Partitions: c.Partitions, Replication: k.Replication}); err != nil {
		return explainKafka(err)
	}
	verdict, err := conformance.Run(ctx, play, conformance.Stage{
		Publish:  publishStatuses(client, topic),
		Consumer: c.Ledger, Books: strings.Fields(c.Books),
		Env:  []string{"KAFKA_BROKERS=" + strings.Join(k.Brokers, ","), "KAFKA_TOPIC=" + topic, "KAFKA_GROUP=" + topic},
		Wait: c.Wait, Members: func(ctx context.Context) (int, bool, error) { return client.Members(ctx, topic) },
		Committed: committedSum(client, topic, topic),
		Say:       func(s string) { p.note("%s", s) },
	})
	if err != nil {
		return err
	}
	return c.report(p, verdict)
}

// conformanceKafka is the configured Kafka, or one in this process.
func (p *program) conformanceKafka(ctx context.Context) (config.Kafka, func(), error) {
	if p.configPath != "" || p.env("TOPLU_KAFKA_BROKERS") != "" {
		cfg, err := p.config("kafka")
		if err != nil {
			return config.Kafka{}, nil, err
		}
		return cfg.Kafka, func() {}, nil
	}
	parts, err := demo.Start(ctx, time.Second)
	if err != nil {
		return config.Kafka{}, nil, err
	}
	cfg, err := config.Load("", func(name string) string { return parts.Env()[name] }, "kafka")
	if err != nil {
		parts.Close()
		return config.Kafka{}, nil, err
	}
	return cfg.Kafka, parts.Close, nil
}

func publishStatuses(client *kafkaio.Client, topic string) func(context.Context, []schema.Message) error {
	return func(ctx context.Context, events []schema.Message) error {
		if err := client.Publish(ctx, topic, kafkaio.Messages(events...)); err != nil {
			return explainKafka(err)
		}
		return nil
	}
}

// committedSum asks for all that a group has committed on a topic, added up.
func committedSum(client *kafkaio.Client, group, topic string) func(context.Context) (int64, error) {
	return func(ctx context.Context) (sum int64, err error) {
		offsets, err := client.CommittedOffsets(ctx, group, topic)
		if err != nil {
			return 0, explainKafka(err)
		}
		for _, o := range offsets {
			sum += max(0, o.Offset)
		}
		return sum, nil
	}
}

// report prints the verdict; books that are wrong are an error.
func (c *conformanceCommand) report(p *program, v conformance.Verdict) error {
	if c.JSON {
		if err := p.printJSON(v); err != nil {
			return err
		}
		if !v.OK {
			return errReported
		}
		return nil
	}
	for _, s := range v.Stories {
		if s.Wrong == 0 {
			p.say("fine   %-22s %d payouts", s.Story, s.Payouts)
		}
	}
	for _, s := range v.Stories {
		if s.Wrong > 0 {
			p.say("WRONG  %-22s %d of %d payouts\n       %s\n       %s", s.Story, s.Wrong, s.Payouts, s.Example, s.Lesson)
		}
	}
	for _, id := range v.Strange {
		p.say("WRONG  %s is in the books, and no event had it", id)
	}
	if !v.OK {
		return errors.New("the ledger's books are wrong")
	}
	p.say("The ledger booked each of %d payouts once and right.", v.Payouts)
	return nil
}
