package kafkaio

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/listoffsets"
	"github.com/segmentio/kafka-go/protocol/offsetfetch"
)

// Offsets are the ends of a partition's log.
type Offsets struct {
	Start      int64 // the first offset there is
	End        int64 // the high watermark: one past the last that is safe on the replicas
	LastStable int64 // End, or the first offset of a transaction that is still open
}

// Offsets returns the ends of the partitions named, or of all of the topic's.
// It repeats temporary errors until the client's timeout.
func (c *Client) Offsets(ctx context.Context, topic string, partitions ...int) (map[int]Offsets, error) {
	out := make(map[int]Offsets)
	err := c.again(ctx, func(ctx context.Context) error {
		// The end is asked for last, so that start <= stable <= end whatever
		// happens between.
		start, err := c.listOffsets(ctx, topic, partitions, kafka.FirstOffset, kafka.ReadUncommitted)
		if err != nil {
			return err
		}
		stable, err := c.listOffsets(ctx, topic, partitions, kafka.LastOffset, kafka.ReadCommitted)
		if err != nil {
			return err
		}
		end, err := c.listOffsets(ctx, topic, partitions, kafka.LastOffset, kafka.ReadUncommitted)
		if err != nil {
			return err
		}
		for p := range end {
			out[p] = Offsets{Start: start[p], LastStable: stable[p], End: end[p]}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("offsets of %s: %w", topic, err)
	}
	return out, nil
}

// OffsetsAt returns, for the partitions named or all of the topic's, the offset
// of the first record whose time is at or after t, and the end of the log where
// there is none. It repeats temporary errors until the client's timeout.
func (c *Client) OffsetsAt(ctx context.Context, topic string, t time.Time, partitions ...int) (map[int]int64, error) {
	var out map[int]int64
	err := c.again(ctx, func(ctx context.Context) error {
		end, err := c.listOffsets(ctx, topic, partitions, kafka.LastOffset, kafka.ReadUncommitted)
		if err != nil {
			return err
		}
		out, err = c.listOffsets(ctx, topic, partitions, t.UnixMilli(), kafka.ReadUncommitted)
		if err != nil {
			return err
		}
		for p, offset := range out {
			if offset < 0 {
				out[p] = end[p]
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("offsets of %s at %s: %w", topic, t.UTC().Format(time.RFC3339), err)
	}
	return out, nil
}

// listOffsets asks each partition's leader one question: an offset by time in
// milliseconds, or by kafka.FirstOffset or kafka.LastOffset.
func (c *Client) listOffsets(ctx context.Context, topic string, partitions []int, at int64, level kafka.IsolationLevel) (map[int]int64, error) {
	partitions, err := c.allIfNone(ctx, topic, partitions)
	if err != nil {
		return nil, err
	}
	asked := listoffsets.RequestTopic{Topic: topic}
	for _, p := range partitions {
		asked.Partitions = append(asked.Partitions, listoffsets.RequestPartition{
			Partition: int32(p), CurrentLeaderEpoch: -1, Timestamp: at,
		})
	}
	m, err := c.roundTrip(ctx, c.transport, &listoffsets.Request{
		ReplicaID: -1, IsolationLevel: int8(level), Topics: []listoffsets.RequestTopic{asked},
	}, c.cfg.Timeout)
	if err != nil {
		return nil, err
	}
	out := make(map[int]int64)
	for _, t := range m.(*listoffsets.Response).Topics {
		for _, p := range t.Partitions {
			if p.ErrorCode != 0 {
				c.refresh()
				return nil, missing(codeError(p.ErrorCode))
			}
			out[int(p.Partition)] = p.Offset
		}
	}
	return out, nil
}

// Committed is what a group has committed for a partition.
type Committed struct {
	Offset   int64 // the offset to go on from, or [NoOffset]
	Metadata string
	Found    bool // false: the group has committed nothing, or it has expired
}

// CommittedOffsets returns what a group has committed for every partition of a
// topic. It repeats temporary errors until the client's timeout.
func (c *Client) CommittedOffsets(ctx context.Context, group, topic string) (map[int]Committed, error) {
	var out map[int]Committed
	err := c.again(ctx, func(ctx context.Context) error {
		var err error
		out, err = c.committed(ctx, group, topic)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("offsets committed by %s for %s: %w", group, topic, err)
	}
	return out, nil
}

func (c *Client) committed(ctx context.Context, group, topic string) (map[int]Committed, error) {
	partitions, err := c.allIfNone(ctx, topic, nil)
	if err != nil {
		return nil, err
	}
	asked := offsetfetch.RequestTopic{Name: topic}
	for _, p := range partitions {
		asked.PartitionIndexes = append(asked.PartitionIndexes, int32(p))
	}
	m, err := c.roundTrip(ctx, c.transport, &offsetfetch.Request{
		GroupID: group, Topics: []offsetfetch.RequestTopic{asked},
	}, c.cfg.Timeout)
	if err != nil {
		return nil, err
	}
	res := m.(*offsetfetch.Response)
	out := make(map[int]Committed)
	for _, p := range partitions {
		out[p] = Committed{Offset: NoOffset}
	}
	switch err := codeError(res.ErrorCode); {
	case errors.Is(err, kafka.GroupIdNotFound):
		return out, nil
	case err != nil:
		return nil, err
	}
	for _, t := range res.Topics {
		for _, p := range t.Partitions {
			if p.ErrorCode != 0 {
				return nil, codeError(p.ErrorCode)
			}
			if p.CommittedOffset >= 0 {
				out[int(p.PartitionIndex)] = Committed{Offset: p.CommittedOffset, Metadata: p.Metadata, Found: true}
			}
		}
	}
	return out, nil
}
