package workertest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

var _ worker.Log = (*Log)(nil)

// Log is a [worker.Log] in memory. The zero value is empty and ready. It is safe
// for concurrent use.
type Log struct {
	// Wait is how long Read waits for the first record. Defaults to 50 ms.
	Wait time.Duration

	mu      sync.Mutex
	entries []worker.Entry
	grown   chan struct{} // closed when a record comes; nil if nobody waits
}

// Bounds implements [worker.Log].
func (l *Log) Bounds(ctx context.Context) (start, end int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return 0, int64(len(l.entries)), ctx.Err()
}

// Read implements [worker.Log].
func (l *Log) Read(ctx context.Context, from int64) (worker.Chunk, error) {
	wait := l.Wait
	if wait == 0 {
		wait = 50 * time.Millisecond
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for waited := false; ; {
		l.mu.Lock()
		end := int64(len(l.entries))
		switch {
		case from < 0 || from > end:
			l.mu.Unlock()
			return worker.Chunk{}, &worker.OutOfRangeError{Asked: from, Start: 0, End: end}
		case from < end || waited:
			c := worker.Chunk{Entries: slices.Clone(l.entries[from:]), Next: end, End: end}
			l.mu.Unlock()
			return c, ctx.Err()
		}
		if l.grown == nil {
			l.grown = make(chan struct{})
		}
		grown := l.grown
		l.mu.Unlock()
		select {
		case <-grown:
		case <-timer.C:
			waited = true
		case <-ctx.Done():
			return worker.Chunk{}, ctx.Err()
		}
	}
}

// ReadAt implements [worker.Log].
func (l *Log) ReadAt(ctx context.Context, offset int64) (worker.Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if offset < 0 || offset >= int64(len(l.entries)) {
		return worker.Entry{}, &worker.OutOfRangeError{Asked: offset, Start: 0, End: int64(len(l.entries))}
	}
	return l.entries[offset], ctx.Err()
}

// Append implements [worker.Log].
func (l *Log) Append(ctx context.Context, messages ...schema.Message) ([]int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	offsets := make([]int64, len(messages))
	for i, m := range messages {
		offsets[i] = int64(len(l.entries))
		l.entries = append(l.entries, worker.Entry{Offset: offsets[i], Key: slices.Clone(m.Key), Value: slices.Clone(m.Value)})
	}
	if l.grown != nil {
		close(l.grown)
		l.grown = nil
	}
	return offsets, nil
}

// Copy returns messages that share no memory with others: what a
// [worker.Publisher] keeps when it has published them.
func Copy(messages []schema.Message) []schema.Message {
	out := make([]schema.Message, len(messages))
	for i, m := range messages {
		out[i] = m.Clone()
	}
	return out
}
