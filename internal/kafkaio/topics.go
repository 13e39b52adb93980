package kafkaio

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/createtopics"
	"github.com/segmentio/kafka-go/protocol/describeconfigs"
	"github.com/segmentio/kafka-go/protocol/metadata"
)

// TopicSpec is a topic to be created.
type TopicSpec struct {
	Name        string
	Partitions  int // 0: the broker's default
	Replication int // 0: the broker's default
	// Configs are Kafka's topic configs, such as "retention.ms".
	Configs map[string]string
}

// Topic is a topic as the cluster has it.
type Topic struct {
	Name              string
	Partitions        int
	Replication       int // the smallest number of replicas of any partition
	CleanupPolicy     string
	RetentionMS       int64 // -1: without limit
	RetentionBytes    int64 // -1: without limit
	MinInSyncReplicas int
	MaxMessageBytes   int
}

// CreateTopics creates topics. Those that could be are created, also when
// others could not; the error names those, and is [ErrTopicExists] for
// errors.Is if one was there before. What it finds is not changed.
func (c *Client) CreateTopics(ctx context.Context, specs ...TopicSpec) error {
	req := &createtopics.Request{TimeoutMs: int32(c.cfg.Timeout.Milliseconds() / 2)}
	for _, s := range specs {
		topic := createtopics.RequestTopic{Name: s.Name, NumPartitions: -1, ReplicationFactor: -1}
		if s.Partitions > 0 {
			topic.NumPartitions = int32(s.Partitions)
		}
		if s.Replication > 0 {
			topic.ReplicationFactor = int16(s.Replication)
		}
		for name, value := range s.Configs {
			topic.Configs = append(topic.Configs, createtopics.RequestConfig{Name: name, Value: value})
		}
		req.Topics = append(req.Topics, topic)
	}
	// A pool of its own, since the library waits until it sees the new topics
	// in the pool's metadata, which may be limited to others.
	pool := c.newTransport(nil)
	defer pool.CloseIdleConnections()
	m, err := c.roundTrip(ctx, pool, req, c.cfg.Timeout)
	if err != nil {
		return fmt.Errorf("create topics: %w", err)
	}
	c.refresh()
	var failed []error
	for _, t := range m.(*createtopics.Response).Topics {
		switch err := codeError(t.ErrorCode); {
		case err == nil:
		case errors.Is(err, kafka.TopicAlreadyExists):
			failed = append(failed, fmt.Errorf("create topic %s: %w", t.Name, ErrTopicExists))
		default:
			failed = append(failed, fmt.Errorf("create topic %s: %w %s", t.Name, err, t.ErrorMessage))
		}
	}
	return errors.Join(failed...)
}

// DescribeTopics returns the topics named that there are, freshly asked for.
// Others are named in the error, which then is [ErrTopicMissing] for errors.Is.
// It repeats other temporary errors until the client's timeout.
func (c *Client) DescribeTopics(ctx context.Context, names ...string) (map[string]Topic, error) {
	var found map[string]Topic
	var absent []error
	err := c.again(ctx, func(ctx context.Context) error {
		var err error
		found, absent, err = c.describe(ctx, names)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("describe topics: %w", err)
	}
	return found, errors.Join(absent...)
}

func (c *Client) describe(ctx context.Context, names []string) (found map[string]Topic, absent []error, err error) {
	// A pool of its own has no old metadata.
	pool := c.newTransport(names)
	defer pool.CloseIdleConnections()
	m, err := c.roundTrip(ctx, pool, &metadata.Request{TopicNames: names}, c.cfg.Timeout)
	if err != nil {
		return nil, nil, err
	}
	found = make(map[string]Topic)
	req := &describeconfigs.Request{}
	for _, t := range m.(*metadata.Response).Topics {
		switch err := codeError(t.ErrorCode); {
		case errors.Is(err, kafka.UnknownTopicOrPartition):
			absent = append(absent, fmt.Errorf("topic %s: %w", t.Name, ErrTopicMissing))
			continue
		case err != nil:
			return nil, nil, fmt.Errorf("topic %s: %w", t.Name, err)
		}
		found[t.Name] = newTopic(t)
		req.Resources = append(req.Resources, describeconfigs.RequestResource{
			ResourceType: int8(kafka.ResourceTypeTopic),
			ResourceName: t.Name,
			ConfigNames:  []string{"cleanup.policy", "retention.ms", "retention.bytes", "min.insync.replicas", "max.message.bytes"},
		})
	}
	if len(found) == 0 {
		return found, absent, nil
	}
	configs, err := c.roundTrip(ctx, pool, req, c.cfg.Timeout)
	if err != nil {
		return nil, nil, err
	}
	for _, res := range configs.(*describeconfigs.Response).Resources {
		if err := codeError(res.ErrorCode); err != nil {
			return nil, nil, fmt.Errorf("configs of topic %s: %w %s", res.ResourceName, err, res.ErrorMessage)
		}
		t := found[res.ResourceName]
		if err := t.configure(res.ConfigEntries); err != nil {
			return nil, nil, fmt.Errorf("configs of topic %s: %w", res.ResourceName, err)
		}
		found[res.ResourceName] = t
	}
	return found, absent, nil
}

func newTopic(t metadata.ResponseTopic) Topic {
	topic := Topic{Name: t.Name, Partitions: len(t.Partitions)}
	for i, p := range t.Partitions {
		if n := len(p.ReplicaNodes); i == 0 || n < topic.Replication {
			topic.Replication = n
		}
	}
	return topic
}

// configure fills in what the broker says of the topic's configs. One that it
// does not say is an error: a limit not known is not a limit of zero.
func (t *Topic) configure(entries []describeconfigs.ResponseConfigEntry) error {
	values := make(map[string]string)
	for _, e := range entries {
		values[e.ConfigName] = e.ConfigValue
	}
	var bad []error
	number := func(name string) int64 {
		n, err := strconv.ParseInt(values[name], 10, 64)
		if err != nil {
			bad = append(bad, fmt.Errorf("%s is %q, not a number", name, values[name]))
		}
		return n
	}
	t.CleanupPolicy = values["cleanup.policy"]
	t.RetentionMS = number("retention.ms")
	t.RetentionBytes = number("retention.bytes")
	t.MinInSyncReplicas = int(number("min.insync.replicas"))
	t.MaxMessageBytes = int(number("max.message.bytes"))
	return errors.Join(bad...)
}

// Partitions returns how many partitions a topic has, as known at most some
// seconds ago, or [ErrTopicMissing]. It repeats temporary errors until the
// client's timeout.
func (c *Client) Partitions(ctx context.Context, topic string) (int, error) {
	ids, err := c.partitionIDs(ctx, topic)
	return len(ids), err
}

func (c *Client) partitionIDs(ctx context.Context, topic string) ([]int, error) {
	var known metadata.ResponseTopic
	err := c.again(ctx, func(ctx context.Context) error {
		res, err := c.metadata(ctx, topic)
		if err != nil {
			return err
		}
		known = res.Topics[0] // the library answers for every name it was asked
		if known.ErrorCode == int16(kafka.UnknownTopicOrPartition) {
			return ErrTopicMissing
		}
		return codeError(known.ErrorCode)
	})
	if errors.Is(err, ErrTopicMissing) {
		// What is known may be older than the topic.
		return c.freshPartitionIDs(ctx, topic)
	}
	if err != nil {
		return nil, fmt.Errorf("partitions of %s: %w", topic, err)
	}
	return upTo(len(known.Partitions)), nil
}

// freshPartitionIDs asks the cluster itself.
func (c *Client) freshPartitionIDs(ctx context.Context, topic string) ([]int, error) {
	found, err := c.DescribeTopics(ctx, topic)
	if err != nil {
		return nil, err
	}
	c.refresh()
	return upTo(found[topic].Partitions), nil
}

// upTo lists 0 to n-1: Kafka numbers partitions without gaps.
func upTo(n int) []int {
	ids := make([]int, n)
	for i := range ids {
		ids[i] = i
	}
	return ids
}

func (c *Client) allIfNone(ctx context.Context, topic string, partitions []int) ([]int, error) {
	if len(partitions) > 0 {
		return partitions, nil
	}
	return c.partitionIDs(ctx, topic)
}

// missing gives a broker's "unknown topic" its name here.
func missing(err error) error {
	if errors.Is(err, kafka.UnknownTopicOrPartition) {
		return fmt.Errorf("%w (%w)", ErrTopicMissing, err)
	}
	return err
}
