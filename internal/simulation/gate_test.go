package simulation_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/toplu/toplu/worker"
)

// A call is one use of a port by a session, waiting at the gate.
type call struct {
	s      *session
	class  class
	op     string
	detail string
	value  []byte // what it writes, if anything
	ctx    context.Context
	seq    int
	since  time.Time

	effect func() error          // does it, and keeps the answer for the caller
	lost   func(sent bool) error // the error of an answer that never came
	late   bool                  // the effect can come when the caller has gone
	twice  bool                  // the effect can come twice
	idle   func() bool           // there is nothing to answer with yet; may be nil

	wrong string    // what its caller should have known better, by what it has read
	done  bool      // the effect has happened, the answer is under way
	until time.Time // when it is there
	err   error     // the answer
	reply chan struct{}
}

// A gate holds the calls of all sessions until the scheduler lets them through.
type gate struct {
	mu      sync.Mutex
	pending []*call // guarded by mu
	seq     int     // guarded by mu
	step    int     // guarded by mu
	rung    chan struct{}
}

// pass waits at the gate. A dead session's calls never have an effect: they
// wait until their time is over.
func (g *gate) pass(c *call) error {
	g.mu.Lock()
	if c.s.dead {
		g.mu.Unlock()
		<-c.ctx.Done()
		return c.ctx.Err()
	}
	if at, fenced := c.s.fenced[c.detail]; fenced && c.op == "auth" && at < g.step {
		c.wrong = c.s.name() + " calls auth of " + c.detail + " and has read its fencing"
	}
	g.seq++
	c.seq, c.since, c.reply = g.seq, time.Now(), make(chan struct{})
	g.pending = append(g.pending, c)
	g.mu.Unlock()
	select {
	case g.rung <- struct{}{}:
	default:
	}
	<-c.reply
	return c.err
}

// waiting returns the calls at the gate in an order that does not depend on how
// the goroutines were scheduled. Everything must be blocked.
func (g *gate) waiting() []*call {
	g.mu.Lock()
	defer g.mu.Unlock()
	slices.SortFunc(g.pending, func(a, b *call) int {
		return cmp.Or(
			cmp.Compare(a.s.n, b.s.n), cmp.Compare(a.op, b.op), cmp.Compare(a.detail, b.detail),
			bytes.Compare(a.value, b.value), cmp.Compare(a.seq, b.seq),
		)
	})
	return slices.Clone(g.pending)
}

// begin counts a step.
func (g *gate) begin(step int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.step = step
}

// hasRead remembers which attempts a session knows to be fenced, and since when:
// from the next step on, for in this one it may just be calling auth; at once if
// it reads of the completing in the same breath, since nothing else lets it call.
func (g *gate) hasRead(s *session, entries []worker.Entry) {
	g.mu.Lock()
	defer g.mu.Unlock()
	completing := map[string]bool{}
	for _, e := range entries {
		var r struct{ Type, RequestID string }
		if err := json.Unmarshal(e.Value, &r); err != nil || s.fenced == nil {
			continue
		}
		switch _, known := s.fenced[r.RequestID]; {
		case r.Type == "completing" && !s.completing[r.RequestID]:
			completing[r.RequestID], s.completing[r.RequestID] = true, true
		case r.Type == "fencing" && !known && completing[r.RequestID]:
			s.fenced[r.RequestID] = g.step - 1
		case r.Type == "fencing" && !known:
			s.fenced[r.RequestID] = g.step
		}
	}
}

// answer lets a call return.
func (g *gate) answer(c *call, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pending = slices.DeleteFunc(g.pending, func(p *call) bool { return p == c })
	c.err = err
	close(c.reply)
}

// kill makes a session's later calls have no effect.
func (g *gate) kill(s *session) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s.dead = true
}

// through passes the gate with an effect that has an answer.
func through[T any](w *world, c *call, effect func() (T, error)) (T, error) {
	var answer, none T
	c.effect = func() (err error) {
		answer, err = effect()
		return err
	}
	if err := w.gate.pass(c); err != nil {
		return none, err
	}
	return answer, nil
}
