package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/toplu/toplu/internal/config"
	"github.com/toplu/toplu/internal/kafkaio"
)

// A Bench is one run in topics and keys of its own, which are there already. It
// is for one goroutine.
type Bench struct {
	Kafka      *kafkaio.Client
	Topics     config.Topics
	Prefix     string // of the topics
	Name       string // of the run; its payout ids begin with it
	Partitions int    // of each topic

	MaxItems int           // at which the service seals a batch
	MaxWait  time.Duration // after which it seals one that is not full
	Session  time.Duration // after which Kafka and Redis give a killed service up

	// Worker starts a service that pays from the run's topics by way of the
	// iyzico at url. Its group begins at the offsets of payout.requests in from;
	// nil: where it was.
	Worker func(ctx context.Context, group, url string, from map[int]int64) (*Part, error)
	// Simulator starts an iyzico that answers and settles at once.
	Simulator func(ctx context.Context) (*Part, error)
	// Claims are those of the run.
	Claims Claims
	// Progress tells how much of something is done.
	Progress func(what string, done, of int)
	Now      func() time.Time

	written int // requests of payouts, numbered from 0
	probes  int // requests beside them
	probeID int // number of the last of these
	open    int // batches that stay open
	behind  int // records of the plan log after these
	iyzico  *Part
	url     string // where that serves
}

// errPlannedAgain: what was known has been planned a second time.
var errPlannedAgain = errors.New("requests that are known were planned again")

// A Life is what the whole life of the payouts cost.
type Life struct {
	Payouts          int                  `json:"payouts"`
	Seconds          Seconds              `json:"seconds"` // from the first request read to the last status paid
	PayoutsPerSecond int64                `json:"payoutsPerSecond"`
	CPUMicros        Tenths               `json:"cpuMicrosPerPayout"` // of the worker's process
	Allocations      Tenths               `json:"allocationsPerPayout"`
	AllocatedBytes   int64                `json:"allocatedBytesPerPayout"`
	PeakMiB          int64                `json:"peakMiB"`     // resident memory of the worker's process
	ToInit           Spread               `json:"toInit"`      // until iyzico has answered init
	OverWaiting      Spread               `json:"overWaiting"` // of that, what the batch did not wait to be sealed
	ToSubmitted      Spread               `json:"toSubmitted"`
	ToPaid           Spread               `json:"toPaid"`
	Calls            map[string]Tenths    `json:"callsPerThousand"` // to iyzico, by operation
	Topics           map[string]TopicCost `json:"topics"`
	Simulator        Tenths               `json:"simulatorCpuMicrosPerPayout"`
	Batches          int64                `json:"batches"`
}

// Seconds prints itself with three places.
type Seconds time.Duration

// MarshalJSON writes a number of seconds.
func (s Seconds) MarshalJSON() ([]byte, error) { return []byte(s.String()), nil }

// String is the seconds with three places.
func (s Seconds) String() string {
	return fmt.Sprintf("%d.%03d", time.Duration(s)/time.Second, time.Duration(s)%time.Second/time.Millisecond)
}

// Tenths is a number with one place, in tenths.
type Tenths int64

// MarshalJSON writes a number with one place.
func (t Tenths) MarshalJSON() ([]byte, error) { return []byte(t.String()), nil }

// String is the number with one place.
func (t Tenths) String() string { return fmt.Sprintf("%d.%d", t/10, t%10) }

// tenths is a over b.
func tenths(a, b int64) Tenths {
	if b == 0 {
		return 0
	}
	return Tenths(a * 10 / b)
}

// Life has a worker pay n payouts and tells what that cost. With a rate of 0 they
// all wait in Kafka when the worker begins; otherwise so many a second arrive.
// The worker goes on.
func (b *Bench) Life(ctx context.Context, n, rate int) (life Life, worker *Part, err error) {
	sim, err := b.simulator(ctx)
	if err != nil {
		return life, nil, err
	}
	from, err := b.ends(ctx)
	if err != nil {
		return life, nil, err
	}
	first := b.written
	var start Usage
	if rate == 0 {
		if err := b.fill(ctx, n); err != nil {
			return life, nil, err
		}
		if worker, err = b.Worker(ctx, lifeGroup, b.url, from[b.Topics.Requests]); err != nil {
			return life, nil, err
		}
	} else {
		if worker, err = b.ready(ctx, from[b.Topics.Requests]); err != nil {
			return life, worker, err
		}
		if from, err = b.ends(ctx); err != nil {
			return life, worker, err
		}
		if start, err = worker.Usage(); err != nil {
			return life, worker, err
		}
		if err := b.arrive(ctx, n, rate); err != nil {
			return life, worker, err
		}
	}
	used, err := b.paid(ctx, worker, start.Counts["paid"]+int64(n))
	if err != nil {
		return life, worker, err
	}
	if rate == 0 {
		start = used.atBeginning()
	}
	simEnd, err := b.iyzico.Usage()
	if err != nil {
		return life, worker, err
	}
	s, err := b.read(ctx, first, n, from)
	if err != nil {
		return life, worker, err
	}
	if lost := missing(s.paid); lost > 0 || s.twice > 0 {
		return life, worker, fmt.Errorf("of %d payouts %d have no status paid, and %d statuses came twice", n, lost, s.twice)
	}
	return addUp(n, s, &start, &used, simEnd.CPU-sim.CPU), worker, nil
}

// lifeGroup is the group of whoever pays.
const lifeGroup = "life"

// paid waits until a worker has paid so many, and has answered every batch that
// it has planned: the last payouts are paid while their statuses may still be on
// their way.
func (b *Bench) paid(ctx context.Context, worker *Part, payouts int64) (Usage, error) {
	used, err := b.await(ctx, worker, "paying", payouts, func(u *Usage) int64 { return u.Counts["paid"] })
	if err != nil {
		return used, err
	}
	return b.await(ctx, worker, "closing", used.Counts["plans"], func(u *Usage) int64 { return u.Counts["closed"] })
}

// simulator starts the run's iyzico, if it does not serve yet, and tells what it
// has used.
func (b *Bench) simulator(ctx context.Context) (used Usage, err error) {
	if b.iyzico == nil {
		if b.iyzico, err = b.Simulator(ctx); err != nil {
			return used, err
		}
	}
	if used, err = b.iyzico.Usage(); err != nil {
		return used, err
	}
	b.url = used.URL
	return used, nil
}

// addUp makes a Life of what was read and of what was used since start.
func addUp(n int, s *story, start, used *Usage, simulator time.Duration) Life {
	took := last(s.paid).Sub(start.Done)
	l := Life{
		Payouts: n, Seconds: Seconds(took), PayoutsPerSecond: perSecond(int64(n), took),
		CPUMicros:   tenths((used.CPU - start.CPU).Microseconds(), int64(n)),
		Allocations: tenths(int64(used.Mallocs-start.Mallocs), int64(n)), AllocatedBytes: int64(used.AllocBytes-start.AllocBytes) / int64(n),
		PeakMiB: used.PeakBytes >> 20, Topics: s.topics, Batches: used.Counts["plans"] - start.Counts["plans"],
		ToInit: s.spread(s.init, start.Done), OverWaiting: spreadOf(s.over), ToSubmitted: s.spread(s.submitted, start.Done), ToPaid: s.spread(s.paid, start.Done),
		Calls: map[string]Tenths{}, Simulator: tenths(simulator.Microseconds(), int64(n)),
	}
	for name, calls := range maps.All(used.Counts) {
		if op, ok := strings.CutPrefix(name, "call:"); ok {
			l.Calls[op] = tenths((calls-start.Counts[name])*1000, int64(n))
		}
	}
	return l
}

// standstill is how long a count may stay as it is before a run is given up.
const standstill = 2 * time.Minute

// await asks a part until a count has reached goal. It fails when the count has
// stood still for long: what it waits for does not come any more.
func (b *Bench) await(ctx context.Context, p *Part, what string, goal int64, count func(*Usage) int64) (Usage, error) {
	tick := time.NewTicker(200 * time.Millisecond) // each look costs what is measured a millisecond
	defer tick.Stop()
	before, moved := int64(0), b.Now()
	for {
		u, err := p.Usage()
		if err != nil {
			return u, err
		}
		n := count(&u)
		b.Progress(what, int(min(n, goal)), int(goal))
		switch {
		case n >= goal:
			return u, nil
		case n != before:
			before, moved = n, b.Now()
		case b.Now().Sub(moved) > standstill:
			return u, fmt.Errorf("%s: %d of %d, and nothing more for %s", what, n, goal, standstill)
		}
		select {
		case <-ctx.Done():
			return u, fmt.Errorf("%s: %d of %d: %w", what, n, goal, context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// plain is a topic's name without the run's prefix.
func (b *Bench) plain(topic string) string { return strings.TrimPrefix(topic, b.Prefix) }
