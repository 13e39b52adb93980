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
	Kafka  *kafkaio.Client
	Topics config.Topics
	Prefix string // of the topics
	Name   string // of the run; its payout ids begin with it

	// Worker starts a service that pays from the run's topics by way of the
	// iyzico at url; it begins at the first request under a new group.
	Worker func(ctx context.Context, group, url string) (*Part, error)
	// Simulator starts an iyzico that answers and settles at once.
	Simulator func(ctx context.Context) (*Part, error)
	// Progress tells how much of something is done.
	Progress func(what string, done, of int)
	Now      func() time.Time

	ids     ids
	payouts int
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
	PeakMiB          int64                `json:"peakMiB"` // resident memory of the worker's process
	ToInit           Spread               `json:"toInit"`
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

// Life writes n requests, lets a worker pay them and tells what that cost. The
// worker and the simulator go on.
func (b *Bench) Life(ctx context.Context, n int) (life Life, worker, simulator *Part, err error) {
	b.ids, b.payouts = ids{b.Name}, n
	if err := b.fill(ctx, 0, n); err != nil {
		return life, nil, nil, err
	}
	if simulator, err = b.Simulator(ctx); err != nil {
		return life, nil, nil, err
	}
	sim, err := simulator.Usage()
	if err != nil {
		return life, nil, simulator, err
	}
	if worker, err = b.Worker(ctx, "life", sim.URL); err != nil {
		return life, nil, simulator, err
	}
	used, err := b.await(ctx, worker, "paying", int64(n), func(u *Usage) int64 { return u.Counts["paid"] })
	if err != nil {
		return life, worker, simulator, err
	}
	// The last payouts are paid; their statuses may still be on their way.
	if used, err = b.await(ctx, worker, "closing", used.Counts["plans"], func(u *Usage) int64 { return u.Counts["closed"] }); err != nil {
		return life, worker, simulator, err
	}
	simEnd, err := simulator.Usage()
	if err != nil {
		return life, worker, simulator, err
	}
	s, err := b.read(ctx, n)
	if err != nil {
		return life, worker, simulator, err
	}
	if lost := missing(s.paid); lost > 0 || s.twice > 0 {
		return life, worker, simulator, fmt.Errorf("of %d payouts %d have no status paid, and %d statuses came twice", n, lost, s.twice)
	}
	return b.life(n, s, &used, simEnd.CPU-sim.CPU), worker, simulator, nil
}

// life adds up.
func (b *Bench) life(n int, s *story, used *Usage, simulator time.Duration) Life {
	took := last(s.paid).Sub(used.Began)
	l := Life{
		Payouts: n, Seconds: Seconds(took), PayoutsPerSecond: perSecond(int64(n), took),
		CPUMicros:   tenths((used.CPU - used.CPUAtStart).Microseconds(), int64(n)),
		Allocations: tenths(int64(used.Mallocs-used.AtStart), int64(n)), AllocatedBytes: int64(used.AllocBytes-used.AtStartSize) / int64(n),
		PeakMiB: used.PeakBytes >> 20, Topics: s.topics, Batches: used.Counts["plans"],
		ToInit: s.spread(s.init, used.Began), ToSubmitted: s.spread(s.submitted, used.Began), ToPaid: s.spread(s.paid, used.Began),
		Calls: map[string]Tenths{}, Simulator: tenths(simulator.Microseconds(), int64(n)),
	}
	for name, calls := range maps.All(used.Counts) {
		if op, ok := strings.CutPrefix(name, "call:"); ok {
			l.Calls[op] = tenths(calls*1000, int64(n))
		}
	}
	return l
}

// standstill is how long a count may stay as it is before a run is given up.
const standstill = 2 * time.Minute

// await asks a part until a count has reached goal. It fails when the count has
// stood still for long: what it waits for does not come any more.
func (b *Bench) await(ctx context.Context, p *Part, what string, goal int64, count func(*Usage) int64) (Usage, error) {
	tick := time.NewTicker(50 * time.Millisecond)
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
