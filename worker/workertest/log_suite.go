package workertest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// TestLog checks that a [worker.Log] is what package worker takes it for. open
// returns a new, empty one.
func TestLog(t *testing.T, open func(t *testing.T) worker.Log) {
	t.Helper()
	for _, rule := range []struct {
		name  string
		check func(t *testing.T, l worker.Log)
	}{
		{"empty", logEmpty},
		{"order and offsets", logOrder},
		{"one record", logReadAt},
		{"outside", logOutside},
		{"many writers", logRace},
		{"a dead context", logDead},
	} {
		t.Run(rule.name, func(t *testing.T) { rule.check(t, open(t)) })
	}
}

func logMessage(i int) schema.Message {
	return schema.Message{Key: []byte("key"), Value: fmt.Appendf(nil, "value-%d", i)}
}

// logAppend writes messages and returns their offsets.
func logAppend(t *testing.T, l worker.Log, from, n int) []int64 {
	t.Helper()
	messages := make([]schema.Message, n)
	for i := range messages {
		messages[i] = logMessage(from + i)
	}
	offsets, err := l.Append(t.Context(), messages...)
	if err != nil {
		t.Fatal(err)
	}
	return offsets
}

func logBounds(t *testing.T, l worker.Log, want int64) {
	t.Helper()
	start, end, err := l.Bounds(t.Context())
	if start != 0 || end != want || err != nil {
		t.Errorf("bounds %d to %d, error %v; want 0 to %d", start, end, err, want)
	}
}

func logEmpty(t *testing.T, l worker.Log) {
	logBounds(t, l, 0)
	chunk, err := l.Read(t.Context(), 0)
	if len(chunk.Entries) != 0 || chunk.Next != 0 || err != nil {
		t.Errorf("an empty log has %+v, error %v", chunk, err)
	}
}

func logOrder(t *testing.T, l worker.Log) {
	var offsets []int64
	for i := range 5 {
		offsets = append(offsets, logAppend(t, l, i*10, 10)...)
	}
	logBounds(t, l, 50)
	var seen []worker.Entry
	for next := int64(7); next < 50; {
		chunk, err := l.Read(t.Context(), next)
		if err != nil {
			t.Fatal(err)
		}
		if chunk.End != 50 || chunk.Next < next {
			t.Fatalf("read from %d: next %d, end %d", next, chunk.Next, chunk.End)
		}
		seen, next = append(seen, chunk.Entries...), chunk.Next
	}
	if len(seen) != 43 {
		t.Fatalf("%d entries from 7 on, want 43", len(seen))
	}
	for i, e := range seen {
		if e.Offset != offsets[7+i] || e.Offset != int64(7+i) || string(e.Value) != string(logMessage(7+i).Value) || string(e.Key) != "key" {
			t.Fatalf("entry %d is %d %s=%s", i, e.Offset, e.Key, e.Value)
		}
	}
}

func logReadAt(t *testing.T, l worker.Log) {
	logAppend(t, l, 0, 30)
	for _, o := range []int64{0, 17, 29} {
		e, err := l.ReadAt(t.Context(), o)
		if e.Offset != o || string(e.Value) != string(logMessage(int(o)).Value) || err != nil {
			t.Errorf("at %d: %d %s, error %v", o, e.Offset, e.Value, err)
		}
	}
	if e, err := l.ReadAt(t.Context(), 30); err == nil {
		t.Errorf("behind the end: %s", e.Value)
	}
}

func logOutside(t *testing.T, l worker.Log) {
	logAppend(t, l, 0, 3)
	chunk, err := l.Read(t.Context(), 3) // the end is not outside
	if len(chunk.Entries) != 0 || chunk.Next != 3 || err != nil {
		t.Errorf("at the end: %+v, error %v", chunk, err)
	}
	_, err = l.Read(t.Context(), 9)
	if gone, ok := errors.AsType[*worker.OutOfRangeError](err); !ok || gone.Asked != 9 || gone.Start != 0 || gone.End != 3 {
		t.Errorf("behind the end: error %v", err)
	}
}

func logRace(t *testing.T, l worker.Log) {
	const writers, each = 8, 20
	got := make(chan []int64, writers)
	for w := range writers {
		go func() {
			var mine []int64
			for i := range each {
				offsets, err := l.Append(t.Context(), logMessage(w*each+i))
				if err != nil {
					t.Error(err)
				}
				mine = append(mine, offsets...)
			}
			got <- mine
		}()
	}
	seen := map[int64]bool{}
	for range writers {
		for _, o := range <-got {
			seen[o] = true
		}
	}
	if len(seen) != writers*each {
		t.Errorf("%d offsets for %d records", len(seen), writers*each)
	}
	logBounds(t, l, writers*each)
}

func logDead(t *testing.T, l worker.Log) {
	dead, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Append(dead, logMessage(0)); err == nil {
		t.Error("an append under a context that has ended says it is durable")
	}
	if _, err := l.Read(dead, 0); err == nil {
		t.Error("a read under a context that has ended succeeds")
	}
}
