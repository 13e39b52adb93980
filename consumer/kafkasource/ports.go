package kafkasource

import (
	"context"

	"github.com/toplu/toplu/consumer"
	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema"
)

// reader is a partition of the requests' topic.
type reader struct {
	source *source
	from   *kafkaio.Reader
}

// Next implements [consumer.Reader].
func (r *reader) Next(ctx context.Context) (consumer.Batch, error) {
	var b kafkaio.Batch
	err := r.source.untilDone(ctx, func() (err error) {
		b, err = r.from.Next(ctx)
		return err
	})
	if err != nil {
		return consumer.Batch{}, err
	}
	out := consumer.Batch{Records: make([]consumer.Record, len(b.Records)), Next: b.Next, End: b.HighWatermark}
	for i, rec := range b.Records {
		out.Records[i] = consumer.Record{Message: rec.Message(), Offset: rec.Offset}
	}
	return out, nil
}

// committer commits for one generation.
type committer struct {
	generation *kafkaio.Generation
	metadata   map[int]string // by partition
}

// Commit implements [consumer.Committer]. Partitions of one era, so nearly always
// all of them, are committed together.
func (c committer) Commit(ctx context.Context, offsets map[int]int64) error {
	groups := make(map[string]map[int]int64)
	for id, offset := range offsets {
		m := c.metadata[id]
		if groups[m] == nil {
			groups[m] = make(map[int]int64)
		}
		groups[m][id] = offset
	}
	for m, some := range groups {
		if err := c.generation.Commit(ctx, some, m); err != nil {
			return err
		}
	}
	return nil
}

// plans is payout.batches.
type plans []*kafkaio.Appender

func newPlans(c *kafkaio.Client, topic string, shards int) plans {
	p := make(plans, shards)
	for shard := range p {
		p[shard] = c.NewAppender(topic, shard)
	}
	return p
}

// Shards implements [consumer.Plans].
func (p plans) Shards() int { return len(p) }

// Append implements [consumer.Plans].
func (p plans) Append(ctx context.Context, shard int, plan *schema.Plan) error {
	value, err := schema.EncodePlan(plan)
	if err != nil {
		return err
	}
	_, err = p[shard].Append(ctx, []kafkaio.Message{{Key: []byte(plan.ID), Value: value}})
	return err
}

// commands is payout.commands.
type commands []*kafkaio.Appender

func newCommands(c *kafkaio.Client, topic string, shards int) commands {
	return commands(newPlans(c, topic, shards))
}

// Append implements [consumer.Commands].
func (c commands) Append(ctx context.Context, shard int, command *schema.Command) error {
	value, err := schema.EncodeCommand(command)
	if err != nil {
		return err
	}
	_, err = c[shard].Append(ctx, []kafkaio.Message{{Key: []byte(command.PayoutID), Value: value}})
	return err
}

// publisher writes to a topic by the hash of the keys.
type publisher struct {
	client *kafkaio.Client
	topic  string
}

// Publish implements [consumer.Publisher].
func (p publisher) Publish(ctx context.Context, messages []schema.Message) error {
	return p.client.Publish(ctx, p.topic, kafkaio.Messages(messages...))
}
