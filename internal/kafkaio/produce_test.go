package kafkaio_test

import (
	"context"
	"errors"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/toplu/toplu/internal/kafkaio"
)

// TestProduceOutcomes shows what is known after each way in which a produce can
// go wrong, and that an append is repeated only when it was proven not to be
// written.
func TestProduceOutcomes(t *testing.T) {
	t.Parallel()
	const at7 = 7
	for _, tt := range []struct {
		name     string
		err      *kerr.Error // nil: the connection is cut
		base     int64       // of the refusal
		fault    bool        // by kfake, which applies those that mean so
		appended error       // nil: repeated, and written
		records  int         // in the log after Append
		publish  int         // and after Publish, instead
		refused  bool        // Publish returns an error, too
	}{
		{name: "connection cut", appended: kafkaio.ErrUnknownOutcome, publish: 1},
		{name: "applied, then timed out", err: kerr.RequestTimedOut, fault: true, appended: kafkaio.ErrUnknownOutcome, records: 1, publish: 2},
		{name: "applied, too few replicas", err: kerr.NotEnoughReplicasAfterAppend, fault: true, appended: kafkaio.ErrUnknownOutcome, records: 1, publish: 2},
		{name: "storage error", err: kerr.KafkaStorageError, base: -1, appended: kafkaio.ErrUnknownOutcome, publish: 1},
		{name: "not the leader, at the door", err: kerr.NotLeaderForPartition, base: -1, records: 1, publish: 1},
		{name: "no longer the leader", err: kerr.NotLeaderForPartition, base: at7, appended: kafkaio.ErrUnknownOutcome, publish: 1},
		{name: "partition moved away", err: kerr.UnknownTopicOrPartition, base: at7, appended: kafkaio.ErrUnknownOutcome, publish: 1},
		{name: "too few replicas", err: kerr.NotEnoughReplicas, base: -1, records: 1, publish: 1},
		{name: "damaged on arrival", err: kerr.CorruptMessage, base: -1, records: 1, publish: 1},
		{name: "not allowed", err: kerr.TopicAuthorizationFailed, base: -1, appended: kafka.TopicAuthorizationFailed, refused: true},
		{name: "too large", err: kerr.MessageTooLarge, base: -1, appended: kafkaio.ErrTooLarge, refused: true},
		{name: "an unknown code", err: kerr.UnknownServerError, base: -1, appended: kafkaio.ErrUnknownOutcome, publish: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			k, on := fake(t)
			c := dial(t, on)
			topic, published := newTopic(t, c, 1, nil), newTopic(t, c, 1, nil)
			once := func() {
				if tt.fault {
					k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: tt.err})
					return
				}
				k.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
					if tt.err == nil {
						return nil, errors.New("cut"), true
					}
					return refuse(req.(*kmsg.ProduceRequest), tt.err.Code, tt.base), nil, true
				})
			}
			once()
			_, err := c.NewAppender(topic, 0).Append(t.Context(), texts(1, "%d"))
			if !errors.Is(err, tt.appended) || kafkaio.Temporary(err) {
				t.Errorf("append: %v, want %v", err, tt.appended)
			}
			if !errors.Is(tt.appended, kafkaio.ErrUnknownOutcome) && errors.Is(err, kafkaio.ErrUnknownOutcome) {
				t.Errorf("append: %v, though it is proven not to be written", err)
			}
			if n := end(t, c, topic); n != tt.records {
				t.Errorf("append wrote %d records, want %d", n, tt.records)
			}
			once()
			if err := c.Publish(t.Context(), published, texts(1, "%d")); (err != nil) != tt.refused {
				t.Errorf("publish: %v", err)
			}
			if n := end(t, c, published); n != tt.publish {
				t.Errorf("publish wrote %d records, want %d", n, tt.publish)
			}
		})
	}
}

func end(t *testing.T, c *kafkaio.Client, topic string) int {
	t.Helper()
	offsets, err := c.Offsets(t.Context(), topic, 0)
	if err != nil {
		t.Fatal(err)
	}
	return int(offsets[0].End)
}

func refuse(req *kmsg.ProduceRequest, code int16, base int64) *kmsg.ProduceResponse {
	res := req.ResponseKind().(*kmsg.ProduceResponse)
	part := kmsg.NewProduceResponseTopicPartition()
	part.ErrorCode, part.BaseOffset = code, base
	topic := kmsg.NewProduceResponseTopic()
	topic.Topic, topic.Partitions = req.Topics[0].Topic, []kmsg.ProduceResponseTopicPartition{part}
	res.Topics = append(res.Topics, topic)
	return res
}

// held makes the first produce wait: it returns a channel that closes when the
// produce has arrived, and a function that lets it go on.
func held(t *testing.T, k *kfake.Cluster) (arrived <-chan struct{}, release func()) {
	t.Helper()
	in, out := make(chan struct{}), make(chan struct{})
	once := sync.OnceFunc(func() {
		close(in)
		<-out
	})
	k.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		once()
		return nil, nil, false
	})
	release = sync.OnceFunc(func() { close(out) })
	t.Cleanup(release)
	return in, release
}

// TestAppendsGather shows that what comes while a batch is under way goes out
// together, and that a caller who leaves meanwhile knows what can be known.
func TestAppendsGather(t *testing.T) {
	t.Parallel()
	k, on := fake(t)
	c := dial(t, on)
	topic := newTopic(t, c, 1, nil)
	a := c.NewAppender(topic, 0)
	arrived, release := held(t, k)

	flying, left := context.WithCancel(t.Context())
	results := make(chan error, 2)
	go func() {
		_, err := a.Append(flying, texts(1, "flying %d"))
		results <- err
	}()
	<-arrived
	produces := k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Observe: true, Count: -1})

	const callers = 50
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			if _, err := a.Append(t.Context(), texts(2, "waiting %d")); err != nil {
				t.Error(err)
			}
		})
	}
	queued, cancel := context.WithCancel(t.Context())
	go func() {
		_, err := a.Append(queued, texts(1, "queued %d"))
		results <- err
	}()
	for a.Waiting() < callers+1 {
		runtime.Gosched()
	}
	cancel()
	if err := <-results; !errors.Is(err, context.Canceled) || errors.Is(err, kafkaio.ErrUnknownOutcome) {
		t.Errorf("left while waiting: %v", err)
	}
	left()
	if err := <-results; !errors.Is(err, kafkaio.ErrUnknownOutcome) || !errors.Is(err, context.Canceled) {
		t.Errorf("left while under way: %v", err)
	}
	release()
	wg.Wait()
	if n := produces.Hits(); n > 2 {
		t.Errorf("%d callers took %d produces", callers, n)
	}
	got := values(readTo(t, c, topic, 0, 0, 1+2*callers, kafkaio.ReaderOptions{}))
	want := []string{"flying 0"}
	for range callers {
		want = append(want, "waiting 0", "waiting 1")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestCloseEndsAppends shows what callers hear when the client is closed under
// them: the one under way cannot know, the others do.
func TestCloseEndsAppends(t *testing.T) {
	t.Parallel()
	k, on := fake(t)
	c := dial(t, on)
	a := c.NewAppender(newTopic(t, c, 1, nil), 0)
	arrived, _ := held(t, k)
	flying, waiting := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := a.Append(t.Context(), texts(1, "%d"))
		flying <- err
	}()
	<-arrived
	go func() {
		_, err := a.Append(t.Context(), texts(1, "%d"))
		waiting <- err
	}()
	for a.Waiting() == 0 {
		runtime.Gosched()
	}
	c.Close()
	if err := <-flying; !errors.Is(err, kafkaio.ErrUnknownOutcome) || !errors.Is(err, kafkaio.ErrClosed) {
		t.Errorf("under way: %v", err)
	}
	if err := <-waiting; !errors.Is(err, kafkaio.ErrClosed) || errors.Is(err, kafkaio.ErrUnknownOutcome) {
		t.Errorf("waiting: %v", err)
	}
	if _, err := a.Append(t.Context(), texts(1, "%d")); !errors.Is(err, kafkaio.ErrClosed) {
		t.Errorf("after: %v", err)
	}
}

// TestLeaderMoves shows that writing and reading follow a partition.
func TestLeaderMoves(t *testing.T) {
	t.Parallel()
	k, on := fake(t, kfake.NumBrokers(3))
	c := dial(t, on)
	topic := newTopic(t, c, 1, nil)
	r := c.NewReader(topic, 0, 0, kafkaio.ReaderOptions{MaxWait: 10 * time.Millisecond})
	for want := range int64(6) {
		if err := k.MoveTopicPartition(topic, 0, int32(want%3)); err != nil {
			t.Fatal(err)
		}
		if err := c.Publish(t.Context(), topic, texts(1, "%d")); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Offsets(t.Context(), topic, 0); err != nil {
			t.Fatal(err)
		}
		for r.Offset() <= want {
			if _, err := r.Next(t.Context()); err != nil && !kafkaio.Temporary(err) {
				t.Fatal(err)
			}
		}
	}
	if r.Offset() != 6 {
		t.Errorf("%d records, want 6", r.Offset())
	}
}

// TestUnreachable shows what is said of a cluster that is not there.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	c, err := kafkaio.Dial(kafkaio.Config{Brokers: []string{addr}, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	want := "kafka: cannot reach any of " + addr + " (connection refused)"
	if err := c.Ping(t.Context()); err == nil || err.Error() != want || !kafkaio.Temporary(err) {
		t.Errorf("ping: %v, want %s", err, want)
	}
	_, err = c.NewReader("t", 0, 0, kafkaio.ReaderOptions{}).Next(t.Context())
	if diff := cmp.Diff("read t/0 from 0: "+want, err.Error()); diff != "" || !kafkaio.Temporary(err) {
		t.Errorf("read (-want +got):\n%s", diff)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := c.NewAppender("t", 0).Append(ctx, texts(1, "%d")); errors.Is(err, kafkaio.ErrUnknownOutcome) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("append: %v", err)
	}
	for _, cfg := range []kafkaio.Config{{}, {Brokers: []string{"localhost"}}, {Brokers: []string{addr}, Compression: "rar"}} {
		if _, err := kafkaio.Dial(cfg); err == nil {
			t.Errorf("dialled %+v", cfg.Brokers)
		}
	}
}

// TestAppendLeavesNothingBehind shows that what was refused after its caller had
// left is not tried again.
func TestAppendLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	k, on := fake(t)
	c := dial(t, on)
	topic := newTopic(t, c, 1, nil)
	a := c.NewAppender(topic, 0)
	arrived, release := make(chan struct{}), make(chan struct{})
	k.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		close(arrived)
		<-release
		return refuse(req.(*kmsg.ProduceRequest), kerr.NotLeaderForPartition.Code, -1), nil, true
	})
	ctx, leave := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() {
		_, err := a.Append(ctx, texts(1, "left %d"))
		result <- err
	}()
	<-arrived
	leave()
	if err := <-result; !errors.Is(err, kafkaio.ErrUnknownOutcome) {
		t.Errorf("left while under way: %v", err)
	}
	close(release)
	offsets, err := a.Append(t.Context(), texts(1, "next %d"))
	if diff := cmp.Diff([]int64{0}, offsets); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}
