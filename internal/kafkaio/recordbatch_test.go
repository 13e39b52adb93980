package kafkaio_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/toplu/toplu/internal/kafkaio"
)

// odd are messages with everything that a record may have and lack.
func odd() []kafkaio.Message {
	messages := []kafkaio.Message{
		{},
		{Key: []byte{}, Value: []byte{}},
		{Key: []byte("k"), Value: nil},
		{Value: []byte("v"), Headers: []kafkaio.Header{{Key: "a", Value: []byte("1")}, {Key: "a", Value: nil}, {Key: "", Value: []byte{}}}},
		{Value: []byte("v"), Headers: []kafkaio.Header{{Key: "a", Value: []byte("2")}, {Key: "b", Value: []byte("3")}}},
		{Key: bytes.Repeat([]byte("k"), 63), Value: bytes.Repeat([]byte("v"), 64)},
		{Key: bytes.Repeat([]byte("k"), 8191), Value: bytes.Repeat([]byte("v"), 8192), Headers: []kafkaio.Header{{Key: strings.Repeat("h", 64), Value: []byte("x")}}},
	}
	for range 200 { // offsets of two bytes
		messages = append(messages, kafkaio.Message{Key: []byte("more"), Value: []byte("of them")})
	}
	return messages
}

// recordsOf are messages as they are read back.
func recordsOf(messages []kafkaio.Message, base int64, at time.Time) []kafkaio.Record {
	var want []kafkaio.Record
	for i, m := range messages {
		want = append(want, kafkaio.Record{Offset: base + int64(i), Time: at, Key: m.Key, Value: m.Value, Headers: m.Headers})
	}
	return want
}

var moment = time.UnixMilli(1_780_000_000_123)

// TestBatchBothWays: what is written is read back as it was, with every
// compression, and the library reads the same in it.
func TestBatchBothWays(t *testing.T) {
	t.Parallel()
	for _, compression := range []kafka.Compression{0, kafka.Gzip, kafka.Snappy, kafka.Lz4, kafka.Zstd} {
		t.Run(compression.String(), func(t *testing.T) {
			t.Parallel()
			batch, err := kafkaio.AppendBatch(nil, odd(), compression, moment)
			if err != nil {
				t.Fatal(err)
			}
			got, next, err := kafkaio.Decode(batch, 0)
			want := recordsOf(odd(), 0, moment)
			if diff := cmp.Diff(want, got); err != nil || diff != "" || next != int64(len(want)) {
				t.Errorf("next %d, %v (-want +got):\n%s", next, err, diff)
			}
			// The library tells nil from empty for keys and values, and has no
			// header without value.
			if diff := cmp.Diff(want, byLibrary(t, batch), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("the library reads (-want +got):\n%s", diff)
			}
		})
	}
}

// byLibrary has kafka-go read a batch.
func byLibrary(t testing.TB, batch []byte) (records []kafkaio.Record) {
	t.Helper()
	var set protocol.RecordSet
	if _, err := set.ReadFrom(bytes.NewBuffer(append(binary.BigEndian.AppendUint32(nil, uint32(len(batch))), batch...))); err != nil {
		t.Fatal(err)
	}
	for {
		r, err := set.Records.ReadRecord()
		if errors.Is(err, io.EOF) {
			return records
		}
		if err != nil {
			t.Fatal(err)
		}
		rec := kafkaio.Record{Offset: r.Offset, Time: r.Time}
		if rec.Key, err = protocol.ReadAll(r.Key); err != nil {
			t.Fatal(err)
		}
		if rec.Value, err = protocol.ReadAll(r.Value); err != nil {
			t.Fatal(err)
		}
		for _, h := range r.Headers {
			rec.Headers = append(rec.Headers, kafkaio.Header(h))
		}
		records = append(records, rec)
	}
}

func libraryRecords(messages []kafkaio.Message) []protocol.Record {
	records := make([]protocol.Record, len(messages))
	for i, m := range messages {
		records[i] = protocol.Record{Key: protocol.NewBytes(m.Key), Value: protocol.NewBytes(m.Value)}
		for _, h := range m.Headers {
			records[i].Headers = append(records[i].Headers, protocol.Header(h))
		}
	}
	return records
}

// TestBatchOfTheLibrary: what the library writes is read as it does.
func TestBatchOfTheLibrary(t *testing.T) {
	t.Parallel()
	records := libraryRecords(odd())
	for i := range records {
		records[i].Time = moment.Add(time.Duration(i) * time.Second)
	}
	set := protocol.RecordSet{Version: 2, Attributes: protocol.Attributes(kafka.Lz4), Records: protocol.NewRecordReader(records...)}
	var wire bytes.Buffer
	if _, err := set.WriteTo(&wire); err != nil {
		t.Fatal(err)
	}
	got, _, err := kafkaio.Decode(wire.Bytes()[4:], 0)
	if diff := cmp.Diff(byLibrary(t, wire.Bytes()[4:]), got, cmpopts.EquateEmpty()); err != nil || diff != "" || len(got) != len(records) {
		t.Errorf("%v (-library +got):\n%s", err, diff)
	}
}

// TestTimeOfTheBroker: where the topic says when the broker got a record, that is
// its time.
func TestTimeOfTheBroker(t *testing.T) {
	t.Parallel()
	batch, err := kafkaio.AppendBatch(nil, odd()[:2], 0, moment)
	if err != nil {
		t.Fatal(err)
	}
	got := moment.Add(time.Hour)
	binary.BigEndian.PutUint64(batch[35:], uint64(got.UnixMilli()))
	records, _, err := kafkaio.Decode(resummed(batch, 22, 1<<3), 0)
	if err != nil || len(records) != 2 || !records[1].Time.Equal(got) {
		t.Errorf("%v, %v", records, err)
	}
}

// FuzzDecodeBatches: no batches make the decoder panic, go back, or return what is
// before the offset asked for.
func FuzzDecodeBatches(f *testing.F) {
	for _, compression := range []kafka.Compression{0, kafka.Gzip, kafka.Snappy, kafka.Lz4, kafka.Zstd} {
		batch, err := kafkaio.AppendBatch(nil, odd()[:7], compression, moment)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(batch, 60, byte(7), int64(2))
	}
	f.Add(append(batchOf(5, 9, 2, 7), batchOf(15, 0, 0)...), 0, byte(0), int64(6))
	f.Fuzz(func(t *testing.T, set []byte, at int, value byte, offset int64) {
		if at >= 21 && at < len(set) {
			set = resummed(bytes.Clone(set), at, value) // right on the outside, wrong inside
		}
		records, next, err := kafkaio.Decode(set, offset)
		if err != nil && (!errors.Is(err, kafkaio.ErrCorrupt) || len(records) > 0) || next < offset {
			t.Fatalf("%d records, next %d, %v", len(records), next, err)
		}
		for _, r := range records {
			if r.Offset < offset || r.Offset >= next {
				t.Fatalf("a record at %d, asked for %d, next %d", r.Offset, offset, next)
			}
		}
	})
}

// FuzzReadAnswer: no answer to a fetch makes its reader panic, and a whole one is
// read to its end.
func FuzzReadAnswer(f *testing.F) {
	res := kmsg.NewPtrFetchResponse()
	res.Version = 11
	part := kmsg.NewFetchResponseTopicPartition()
	part.RecordBatches = batchOf(5, 0, 0)
	part.AbortedTransactions = make([]kmsg.FetchResponseTopicPartitionAbortedTransaction, 3)
	topic := kmsg.NewFetchResponseTopic()
	topic.Topic, topic.Partitions = "payout.requests", []kmsg.FetchResponseTopicPartition{part}
	res.Topics = append(res.Topics, topic)
	whole := res.AppendTo(nil)
	f.Add(whole)
	f.Add(whole[:len(whole)-5])
	f.Fuzz(func(t *testing.T, body []byte) {
		batches, err := kafkaio.ReadAnswer(body)
		if bytes.Equal(body, whole) && (err != nil || !bytes.Equal(batches, part.RecordBatches)) {
			t.Fatalf("%d bytes, %v", len(batches), err)
		}
		if len(body) < len(whole) && bytes.HasPrefix(whole, body) && err == nil {
			t.Fatalf("cut off after %d bytes, and nobody says so", len(body))
		}
	})
}
