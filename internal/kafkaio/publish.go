package kafkaio

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/cenkalti/backoff/v4"
	"golang.org/x/sync/errgroup"
)

// publishers is how many partitions one Publish writes to at a time. Each needs
// a connection of its own.
const publishers = 8

// Publish writes messages to the partitions that their keys hash to, see
// [PartitionFor], or that they name, and returns when all in-sync replicas have
// all of them. Messages without key or partition go to one partition, another
// with each call. Messages to one partition are written in order, and none
// before the one before it is acknowledged.
//
// Temporary errors and lost answers are repeated with growing pauses until ctx
// ends: a message is written at least once, and may be twice. A topic that is
// missing is waited for no longer than the client's timeout. After an error some
// messages may have been written, or still be; so the slice must not be changed
// afterwards, either.
func (c *Client) Publish(ctx context.Context, topic string, messages []Message) error {
	if len(messages) == 0 {
		return nil
	}
	partitions, err := c.partitionIDs(ctx, topic)
	if err != nil {
		return fmt.Errorf("publish to %s: %w", topic, err)
	}
	byPartition, err := spread(messages, partitions)
	if err != nil {
		return fmt.Errorf("publish to %s: %w", topic, err)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(publishers)
	for partition, list := range byPartition {
		if len(list) > 0 {
			group.Go(func() error { return c.publishTo(ctx, topic, partition, list) })
		}
	}
	return group.Wait()
}

// An Addressed message is one and the topic that it goes to.
type Addressed struct {
	Topic string
	Message
}

// PublishAll is [Client.Publish] for messages of several topics, one topic after
// the other.
func (c *Client) PublishAll(ctx context.Context, messages []Addressed) error {
	byTopic := map[string][]Message{}
	for _, m := range messages {
		byTopic[m.Topic] = append(byTopic[m.Topic], m.Message)
	}
	for topic, some := range byTopic {
		if err := c.Publish(ctx, topic, some); err != nil {
			return err
		}
	}
	return nil
}

// spread sorts messages by partition, keeping their order.
func spread(messages []Message, partitions []int) ([][]Message, error) {
	keyless := rand.IntN(len(partitions)) //nolint:gosec // any partition will do
	where, counts := make([]int, len(messages)), make([]int, len(partitions))
	for i := range messages {
		m, p := &messages[i], keyless
		switch {
		case m.Partition != nil:
			p = *m.Partition
			if p < 0 || p >= len(partitions) {
				return nil, fmt.Errorf("%w: partition %d of %d", ErrTopicMissing, p, len(partitions))
			}
		case m.Key != nil:
			p = partitionAmong(m.Key, partitions)
		}
		where[i] = p
		counts[p]++
	}
	out := make([][]Message, len(partitions))
	for p, n := range counts {
		switch n {
		case 0:
		case len(messages):
			out[p] = messages // as it is for a shard whose statuses have a partition of their own
			return out, nil
		default:
			out[p] = make([]Message, 0, n)
		}
	}
	for i, p := range where {
		out[p] = append(out[p], messages[i])
	}
	return out, nil
}

// publishTo writes to one partition, batch after batch.
func (c *Client) publishTo(ctx context.Context, topic string, partition int, messages []Message) error {
	limit := maxBatchBytes
	for len(messages) > 0 {
		n := leading(messages, limit)
		err := c.publishBatch(ctx, topic, partition, messages[:n])
		switch {
		case err == nil:
			messages = messages[n:]
		case errors.Is(err, ErrTooLarge) && n > 1:
			limit = max(limit/2, 1) // the topic takes less than the default
		default:
			return err
		}
	}
	return nil
}

// publishBatch writes one batch, as often as it takes.
func (c *Client) publishBatch(ctx context.Context, topic string, partition int, batch []Message) error {
	patience, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	var last error
	err := backoff.Retry(func() error {
		_, v, err := c.produce(ctx, topic, partition, batch)
		switch {
		case err == nil:
			return nil
		case ctx.Err() == nil || last == nil:
			last = err
		}
		givenUp := errors.Is(err, ErrTopicMissing) && patience.Err() != nil
		if v == never || v == unknown && !Temporary(err) || givenUp {
			return backoff.Permanent(err)
		}
		return err
	}, backoff.WithContext(newBackoff(), ctx))
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%w (at last: %w)", context.Cause(ctx), last)
	}
	return last
}
