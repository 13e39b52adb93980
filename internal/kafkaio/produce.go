package kafkaio

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/produce"
	"github.com/segmentio/kafka-go/protocol/rawproduce"
)

// maxBatchBytes keeps a record batch under the broker's default limit, which is
// 1 MiB and 12 bytes, header included.
const maxBatchBytes = 1<<20 - 64

// verdict is what is known of a produce that was not acknowledged. The zero
// value is that nothing is.
type verdict int

const (
	unknown verdict = iota // it may have been written, or may still be
	later                  // proven not to be written; it may be tried again
	never                  // proven not to be written; trying again does not help
)

// batchRoom is memory for batches on their way, each enough for the largest.
// What is not used for a while the collector frees.
var batchRoom = sync.Pool{New: func() any {
	b := make([]byte, 0, 4+atRecords+maxBatchBytes)
	return &b
}}

// smallBatch is up to which size a batch has memory of its own.
const smallBatch = 64 << 10

// produce sends one record batch to one partition, once, with acks=all, and
// returns the offset of its first record. The verdict is about err.
func (c *Client) produce(ctx context.Context, topic string, partition int, messages []Message) (int64, verdict, error) {
	room := new([]byte)
	if size := 4 + atRecords + sizeOf(messages); size > smallBatch {
		room, _ = batchRoom.Get().(*[]byte)
	} else {
		*room = make([]byte, 0, size)
	}
	set, err := appendBatch((*room)[:4], messages, c.compression, time.Now()) //nolint:forbidigo // the time of the record, which nothing here goes by
	if err != nil {
		return 0, never, fmt.Errorf("write %s/%d: %w", topic, partition, err)
	}
	binary.BigEndian.PutUint32(set, uint32(len(set)-4))
	m, err := c.roundTrip(ctx, c.transport, &rawproduce.Request{
		Acks:    int16(kafka.RequireAll),
		Timeout: int32(c.cfg.Timeout.Milliseconds() / 2),
		Topics: []rawproduce.RequestTopic{{
			Topic: topic,
			Partitions: []rawproduce.RequestPartition{{
				Partition: int32(partition),
				RecordSet: protocol.RawRecordSet{Reader: bytes.NewReader(set)},
			}},
		}},
	}, c.cfg.Timeout)
	if err != nil {
		return 0, verdictOf(err), fmt.Errorf("write %s/%d: %w", topic, partition, err)
	}
	if cap(*room) > smallBatch {
		batchRoom.Put(room) // answered, so the request is no longer read
	}
	res := m.(*produce.Response)
	if len(res.Topics) != 1 || len(res.Topics[0].Partitions) != 1 {
		return 0, unknown, fmt.Errorf("write %s/%d: the answer names no partition", topic, partition)
	}
	p := res.Topics[0].Partitions[0]
	if p.ErrorCode == 0 {
		return p.BaseOffset, unknown, nil
	}
	v, err := judge(p)
	if Temporary(err) {
		c.refresh()
	}
	return 0, v, fmt.Errorf("write %s/%d: %w", topic, partition, err)
}

// verdictOf judges an error that came instead of an answer.
func verdictOf(err error) verdict {
	switch {
	case errors.Is(err, ErrClosed):
		return unknown // it may have been closed while the request was under way
	case isUnsent(err):
		return later
	}
	return unknown
}

var (
	// elsewhere are the answers of a broker that does not lead the partition.
	elsewhere = []kafka.Error{kafka.NotLeaderForPartition, kafka.LeaderNotAvailable, kafka.UnknownTopicOrPartition}

	// notNow are looked at before the append: too few replicas (after it that is
	// another code), and a checksum that was wrong on arrival.
	notNow = []kafka.Error{kafka.NotEnoughReplicas, kafka.InvalidMessage}

	// tooLarge and notEver are looked at before the append, too.
	tooLarge = []kafka.Error{kafka.MessageSizeTooLarge, kafka.RecordListTooLarge}
	notEver  = []kafka.Error{
		kafka.InvalidTopic, kafka.InvalidRequiredAcks, kafka.InvalidTimestamp, kafka.InvalidRecord, kafka.PolicyViolation,
		kafka.TopicAuthorizationFailed, kafka.ClusterAuthorizationFailed,
		kafka.UnsupportedVersion, kafka.UnsupportedForMessageFormat, kafka.UnsupportedCompressionType,
	}
)

// judge says what a broker's refusal proves.
func judge(p produce.ResponsePartition) (verdict, error) {
	code, err := kafka.Error(p.ErrorCode), codeError(p.ErrorCode)
	switch {
	case slices.Contains(elsewhere, code):
		// A broker answers these at the door, but also when it has appended the
		// batch and then lost the partition while it waited for its replicas,
		// which may keep the batch. In the second case the answer has the
		// batch's offset, in the first it has -1.
		if p.BaseOffset == -1 {
			return later, missing(err)
		}
		return unknown, missing(err)
	case slices.Contains(notNow, code):
		return later, err
	case slices.Contains(tooLarge, code):
		return never, fmt.Errorf("%w (%w)", ErrTooLarge, err)
	case slices.Contains(notEver, code):
		return never, err
	}
	return unknown, err
}

// leading returns how many messages fit into one batch of limit bytes, at least
// one.
func leading(messages []Message, limit int) int {
	total := 0
	for i, m := range messages {
		total += m.size()
		if total > limit && i > 0 {
			return i
		}
	}
	return len(messages)
}
