package kafkaio_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/toplu/toplu/internal/kafkaio"
)

// cluster is what the suite runs against: kfake, or a broker of its own.
type cluster struct {
	brokers []string
	session time.Duration // the shortest session it allows
}

var topicNumber atomic.Int64

// suite is what must hold on every Kafka.
func suite(t *testing.T, on cluster) {
	t.Run("read what was written", func(t *testing.T) { t.Parallel(); readsWhatWasWritten(t, on) })
	t.Run("well compressed", func(t *testing.T) { t.Parallel(); readsLittleOfWhatIsCompressed(t, on) })
	t.Run("compressions", func(t *testing.T) { t.Parallel(); readsEveryCompression(t, on) })
	t.Run("small answers", func(t *testing.T) { t.Parallel(); readsWithSmallAnswers(t, on) })
	t.Run("aborted transactions", func(t *testing.T) { t.Parallel(); skipsAborted(t, on) })
	t.Run("open transaction", func(t *testing.T) { t.Parallel(); stopsAtOpenTransaction(t, on) })
	t.Run("read at", func(t *testing.T) { t.Parallel(); readsAt(t, on) })
	t.Run("out of range", func(t *testing.T) { t.Parallel(); outOfRangeIsAnAlarm(t, on) })
	t.Run("offsets", func(t *testing.T) { t.Parallel(); knowsOffsets(t, on) })
	t.Run("append order", func(t *testing.T) { t.Parallel(); appendsInOrder(t, on) })
	t.Run("append large", func(t *testing.T) { t.Parallel(); appendsLargeCalls(t, on) })
	t.Run("append refused", func(t *testing.T) { t.Parallel(); appendRefusals(t, on) })
	t.Run("publish", func(t *testing.T) { t.Parallel(); publishesByKey(t, on) })
	t.Run("topics", func(t *testing.T) { t.Parallel(); describesTopics(t, on) })
	t.Run("missing topic", func(t *testing.T) { t.Parallel(); missingTopicIsNotMade(t, on) })
	t.Run("group of two", func(t *testing.T) { t.Parallel(); twoMembersShare(t, on) })
	t.Run("member that dies", func(t *testing.T) { t.Parallel(); deadMemberIsReplaced(t, on) })
	t.Run("commit fencing", func(t *testing.T) { t.Parallel(); commitsAreFenced(t, on) })
	t.Run("group ends by error", func(t *testing.T) { t.Parallel(); callbackErrorEndsJoin(t, on) })
}

func dial(t *testing.T, on cluster) *kafkaio.Client {
	t.Helper()
	c, err := kafkaio.Dial(kafkaio.Config{Brokers: on.brokers, SessionTimeout: on.session})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// newTopic makes a topic of its own for a test.
func newTopic(t *testing.T, c *kafkaio.Client, partitions int, configs map[string]string) string {
	t.Helper()
	name := fmt.Sprintf("t%d-%s", topicNumber.Add(1), strings.NewReplacer("/", ".", "#", ".").Replace(t.Name()))
	err := c.CreateTopics(t.Context(), kafkaio.TopicSpec{Name: name, Partitions: partitions, Replication: 1, Configs: configs})
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// readTo reads a partition until a reader has seen everything before end.
func readTo(t *testing.T, c *kafkaio.Client, topic string, partition int, from, end int64, opts kafkaio.ReaderOptions) []kafkaio.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var out []kafkaio.Record
	r := c.NewReader(topic, partition, from, opts)
	for r.Offset() < end {
		b, err := r.Next(ctx)
		if err != nil {
			t.Fatalf("after %d records: %v", len(out), err)
		}
		out = append(out, b.Records...)
	}
	return out
}

func values(records []kafkaio.Record) []string {
	out := make([]string, len(records))
	for i, r := range records {
		out[i] = string(r.Value)
	}
	return out
}

func appendAll(t *testing.T, c *kafkaio.Client, topic string, partition int, messages ...kafkaio.Message) []int64 {
	t.Helper()
	offsets, err := c.NewAppender(topic, partition).Append(t.Context(), messages)
	if err != nil {
		t.Fatal(err)
	}
	return offsets
}

func texts(n int, format string) []kafkaio.Message {
	out := make([]kafkaio.Message, n)
	for i := range out {
		out[i].Value = fmt.Appendf(nil, format, i)
	}
	return out
}

func readsWhatWasWritten(t *testing.T, on cluster) {
	c := dial(t, on)
	topic := newTopic(t, c, 2, nil)
	before := time.Now().Add(-time.Minute)
	offsets := appendAll(t, c, topic, 1,
		kafkaio.Message{Key: []byte("k"), Value: []byte("v"), Headers: []kafkaio.Header{{Key: "h", Value: []byte("1")}, {Key: "h", Value: []byte{}}, {Key: "n"}}},
		kafkaio.Message{Key: []byte("k"), Value: nil},      // a tombstone
		kafkaio.Message{Key: []byte{}, Value: []byte{}},    // empty is not none
		kafkaio.Message{Key: nil, Value: []byte("no key")}, // none is not empty
	)
	if diff := cmp.Diff([]int64{0, 1, 2, 3}, offsets); diff != "" {
		t.Errorf("offsets (-want +got):\n%s", diff)
	}
	got := readTo(t, c, topic, 1, 0, 4, kafkaio.ReaderOptions{})
	for i := range got {
		if got[i].Time.Before(before) {
			t.Errorf("record %d is of %s", i, got[i].Time)
		}
		got[i].Time = time.Time{}
	}
	want := []kafkaio.Record{
		{Topic: topic, Partition: 1, Offset: 0, Key: []byte("k"), Value: []byte("v"), Headers: []kafkaio.Header{{Key: "h", Value: []byte("1")}, {Key: "h", Value: []byte{}}, {Key: "n"}}},
		{Topic: topic, Partition: 1, Offset: 1, Key: []byte("k")},
		{Topic: topic, Partition: 1, Offset: 2, Key: []byte{}, Value: []byte{}},
		{Topic: topic, Partition: 1, Offset: 3, Value: []byte("no key")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func readsEveryCompression(t *testing.T, on cluster) {
	for _, compression := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		c, err := kafkaio.Dial(kafkaio.Config{Brokers: on.brokers, Compression: compression})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		topic := newTopic(t, c, 1, nil)
		appendAll(t, c, topic, 0, texts(500, "the same again and again, but for %d")...)
		got := readTo(t, c, topic, 0, 7, 500, kafkaio.ReaderOptions{})
		if len(got) != 493 || got[0].Offset != 7 || string(got[492].Value) != "the same again and again, but for 499" {
			t.Errorf("%s: read %d records", compression, len(got))
		}
	}
}

// What is small on the way is large in memory: a reader asks for less of it.
func readsLittleOfWhatIsCompressed(t *testing.T, on cluster) {
	c, err := kafkaio.Dial(kafkaio.Config{Brokers: on.brokers, Compression: "lz4"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	topic := newTopic(t, c, 1, nil)
	const batches, each, size = 200, 100, 200
	for range batches {
		appendAll(t, c, topic, 0, texts(each, strings.Repeat("x", size)+"%d")...)
	}
	const most = 100_000
	r := c.NewReader(topic, 0, 0, kafkaio.ReaderOptions{MaxBytes: most})
	answers := 0
	for ; r.Offset() < batches*each; answers++ {
		b, err := r.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n := len(b.Records) * size; answers > 1 && n > 4*most {
			t.Errorf("answer %d has %d bytes of records, asked for were %d", answers, n, most)
		}
	}
	if answers < 8 {
		t.Errorf("all came in %d answers", answers)
	}
}

func readsWithSmallAnswers(t *testing.T, on cluster) {
	c := dial(t, on)
	topic := newTopic(t, c, 1, nil)
	a := c.NewAppender(topic, 0)
	var want []string
	for i := range 10 {
		m := kafkaio.Message{Value: fmt.Appendf(bytes.Repeat([]byte{'.'}, 50_000), "%d", i)}
		want = append(want, string(m.Value))
		if _, err := a.Append(t.Context(), []kafkaio.Message{m}); err != nil {
			t.Fatal(err)
		}
	}
	got := readTo(t, c, topic, 0, 0, 10, kafkaio.ReaderOptions{MaxBytes: 100})
	if diff := cmp.Diff(want, values(got)); diff != "" {
		t.Error("records are missing, or in another order")
	}
}

// transaction writes values in a transaction of their own and ends it, or
// leaves it open if how is nil.
func transaction(t *testing.T, on cluster, topic, id string, how *kgo.TransactionEndTry, values ...string) *kgo.Client {
	t.Helper()
	p, err := kgo.NewClient(kgo.SeedBrokers(on.brokers...), kgo.TransactionalID(id),
		kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	if err := p.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	for _, v := range values {
		if err := p.ProduceSync(t.Context(), kgo.StringRecord(v)).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	if how != nil {
		if err := p.EndTransaction(t.Context(), *how); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func skipsAborted(t *testing.T, on cluster) {
	c := dial(t, on)
	topic := newTopic(t, c, 1, nil)
	p := transaction(t, on, topic, topic+"-a", new(kgo.TryAbort), "aborted 1", "aborted 2")
	appendAll(t, c, topic, 0, texts(2, "plain %d")...)
	// Two transactions at once, and the one that began first is aborted last.
	open := transaction(t, on, topic, topic+"-b", nil, "aborted 3")
	transaction(t, on, topic, topic+"-c", new(kgo.TryCommit), "committed 1")
	if err := open.ProduceSync(t.Context(), kgo.StringRecord("aborted 4")).FirstErr(); err != nil {
		t.Fatal(err)
	}
	appendAll(t, c, topic, 0, texts(1, "between %d")...)
	if err := open.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
		t.Fatal(err)
	}
	// The producer that aborted first now commits.
	if err := p.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := p.ProduceSync(t.Context(), kgo.StringRecord("committed 2")).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := p.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	end := settled(t, c, topic)

	want := []string{"plain 0", "plain 1", "committed 1", "between 0", "committed 2"}
	for _, size := range []int{1 << 20, 100} {
		got := readTo(t, c, topic, 0, 0, end, kafkaio.ReaderOptions{MaxBytes: size})
		if diff := cmp.Diff(want, values(got)); diff != "" {
			t.Errorf("with answers of %d bytes (-want +got):\n%s", size, diff)
		}
		// From the middle of each record on, the rest is the same.
		for i, r := range got {
			rest := readTo(t, c, topic, 0, r.Offset, end, kafkaio.ReaderOptions{MaxBytes: size})
			if diff := cmp.Diff(want[i:], values(rest)); diff != "" {
				t.Errorf("from offset %d (-want +got):\n%s", r.Offset, diff)
			}
		}
	}
	if _, err := c.ReadAt(t.Context(), topic, 0, 0); !errors.Is(err, kafkaio.ErrNoRecord) {
		t.Errorf("an aborted record was read: %v", err)
	}
}

// settled waits until no transaction is open, since their markers are written a
// moment after they end, and returns the end of the log.
func settled(t *testing.T, c *kafkaio.Client, topic string) int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		offsets, err := c.Offsets(ctx, topic, 0)
		if err != nil {
			t.Fatal(err)
		}
		if o := offsets[0]; o.LastStable == o.End {
			return o.End
		}
	}
}

func stopsAtOpenTransaction(t *testing.T, on cluster) {
	c := dial(t, on)
	topic := newTopic(t, c, 1, nil)
	appendAll(t, c, topic, 0, texts(1, "before %d")...)
	open := transaction(t, on, topic, topic+"-open", nil, "in doubt")
	appendAll(t, c, topic, 0, texts(1, "behind %d")...)

	r := c.NewReader(topic, 0, 0, kafkaio.ReaderOptions{MaxWait: 100 * time.Millisecond})
	var got []string
	for range 3 {
		b, err := r.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, values(b.Records)...)
		if b.LastStable != 1 || b.HighWatermark != 3 {
			t.Errorf("last stable %d, high watermark %d; want 1 and 3", b.LastStable, b.HighWatermark)
		}
	}
	if diff := cmp.Diff([]string{"before 0"}, got); diff != "" || r.Offset() != 1 {
		t.Errorf("stands at %d (-want +got):\n%s", r.Offset(), diff)
	}
	if _, err := c.ReadAt(t.Context(), topic, 0, 1); !errors.Is(err, kafkaio.ErrNoRecord) {
		t.Errorf("a record in doubt was read: %v", err)
	}
	if err := open.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	rest := readTo(t, c, topic, 0, r.Offset(), settled(t, c, topic), kafkaio.ReaderOptions{})
	if diff := cmp.Diff([]string{"in doubt", "behind 0"}, values(rest)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func readsAt(t *testing.T, on cluster) {
	c := dial(t, on)
	topic := newTopic(t, c, 1, nil)
	appendAll(t, c, topic, 0, texts(100, "record %d, in a batch of many")...)
	for _, offset := range []int64{0, 57, 99} {
		r, err := c.ReadAt(t.Context(), topic, 0, offset)
		if err != nil || r.Offset != offset || string(r.Value) != fmt.Sprintf("record %d, in a batch of many", offset) {
			t.Errorf("at %d: %d %q, %v", offset, r.Offset, r.Value, err)
		}
	}
	if _, err := c.ReadAt(t.Context(), topic, 0, 100); !errors.Is(err, kafkaio.ErrNoRecord) {
		t.Errorf("at the end: %v", err)
	}
	if _, err := c.ReadAt(t.Context(), topic, 0, 101); !errors.Is(err, kafkaio.ErrOutOfRange) {
		t.Errorf("behind the end: %v", err)
	}
}

func outOfRangeIsAnAlarm(t *testing.T, on cluster) {
	c := dial(t, on)
	topic := newTopic(t, c, 1, nil)
	appendAll(t, c, topic, 0, texts(10, "%d")...)
	deleteRecords(t, on, topic, 4)

	for _, asked := range []int64{0, 3, 11} {
		r := c.NewReader(topic, 0, asked, kafkaio.ReaderOptions{})
		for range 2 { // and again: it stands where it stood
			_, err := r.Next(t.Context())
			var out *kafkaio.OutOfRangeError
			if !errors.As(err, &out) || !errors.Is(err, kafkaio.ErrOutOfRange) || kafkaio.Temporary(err) {
				t.Fatalf("from %d: %v", asked, err)
			}
			want := &kafkaio.OutOfRangeError{Topic: topic, Partition: 0, Asked: asked, LogStart: 4, End: 10}
			if diff := cmp.Diff(want, out); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
	}
	if got := readTo(t, c, topic, 0, 4, 10, kafkaio.ReaderOptions{}); len(got) != 6 {
		t.Errorf("read %d of the 6 that are left", len(got))
	}
}

func knowsOffsets(t *testing.T, on cluster) {
	c := dial(t, on)
	topic := newTopic(t, c, 3, nil)
	appendAll(t, c, topic, 0, texts(5, "%d")...)
	appendAll(t, c, topic, 2, texts(2, "%d")...)
	got, err := c.Offsets(t.Context(), topic)
	want := map[int]kafkaio.Offsets{0: {End: 5, LastStable: 5}, 1: {}, 2: {End: 2, LastStable: 2}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	first, err := c.ReadAt(t.Context(), topic, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	at, err := c.OffsetsAt(t.Context(), topic, first.Time, 0, 1)
	if diff := cmp.Diff(map[int]int64{0: 0, 1: 0}, at); err != nil || diff != "" {
		t.Errorf("at the first record's time: %v (-want +got):\n%s", err, diff)
	}
	at, err = c.OffsetsAt(t.Context(), topic, time.Now().Add(time.Hour))
	if diff := cmp.Diff(map[int]int64{0: 5, 1: 0, 2: 2}, at); err != nil || diff != "" {
		t.Errorf("an hour from now: %v (-want +got):\n%s", err, diff)
	}
}

func publishesByKey(t *testing.T, on cluster) {
	c := dial(t, on)
	topic := newTopic(t, c, 8, nil)
	var messages []kafkaio.Message
	for i := range 3000 {
		messages = append(messages, kafkaio.Message{Key: fmt.Appendf(nil, "key-%d", i%100), Value: fmt.Appendf(nil, "%04d", i)})
	}
	messages = append(messages,
		kafkaio.Message{Key: []byte("key-1"), Value: []byte("told where"), Partition: new(6)},
		kafkaio.Message{Value: []byte("no key")})
	start := time.Now()
	if err := c.Publish(t.Context(), topic, messages); err != nil {
		t.Fatal(err)
	}
	t.Logf("published 3000 messages in %s", time.Since(start))

	offsets, err := c.Offsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	last, n := map[string]string{}, 0
	for p := range 8 {
		for _, r := range readTo(t, c, topic, p, 0, offsets[p].End, kafkaio.ReaderOptions{}) {
			n++
			key, value := string(r.Key), string(r.Value)
			switch {
			case value == "told where":
				if p != 6 {
					t.Errorf("%q is in partition %d", value, p)
				}
			case value == "no key":
			case p != kafkaio.PartitionFor(r.Key, 8):
				t.Errorf("%s is in partition %d", key, p)
			case value <= last[key]:
				t.Errorf("%s: %s comes after %s", key, value, last[key])
			default:
				last[key] = value
			}
		}
	}
	if n != 3002 {
		t.Errorf("read %d messages", n)
	}
	if err := c.Publish(t.Context(), topic, []kafkaio.Message{{Partition: new(8)}}); !errors.Is(err, kafkaio.ErrTopicMissing) {
		t.Errorf("published to a partition that is not there: %v", err)
	}
}

func describesTopics(t *testing.T, on cluster) {
	c := dial(t, on)
	topic := newTopic(t, c, 3, map[string]string{
		"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1",
		"min.insync.replicas": "1", "max.message.bytes": "2000000",
	})
	got, err := c.DescribeTopics(t.Context(), topic)
	want := map[string]kafkaio.Topic{topic: {
		Name: topic, Partitions: 3, Replication: 1, CleanupPolicy: "delete",
		RetentionMS: -1, RetentionBytes: -1, MinInSyncReplicas: 1, MaxMessageBytes: 2_000_000,
	}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	err = c.CreateTopics(t.Context(), kafkaio.TopicSpec{Name: topic, Partitions: 5}, kafkaio.TopicSpec{Name: topic + "-2", Partitions: 2})
	if !errors.Is(err, kafkaio.ErrTopicExists) {
		t.Errorf("created again: %v", err)
	}
	for name, n := range map[string]int{topic: 3, topic + "-2": 2} {
		if got, err := c.Partitions(t.Context(), name); err != nil || got != n {
			t.Errorf("%s has %d partitions, want %d: %v", name, got, n, err)
		}
	}
}

func missingTopicIsNotMade(t *testing.T, on cluster) {
	c, err := kafkaio.Dial(kafkaio.Config{Brokers: on.brokers, Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	topic := newTopic(t, c, 1, nil)
	typo := topic + "-typo"
	found, err := c.DescribeTopics(t.Context(), topic, typo)
	if !errors.Is(err, kafkaio.ErrTopicMissing) || !strings.Contains(err.Error(), typo) || len(found) != 1 {
		t.Errorf("described: %v, %v", found, err)
	}
	if err := c.Publish(t.Context(), typo, texts(1, "%d")); !errors.Is(err, kafkaio.ErrTopicMissing) {
		t.Errorf("published: %v", err)
	}
	// An append waits for the topic. Whoever leaves is told that nothing was written,
	// unless he left just while the broker was being asked.
	left := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		_, err := c.NewAppender(typo, 0).Append(ctx, texts(1, "%d"))
		return err
	}
	err = left()
	for n := 0; n < 20 && errors.Is(err, kafkaio.ErrUnknownOutcome); n++ {
		err = left()
	}
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, kafkaio.ErrUnknownOutcome) {
		t.Errorf("appended: %v", err)
	}
	_, err = c.NewReader(typo, 0, 0, kafkaio.ReaderOptions{}).Next(t.Context())
	if !errors.Is(err, kafkaio.ErrTopicMissing) || !kafkaio.Temporary(err) {
		t.Errorf("read: %v", err)
	}
	err = c.Join(t.Context(), kafkaio.GroupConfig{Group: typo, Topic: typo}, func(context.Context, *kafkaio.Generation) error { return nil })
	if !errors.Is(err, kafkaio.ErrTopicMissing) {
		t.Errorf("joined: %v", err)
	}
	if _, err := c.DescribeTopics(t.Context(), typo); !errors.Is(err, kafkaio.ErrTopicMissing) {
		t.Errorf("something made the topic: %v", err)
	}
}
