package app

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/toplu/toplu/internal/config"
	"github.com/toplu/toplu/internal/kafkaio"
)

// A Problem is something wrong with a topic.
type Problem struct {
	Topic   string `json:"topic"`
	Text    string `json:"text"`
	Warning bool   `json:"warning"` // work can go on, but somebody should look
}

// String is the problem in one line.
func (p Problem) String() string {
	if p.Warning {
		return fmt.Sprintf("warning: topic %s %s", p.Topic, p.Text)
	}
	return fmt.Sprintf("topic %s %s", p.Topic, p.Text)
}

// refused returns the problems that no work can go on with.
func refused(problems []Problem) []Problem {
	var bad []Problem
	for _, p := range problems {
		if !p.Warning {
			bad = append(bad, p)
		}
	}
	return bad
}

// allTopics lists the six and those that merchants name, in the order of a
// payout's way.
func allTopics(t config.Topics) []string {
	return append(t.Sources(), t.Own()...)
}

// CheckTopics compares the cluster's topics with what toplu needs and returns
// everything that is wrong. It changes nothing. The error is for a cluster that
// could not be asked.
func CheckTopics(ctx context.Context, kafka *kafkaio.Client, cfg *config.Config) ([]Problem, error) {
	found, err := describeAll(ctx, kafka, cfg)
	if err != nil {
		return nil, err
	}
	return judgeTopics(found, cfg), nil
}

// describeAll returns those of the topics that there are.
func describeAll(ctx context.Context, kafka *kafkaio.Client, cfg *config.Config) (map[string]kafkaio.Topic, error) {
	found, err := kafka.DescribeTopics(ctx, allTopics(cfg.Topics())...)
	if err != nil && !errors.Is(err, kafkaio.ErrTopicMissing) {
		return nil, explainKafka(err)
	}
	return found, nil
}

// A judge collects what is wrong.
type judge struct {
	cfg      *config.Config
	found    map[string]kafkaio.Topic
	problems []Problem
}

func judgeTopics(found map[string]kafkaio.Topic, cfg *config.Config) []Problem {
	j := &judge{cfg: cfg, found: found}
	t := cfg.Topics()
	for _, name := range allTopics(t) {
		topic, ok := found[name]
		if !ok {
			j.wrong(name, "is missing: toplu topics create makes it")
			continue
		}
		j.copies(topic)
		switch name {
		case t.Batches, t.Journal:
			j.keepsForever(topic)
			j.takesPlans(topic)
		case t.DLQ, t.Commands:
			j.keepsAll(topic, j.wrong)
		default:
			j.keepsAll(topic, j.warn)
		}
	}
	j.samePartitions(t)
	j.takesEveryRequest(t)
	return j.problems
}

func (j *judge) wrong(topic, format string, args ...any) {
	j.problems = append(j.problems, Problem{Topic: topic, Text: fmt.Sprintf(format, args...)})
}

func (j *judge) warn(topic, format string, args ...any) {
	j.problems = append(j.problems, Problem{Topic: topic, Text: fmt.Sprintf(format, args...), Warning: true})
}

// copies checks how many machines have to fail before records are lost.
func (j *judge) copies(t kafkaio.Topic) {
	k := j.cfg.Kafka
	before := len(j.problems)
	if k.Replication > t.Replication {
		j.wrong(t.Name, "has %d replicas, but kafka.replication asks for %d: reassign its partitions, or lower kafka.replication", t.Replication, k.Replication)
	}
	switch {
	case t.MinInSyncReplicas > t.Replication:
		j.wrong(t.Name, "needs min.insync.replicas=%d but has %d replicas: nothing can be written", t.MinInSyncReplicas, t.Replication)
	case k.MinInsyncReplicas > t.MinInSyncReplicas:
		j.wrong(t.Name, "has min.insync.replicas=%d, but kafka.minInsyncReplicas asks for %d: alter the topic, or lower kafka.minInsyncReplicas", t.MinInSyncReplicas, k.MinInsyncReplicas)
	}
	if len(j.problems) == before && (t.Replication < 3 || t.MinInSyncReplicas < 2) {
		j.warn(t.Name, "has %d replicas and min.insync.replicas=%d: below 3 and 2, the loss of a machine can lose what was acknowledged", t.Replication, t.MinInSyncReplicas)
	}
}

// keepsForever checks that Kafka never forgets what has been paid.
func (j *judge) keepsForever(t kafkaio.Topic) {
	j.keepsAll(t, j.wrong)
	if t.RetentionMS != -1 {
		j.wrong(t.Name, "has retention.ms=%d and would forget what has been paid: set retention.ms=-1", t.RetentionMS)
	}
	if t.RetentionBytes != -1 {
		j.wrong(t.Name, "has retention.bytes=%d and would forget what has been paid: set retention.bytes=-1", t.RetentionBytes)
	}
}

// keepsAll checks that records with the same key do not replace each other.
func (j *judge) keepsAll(t kafkaio.Topic, say func(string, string, ...any)) {
	if strings.Contains(t.CleanupPolicy, "compact") {
		say(t.Name, "has cleanup.policy=%s, which drops all but the last record of a key: set cleanup.policy=delete", t.CleanupPolicy)
	}
}

// recordRoom is what a record takes besides its value: key, headers, framing.
const recordRoom = 4 << 10

func (j *judge) takesPlans(t kafkaio.Topic) {
	if least := j.cfg.Batch.MaxBytes + recordRoom; t.MaxMessageBytes < least {
		j.wrong(t.Name, "has max.message.bytes=%d, but batch.maxBytes=%d needs %d: raise it, or lower batch.maxBytes", t.MaxMessageBytes, j.cfg.Batch.MaxBytes, least)
	}
}

// samePartitions checks that a shard is the same number in both logs.
func (j *judge) samePartitions(t config.Topics) {
	batches, ok := j.found[t.Batches]
	journal, both := j.found[t.Journal]
	if ok && both && batches.Partitions != journal.Partitions {
		j.wrong(t.Journal, "has %d partitions and %s has %d: both must have the same number, from their creation on", journal.Partitions, t.Batches, batches.Partitions)
	}
}

// takesEveryRequest checks that a request that cannot be read still fits into
// the dead-letter topic, with the reason beside it.
func (j *judge) takesEveryRequest(t config.Topics) {
	largest := largestSource(j.found, t)
	dlq, ok := j.found[t.DLQ]
	if least := largest.MaxMessageBytes + recordRoom; ok && largest.Name != "" && dlq.MaxMessageBytes < least {
		j.wrong(t.DLQ, "has max.message.bytes=%d, but must take what %s takes (%d) and a reason: set max.message.bytes to %d or more", dlq.MaxMessageBytes, largest.Name, largest.MaxMessageBytes, least)
	}
}

// largestSource is the topic of requests that takes the largest messages.
func largestSource(found map[string]kafkaio.Topic, t config.Topics) (largest kafkaio.Topic) {
	for _, name := range t.Sources() {
		if found[name].MaxMessageBytes > largest.MaxMessageBytes {
			largest = found[name]
		}
	}
	return largest
}
