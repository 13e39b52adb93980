package kafkaio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/offsetcommit"
)

// NoOffset is the offset of a partition for which its group has committed
// nothing yet.
const NoOffset int64 = -1

// PartitionAssignment is a partition given to this member.
type PartitionAssignment struct {
	ID     int
	Offset int64 // the committed offset, or [NoOffset]
}

// Generation is what the group has given this member, for as long as the group
// does not change. Safe for concurrent use.
type Generation struct {
	ID         int    // grows with every rebalance, but starts again when a group is deleted
	MemberID   string // stays while the membership lasts
	Partitions []PartitionAssignment

	c            *Client
	group, topic string
}

func (m *member) newGeneration(gen *kafka.Generation) *Generation {
	g := &Generation{ID: int(gen.ID), MemberID: gen.MemberID, c: m.c, group: gen.GroupID, topic: m.cfg.Topic}
	for _, p := range gen.Assignments[m.cfg.Topic] {
		g.Partitions = append(g.Partitions, PartitionAssignment{ID: p.ID, Offset: max(p.Offset, NoOffset)})
	}
	slices.SortFunc(g.Partitions, func(a, b PartitionAssignment) int { return cmp.Compare(a.ID, b.ID) })
	return g
}

// Commit writes offsets by partition, each the next to be read, with metadata
// to each of them. It is refused with [ErrFenced] when the group has gone on
// without this member. It may be called until the callback of [Client.Join]
// returns, also after its context has ended, so it needs a context of its own
// then. It repeats temporary errors until the client's timeout, so commits must
// not be made at the same time for one partition: the older might land last.
//
// A broker takes from any current member offsets for any partition. So a
// partition that is not this generation's is refused here.
func (g *Generation) Commit(ctx context.Context, offsets map[int]int64, metadata string) error {
	if len(offsets) == 0 {
		return nil
	}
	commit := offsetcommit.RequestTopic{Name: g.topic}
	for partition, offset := range offsets {
		if !slices.ContainsFunc(g.Partitions, func(p PartitionAssignment) bool { return p.ID == partition }) {
			return fmt.Errorf("commit for %s/%d in group %s: %w: the partition is not this member's", g.topic, partition, g.group, ErrFenced)
		}
		commit.Partitions = append(commit.Partitions, offsetcommit.RequestPartition{
			PartitionIndex:       int32(partition),
			CommittedOffset:      offset,
			CommittedLeaderEpoch: -1, // not known; 0 would tell other clients that it is the first
			CommittedMetadata:    metadata,
		})
	}
	err := g.c.again(ctx, func(ctx context.Context) error {
		m, err := g.c.roundTrip(ctx, g.c.transport, &offsetcommit.Request{
			GroupID:      g.group,
			GenerationID: int32(g.ID),
			MemberID:     g.MemberID,
			Topics:       []offsetcommit.RequestTopic{commit},
		}, g.c.cfg.Timeout)
		if err != nil {
			return err
		}
		return commitError(m.(*offsetcommit.Response))
	})
	if err != nil {
		return fmt.Errorf("commit for %s in group %s: %w", g.topic, g.group, err)
	}
	return nil
}

// commitError is the first error of any partition.
func commitError(res *offsetcommit.Response) error {
	for _, t := range res.Topics {
		for _, p := range t.Partitions {
			switch err := codeError(p.ErrorCode); {
			case err == nil:
			case errors.Is(err, kafka.IllegalGeneration), errors.Is(err, kafka.UnknownMemberId),
				errors.Is(err, kafka.RebalanceInProgress), errors.Is(err, kafka.FencedInstanceID):
				return fmt.Errorf("%w: %w", ErrFenced, err)
			default:
				return err
			}
		}
	}
	return nil
}
