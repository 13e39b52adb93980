package kafkaio

import (
	"context"
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/deletegroups"
	"github.com/segmentio/kafka-go/protocol/deletetopics"
)

// DeleteTopics deletes topics with all that is in them. One that is missing is
// fine. Nothing of a real installation may ever be given to it: it is for topics
// that a measurement made for itself.
func (c *Client) DeleteTopics(ctx context.Context, names ...string) error {
	// A pool of its own has no old metadata.
	pool := c.newTransport(names)
	defer pool.CloseIdleConnections()
	m, err := c.roundTrip(ctx, pool, &deletetopics.Request{TopicNames: names, TimeoutMs: int32(c.cfg.Timeout.Milliseconds() / 2)}, c.cfg.Timeout)
	if err != nil {
		return fmt.Errorf("delete topics: %w", err)
	}
	c.refresh()
	var failed []error
	for _, t := range m.(*deletetopics.Response).Responses {
		if err := codeError(t.ErrorCode); err != nil && !errors.Is(err, kafka.UnknownTopicOrPartition) {
			failed = append(failed, fmt.Errorf("delete topic %s: %w", t.Name, err))
		}
	}
	return errors.Join(failed...)
}

// DeleteGroup deletes a consumer group that has no members, with its commits. One
// that is missing is fine.
func (c *Client) DeleteGroup(ctx context.Context, group string) error {
	m, err := c.roundTrip(ctx, c.transport, &deletegroups.Request{GroupIDs: []string{group}}, c.cfg.Timeout)
	if err != nil {
		return fmt.Errorf("delete group %s: %w", group, err)
	}
	for _, g := range m.(*deletegroups.Response).Responses {
		if err := codeError(g.ErrorCode); err != nil && !errors.Is(err, kafka.GroupIdNotFound) {
			return fmt.Errorf("delete group %s: %w", group, err)
		}
	}
	return nil
}
