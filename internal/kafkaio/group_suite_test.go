package kafkaio_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/toplu/toplu/internal/kafkaio"
)

// watcher sees who has which partitions.
type watcher struct {
	away atomic.Bool // the broker may be away, and no commit can be made

	mu      sync.Mutex
	holds   map[string]*kafkaio.Generation // by member
	changed chan struct{}                  // closed and renewed with every change
}

func newWatcher() *watcher {
	return &watcher{holds: make(map[string]*kafkaio.Generation), changed: make(chan struct{})}
}

func (w *watcher) set(member string, g *kafkaio.Generation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.holds[member] = g
	close(w.changed)
	w.changed = make(chan struct{})
}

// until waits until what the members hold is as wanted.
func (w *watcher) until(t *testing.T, what string, ok func(map[string]*kafkaio.Generation) bool) map[string]*kafkaio.Generation {
	t.Helper()
	deadline := time.After(60 * time.Second)
	for {
		w.mu.Lock()
		now, changed := maps.Clone(w.holds), w.changed
		w.mu.Unlock()
		if ok(now) {
			return now
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("%s: in vain waited for; held now: %s", what, describe(now))
		}
	}
}

func describe(holds map[string]*kafkaio.Generation) string {
	var out []string
	for name, g := range holds {
		if g != nil {
			out = append(out, fmt.Sprintf("%s: %v in generation %d", name, ids(g), g.ID))
		}
	}
	return strings.Join(out, "; ")
}

func ids(g *kafkaio.Generation) []int {
	out := []int{}
	for _, p := range g.Partitions {
		out = append(out, p.ID)
	}
	return out
}

// join makes a member that holds its partitions until told otherwise, and
// commits last words when its generation ends: one more than it began with. The
// function returned leaves and waits.
func join(t *testing.T, c *kafkaio.Client, w *watcher, name string, cfg kafkaio.GroupConfig) (leave func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- c.Join(ctx, cfg, func(ctx context.Context, g *kafkaio.Generation) error {
			w.set(name, g)
			<-ctx.Done()
			offsets := make(map[int]int64)
			for _, p := range g.Partitions {
				offsets[p.ID] = max(p.Offset, 0) + 1
			}
			last, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()

			if err := g.Commit(last, offsets, "last words of "+name); err != nil && !errors.Is(err, kafkaio.ErrFenced) && !w.away.Load() {
				t.Errorf("%s: the last commit: %v", name, err)
			}
			w.set(name, nil)
			return nil
		})
	}()
	var once sync.Once
	leave = func() {
		once.Do(func() {
			cancel()
			start := time.Now()
			if err := <-done; err != nil {
				t.Errorf("%s: join ended with %v", name, err)
			}
			t.Logf("%s left in %s", name, time.Since(start))
		})
	}
	t.Cleanup(leave)
	return leave
}

func twoMembersShare(t *testing.T, on cluster) {
	c := dial(t, on)
	topic := newTopic(t, c, 4, nil)
	cfg := kafkaio.GroupConfig{Group: topic, Topic: topic}
	w := newWatcher()

	leaveA := join(t, c, w, "a", cfg)
	first := w.until(t, "a has all", func(h map[string]*kafkaio.Generation) bool {
		return h["a"] != nil && len(h["a"].Partitions) == 4
	})
	want := []kafkaio.PartitionAssignment{{0, kafkaio.NoOffset}, {1, kafkaio.NoOffset}, {2, kafkaio.NoOffset}, {3, kafkaio.NoOffset}}
	if diff := cmp.Diff(want, first["a"].Partitions); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	leaveB := join(t, c, w, "b", cfg)
	both := w.until(t, "each has two", func(h map[string]*kafkaio.Generation) bool {
		return h["a"] != nil && h["b"] != nil && h["a"].ID == h["b"].ID && len(h["a"].Partitions) == 2 && len(h["b"].Partitions) == 2
	})
	if both["a"].MemberID != first["a"].MemberID {
		t.Error("a has another member id after a rebalance")
	}
	if n, settled, err := c.Members(t.Context(), topic); n != 2 || !settled || err != nil {
		t.Errorf("%d members, settled %v, %v", n, settled, err)
	}
	if n, _, err := c.Members(t.Context(), topic+"-nobody"); n != 0 || err != nil {
		t.Errorf("a group that is not has %d members, %v", n, err)
	}
	all := append(ids(both["a"]), ids(both["b"])...)
	slices.Sort(all)
	if !slices.Equal(all, []int{0, 1, 2, 3}) {
		t.Errorf("partitions %v", all)
	}
	for _, p := range append(both["a"].Partitions, both["b"].Partitions...) {
		if p.Offset != 1 {
			t.Errorf("partition %d goes on from %d, not from a's last words", p.ID, p.Offset)
		}
	}

	leaveA()
	w.until(t, "b has all", func(h map[string]*kafkaio.Generation) bool {
		return h["b"] != nil && len(h["b"].Partitions) == 4
	})
	leaveB()
	committed, err := c.CommittedOffsets(t.Context(), topic, topic)
	if err != nil || len(committed) != 4 {
		t.Fatalf("committed: %v, %v", committed, err)
	}
	for p, got := range committed {
		want := kafkaio.Committed{Offset: 3, Metadata: "last words of b", Found: true}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("partition %d (-want +got):\n%s", p, diff)
		}
	}
	none, err := c.CommittedOffsets(t.Context(), topic+"-other", topic)
	if err != nil || none[0].Found {
		t.Errorf("a group that never was has committed %v, %v", none, err)
	}
}

// deadMemberIsReplaced has a member end without a word.
func deadMemberIsReplaced(t *testing.T, on cluster) {
	c := dial(t, on)
	topic := newTopic(t, c, 4, nil)
	silentMember(t, on, topic, topic)
	w := newWatcher()
	join(t, c, w, "heir", kafkaio.GroupConfig{Group: topic, Topic: topic})
	w.until(t, "the heir has all", func(h map[string]*kafkaio.Generation) bool {
		return h["heir"] != nil && len(h["heir"].Partitions) == 4
	})
}

// silentMember joins a group, takes all partitions, and never says a word
// again.
func silentMember(t *testing.T, on cluster, group, topic string) {
	t.Helper()
	k, err := kgo.NewClient(kgo.SeedBrokers(on.brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	meta := kmsg.NewConsumerMemberMetadata()
	meta.Topics = []string{topic}
	req := kmsg.NewPtrJoinGroupRequest()
	req.Group, req.ProtocolType = group, "consumer"
	req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = int32(on.session.Milliseconds()), int32(on.session.Milliseconds())
	req.Protocols = []kmsg.JoinGroupRequestProtocol{{Name: kafkaio.Ranges{}.ProtocolName(), Metadata: meta.AppendTo(nil)}}
	var joined *kmsg.JoinGroupResponse
	for joined == nil || joined.ErrorCode != 0 { // the first time it is given its id
		if joined != nil {
			req.MemberID = joined.MemberID
		}
		if joined, err = req.RequestWith(t.Context(), k); err != nil {
			t.Fatal(err)
		}
	}
	share := kmsg.NewPtrSyncGroupRequest()
	share.Group, share.Generation, share.MemberID = group, joined.Generation, joined.MemberID
	share.ProtocolType, share.Protocol = new("consumer"), joined.Protocol
	mine := kmsg.NewConsumerMemberAssignment()
	mine.Topics = []kmsg.ConsumerMemberAssignmentTopic{{Topic: topic, Partitions: []int32{0, 1, 2, 3}}}
	share.GroupAssignment = []kmsg.SyncGroupRequestGroupAssignment{{MemberID: joined.MemberID, MemberAssignment: mine.AppendTo(nil)}}
	res, err := share.RequestWith(t.Context(), k)
	if err != nil || res.ErrorCode != 0 {
		t.Fatalf("sync: %v, code %d", err, res.ErrorCode)
	}
}

// commitsAreFenced has a member commit with a generation that is over, and for
// what it was not given.
func commitsAreFenced(t *testing.T, on cluster) {
	c := dial(t, on)
	topic := newTopic(t, c, 2, nil)
	cfg := kafkaio.GroupConfig{Group: topic, Topic: topic}
	w := newWatcher()
	leaveA := join(t, c, w, "a", cfg)
	old := w.until(t, "a has all", func(h map[string]*kafkaio.Generation) bool { return h["a"] != nil })["a"]
	if err := old.Commit(t.Context(), map[int]int64{0: 10, 1: 11}, ""); err != nil {
		t.Fatalf("the current generation: %v", err)
	}
	if err := old.Commit(t.Context(), map[int]int64{2: 1}, ""); !errors.Is(err, kafkaio.ErrFenced) {
		t.Errorf("a partition of nobody's: %v", err)
	}
	leaveB := join(t, c, w, "b", cfg)
	w.until(t, "each has one", func(h map[string]*kafkaio.Generation) bool {
		return h["a"] != nil && h["b"] != nil && len(h["a"].Partitions) == 1 && len(h["b"].Partitions) == 1
	})
	if err := old.Commit(t.Context(), map[int]int64{0: 99, 1: 99}, ""); !errors.Is(err, kafkaio.ErrFenced) || kafkaio.Temporary(err) {
		t.Errorf("an old generation: %v", err)
	}
	leaveB()
	leaveA()
	if err := old.Commit(t.Context(), map[int]int64{0: 99}, ""); !errors.Is(err, kafkaio.ErrFenced) {
		t.Errorf("a member that has left: %v", err)
	}
	committed, err := c.CommittedOffsets(t.Context(), topic, topic)
	if err != nil {
		t.Fatal(err)
	}
	for p, got := range committed {
		if got.Offset == 99 {
			t.Errorf("partition %d: the fenced commit landed", p)
		}
	}
}

// callbackErrorEndsJoin: an error of the callback is the end, an early nil is
// not.
func callbackErrorEndsJoin(t *testing.T, on cluster) {
	c := dial(t, on)
	topic := newTopic(t, c, 1, nil)
	cfg := kafkaio.GroupConfig{Group: topic, Topic: topic}
	broken := errors.New("broken")
	err := c.Join(t.Context(), cfg, func(context.Context, *kafkaio.Generation) error { return broken })
	if !errors.Is(err, broken) {
		t.Errorf("join ended with %v", err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	calls, returned := make(chan int, 10), make(chan error, 1)
	go func() {
		returned <- c.Join(ctx, cfg, func(_ context.Context, g *kafkaio.Generation) error {
			calls <- g.ID
			return nil
		})
	}()
	first := <-calls
	select {
	case again := <-calls:
		t.Errorf("generation %d ended, and %d began, though nothing had changed", first, again)
	case err := <-returned:
		t.Errorf("join returned %v though its callback had no error", err)
	case <-time.After(500 * time.Millisecond):
	}
	cancel()
	if err := <-returned; err != nil {
		t.Errorf("join ended with %v", err)
	}
	if err := c.Join(t.Context(), kafkaio.GroupConfig{Group: topic, Topic: topic, SessionTimeout: 240 * time.Hour}, nil); err == nil {
		t.Error("joined with a session that no broker allows")
	}
}
