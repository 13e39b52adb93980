package kafkaio_test

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/toplu/toplu/internal/kafkaio"
)

// batchOf encodes a record batch that covers last+1 offsets from base on, and
// holds records at some of them: fewer, after compaction.
func batchOf(base int64, last int32, at ...int32) []byte {
	var records []byte
	for _, delta := range at {
		r := kmsg.Record{OffsetDelta: delta, Value: []byte{'v'}}
		body := r.AppendTo(nil)[1:] // without the length, 0 in one byte
		records = append(binary.AppendVarint(records, int64(len(body))), body...)
	}
	b := kmsg.RecordBatch{
		FirstOffset: base, Magic: 2, LastOffsetDelta: last, ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1,
		NumRecords: int32(len(at)), Records: records,
	}
	b.Length = int32(49 + len(records))
	raw := b.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	return raw
}

func corrupt(batch []byte) []byte {
	batch[len(batch)-1] ^= 1
	return batch
}

// resummed is a batch with another byte in it and a checksum that is right.
func resummed(batch []byte, at int, value byte) []byte {
	batch[at] = value
	binary.BigEndian.PutUint32(batch[17:], crc32.Checksum(batch[21:], crc32.MakeTable(crc32.Castagnoli)))
	return batch
}

// TestReadsWhatBrokersSend feeds a reader with answers that real logs lead to,
// but that no broker gives on demand.
func TestReadsWhatBrokersSend(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		from    int64
		answer  [][]byte
		offsets []int64
		next    int64
		corrupt bool
	}{
		{name: "whole", from: 5, answer: [][]byte{batchOf(5, 1, 0, 1)}, offsets: []int64{5, 6}, next: 7},
		{name: "from the middle of a batch", from: 6, answer: [][]byte{batchOf(5, 2, 0, 1, 2)}, offsets: []int64{6, 7}, next: 8},
		{name: "holes inside", from: 5, answer: [][]byte{batchOf(5, 9, 2, 7)}, offsets: []int64{7, 12}, next: 15},
		{name: "the tail is compacted away", from: 7, answer: [][]byte{batchOf(5, 9, 0, 1)}, next: 15},
		{name: "an empty batch", from: 5, answer: [][]byte{batchOf(5, 9)}, next: 15},
		{name: "an empty batch that began before", from: 9, answer: [][]byte{batchOf(5, 9)}, next: 15},
		{name: "empty batches", from: 5, answer: [][]byte{batchOf(5, 9), batchOf(15, 4), batchOf(20, 4)}, next: 25},
		{name: "empty batches, then records", from: 5, answer: [][]byte{batchOf(5, 9), batchOf(15, 4), batchOf(20, 1, 1)}, offsets: []int64{21}, next: 22},
		{name: "a hole before the first batch", from: 5, answer: [][]byte{batchOf(30, 0, 0)}, offsets: []int64{30}, next: 31},
		{name: "cut off after a batch", from: 5, answer: [][]byte{batchOf(5, 0, 0), batchOf(6, 0, 0)[:40]}, offsets: []int64{5}, next: 6},
		{name: "cut off in the first batch", from: 5, answer: [][]byte{batchOf(5, 0, 0)[:40]}, next: 5},
		{name: "nothing", from: 5, next: 5},
		{name: "a wrong checksum", from: 5, answer: [][]byte{corrupt(batchOf(5, 0, 0))}, corrupt: true, next: 5},
		{name: "a wrong checksum after a batch", from: 5, answer: [][]byte{batchOf(5, 0, 0), corrupt(batchOf(6, 0, 0)), batchOf(7, 0, 0)}, offsets: []int64{5}, next: 6},
		{name: "batches that end before", from: 9, answer: [][]byte{batchOf(5, 0, 0), batchOf(6, 1, 0, 1)}, corrupt: true, next: 9},
		{name: "an old format", from: 5, answer: [][]byte{append(append(batchOf(5, 0, 0)[:16:16], 1), batchOf(5, 0, 0)[17:]...)}, corrupt: true, next: 5},
		{name: "a length that cannot be", from: 5, answer: [][]byte{append(append(batchOf(5, 0, 0)[:8:8], 0xff, 0xff, 0xff, 0x80), batchOf(5, 0, 0)[12:]...)}, corrupt: true, next: 5},
		{name: "fewer records than it says", from: 5, answer: [][]byte{resummed(batchOf(5, 1, 0, 1), 60, 3)}, corrupt: true, next: 5},
		{name: "more records than it says", from: 5, answer: [][]byte{resummed(batchOf(5, 1, 0, 1), 60, 1)}, corrupt: true, next: 5},
		{name: "a record past the end of its batch", from: 5, answer: [][]byte{batchOf(5, 0, 3)}, corrupt: true, next: 5},
		{name: "a record longer than its batch", from: 5, answer: [][]byte{resummed(batchOf(5, 0, 0), 61, 40)}, corrupt: true, next: 5},
		{name: "a record longer than its fields", from: 5, answer: [][]byte{resummed(batchOf(5, 1, 0, 1), 61, 2*(8+9))}, corrupt: true, next: 5},
		{name: "an unknown compression", from: 5, answer: [][]byte{resummed(batchOf(5, 0, 0), 22, 7)}, corrupt: true, next: 5},
		{name: "wrong insides after a batch", from: 5, answer: [][]byte{batchOf(5, 0, 0), resummed(batchOf(6, 0, 0), 60, 2)}, offsets: []int64{5}, next: 6},
		{name: "a future format", from: 5, answer: [][]byte{append(append(batchOf(5, 0, 0)[:16:16], 3), batchOf(5, 0, 0)[17:]...)}, corrupt: true, next: 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			k, on := fake(t)
			c := dial(t, on)
			topic := newTopic(t, c, 1, nil)
			k.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
				k.KeepControl()
				return answerFetch(req.(*kmsg.FetchRequest), tt.answer), nil, true
			})
			r := c.NewReader(topic, 0, tt.from, kafkaio.ReaderOptions{})
			b, err := r.Next(t.Context())
			if tt.corrupt != errors.Is(err, kafkaio.ErrCorrupt) || !tt.corrupt && err != nil {
				t.Fatal(err)
			}
			if tt.corrupt && kafkaio.Temporary(err) {
				t.Error("damage is said to be temporary")
			}
			var offsets []int64
			for _, rec := range b.Records {
				offsets = append(offsets, rec.Offset)
			}
			if diff := cmp.Diff(tt.offsets, offsets); diff != "" || r.Offset() != tt.next {
				t.Errorf("next %d, want %d (-want +got):\n%s", r.Offset(), tt.next, diff)
			}
		})
	}
}

func answerFetch(req *kmsg.FetchRequest, batches [][]byte) *kmsg.FetchResponse {
	res := req.ResponseKind().(*kmsg.FetchResponse)
	part := kmsg.NewFetchResponseTopicPartition()
	part.HighWatermark, part.LastStableOffset, part.LogStartOffset = 100, 100, 0
	for _, b := range batches {
		part.RecordBatches = append(part.RecordBatches, b...)
	}
	topic := kmsg.NewFetchResponseTopic()
	topic.Topic, topic.Partitions = req.Topics[0].Topic, []kmsg.FetchResponseTopicPartition{part}
	res.Topics = append(res.Topics, topic)
	return res
}

// TestReaderAsksForMore shows that a reader that gets no whole batch asks for
// more, until it does.
func TestReaderAsksForMore(t *testing.T) {
	t.Parallel()
	k, on := fake(t)
	c := dial(t, on)
	topic := newTopic(t, c, 1, nil)
	batch := batchOf(0, 0, 0)
	k.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		k.KeepControl()
		f := req.(*kmsg.FetchRequest)
		n := min(int(f.Topics[0].Partitions[0].PartitionMaxBytes), len(batch))
		return answerFetch(f, [][]byte{batch[:n]}), nil, true
	})
	r := c.NewReader(topic, 0, 0, kafkaio.ReaderOptions{MaxBytes: 20})
	for r.Offset() == 0 {
		if _, err := r.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestReaderGivesUpOnHalfABatch shows that a batch whose length is damaged, so that it
// never comes whole, is told of as damage after some questions, and not asked for
// for ever.
func TestReaderGivesUpOnHalfABatch(t *testing.T) {
	t.Parallel()
	k, on := fake(t)
	c := dial(t, on)
	topic := newTopic(t, c, 1, nil)
	batch := batchOf(0, 0, 0)
	batch[8] = 0x7f // of its length
	k.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		k.KeepControl()
		return answerFetch(req.(*kmsg.FetchRequest), [][]byte{batch}), nil, true
	})
	r := c.NewReader(topic, 0, 0, kafkaio.ReaderOptions{})
	for range 20 {
		if _, err := r.Next(t.Context()); err != nil {
			if !errors.Is(err, kafkaio.ErrCorrupt) || r.Offset() != 0 {
				t.Errorf("stands at %d after %v", r.Offset(), err)
			}
			return
		}
	}
	t.Error("it asks and asks")
}

// TestReaderStandsAfterALostConnection shows that an answer that was lost costs
// nothing but another call.
func TestReaderStandsAfterALostConnection(t *testing.T) {
	t.Parallel()
	k, on := fake(t)
	c := dial(t, on)
	topic := newTopic(t, c, 1, nil)
	appendAll(t, c, topic, 0, texts(3, "%d")...)
	k.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
		return nil, errors.New("the connection is cut"), true
	})
	r := c.NewReader(topic, 0, 1, kafkaio.ReaderOptions{})
	if _, err := r.Next(t.Context()); !kafkaio.Temporary(err) || r.Offset() != 1 {
		t.Fatalf("stands at %d after %v", r.Offset(), err)
	}
	b, err := r.Next(t.Context())
	if diff := cmp.Diff([]string{"1", "2"}, values(b.Records)); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// TestReaderWaits shows that a reader at the end waits as long as it was told,
// and no longer than there is something or its context lasts.
func TestReaderWaits(t *testing.T) {
	t.Parallel()
	_, on := fake(t)
	c := dial(t, on)
	topic := newTopic(t, c, 1, nil)
	r := c.NewReader(topic, 0, 0, kafkaio.ReaderOptions{MaxWait: time.Minute})

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := r.Next(ctx); !errors.Is(err, context.DeadlineExceeded) || kafkaio.Temporary(err) {
		t.Errorf("a context that ends: %v", err)
	}
	got := make(chan kafkaio.Batch, 1)
	go func() {
		b, err := r.Next(t.Context())
		if err != nil {
			t.Error(err)
		}
		got <- b
	}()
	appendAll(t, c, topic, 0, texts(1, "%d")...)
	if b := <-got; len(b.Records) != 1 {
		t.Errorf("got %v", values(b.Records))
	}
	// And Close ends one that waits.
	closed := make(chan error, 1)
	waiting := make(chan struct{})
	go func() {
		close(waiting)
		_, err := r.Next(t.Context())
		closed <- err
	}()
	<-waiting
	c.Close()
	if err := <-closed; !errors.Is(err, kafkaio.ErrClosed) {
		t.Errorf("a client that is closed: %v", err)
	}
}
