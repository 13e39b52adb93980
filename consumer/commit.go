package consumer

import (
	"context"
	"maps"
	"time"
)

// committing is the state of a run's commits. One is under way at a time, in a
// goroutine of its own: a slow coordinator must not hold up plans.
type committing struct {
	done   chan committed
	busy   bool
	last   time.Time // when the last one began
	failed string    // what the last one failed of
}

// committed is the end of a commit.
type committed struct {
	offsets map[int]int64
	err     error
}

// moved returns the offsets that are answered and not committed yet.
func (r *run) moved() map[int]int64 {
	offsets := make(map[int]int64)
	for id, p := range r.progress {
		if p.next > p.stored {
			offsets[id] = p.next
		}
	}
	return offsets
}

// untilCommit is how long a commit has to wait yet, false if none has to.
func (r *run) untilCommit() (time.Duration, bool) {
	if r.commits.busy {
		return 0, false
	}
	for _, p := range r.progress {
		if p.next > p.stored {
			return max(0, r.commits.last.Add(r.cfg.CommitEvery).Sub(r.cfg.Now())), true
		}
	}
	return 0, false
}

// commit begins a commit if there is something to commit and it is time.
func (r *run) commit(ctx context.Context) {
	if wait, some := r.untilCommit(); !some || wait > 0 {
		return
	}
	r.commits.busy, r.commits.last = true, r.cfg.Now()
	offsets := r.moved()
	go func() {
		r.commits.done <- committed{offsets, r.store(ctx, offsets)}
	}()
}

// store raises the floors and then commits. A crash in between leaves a commit
// below its floor: the next owner reads again what is answered, and passes over it.
func (r *run) store(ctx context.Context, offsets map[int]int64) error {
	if err := r.floors.Raise(ctx, maps.Clone(offsets)); err != nil {
		return err
	}
	return r.committer.Commit(ctx, maps.Clone(offsets))
}

// committed takes the end of a commit in.
func (r *run) committed(c committed) {
	r.commits.busy = false
	if c.err == nil {
		for id, offset := range c.offsets {
			r.progress[id].stored = offset
		}
		r.commits.failed = ""
		return
	}
	if text := c.err.Error(); text != r.commits.failed {
		r.commits.failed = text
		r.cfg.Log.Warn().Err(c.err).Msg("cannot commit offsets; what is not committed is read again, and paid once")
	}
}

// lastCommit commits what a run leaves behind.
func (r *run) lastCommit(ctx context.Context) {
	if r.commits.busy {
		r.committed(<-r.commits.done)
	}
	offsets := r.moved()
	if len(offsets) == 0 {
		return
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.cfg.StopTimeout)
	defer cancel()
	r.committed(committed{offsets, r.store(last, offsets)})
}
