package consumer

import (
	"context"
	"errors"
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
	return &Planner{cfg: cfg.withDefaults(), ports: ports}
}

// run is one Run. All of it belongs to the goroutine that runs loop.
type run struct {
	*Planner
	topic     string
	committer Committer
	in        chan fetched // from the readers
	often     zerolog.Logger

	progress map[int]*progress // by partition
	open     map[key]*batch
	order    []*batch           // the open ones, oldest first, and sealed ones among them
	ready    []*batch           // sealed, not written
	pending  map[string]pending // by payout id, of open and ready batches
	letters  letters
	commits  committing
}

// Run plans the requests of one generation of the group until ctx ends, and
// returns nil then: the open batches are sealed, written and committed, each as
// far as [Config.StopTimeout] allows; the rest is for the next owner to read
// again. It returns an error only if a reader raises an alarm, or a plan cannot
// be written at all. It leaves no goroutine behind.
func (p *Planner) Run(ctx context.Context, a Assignment) error {
	r := &run{
		Planner: p, topic: a.Topic, committer: a.Committer, in: make(chan fetched), often: sampled(p.cfg.Log),
		progress: make(map[int]*progress), open: make(map[key]*batch), pending: make(map[string]pending),
		commits: committing{done: make(chan committed, 1), last: p.cfg.Now()},
	}
	reading, alarm := context.WithCancelCause(ctx)
	defer alarm(nil)
	var readers sync.WaitGroup
	for _, part := range a.Partitions {
		r.progress[part.ID] = newProgress(part.From)
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
	if err == nil || reading.Err() != nil && errors.Is(err, reading.Err()) {
		r.sealAll(byEnd)
		err = r.flush(work)
	}
	r.lastCommit(ctx)
	stopped()
	p.cfg.Metrics.left(r.progress)
	switch cause := context.Cause(reading); {
	case ctx.Err() == nil:
		return cause
	case err != nil:
		p.cfg.Log.Info().Err(err).Int("requests", r.unanswered()).Msg("the next owner reads again what could not be planned in time")
	}
	return nil
}
