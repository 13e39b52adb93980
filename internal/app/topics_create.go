package app

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/toplu/toplu/internal/config"
	"github.com/toplu/toplu/internal/kafkaio"
)

type topicsCreateCommand struct {
	jsonFlag
	Partitions int `help:"Partitions of every topic. Default: as many as the topics that are there have, else 4." placeholder:"N"`
}

// Help says more than the line in the list of commands.
func (topicsCreateCommand) Help() string {
	return `Creates those of the six topics that are missing, with replicas as kafka.replication and kafka.minInsyncReplicas say, and checks the others; what is there is never changed. Running it again is fine.

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
	var report topicsReport
	partitions := c.partitions(cfg, found)
	for _, spec := range topicSpecs(cfg, partitions, found) {
		t, there := found[spec.Name]
		switch {
		case there && c.Partitions > 0 && t.Partitions != c.Partitions:
			report.Problems = append(report.Problems, Problem{Topic: spec.Name, Text: fmt.Sprintf("is there with %d partitions, not %d", t.Partitions, c.Partitions)})
		case !there:
			err := kafka.CreateTopics(ctx, spec)
			if err != nil && !errors.Is(err, kafkaio.ErrTopicExists) { // somebody else creates them too
				return err
			}
			report.Created = append(report.Created, spec.Name)
		}
	}
	if found, err = describeAll(ctx, kafka, cfg); err != nil {
		return err
	}
	return p.reportTopics(report, c.JSON, cfg, found)
}

// partitions is how many each new topic gets: what was asked for, or what the
// logs already have, for they must not differ.
func (c *topicsCreateCommand) partitions(cfg *config.Config, found map[string]kafkaio.Topic) int {
	if c.Partitions > 0 {
		return c.Partitions
	}
	t := cfg.Kafka.Topics()
	for _, name := range []string{t.Batches, t.Journal, t.Requests} {
		if topic, ok := found[name]; ok {
			return topic.Partitions
		}
	}
	return defaultPartitions
}

// topicSpecs says how each of the six is made.
func topicSpecs(cfg *config.Config, partitions int, found map[string]kafkaio.Topic) []kafkaio.TopicSpec {
	t := cfg.Kafka.Topics()
	forever := map[string]string{"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
	// A leader that lacks acknowledged records must not be elected: it would
	// forget what has been paid.
	log := with(forever, map[string]string{"max.message.bytes": strconv.Itoa(planBytes), "unclean.leader.election.enable": "false"})
	dlq := max(dlqBytes, found[t.Requests].MaxMessageBytes+dlqBytes/2)
	configs := map[string]map[string]string{
		t.Requests: {}, // as the owner likes
		t.Batches:  log,
		t.Journal:  log,
		t.Statuses: {"cleanup.policy": "delete", "retention.ms": thirtyDays},
		t.DLQ:      with(forever, map[string]string{"max.message.bytes": strconv.Itoa(dlq)}),
		t.Commands: forever,
	}
	var specs []kafkaio.TopicSpec
	for _, name := range allTopics(t) {
		c := configs[name]
		if n := cfg.Kafka.MinInsyncReplicas; n > 0 {
			c = with(c, map[string]string{"min.insync.replicas": strconv.Itoa(n)})
		}
		specs = append(specs, kafkaio.TopicSpec{Name: name, Partitions: partitions, Replication: cfg.Kafka.Replication, Configs: c})
	}
	return specs
}

// with returns the settings of both.
func with(a, b map[string]string) map[string]string {
	all := map[string]string{}
	for _, m := range []map[string]string{a, b} {
		for name, value := range m {
			all[name] = value
		}
	}
	return all
}
