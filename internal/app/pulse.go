package app

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/toplu/toplu/internal/oncall"
	"github.com/toplu/toplu/iyzico"
	"github.com/toplu/toplu/worker"
	"github.com/toplu/toplu/worker/redisclaim"
)

// recentCalls remember the calls to iyzico of the last minute, for "toplu
// status". They are safe for concurrent use.
type recentCalls struct {
	now       func() time.Time
	mu        sync.Mutex
	merchants map[string]*recent // guarded by mu
}

// recent are the calls of one merchant, counted by second.
type recent struct {
	seconds     [60]struct{ at, calls, failed int64 }
	lastSuccess time.Time
	lastFailure *oncall.CallFailure
}

func newRecentCalls(now func() time.Time) *recentCalls {
	return &recentCalls{now: now, merchants: map[string]*recent{}}
}

// of returns what remembers a merchant's calls.
func (c *recentCalls) of(merchant string) func(op string, outcome iyzico.Outcome, code string, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := &recent{}
	c.merchants[merchant] = r
	return func(op string, outcome iyzico.Outcome, code string, _ time.Duration) {
		c.mu.Lock()
		defer c.mu.Unlock()
		at := c.now().UTC()
		s := &r.seconds[at.Unix()%60]
		if s.at != at.Unix() {
			s.at, s.calls, s.failed = at.Unix(), 0, 0
		}
		s.calls++
		if outcome == iyzico.OutcomeAccepted {
			r.lastSuccess = at
			return
		}
		s.failed++
		r.lastFailure = &oncall.CallFailure{At: at, Op: op, Outcome: outcome.String(), Code: code}
	}
}

// pulse is what there is to tell now.
func (c *recentCalls) pulse(process string) oncall.Pulse {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now().UTC()
	p := oncall.Pulse{Process: process, At: now}
	for _, name := range slices.Sorted(maps.Keys(c.merchants)) {
		r := c.merchants[name]
		m := oncall.MerchantPulse{Merchant: name, LastFailure: r.lastFailure}
		if !r.lastSuccess.IsZero() {
			m.LastSuccess = new(r.lastSuccess) // a copy: calls go on
		}
		for _, s := range r.seconds {
			if now.Unix()-s.at < 60 {
				m.Calls += int(s.calls)
				m.Failed += int(s.failed)
			}
		}
		p.Merchants = append(p.Merchants, m)
	}
	return p
}

// pulse is what there is to tell now, with what keeps merchants' batches back.
func (s *service) pulse(process string) oncall.Pulse {
	p := s.recent.pulse(process)
	for i := range p.Merchants {
		m := &p.Merchants[i]
		if s.standing(m.Merchant) == worker.Stopped {
			m.Breaker = oncall.BreakerOpen
		}
		if at := s.metrics.BalanceTooLowAt(m.Merchant); !at.IsZero() {
			m.BalanceTooLowAt = &at
		}
	}
	return p
}

// tellPulse pins up how the calls to iyzico go, until ctx ends. It is for people
// alone: where it fails, the next one tells.
func (s *service) tellPulse(ctx context.Context) error {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	process := fmt.Sprintf("%s/%d", host, os.Getpid())
	board := redisclaim.NewBoard(s.redis, s.cfg.Redis.KeyPrefix)
	_ = board.Clear(ctx)
	tick := time.NewTicker(oncall.PulseEvery)
	defer tick.Stop()
	for {
		note, err := json.Marshal(s.pulse(process))
		if err != nil {
			return err
		}
		if err := board.Pin(ctx, process, note); err != nil {
			s.log.Debug().Err(err).Msg("cannot tell how the calls to iyzico go")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
