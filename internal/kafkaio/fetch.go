package kafkaio

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/fetch"
)

// maxFetchBytes is how far a reader grows to get one whole record batch.
const maxFetchBytes = 64 << 20

// leastFetchBytes is how little a reader asks for where records are compressed
// well.
const leastFetchBytes = 4 << 10

// ReaderOptions say how much a [Reader] asks for at once.
type ReaderOptions struct {
	// MaxBytes is about how many bytes of records one answer holds. A batch
	// that is larger is still read. Batches may be compressed, and are small on
	// the way and large in memory: a reader begins with a sixteenth and goes by
	// what came.
	//
	// Defaults to 1 MiB.
	MaxBytes int

	// MaxWait is how long Next waits where there is nothing to read. Below a
	// millisecond it does not wait.
	//
	// Defaults to 500 milliseconds.
	MaxWait time.Duration
}

// Reader reads one partition from an offset on, in order, committed records
// only. It is for one goroutine, holds nothing, and needs no closing.
type Reader struct {
	c         *Client
	topic     string
	partition int
	offset    int64 // the next to ask for
	opts      ReaderOptions
	bytes     int // of batches to ask for: so that MaxBytes of records come, or more while one batch does not fit
}

// Batch is what one look at a partition gave. Records may be empty and Next
// still have moved, past markers and aborted transactions. A reader has seen
// everything up to an end when Next >= end; the last record may be well before.
type Batch struct {
	Records       []Record
	Next          int64 // the offset to go on from
	HighWatermark int64 // one past the last record that is safe on the replicas
	LastStable    int64 // one past the last record readable: not above an open transaction
	LogStart      int64 // the first offset there is
}

// NewReader returns a reader of one partition. It asks for nothing yet.
func (c *Client) NewReader(topic string, partition int, from int64, opts ReaderOptions) *Reader {
	if opts.MaxBytes <= 0 {
		opts.MaxBytes = 1 << 20
	}
	if opts.MaxWait <= 0 {
		opts.MaxWait = 500 * time.Millisecond
	}
	return &Reader{c: c, topic: topic, partition: partition, offset: from, opts: opts, bytes: min(opts.MaxBytes, max(opts.MaxBytes/16, leastFetchBytes))}
}

// Offset is the offset that Next asks for.
func (r *Reader) Offset() int64 { return r.offset }

// From has Next go on from another offset. What the reader knows of how well
// records are compressed it keeps.
func (r *Reader) From(offset int64) { r.offset = offset }

// Next returns what comes next, waiting for MaxWait at most if there is nothing
// yet. After an error the reader stands where it stood, and Next may be called
// again: at once if it likes, but better after a pause while [Temporary] says
// that it may help. [OutOfRangeError] and [ErrCorrupt] are alarms.
func (r *Reader) Next(ctx context.Context) (Batch, error) {
	res, err := r.c.fetch(ctx, r.topic, r.partition, r.offset, r.bytes, r.opts.MaxWait)
	if err != nil {
		return Batch{}, fmt.Errorf("read %s/%d from %d: %w", r.topic, r.partition, r.offset, err)
	}
	set, err := decode(res.batches, r.offset, res.aborted)
	if err != nil {
		return Batch{}, fmt.Errorf("read %s/%d from %d: %w", r.topic, r.partition, r.offset, err)
	}
	for i := range set.records {
		set.records[i].Topic, set.records[i].Partition = r.topic, r.partition
	}
	switch {
	case set.batches > 0:
		r.bytes = r.enough(set.bytes)
	case r.offset < res.lastStable && r.bytes < maxFetchBytes:
		// There is something, but not one whole batch of it: ask for more.
		// Brokers since 2016 do not cut the first batch, so this is rare.
		r.bytes *= 2
	case r.offset < res.lastStable && len(res.batches) > 0:
		return Batch{}, fmt.Errorf("read %s/%d from %d: %w: %d bytes were asked for, and no whole batch is in the %d that came", r.topic, r.partition, r.offset, ErrCorrupt, r.bytes, len(res.batches))
	}
	r.offset = set.next
	return Batch{
		Records:       set.records,
		Next:          set.next,
		HighWatermark: res.highWatermark,
		LastStable:    res.lastStable,
		LogStart:      res.logStart,
	}, nil
}

// enough is how many bytes of batches to ask for after so many bytes of records
// came.
func (r *Reader) enough(came int) int {
	asked := min(r.bytes, r.opts.MaxBytes) // more was for one batch
	switch {
	case came > r.opts.MaxBytes:
		return max(int(int64(asked)*int64(r.opts.MaxBytes)/int64(came)), min(asked, leastFetchBytes))
	case came >= asked/2 && came <= r.opts.MaxBytes/2:
		return min(2*asked, r.opts.MaxBytes)
	}
	return asked
}

// ReadAt reads the one committed record at an offset. It returns [ErrNoRecord]
// if there is none: not written or not committed yet, aborted, compacted, or a
// marker. An offset outside of the log is [OutOfRangeError].
func (c *Client) ReadAt(ctx context.Context, topic string, partition int, offset int64) (Record, error) {
	// A broker sends the first batch whole, however little is asked for.
	r := c.NewReader(topic, partition, offset, ReaderOptions{MaxBytes: 4 << 10, MaxWait: time.Microsecond})
	for {
		b, err := r.Next(ctx)
		switch {
		case err != nil:
			return Record{}, err
		case len(b.Records) > 0 && b.Records[0].Offset == offset:
			return b.Records[0], nil
		case b.Next > offset, offset >= b.LastStable, r.bytes >= maxFetchBytes:
			return Record{}, fmt.Errorf("read %s/%d at %d: %w", topic, partition, offset, ErrNoRecord)
		}
	}
}

// fetch asks the partition's leader for committed records from an offset on.
func (c *Client) fetch(ctx context.Context, topic string, partition int, offset int64, maxBytes int, maxWait time.Duration) (*fetchAnswer, error) {
	req := &fetchRequest{clientID: c.cfg.ClientID, Request: &fetch.Request{
		ReplicaID:      -1,
		MaxWaitTime:    int32(maxWait.Milliseconds()),
		MinBytes:       1,
		MaxBytes:       math.MaxInt32, // the partition's limit is enough, with one partition
		IsolationLevel: int8(kafka.ReadCommitted),
		SessionEpoch:   -1, // no fetch session: every answer stands alone
		Topics: []fetch.RequestTopic{{
			Topic: topic,
			Partitions: []fetch.RequestPartition{{
				Partition:          int32(partition),
				CurrentLeaderEpoch: -1,
				FetchOffset:        offset,
				LogStartOffset:     -1,
				PartitionMaxBytes:  int32(maxBytes),
			}},
		}},
	}}
	m, err := c.roundTrip(ctx, c.transport, req, maxWait+c.cfg.Timeout)
	if err != nil {
		if isDecoding(err) {
			return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		return nil, err
	}
	res := m.(*fetchAnswer)
	switch {
	case res.named && res.code == 0:
		return res, nil
	case !res.named && res.code != 0:
		return nil, codeError(res.code)
	case !res.named:
		return nil, &transientError{text: "kafka: the answer to a fetch names no partition", err: ErrNoRecord}
	}
	return nil, c.explainFetch(ctx, topic, partition, offset, codeError(res.code))
}

// explainFetch makes of a broker's refusal what the reader's caller can act on.
func (c *Client) explainFetch(ctx context.Context, topic string, partition int, offset int64, err error) error {
	switch {
	case errors.Is(err, kafka.OffsetOutOfRange):
		out := &OutOfRangeError{Topic: topic, Partition: partition, Asked: offset, LogStart: -1, End: -1}
		if known, lerr := c.Offsets(ctx, topic, partition); lerr == nil {
			out.LogStart, out.End = known[partition].Start, known[partition].End
		}
		return out
	case errors.Is(err, kafka.UnknownTopicOrPartition):
		c.refresh()
		return &transientError{text: "kafka: the broker does not have this partition", err: errors.Join(ErrTopicMissing, err)}
	case errors.Is(err, kafka.InvalidMessage):
		return fmt.Errorf("%w: the broker found its own log damaged: %w", ErrCorrupt, err)
	case Temporary(err):
		c.refresh()
	}
	return err
}
