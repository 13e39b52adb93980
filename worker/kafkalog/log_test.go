package kafkalog_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/rs/zerolog"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
	"github.com/toplu/toplu/worker/kafkalog"
	"github.com/toplu/toplu/worker/workertest"
)

func TestOnKfake(t *testing.T) {
	k, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	suite(t, k.ListenAddrs())
}

// suite runs the conformance suite of logs, and reads a request as it came.
func suite(t *testing.T, brokers []string) {
	t.Helper()
	client, err := kafkaio.Dial(kafkaio.Config{Brokers: brokers, Logger: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var topics atomic.Int64
	topic := func(t *testing.T) string {
		t.Helper()
		name := fmt.Sprintf("log-%d", topics.Add(1))
		if err := client.CreateTopics(t.Context(), kafkaio.TopicSpec{Name: name, Partitions: 2}); err != nil {
			t.Fatal(err)
		}
		return name
	}
	workertest.TestLog(t, func(t *testing.T) worker.Log { return kafkalog.New(client, topic(t), 1) })

	t.Run("original", func(t *testing.T) {
		name := topic(t)
		sent := schema.Message{Key: []byte("k"), Value: []byte("v"), Headers: []schema.Header{{Key: "h", Value: []byte("1")}}}
		if err := kafkalog.NewPublisher(client, name).Publish(t.Context(), []schema.Message{sent}); err != nil {
			t.Fatal(err)
		}
		for partition := range 2 {
			m, err := kafkalog.NewOriginals(client).Original(t.Context(), schema.Source{Topic: name, Partition: partition})
			if err == nil && (string(m.Value) != "v" || string(m.Key) != "k" || string(m.Headers[0].Value) != "1") {
				t.Errorf("read %+v", m)
			}
			if want := partition != kafkaio.PartitionFor([]byte("k"), 2); want != (err != nil) {
				t.Errorf("partition %d: error %v", partition, err)
			}
		}
	})
}
