package bench

import (
	"context"
	"time"
)

// A Replay is what reading requests again costs that are all known.
type Replay struct {
	Seconds           Seconds `json:"seconds"`
	RequestsPerSecond int64   `json:"requestsPerSecond"`
	CPUMicros         Tenths  `json:"cpuMicrosPerRequest"`
	Allocations       Tenths  `json:"allocationsPerRequest"`
}

// Replay has a new worker under a new group read all requests of the run again,
// whose workers must have ended. It fails if anything is planned again.
func (b *Bench) Replay(ctx context.Context) (Replay, error) {
	worker, err := b.Worker(ctx, "replay", b.url, b.first())
	if err != nil {
		return Replay{}, err
	}
	n := int64(b.written + b.probes)
	u, err := b.await(ctx, worker, "reading again", n, func(u *Usage) int64 { return u.Counts["duplicate"] })
	if err != nil {
		return Replay{}, err
	}
	if u.Counts["plans"] > 0 {
		return Replay{}, errPlannedAgain
	}
	took := u.Done.Sub(u.Began)
	return Replay{
		Seconds: Seconds(took), RequestsPerSecond: perSecond(n, took), CPUMicros: tenths((u.CPU - u.CPUAtStart).Microseconds(), n),
		Allocations: tenths(int64(u.Mallocs-u.AtStart), n),
	}, nil
}

// perSecond is how many of n there are in a second.
func perSecond(n int64, took time.Duration) int64 {
	return n * int64(time.Second) / max(1, int64(took))
}
