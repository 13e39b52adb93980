package kafkaio_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// Every test closes what it opened, so nothing may be left.
	goleak.VerifyTestMain(m)
}

// fake starts an in-process Kafka.
func fake(t *testing.T, opts ...kfake.Opt) (*kfake.Cluster, cluster) {
	t.Helper()
	opts = append([]kfake.Opt{kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(100 * time.Millisecond)}, opts...)
	k, err := kfake.NewCluster(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k, cluster{brokers: k.ListenAddrs(), session: 2 * time.Second}
}

func TestOnKfake(t *testing.T) {
	t.Parallel()
	_, on := fake(t)
	suite(t, on)
}

func TestOnKfakeOfThreeBrokers(t *testing.T) {
	t.Parallel()
	_, on := fake(t, kfake.NumBrokers(3), kfake.BrokerConfigs(map[string]string{"default.replication.factor": "1"}))
	suite(t, on)
}

// deleteRecords moves the start of partition 0, as retention does.
func deleteRecords(t *testing.T, on cluster, topic string, before int64) {
	t.Helper()
	admin, err := kgo.NewClient(kgo.SeedBrokers(on.brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	req := kmsg.NewPtrDeleteRecordsRequest()
	part := kmsg.NewDeleteRecordsRequestTopicPartition()
	part.Offset = before
	req.Topics = append(req.Topics, kmsg.DeleteRecordsRequestTopic{Topic: topic, Partitions: []kmsg.DeleteRecordsRequestTopicPartition{part}})
	req.TimeoutMillis = 5000
	res, err := req.RequestWith(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	if code := res.Topics[0].Partitions[0].ErrorCode; code != 0 {
		t.Fatalf("delete records: code %d", code)
	}
}
