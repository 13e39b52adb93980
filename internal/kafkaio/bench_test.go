package kafkaio_test

import (
	"fmt"
	"testing"

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
