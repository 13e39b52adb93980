package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/toplu/toplu/internal/config"
	"github.com/toplu/toplu/internal/kafkaio"
)

type topicsCreateCommand struct {
	jsonFlag
	Partitions int `help:"Partitions of every topic. Default: as many as the topics that are there have, else 4." placeholder:"N"`
}

// Help says more than the line in the list of commands.
func (*topicsCreateCommand) Help() string {
	return `Creates those of the six topics, and of those that merchants name, that are missing, with replicas as kafka.replication and kafka.minInsyncReplicas say, and checks the others; what is there is never changed. Running it again is fine.

The number of partitions is the number of shards. It is fixed for ever by the first run; few make full batches, many let more workers share the work.

Example:

  toplu topics create --partitions 4 --config toplu.yaml`
}

const (
	defaultPartitions = 4
	thirtyDays        = "2592000000" // milliseconds
	dlqBytes          = 2 << 20
	planBytes         = 1<<20 + 12 // the brokers' default, said here so that another default does no harm
)

// Run creates what is missing.
func (c *topicsCreateCommand) Run(ctx context.Context, p *program) error {
	if c.Partitions < 0 || c.Partitions > 10000 {
		return usageError{fmt.Sprintf("--partitions %d: allowed: 1 to 10000", c.Partitions)}
	}
	cfg, kafka, err := p.kafka(allTopics)
	if err != nil {
		return err
	}
	defer kafka.Close()
	found, err := describeAll(ctx, kafka, cfg)
	if err != nil {
		return err
	}
	report, err := c.create(ctx, cfg, kafka, found)
	if err != nil {
		return err
	}
	if found, err = describeAll(ctx, kafka, cfg); err != nil {
		return err
	}
	return p.reportTopics(report, c.JSON, cfg, found)
}

// create makes what is not in found, one after the other: how large the
// dead-letter topic must be is known once the topics of requests are there.
func (c *topicsCreateCommand) create(ctx context.Context, cfg *config.Config, kafka *kafkaio.Client, found map[string]kafkaio.Topic) (topicsReport, error) {
	var report topicsReport
	partitions := c.partitions(cfg, found)
	topics := cfg.Topics()
	for _, name := range allTopics(topics) {
		if t, there := found[name]; there {
			if c.Partitions > 0 && t.Partitions != c.Partitions {
				report.Problems = append(report.Problems, Problem{Topic: name, Text: fmt.Sprintf("is there with %d partitions, not %d", t.Partitions, c.Partitions)})
			}
			continue
		}
		err := kafka.CreateTopics(ctx, topicSpec(cfg, name, partitions, largestSource(found, topics).MaxMessageBytes))
		switch {
		case errors.Is(err, kafkaio.ErrTopicExists): // somebody else creates them too
		case err != nil:
			return report, err
		default:
			report.Created = append(report.Created, name)
		}
		if slices.Contains(topics.Sources(), name) {
			if found, err = describeAll(ctx, kafka, cfg); err != nil {
				return report, err
			}
		}
	}
	return report, nil
}

// partitions is how many each new topic gets: what was asked for, or what the
// logs already have, for they must not differ.
func (c *topicsCreateCommand) partitions(cfg *config.Config, found map[string]kafkaio.Topic) int {
	if c.Partitions > 0 {
		return c.Partitions
	}
	t := cfg.Topics()
	for _, name := range []string{t.Batches, t.Journal, t.Requests} {
		if topic, ok := found[name]; ok {
			return topic.Partitions
		}
	}
	return defaultPartitions
}

// topicSpec says how a topic is made. requestBytes is the largest message that
// a topic of requests takes.
func topicSpec(cfg *config.Config, name string, partitions, requestBytes int) kafkaio.TopicSpec {
	t := cfg.Topics()
	configs := map[string]string{}
	switch name {
	case t.Batches, t.Journal:
		keepForever(configs)
		configs["max.message.bytes"] = strconv.Itoa(planBytes)
		// A leader that lacks acknowledged records must not be elected: it would
		// forget what has been paid.
		configs["unclean.leader.election.enable"] = "false"
	case t.Statuses:
		configs["cleanup.policy"], configs["retention.ms"] = "delete", thirtyDays
	case t.DLQ:
		keepForever(configs)
		configs["max.message.bytes"] = strconv.Itoa(max(dlqBytes, requestBytes+dlqBytes/2))
	case t.Commands:
		keepForever(configs)
	}
	if n := cfg.Kafka.MinInsyncReplicas; n > 0 {
		configs["min.insync.replicas"] = strconv.Itoa(n)
	}
	return kafkaio.TopicSpec{Name: name, Partitions: partitions, Replication: cfg.Kafka.Replication, Configs: configs}
}

func keepForever(configs map[string]string) {
	configs["cleanup.policy"], configs["retention.ms"], configs["retention.bytes"] = "delete", "-1", "-1"
}
