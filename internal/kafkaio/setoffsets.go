package kafkaio

import (
	"context"
	"fmt"

	"github.com/segmentio/kafka-go/protocol/offsetcommit"
)

// SetOffsets commits offsets by partition for a group that has no members, as an
// administrator's tool does. It repeats temporary errors until the client's timeout.
func (c *Client) SetOffsets(ctx context.Context, group, topic string, offsets map[int]int64) error {
	commit := offsetcommit.RequestTopic{Name: topic}
	for partition, offset := range offsets {
		commit.Partitions = append(commit.Partitions, offsetcommit.RequestPartition{
			PartitionIndex: int32(partition), CommittedOffset: offset, CommittedLeaderEpoch: -1,
		})
	}
	err := c.again(ctx, func(ctx context.Context) error {
		m, err := c.roundTrip(ctx, c.transport, &offsetcommit.Request{
			GroupID: group, GenerationID: -1, Topics: []offsetcommit.RequestTopic{commit},
		}, c.cfg.Timeout)
		if err != nil {
			return err
		}
		return commitError(m.(*offsetcommit.Response))
	})
	if err != nil {
		return fmt.Errorf("set offsets of group %s for %s: %w", group, topic, err)
	}
	return nil
}
