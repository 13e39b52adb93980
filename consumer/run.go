package consumer

import (
	"context"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// A Planner makes plans of requests. Safe for concurrent use: what it knows of
// requests lives as long as one Run.
type Planner struct {
	cfg   Config
	ports Ports
}

// New returns a planner.
func New(cfg Config, ports Ports) *Planner {
	if ports.Seal == nil {
		ports.Seal = inClear{}
	}
	return &Planner{cfg: cfg.withDefaults(), ports: ports}
}

// run is one Run. All of it belongs to the goroutine that runs loop.
type run struct {
	*Planner
	topic     string
	committer Committer
	floors    Floors
	in        chan fetched // from the readers
	often     zerolog.Logger

	progress map[int]*progress // by partition
	open     map[key]*batch
	order    []*batch           // the open ones, by when they are due
	ready    []*batch           // sealed, not written
	pending  map[string]pending // by payout id, of open and ready batches
	lately   map[int]*lately    // by shard
	letters  letters
	keyless  *keyless
	commits  committing
}

// Run plans the requests of one generation of the group until ctx ends, and
// returns nil then: the open batches are sealed, written and committed, each as
// far as [Config.StopTimeout] allows; the rest is for the next owner to read
// again. It returns an error only if a reader raises an alarm, or a plan cannot
// be written at all. It leaves no goroutine behind.
func (p *Planner) Run(ctx context.Context, a Assignment) error {
	r := &run{
		Planner: p, topic: a.Topic, committer: a.Committer, floors: a.Floors, in: make(chan fetched), often: sampled(p.cfg.Log),
		progress: make(map[int]*progress), open: make(map[key]*batch), pending: make(map[string]pending),
		lately:  make(map[int]*lately, p.ports.Plans.Shards()),
		keyless: newKeyless(p.cfg.Log),
		commits: committing{done: make(chan committed, 1), last: p.cfg.Now()},
	}
	for shard := range p.ports.Plans.Shards() {
		r.lately[shard] = &lately{}
	}
	reading, alarm := context.WithCancelCause(ctx)
	defer alarm(nil)
	var readers sync.WaitGroup
	for _, part := range a.Partitions {
		r.progress[part.ID] = newProgress(&part)
		readers.Go(func() {
			if err := r.read(reading, part); err != nil {
				alarm(err)
			}
		})
	}
	work, stopped := r.grace(reading)
	err := r.loop(reading, work)
	alarm(err)
	readers.Wait()
	if err == nil {
		r.sealAll(byEnd)
		if err := r.flush(work); err != nil {
			p.cfg.Log.Info().Err(err).Int("requests", r.unanswered()).Msg("not planned in time: the next owner reads these requests again")
		}
	}
	r.lastCommit(ctx)
	stopped()
	p.cfg.Metrics.left(r.topic, r.progress)
	if ctx.Err() != nil {
		return nil
	}
	return context.Cause(reading)
}

// grace returns a context that ends StopTimeout after ctx, or when it is
// stopped: what has been begun may be finished, but not for ever.
func (r *run) grace(ctx context.Context) (work context.Context, stopped func()) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-ctx.Done():
		case <-work.Done():
			return
		}
		timer := time.NewTimer(r.cfg.StopTimeout)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-work.Done():
		}
	}()
	return work, func() { cancel(); <-done }
}

// loop takes chunks, seals what is old, and commits. It returns nil when ctx
// has ended, and an error if going on would not help.
func (r *run) loop(ctx, work context.Context) error {
	for ctx.Err() == nil {
		err := r.step(ctx, work)
		if err == nil {
			err = r.tryKeys(ctx, work)
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
		r.commit(work)
		r.cfg.Metrics.lag(r.topic, r.progress)
	}
	return nil
}

// step does the next thing there is to do.
func (r *run) step(ctx, work context.Context) error {
	// What is due comes before what is new, however much of that there is.
	wait := r.untilNext()
	if wait <= 0 {
		r.sealAged()
		return r.flush(work)
	}
	select {
	case c := <-r.commits.done:
		r.committed(c)
		return nil
	default:
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return nil
	case f := <-r.source():
		return r.take(ctx, work, r.gather(f))
	case c := <-r.commits.done:
		r.committed(c)
		return nil
	case <-timer.C:
		r.sealAged()
		return r.flush(work)
	}
}

// untilNext is how long there is nothing to do unless something comes.
func (r *run) untilNext() time.Duration {
	wait := time.Hour
	if b := r.oldest(); b != nil {
		wait = min(wait, max(0, b.due.Sub(r.cfg.Now())))
	}
	if until, some := r.untilCommit(); some {
		wait = min(wait, until)
	}
	if until, some := r.keyless.until(r.cfg.Now()); some {
		wait = min(wait, until)
	}
	return wait
}
