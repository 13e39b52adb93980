package kafkaio_test

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/toplu/toplu/internal/kafkaio"
)

// BenchmarkPublish publishes 3,000 status events of 300 bytes to 8 partitions.
func BenchmarkPublish(b *testing.B) {
	c, topic := benchmarkTopic(b, 8)
	messages := make([]kafkaio.Message, 3000)
	for i := range messages {
		messages[i] = kafkaio.Message{Key: fmt.Appendf(nil, "payout-%d", i), Value: make([]byte, 300)}
	}
	for b.Loop() {
		if err := c.Publish(b.Context(), topic, messages); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAppend appends one record after the other.
func BenchmarkAppend(b *testing.B) {
	c, topic := benchmarkTopic(b, 1)
	a := c.NewAppender(topic, 0)
	one := []kafkaio.Message{{Value: make([]byte, 300)}}
	for b.Loop() {
		if _, err := a.Append(b.Context(), one); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBatch encodes and decodes 1,000 records like status events, here and by the
// library, in turn.
func BenchmarkBatch(b *testing.B) {
	messages := make([]kafkaio.Message, 1000)
	for i := range messages {
		m := kafkaio.Message{Key: fmt.Appendf(nil, "payout-%d", i), Value: make([]byte, 390)}
		for h := range 7 {
			m.Headers = append(m.Headers, kafkaio.Header{Key: fmt.Sprintf("ce_header%d", h), Value: fmt.Appendf(nil, "value of header %d", h)})
		}
		messages[i] = m
	}
	batch, err := kafkaio.AppendBatch(nil, messages, 0, moment)
	if err != nil {
		b.Fatal(err)
	}
	room := make([]byte, 0, 2*len(batch))
	var encoding, decoding, byLibraryEncoding, byLibraryDecoding time.Duration
	for b.Loop() {
		encoding += took(func() {
			if _, err := kafkaio.AppendBatch(room[:0], messages, 0, moment); err != nil {
				b.Fatal(err)
			}
		})
		decoding += took(func() {
			if _, _, err := kafkaio.Decode(batch, 0); err != nil {
				b.Fatal(err)
			}
		})
		byLibraryEncoding += took(func() {
			set := protocol.RecordSet{Version: 2, Records: protocol.NewRecordReader(libraryRecords(messages)...)}
			if _, err := set.WriteTo(io.Discard); err != nil {
				b.Fatal(err)
			}
		})
		byLibraryDecoding += took(func() { byLibrary(b, batch) })
	}
	b.ReportMetric(float64(byLibraryEncoding)/float64(encoding), "library/encode")
	b.ReportMetric(float64(byLibraryDecoding)/float64(decoding), "library/decode")
}

func took(f func()) time.Duration {
	began := time.Now()
	f()
	return time.Since(began)
}

func benchmarkTopic(b *testing.B, partitions int32) (*kafkaio.Client, string) {
	b.Helper()
	k, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(partitions, "bench"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(k.Close)
	c, err := kafkaio.Dial(kafkaio.Config{Brokers: k.ListenAddrs()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Close)
	return c, "bench"
}
