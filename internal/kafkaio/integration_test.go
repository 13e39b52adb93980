//go:build integration

package kafkaio_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/internal/realparts"
)

func TestOnKafka42(t *testing.T) { onRealKafka(t, realparts.Kafka42) }

func TestOnKafka39(t *testing.T) { onRealKafka(t, realparts.Kafka39) }

// onRealKafka runs the suite on a broker, and then what disturbs the broker.
func onRealKafka(t *testing.T, version string) {
	k, err := realparts.StartKafka(t.Context(), version, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Stop(); err != nil {
			t.Error(err)
		}
	})
	on := cluster{brokers: k.Brokers, session: 6 * time.Second}
	t.Run("suite", func(t *testing.T) { suite(t, on) })
	t.Run("refusals at the door", func(t *testing.T) { refusalHasNoOffset(t, on) })
	t.Run("publish over restarts", func(t *testing.T) { publishesOverRestarts(t, on, k) })
	t.Run("append over a kill", func(t *testing.T) { appendsOverKill(t, on, k) })
	t.Run("group over a restart", func(t *testing.T) { groupOutlivesRestart(t, on, k) })
	t.Run("frozen broker", func(t *testing.T) { frozenBrokerIsUnknown(t, on, k) })
}

// refusalHasNoOffset checks what the proof rests on that a refused append was
// not written: the answer's base offset is -1.
func refusalHasNoOffset(t *testing.T, on cluster) {
	k, err := kgo.NewClient(kgo.SeedBrokers(on.brokers...), kgo.MaxVersions(kversion.V3_0_0()))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	req := kmsg.NewPtrProduceRequest()
	req.Acks, req.TimeoutMillis = -1, 1000
	req.Topics = []kmsg.ProduceRequestTopic{{Topic: "nobody-made-this", Partitions: []kmsg.ProduceRequestTopicPartition{{}}}}
	res, err := k.Broker(1).Request(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	p := res.(*kmsg.ProduceResponse).Topics[0].Partitions[0]
	if p.ErrorCode == 0 || p.BaseOffset != -1 {
		t.Errorf("code %d with base offset %d", p.ErrorCode, p.BaseOffset)
	}
}

// publishesOverRestarts restarts and kills the broker while messages are
// published; all are there, in order by key, some perhaps twice.
func publishesOverRestarts(t *testing.T, on cluster, k *realparts.Kafka) {
	c := dial(t, on)
	topic := newTopic(t, c, 4, nil)
	stop := make(chan struct{})
	progress := make(chan struct{})
	var published int
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			case progress <- struct{}{}:
			default:
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			err := c.Publish(ctx, topic, texts4(published))
			cancel()
			if err != nil {
				t.Error(err)
				return
			}
			published++
		}
	})
	for _, down := range []func() error{k.Stop, k.Kill} {
		await(t, progress)
		if err := down(); err != nil {
			t.Fatal(err)
		}
		if err := k.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	await(t, progress)
	close(stop)
	wg.Wait()
	offsets, err := c.Offsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	twice := 0
	for p := range 4 {
		next := 0
		for _, r := range readTo(t, c, topic, p, 0, offsets[p].End, kafkaio.ReaderOptions{}) {
			var n int
			if _, err := fmt.Sscanf(string(r.Value), "%d", &n); err != nil {
				t.Fatal(err)
			}
			switch {
			case n == next:
				next++
			case n < next:
				twice++
			default:
				t.Fatalf("partition %d: %d comes after %d", p, n, next-1)
			}
		}
		if next != published {
			t.Errorf("partition %d has %d of %d messages", p, next, published)
		}
	}
	t.Logf("%d calls over 2 broker starts, %d messages twice", published, twice)
}

// await waits until something was done many times.
func await(t *testing.T, progress <-chan struct{}) {
	t.Helper()
	deadline := time.After(time.Minute)
	for range 50 {
		select {
		case <-progress:
		case <-deadline:
			t.Fatal("nothing goes on")
		}
	}
}

// texts4 is the n-th message to each of four partitions.
func texts4(n int) []kafkaio.Message {
	out := make([]kafkaio.Message, 4)
	for p := range out {
		out[p] = kafkaio.Message{Value: fmt.Append(nil, n), Partition: new(p)}
	}
	return out
}

// appendsOverKill kills the broker under appending callers. What was said to be
// written is, and where it was said to be; what was refused is not; and only
// the rest is in doubt.
func appendsOverKill(t *testing.T, on cluster, k *realparts.Kafka) {
	c := dial(t, on)
	topic := newTopic(t, c, 1, nil)
	a := c.NewAppender(topic, 0)
	var mu sync.Mutex
	told, refused, doubt := map[int64]string{}, map[string]bool{}, 0
	stop, progress := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	for caller := range 4 {
		wg.Go(func() {
			for i, err := 0, error(nil); ; i++ {
				written := progress
				if err != nil || i == 0 {
					written = nil
				}
				select {
				case <-stop:
					return
				case written <- struct{}{}:
				default:
				}
				value := fmt.Sprintf("%d/%d", caller, i)
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				var offsets []int64
				offsets, err = a.Append(ctx, []kafkaio.Message{{Value: []byte(value)}})
				cancel()
				mu.Lock()
				switch {
				case err == nil:
					told[offsets[0]] = value
				case errors.Is(err, kafkaio.ErrUnknownOutcome):
					doubt++
				default:
					refused[value] = true
				}
				mu.Unlock()
			}
		})
	}
	for range 2 {
		await(t, progress)
		if err := k.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := k.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	await(t, progress)
	close(stop)
	wg.Wait()
	offsets, err := c.Offsets(t.Context(), topic, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range readTo(t, c, topic, 0, 0, offsets[0].End, kafkaio.ReaderOptions{}) {
		if refused[string(r.Value)] {
			t.Errorf("%s was refused, and is at %d", r.Value, r.Offset)
		}
		if want, ok := told[r.Offset]; ok && want != string(r.Value) {
			t.Errorf("at %d is %s, not %s", r.Offset, r.Value, want)
		}
		delete(told, r.Offset)
	}
	if len(told) > 0 {
		t.Errorf("%d messages said to be written are not there", len(told))
	}
	t.Logf("%d records, %d refused, %d in doubt", offsets[0].End, len(refused), doubt)
}

// groupOutlivesRestart restarts the broker under a member, which comes back with
// its partitions and what the group had committed.
func groupOutlivesRestart(t *testing.T, on cluster, k *realparts.Kafka) {
	c := dial(t, on)
	topic := newTopic(t, c, 2, nil)
	w := newWatcher()
	join(t, c, w, "a", kafkaio.GroupConfig{Group: topic, Topic: topic})
	first := w.until(t, "a has all", func(h map[string]*kafkaio.Generation) bool { return h["a"] != nil })["a"]
	if err := first.Commit(t.Context(), map[int]int64{0: 1, 1: 1}, ""); err != nil {
		t.Fatal(err)
	}
	w.away.Store(true)
	if err := k.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := w.until(t, "a is back", func(h map[string]*kafkaio.Generation) bool {
		return h["a"] != nil && h["a"] != first && len(h["a"].Partitions) == 2
	})["a"]
	for _, p := range again.Partitions {
		if p.Offset != 1 {
			t.Errorf("partition %d goes on from %d", p.ID, p.Offset)
		}
	}
}

// frozenBrokerIsUnknown freezes the broker under a produce: nobody can know.
func frozenBrokerIsUnknown(t *testing.T, on cluster, k *realparts.Kafka) {
	c, err := kafkaio.Dial(kafkaio.Config{Brokers: on.brokers, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	topic := newTopic(t, c, 1, nil)
	a := c.NewAppender(topic, 0)
	if _, err := a.Append(t.Context(), texts(1, "warm %d")); err != nil {
		t.Fatal(err)
	}
	if err := k.Pause(); err != nil {
		t.Fatal(err)
	}
	_, err = a.Append(t.Context(), texts(1, "frozen %d"))
	if !errors.Is(err, kafkaio.ErrUnknownOutcome) {
		t.Errorf("append to a frozen broker: %v", err)
	}
	_, err = c.NewReader(topic, 0, 0, kafkaio.ReaderOptions{}).Next(t.Context())
	if err == nil || !kafkaio.Temporary(err) {
		t.Errorf("read from a frozen broker: %v", err)
	}
	if err := k.Resume(); err != nil {
		t.Fatal(err)
	}
	if err := c.Publish(t.Context(), topic, texts(1, "after %d")); err != nil {
		t.Error(err)
	}
}
