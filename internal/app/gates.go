package app

import (
	"context"
	"time"

	"github.com/toplu/toplu/worker"
	"github.com/toplu/toplu/worker/throttle"
)

// openGates puts each merchant's circuit breaker, places and rate before its
// account. There is one a merchant in a process, for all its shards.
func (s *service) openGates() {
	s.gates = map[string]*throttle.Gate{}
	for name, a := range s.accounts {
		m := s.cfg.Merchants[name]
		c := throttle.Config{
			Merchant: name, Failures: s.cfg.Iyzico.BreakerFailures, Pause: s.cfg.Iyzico.BreakerPause, Concurrency: m.Concurrency, Log: s.log,
		}
		if m.Rate > 0 {
			c.Pace = throttle.Pace(name, m.Rate, s.shards, func(ctx context.Context) (time.Duration, error) {
				return s.shared.Rate(ctx, name, m.Rate)
			}, s.log)
		}
		s.gates[name] = throttle.New(traced(a, s.tracer, name), c)
	}
}

// provider returns the merchant's way to iyzico's API.
func (s *service) provider(merchant string) (worker.Provider, bool) {
	g, ok := s.gates[merchant]
	if !ok {
		return nil, false
	}
	return g, true
}

// standing tells whether iyzico can be called for a merchant.
func (s *service) standing(merchant string) worker.Standing {
	g, ok := s.gates[merchant]
	if !ok {
		return worker.Clear // it is not in the configuration, which says more
	}
	return g.Standing()
}
