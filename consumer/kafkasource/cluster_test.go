package kafkasource_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
	"go.uber.org/goleak"

	"github.com/toplu/toplu/consumer"
	"github.com/toplu/toplu/consumer/kafkasource"
	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// cluster is what the suite runs against: kfake, or a broker of its own.
type cluster struct {
	brokers []string
	session time.Duration
}

func TestOnKfake(t *testing.T) {
	t.Parallel()
	k, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	suite(t, cluster{k.ListenAddrs(), 2 * time.Second})
}

// suite is what must hold on every Kafka.
func suite(t *testing.T, on cluster) {
	for name, test := range map[string]func(*testing.T, *installation){
		"plans and commits":       plansAndCommits,
		"aborted transactions":    leavesOutAborted,
		"two members":             twoMembersRebalance,
		"start at first":          startsAtFirst,
		"start now":               startsNow,
		"start at a time":         startsAtTime,
		"first start is guarded":  guardsFirstStart,
		"now is guarded later on": guardsNow,
		"a lost group":            goesOnWithoutCommits,
		"a reset group":           obeysReset,
		"a reset below the floor": parksBelowFloor,
		"a group set forward":     answersNothingItSkips,
		"accepted as it is":       goesOnWhenAccepted,
		"another log's commits":   refusesOtherLog,
		"commits beyond the end":  refusesBeyondEnd,
		"deleted requests":        refusesDeleted,
		"missing topic":           endsWithoutTopic,
		"a named topic":           namesAnotherTopic,
		"a named topic's start":   guardsNamedTopic,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newInstallation(t, on))
		})
	}
}

var installations atomic.Int64

// installation is topics and a group of a test's own.
type installation struct {
	on     cluster
	client *kafkaio.Client
	admin  *kgo.Client
	cfg    kafkasource.Config
}

func newInstallation(t *testing.T, on cluster) *installation {
	t.Helper()
	client, err := kafkaio.Dial(kafkaio.Config{Brokers: on.brokers, SessionTimeout: on.session})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	admin, err := kgo.NewClient(kgo.SeedBrokers(on.brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.MaxVersions(kversion.V3_0_0())) // later ones name topics by id in commits
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(admin.Close)
	prefix := fmt.Sprintf("i%d.", installations.Add(1))
	in := &installation{on: on, client: client, admin: admin}
	in.cfg = kafkasource.Config{
		Client: client, Group: prefix + "toplu",
		Requests: prefix + "payout.requests", Batches: prefix + "payout.batches", Statuses: prefix + "payout.statuses",
		DeadLetters: prefix + "payout.requests.dlq",
		LogID:       "log-1",
		Known:       &folder{client: client, topic: prefix + "payout.batches"},
		Planner:     consumer.Config{MaxWait: 20 * time.Millisecond, CommitEvery: 20 * time.Millisecond, StopTimeout: time.Second, Log: zerolog.Nop()},
	}
	for _, name := range []string{in.cfg.Requests, in.cfg.Batches, in.cfg.Statuses, in.cfg.DeadLetters} {
		if err := client.CreateTopics(t.Context(), kafkaio.TopicSpec{Name: name, Partitions: 2, Replication: 1}); err != nil {
			t.Fatal(err)
		}
	}
	for shard := range 2 {
		genesis := schema.EncodePlanGenesis(&schema.Genesis{LogID: "log-1", Partitions: 2, At: time.Now()})
		if _, err := client.NewAppender(in.cfg.Batches, shard).Append(t.Context(), []kafkaio.Message{{Value: genesis}}); err != nil {
			t.Fatal(err)
		}
	}
	return in
}

// start runs a consumer; stop ends it and returns what Run returned.
func (in *installation) start(t *testing.T, cfg kafkasource.Config) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- kafkasource.Run(ctx, cfg) }()
	var once sync.Once
	var err error
	stop = func() error {
		once.Do(func() {
			cancel()
			err = <-done
		})
		return err
	}
	t.Cleanup(func() { _ = stop() })
	return stop
}

// fails runs a consumer that must end by itself.
func (in *installation) fails(t *testing.T, cfg kafkasource.Config) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err := kafkasource.Run(ctx, cfg)
	if err == nil {
		t.Fatal("it went on")
	}
	return err
}

// write puts messages into a partition of requests, as old as told.
func (in *installation) write(t *testing.T, partition int, age time.Duration, messages ...schema.Message) {
	t.Helper()
	var records []*kgo.Record
	for _, m := range messages {
		r := &kgo.Record{Topic: in.cfg.Requests, Partition: int32(partition), Key: m.Key, Value: m.Value, Timestamp: time.Now().Add(-age)}
		for _, h := range m.Headers {
			r.Headers = append(r.Headers, kgo.RecordHeader(h))
		}
		records = append(records, r)
	}
	if err := in.admin.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// commit commits as an administrator's tool does, for a group without members.
func (in *installation) commit(t *testing.T, partition int, offset int64, metadata *string) {
	t.Helper()
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group, req.Generation = in.cfg.Group, -1
	part := kmsg.NewOffsetCommitRequestTopicPartition()
	part.Partition, part.Offset, part.Metadata = int32(partition), offset, metadata
	req.Topics = []kmsg.OffsetCommitRequestTopic{{Topic: in.cfg.Requests, Partitions: []kmsg.OffsetCommitRequestTopicPartition{part}}}
	res, err := req.RequestWith(t.Context(), in.admin)
	if err != nil || res.Topics[0].Partitions[0].ErrorCode != 0 {
		t.Fatalf("commit: %v, %+v", err, res)
	}
}

// committed waits until the group has committed these offsets, or later ones.
func (in *installation) committed(t *testing.T, want ...int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		got, err := in.client.CommittedOffsets(ctx, in.cfg.Group, in.cfg.Requests)
		if err != nil {
			t.Fatal(err)
		}
		all := true
		for p, offset := range want {
			all = all && got[p].Offset >= offset
		}
		if all {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("committed %v, want %v", got, want)
		}
	}
}

// planned lists the payout ids in the plan log, each with how many plans have
// it.
func (in *installation) planned(t *testing.T) map[string]int {
	t.Helper()
	out := make(map[string]int)
	for shard := range 2 {
		for _, r := range in.readAll(t, in.cfg.Batches, shard) {
			rec, err := schema.DecodePlan(r.Value)
			if err == nil && rec.Genesis != nil {
				continue
			}
			if err != nil || rec.Plan.ID != string(r.Key) {
				t.Fatalf("%s/%d at %d: %v", in.cfg.Batches, shard, r.Offset, err)
			}
			for _, it := range rec.Plan.Items {
				if schema.Shard(it.PayoutID, 2) != shard {
					t.Errorf("%s is in shard %d", it.PayoutID, shard)
				}
				out[it.PayoutID]++
			}
		}
	}
	return out
}

// readAll reads a partition to its end.
func (in *installation) readAll(t *testing.T, topic string, partition int) []kafkaio.Record {
	t.Helper()
	records, err := readTo(t.Context(), in.client, topic, partition, 0)
	if err != nil {
		t.Fatal(err)
	}
	return records
}

func readTo(ctx context.Context, c *kafkaio.Client, topic string, partition int, from int64) ([]kafkaio.Record, error) {
	bounds, err := c.Offsets(ctx, topic, partition)
	if err != nil {
		return nil, err
	}
	var out []kafkaio.Record
	r := c.NewReader(topic, partition, from, kafkaio.ReaderOptions{MaxWait: 10 * time.Millisecond})
	for r.Offset() < bounds[partition].End {
		b, err := r.Next(ctx)
		if err != nil {
			return nil, err
		}
		out = append(out, b.Records...)
	}
	return out, nil
}

// folder is a [consumer.Known] that folds the plan log itself.
type folder struct {
	client *kafkaio.Client
	topic  string
}

func (f *folder) Known(ctx context.Context, shard int, ids []string) ([]consumer.Claim, error) {
	records, err := readTo(ctx, f.client, f.topic, shard, 0)
	if err != nil {
		return nil, err
	}
	owners := make(map[string]schema.Digest)
	for _, r := range records {
		rec, err := schema.DecodePlan(r.Value)
		if err != nil {
			return nil, err
		}
		if rec.Plan == nil {
			continue
		}
		for i := range rec.Plan.Items {
			q := rec.Plan.Request(i)
			if _, owned := owners[q.PayoutID]; !owned {
				owners[q.PayoutID] = q.Content()
			}
		}
	}
	claims := make([]consumer.Claim, len(ids))
	for i, id := range ids {
		content, owned := owners[id]
		claims[i] = consumer.Claim{Owned: owned, Content: content}
	}
	return claims, nil
}

func (f *folder) Glance(ctx context.Context, shard int, ids []string) ([]consumer.Claim, error) {
	return f.Known(ctx, shard, ids)
}

// requests makes n requests, called prefix-0 and on.
func requests(prefix string, n int) []schema.Message {
	out := make([]schema.Message, n)
	for i := range out {
		out[i] = schema.EncodeRequest(&schema.Request{
			PayoutID: fmt.Sprintf("%s-%d", prefix, i), Merchant: "default", Purpose: "SETTLEMENT",
			Recipient: schema.Recipient{Type: schema.MemberID, Value: "1001", Name: "Ayşe Yılmaz"},
			Amount:    schema.Amount{Minor: 1000, Currency: schema.TRY},
		}, "e", time.Now())
	}
	return out
}

// each is how many ids with a prefix are planned, and that each is once.
func each(t *testing.T, planned map[string]int, prefix string) int {
	t.Helper()
	n := 0
	for id, times := range planned {
		if !strings.HasPrefix(id, prefix+"-") {
			continue
		}
		n++
		if times != 1 {
			t.Errorf("%s is planned %d times", id, times)
		}
	}
	return n
}
