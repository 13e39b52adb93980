package kafkalog

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// A Log is one partition of a topic. It is safe for concurrent use; appends of
// those who come together are written together.
type Log struct {
	client    *kafkaio.Client
	topic     string
	partition int
	appender  *kafkaio.Appender
	options   kafkaio.ReaderOptions
	reader    atomic.Pointer[kafkaio.Reader] // of the last Read, while nobody uses it
}

// New returns the log that a partition is. Nothing is asked for yet.
func New(client *kafkaio.Client, topic string, partition int) *Log {
	return &Log{
		client: client, topic: topic, partition: partition,
		appender: client.NewAppender(topic, partition),
		options:  kafkaio.ReaderOptions{MaxBytes: 1 << 20, MaxWait: 500 * time.Millisecond},
	}
}

// Bounds implements [worker.Log].
func (l *Log) Bounds(ctx context.Context) (start, end int64, err error) {
	all, err := l.client.Offsets(ctx, l.topic, l.partition)
	if err != nil {
		return 0, 0, err
	}
	return all[l.partition].Start, all[l.partition].End, nil
}

// Read implements [worker.Log].
func (l *Log) Read(ctx context.Context, from int64) (worker.Chunk, error) {
	r := l.reader.Swap(nil)
	if r == nil {
		r = l.client.NewReader(l.topic, l.partition, from, l.options)
	}
	r.From(from)
	b, err := r.Next(ctx)
	l.reader.Store(r)
	if err != nil {
		return worker.Chunk{}, l.explain(err)
	}
	c := worker.Chunk{Entries: make([]worker.Entry, len(b.Records)), Next: b.Next, End: b.HighWatermark}
	for i := range b.Records {
		e := &b.Records[i]
		c.Entries[i] = worker.Entry{Offset: e.Offset, Key: e.Key, Value: e.Value}
	}
	return c, nil
}

// ReadAt implements [worker.Log].
func (l *Log) ReadAt(ctx context.Context, offset int64) (worker.Entry, error) {
	r, err := l.client.ReadAt(ctx, l.topic, l.partition, offset)
	if err != nil {
		return worker.Entry{}, l.explain(err)
	}
	return worker.Entry{Offset: r.Offset, Key: r.Key, Value: r.Value}, nil
}

// Append implements [worker.Log].
func (l *Log) Append(ctx context.Context, messages ...schema.Message) ([]int64, error) {
	return l.appender.Append(ctx, kafkaio.Messages(messages...))
}

// explain gives an offset outside of the log the type that package worker knows.
func (l *Log) explain(err error) error {
	if out, ok := errors.AsType[*kafkaio.OutOfRangeError](err); ok {
		return fmt.Errorf("%s/%d: %w", l.topic, l.partition, &worker.OutOfRangeError{Asked: out.Asked, Start: out.LogStart, End: out.End})
	}
	return err
}
