package worker

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// Leases keep two workers from driving one shard at the same time. They spare
// calls and alarms; no safety rests on them.
type Leases interface {
	// Obtain takes the shard's lease for ttl, or fails at once if somebody has it.
	Obtain(ctx context.Context, shard int, ttl time.Duration) (Lease, error)
}

// A Lease is held until it is released or has not been refreshed for its ttl.
type Lease interface {
	Refresh(ctx context.Context, ttl time.Duration) error
	Release(ctx context.Context) error
}

// A Worker drives the shards that it is assigned.
type Worker struct {
	cfg    Config
	ports  func(shard int) Ports
	leases Leases
	ttl    time.Duration
	log    zerolog.Logger

	mu     sync.Mutex
	shards map[int]*running // guarded by mu
	ended  bool             // guarded by mu: nothing more is started
	halted error            // guarded by mu: why no shard may run
	all    sync.WaitGroup
}

// running is a shard that was assigned.
type running struct {
	stop context.CancelFunc
	done chan struct{}
	err  error // why it stopped by itself; read after done

	shard *Shard // guarded by the worker's mu; nil while it waits for the lease
}

// NewWorker returns a worker without shards. ttl is how long the lease of a
// worker that vanished keeps others waiting.
func NewWorker(cfg Config, ports func(shard int) Ports, leases Leases, ttl time.Duration, log zerolog.Logger) *Worker {
	return &Worker{cfg: cfg, ports: ports, leases: leases, ttl: ttl, log: log, shards: map[int]*running{}}
}

// Assign says which shards are this worker's from now on. Those it has already
// go on undisturbed, with their session; the others are given up once their
// calls in flight have ended. Assign does not wait for that: the next owner
// waits for the lease.
func (w *Worker) Assign(ctx context.Context, shards []int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return
	}
	for n, r := range w.shards {
		if !slices.Contains(shards, n) {
			r.stop()
			delete(w.shards, n)
		}
	}
	for _, n := range shards {
		if w.shards[n] != nil {
			continue
		}
		own, stop := context.WithCancel(context.WithoutCancel(ctx))
		r := &running{stop: stop, done: make(chan struct{})}
		w.shards[n] = r
		w.all.Go(func() {
			defer close(r.done)
			defer stop()
			if r.err = w.drive(own, n); r.err != nil {
				w.log.Error().Err(r.err).Int("shard", n).Msg("the shard has stopped and pays nothing; the others go on. A person must look; it starts again with the worker")
			}
		})
	}
}

// Stop gives every shard up and waits until their calls in flight have ended.
func (w *Worker) Stop() {
	w.mu.Lock()
	w.ended = true
	for _, r := range w.shards {
		r.stop()
	}
	w.mu.Unlock()
	w.all.Wait()
}

// Halt stops every shard for good: what they stand on is not what it must be.
func (w *Worker) Halt(why error) {
	w.mu.Lock()
	w.halted = why
	w.mu.Unlock()
	w.log.Error().Err(why).Msg("all shards stop and pay nothing; a person must look, and start the worker again")
	w.Stop()
}

// Halted returns why no shard runs any more, nil if that is not so.
func (w *Worker) Halted() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.halted
}

// Stopped returns the shards that stopped by themselves, or are stuck, and why.
func (w *Worker) Stopped() map[int]error {
	w.mu.Lock()
	defer w.mu.Unlock()
	stopped := map[int]error{}
	for n, r := range w.shards {
		if w.halted != nil {
			stopped[n] = w.halted
			continue
		}
		select {
		case <-r.done:
			if r.err != nil {
				stopped[n] = r.err
			}
		default:
			if r.shard != nil && r.shard.Trouble() != "" {
				stopped[n] = errors.New(r.shard.Trouble())
			}
		}
	}
	return stopped
}

// drive takes the shard's lease and drives it until ctx ends.
func (w *Worker) drive(ctx context.Context, shard int) error {
	lease := w.lease(ctx, shard)
	if lease == nil {
		return nil
	}
	refreshing, stop := context.WithCancel(context.WithoutCancel(ctx))
	held := make(chan Lease, 1)
	go func() { held <- w.refresh(refreshing, shard, lease) }()
	s := NewShard(shard, w.cfg, w.ports(shard))
	w.mu.Lock()
	if r := w.shards[shard]; r != nil {
		r.shard = s
	}
	w.mu.Unlock()
	err := s.Run(ctx)
	stop()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseFor)
	defer cancel()
	select {
	case lease = <-held:
	case <-last.Done(): // a refresh is under way and nobody answers
	}
	if err := lease.Release(last); err != nil {
		w.log.Debug().Err(err).Int("shard", shard).Msg("lease not released, it runs out by itself")
	}
	return err
}

// releaseFor is how long giving a lease back may keep the end of a worker waiting:
// where Redis answers it takes a millisecond, and where it does not the lease runs
// out by itself.
const releaseFor = 2 * time.Second

// lease waits for the shard's lease; nil when ctx has ended.
func (w *Worker) lease(ctx context.Context, shard int) Lease {
	for told := ""; ; {
		lease, err := w.leases.Obtain(ctx, shard, w.ttl)
		if err == nil {
			return lease
		}
		if text := err.Error(); text != told && ctx.Err() == nil {
			told = text
			w.log.Info().Err(err).Int("shard", shard).Msg("waiting for the shard's lease")
		}
		if pause(ctx, w.ttl/20) != nil {
			return nil
		}
	}
}

// refresh keeps the lease until ctx ends, and returns what it holds then. If it
// was lost, by a freeze or with Redis, the shard goes on, for safety does not rest
// on it, and it is taken again when it is free.
func (w *Worker) refresh(ctx context.Context, shard int, lease Lease) Lease {
	lost := false
	for pause(ctx, w.ttl/3) == nil {
		err := lease.Refresh(ctx, w.ttl)
		if err == nil || ctx.Err() != nil {
			continue
		}
		if again, obtainErr := w.leases.Obtain(ctx, shard, w.ttl); obtainErr == nil {
			lease, lost = again, false
			continue
		}
		if !lost {
			lost = true
			w.log.Warn().Err(err).Int("shard", shard).Msg("the shard's lease is lost; the shard goes on and takes it again when it is free")
		}
	}
	return lease
}
