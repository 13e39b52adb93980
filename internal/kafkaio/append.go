package kafkaio

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Appender appends to one partition and tells the offsets. Messages of callers
// that come together are written together: while one batch is under way the
// next one gathers, and there is never more than one. Safe for concurrent use;
// it holds nothing and needs no closing. Two appenders for one partition are
// right, but slower.
type Appender struct {
	c         *Client
	topic     string
	partition int

	mu      sync.Mutex
	queue   []*appendCall // in the order of calling; guarded by mu
	running bool          // a goroutine takes from the queue; guarded by mu
	limit   int           // of a batch, in bytes; only shrinks; owned by that goroutine
}

// appendCall is one call of Append.
type appendCall struct {
	messages []Message
	done     chan struct{} // closed when offsets and err are decided

	// The rest is guarded by the appender's mu, and after done by nobody.
	offsets []int64 // of the messages acknowledged so far
	flying  bool    // some of the messages are in a request
	left    bool    // the caller has gone
	err     error
}

// NewAppender returns an appender for one partition.
func (c *Client) NewAppender(topic string, partition int) *Appender {
	return &Appender{c: c, topic: topic, partition: partition, limit: maxBatchBytes}
}

// Append writes messages in order and returns the offset of each, once all
// in-sync replicas have them. Calls are written in the order in which they were
// made. The messages of one call stand together, and are written all or none,
// if they take less than 1 MiB.
//
// Nothing is repeated, with one exception: what is proven not to be written (no
// connection could be made, the broker is not the leader, too few replicas) is
// tried again with growing pauses while ctx lasts.
//
// Errors: [ErrTooLarge] for a message over 1 MiB, or over the topic's limit.
// [ErrUnknownOutcome] if an answer was lost, ctx ended while a request was under
// way, or a part of a call over 1 MiB was written. A ctx that ended before is
// its own error, and any other error is a refusal; then nothing was written.
func (a *Appender) Append(ctx context.Context, messages []Message) ([]int64, error) {
	if len(messages) == 0 {
		return nil, nil
	}
	for _, m := range messages {
		if m.size() > maxBatchBytes {
			return nil, fmt.Errorf("append to %s/%d: %w: %d bytes", a.topic, a.partition, ErrTooLarge, m.size())
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if a.c.ctx.Err() != nil {
		return nil, ErrClosed
	}
	call := &appendCall{messages: messages, done: make(chan struct{})}
	a.mu.Lock()
	a.queue = append(a.queue, call)
	if !a.running {
		a.running = true
		go a.run()
	}
	a.mu.Unlock()

	select {
	case <-call.done:
		return call.result()
	case <-ctx.Done():
		return a.leave(call, context.Cause(ctx))
	}
}

// leave takes a call whose caller's context has ended out of the queue, and
// says what is known of it.
func (a *Appender) leave(call *appendCall, cause error) ([]int64, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	select {
	case <-call.done:
		return call.result()
	default:
	}
	call.left = true
	for i, queued := range a.queue {
		if queued == call {
			a.queue = append(a.queue[:i:i], a.queue[i+1:]...)
			break
		}
	}
	if call.flying || len(call.offsets) > 0 {
		return nil, fmt.Errorf("append to %s/%d: %w: %w", a.topic, a.partition, ErrUnknownOutcome, cause)
	}
	return nil, fmt.Errorf("append to %s/%d: nothing written: %w", a.topic, a.partition, cause)
}

func (c *appendCall) result() ([]int64, error) {
	if c.err != nil {
		return nil, c.err
	}
	return c.offsets, nil
}

// run writes batch after batch until the queue is empty. It belongs to no
// caller, so that one who leaves does not cut off the others.
func (a *Appender) run() {
	pause := newBackoff()
	for {
		if a.c.ctx.Err() != nil {
			a.refuseAll(ErrClosed)
		}
		calls, batch := a.take()
		if calls == nil {
			return
		}
		base, v, err := a.c.produce(a.c.ctx, a.topic, a.partition, batch)
		switch {
		case err == nil:
			a.landed(calls, base, len(batch))
			pause.Reset()
		case v == later:
			a.putBack(calls)
			a.c.wait(a.c.ctx, pause.NextBackOff())
		case errors.Is(err, ErrTooLarge) && len(batch) > 1:
			// The topic takes less than the default. Nothing was written, so
			// the same messages go out in smaller batches.
			a.limit = max(a.limit/2, 1)
			a.putBack(calls)
		case v == never:
			a.failed(calls, err)
		default:
			a.failed(calls, fmt.Errorf("%w: %w", ErrUnknownOutcome, err))
		}
	}
}

// take gathers the next batch: as many whole calls as fit, or a part of the
// first one if that alone is too large. It ends the run if there are none.
func (a *Appender) take() (calls []*appendCall, batch []Message) {
	a.mu.Lock()
	defer a.mu.Unlock()
	size := 0
	for _, call := range a.queue {
		rest := call.messages[len(call.offsets):]
		n := leading(rest, a.limit-size)
		if len(batch) > 0 && (n < len(rest) || size+sizeOf(rest) > a.limit) {
			break
		}
		call.flying = true
		calls, batch = append(calls, call), append(batch, rest[:n]...)
		size += sizeOf(rest[:n])
		if n < len(rest) {
			break
		}
	}
	a.queue = a.queue[len(calls):]
	a.running = len(calls) > 0
	return calls, batch
}

// landed gives the offsets of an acknowledged batch to its calls. A call that
// is not complete yet goes back to the head of the queue.
func (a *Appender) landed(calls []*appendCall, base int64, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	end := base + int64(n)
	for _, call := range calls {
		for ; base < end && len(call.offsets) < len(call.messages); base++ {
			call.offsets = append(call.offsets, base)
		}
		call.flying = false
		switch {
		case len(call.offsets) == len(call.messages):
			close(call.done)
		case !call.left:
			a.queue = append([]*appendCall{call}, a.queue...)
		}
	}
}

// putBack returns calls none of whose latest batch was written to the head of
// the queue, but for those whose callers have gone.
func (a *Appender) putBack(calls []*appendCall) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var back []*appendCall
	for _, call := range calls {
		call.flying = false
		if !call.left {
			back = append(back, call)
		}
	}
	a.queue = append(back, a.queue...)
}

// failed tells the calls of a batch why it failed. A refusal of a later part of
// a call does not unwrite the earlier ones.
func (a *Appender) failed(calls []*appendCall, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, call := range calls {
		call.err = err
		if len(call.offsets) > 0 && !errors.Is(err, ErrUnknownOutcome) {
			call.err = fmt.Errorf("%w: the first %d messages were: %w", ErrUnknownOutcome, len(call.offsets), err)
		}
		close(call.done)
	}
}

// refuseAll refuses everything that waits.
func (a *Appender) refuseAll(err error) {
	a.mu.Lock()
	waiting := a.queue
	a.queue = nil
	a.mu.Unlock()
	a.failed(waiting, err)
}

func sizeOf(messages []Message) int {
	n := 0
	for _, m := range messages {
		n += m.size()
	}
	return n
}
