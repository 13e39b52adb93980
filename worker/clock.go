package worker

import (
	"container/heap"
	"context"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// forever returns an exponential back-off with jitter that never gives up and
// waits at most limit.
func forever(limit time.Duration) *backoff.ExponentialBackOff {
	return backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(min(50*time.Millisecond, limit)),
		backoff.WithMaxInterval(limit),
		backoff.WithMultiplier(2),
		backoff.WithMaxElapsedTime(0),
	)
}

// backOff is forever as the configuration has it.
func (c Config) backOff(limit time.Duration) *backoff.ExponentialBackOff {
	b := forever(limit)
	if c.Steady {
		b.RandomizationFactor = 0
	}
	return b
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A wake is the time at which a batch is to be looked at again.
type wake struct {
	at    time.Time
	batch int64
}

// wakes is a heap of wakes, the next first.
type wakes []wake

func (w *wakes) Len() int           { return len(*w) }
func (w *wakes) Less(i, j int) bool { return (*w)[i].at.Before((*w)[j].at) }
func (w *wakes) Swap(i, j int)      { (*w)[i], (*w)[j] = (*w)[j], (*w)[i] }

// Push and Pop serve package heap.
func (w *wakes) Push(x any) { *w = append(*w, x.(wake)) }

// Pop takes the last element off, for package heap.
func (w *wakes) Pop() any {
	old := *w
	last := old[len(old)-1]
	*w = old[:len(old)-1]
	return last
}

// wakeAt has the batch looked at again at t.
func (s *Shard) wakeAt(b *batch, t time.Time) {
	b.drive.wake = t
	heap.Push(&s.wakes, wake{t, b.offset})
}

// untilWake is how long the loop may sleep.
func (s *Shard) untilWake() time.Duration {
	if len(s.wakes) == 0 {
		return time.Hour
	}
	return max(0, s.wakes[0].at.Sub(s.ports.Now()))
}

// wakeDue moves the batches on whose time has come.
func (s *Shard) wakeDue() {
	now := s.ports.Now()
	for len(s.wakes) > 0 && !s.wakes[0].at.After(now) {
		w := heap.Pop(&s.wakes).(wake)
		if b := s.batches[w.batch]; b != nil {
			s.advance(b)
		} else if b := s.asleep[w.batch]; b != nil && !b.drive.wake.After(now) && !s.stopping {
			s.rouse(w.batch)
		}
	}
}
