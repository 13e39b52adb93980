package consumer

import (
	"context"
	"fmt"
	"slices"
)

// chunkEvents is about how many events are taken at a time. More of them share
// one look-up, and then wait longer for it.
const chunkEvents = 4000

// fetched is what a reader has read and decoded.
type fetched struct {
	partition int
	events    []event
	next, end int64
}

// read reads one partition until ctx ends. It is at most one batch ahead of the
// planner.
func (r *run) read(ctx context.Context, part Partition) error {
	next := part.From
	for ctx.Err() == nil {
		b, err := part.Reader.Next(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			return fmt.Errorf("read requests: %w", err)
		case err != nil, len(b.Records) == 0 && b.Next <= next:
			continue
		}
		next = b.Next
		f := fetched{part.ID, r.decode(r.topic, part.ID, b.Records), b.Next, b.End}
		select {
		case r.in <- f:
		case <-ctx.Done():
		}
	}
	return nil
}

// gather takes what the other readers have as well, and notes where all of it
// stands. Events may be large, so no reader has more than its turn.
func (r *run) gather(f fetched) []*event {
	events := r.note(nil, f)
	for turns := 1; turns < len(r.progress) && len(events) < chunkEvents; turns++ {
		select {
		case more := <-r.in:
			events = r.note(events, more)
		default:
			return events
		}
	}
	return events
}

// note adds what was read to events and to the partition's progress. What lies
// beyond the last record, markers and aborted transactions, needs no answer.
func (r *run) note(events []*event, f fetched) []*event {
	events = slices.Grow(events, len(f.events))
	p := r.progress[f.partition]
	next := int64(-1)
	for i := range f.events {
		e := &f.events[i]
		next = e.source.Offset + 1
		e.place, e.below, e.told = p.add(next), e.source.Offset < p.part.Floor, e.source.Offset < p.part.Answered
		events = append(events, e)
	}
	if f.next > next {
		p.add(f.next).answered()
	}
	p.end = f.end
	r.cfg.Metrics.read(len(f.events))
	return events
}
