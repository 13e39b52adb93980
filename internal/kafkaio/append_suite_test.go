package kafkaio_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/internal/kafkaio"
)

// appendsInOrder has many callers append at once; each finds its messages where
// it was told, and its own calls in order.
func appendsInOrder(t *testing.T, on cluster) {
	c := dial(t, on)
	topic := newTopic(t, c, 1, nil)
	a := c.NewAppender(topic, 0)
	const callers, calls = 20, 25
	told := make(map[int64]string)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for caller := range callers {
		wg.Go(func() {
			for i := range calls {
				batch := []kafkaio.Message{
					{Value: fmt.Appendf(nil, "%d/%03d/a", caller, i)},
					{Value: fmt.Appendf(nil, "%d/%03d/b", caller, i)},
				}
				offsets, err := a.Append(t.Context(), batch)
				if err != nil || len(offsets) != 2 || offsets[1] != offsets[0]+1 {
					t.Errorf("%d/%d: offsets %v, %v", caller, i, offsets, err)
					return
				}
				mu.Lock()
				told[offsets[0]], told[offsets[1]] = string(batch[0].Value), string(batch[1].Value)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	read := make(map[int64]string)
	last := make(map[string]string)
	for _, r := range readTo(t, c, topic, 0, 0, callers*calls*2, kafkaio.ReaderOptions{}) {
		read[r.Offset] = string(r.Value)
		caller, _, _ := bytes.Cut(r.Value, []byte("/"))
		if string(r.Value) <= last[string(caller)] {
			t.Errorf("%s comes after %s", r.Value, last[string(caller)])
		}
		last[string(caller)] = string(r.Value)
	}
	if diff := cmp.Diff(told, read); diff != "" {
		t.Errorf("told and read differ (-told +read):\n%s", diff)
	}
}

// appendsLargeCalls has one call of three batches, among others.
func appendsLargeCalls(t *testing.T, on cluster) {
	c := dial(t, on)
	topic := newTopic(t, c, 1, nil)
	a := c.NewAppender(topic, 0)
	large := make([]kafkaio.Message, 30)
	for i := range large {
		large[i].Value = bytes.Repeat([]byte{byte(i)}, 90_000)
	}
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			if _, err := a.Append(t.Context(), texts(3, "small %d")); err != nil {
				t.Error(err)
			}
		})
	}
	offsets, err := a.Append(t.Context(), large)
	if err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if !slices.IsSorted(offsets) || len(offsets) != 30 {
		t.Errorf("offsets %v", offsets)
	}
	for i, offset := range offsets {
		r, err := c.ReadAt(t.Context(), topic, 0, offset)
		if err != nil || !bytes.Equal(r.Value, large[i].Value) {
			t.Errorf("message %d is not at %d: %v", i, offset, err)
		}
	}
	if _, err := c.ReadAt(t.Context(), topic, 0, 45); !errors.Is(err, kafkaio.ErrNoRecord) {
		t.Errorf("there are more records than were appended: %v", err)
	}
}

// appendRefusals shows what is refused, and that nothing of it was written and
// nobody else is harmed.
func appendRefusals(t *testing.T, on cluster) {
	c := dial(t, on)
	topic := newTopic(t, c, 1, map[string]string{"max.message.bytes": "20000"})
	a := c.NewAppender(topic, 0)

	big := func(n int) kafkaio.Message { return kafkaio.Message{Value: bytes.Repeat([]byte{'x'}, n)} }
	for _, n := range []int{30_000, 1 << 20} {
		_, err := a.Append(t.Context(), []kafkaio.Message{big(n)})
		if !errors.Is(err, kafkaio.ErrTooLarge) || errors.Is(err, kafkaio.ErrUnknownOutcome) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	// Each fits, but not together.
	offsets, err := a.Append(t.Context(), []kafkaio.Message{big(15_000), big(15_000), big(15_000)})
	if diff := cmp.Diff([]int64{0, 1, 2}, offsets); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if err := c.Publish(t.Context(), topic, []kafkaio.Message{big(15_000), big(15_000)}); err != nil {
		t.Error(err)
	}
	if err := c.Publish(t.Context(), topic, []kafkaio.Message{big(30_000)}); !errors.Is(err, kafkaio.ErrTooLarge) {
		t.Errorf("published: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Append(ctx, texts(1, "late %d")); !errors.Is(err, context.Canceled) || errors.Is(err, kafkaio.ErrUnknownOutcome) {
		t.Errorf("with a context that had ended: %v", err)
	}
	if o, err := c.Offsets(t.Context(), topic, 0); err != nil || o[0].End != 5 {
		t.Errorf("the log ends at %d, want 5: %v", o[0].End, err)
	}
}
