package simulation_test

import (
	"errors"
	"fmt"
	"slices"
	"testing/synctest"
	"time"

	"github.com/toplu/toplu/iyzico/iyzicotest"
)

// step does one thing: it lets one call through, lands one that was in the
// network, breaks something, or lets time pass.
func (w *world) step() {
	w.steps++
	w.gate.begin(w.steps)
	w.sleep(w.tick())
	synctest.Wait()
	w.tend()
	if !w.calm {
		w.happen()
	}
	if w.p.spite && w.overtake() || w.follow() {
		return
	}
	if len(w.network) > 0 && w.one(max(1, w.p.linger/len(w.network))) {
		w.land()
		return
	}
	open := w.open()
	if len(open) == 0 {
		w.rest()
		return
	}
	w.serve(open[w.rnd.IntN(len(open))])
}

// tick is how much time a step takes.
func (w *world) tick() time.Duration {
	if !w.calm && w.of(w.p.haste, 1000) {
		return time.Duration(w.rnd.Int64N(int64(2 * w.p.cfg.Grace)))
	}
	return time.Duration(1 + w.rnd.Int64N(int64(2*time.Millisecond)))
}

func (w *world) sleep(d time.Duration) { time.Sleep(d) }

// tend sees to sessions that have ended by themselves.
func (w *world) tend() {
	for _, s := range w.sessions {
		if s.ended() && !s.dead {
			w.gate.kill(s)
			w.trace.add(s.name(), "has ended", fmt.Sprint(s.err), nil)
			if s.err != nil {
				w.trace.violate("session %d stopped: %v", s.n, s.err)
			}
		}
	}
	if w.p.consumer && len(w.planners()) == 0 && len(w.trace.violations) == 0 && (w.calm || w.one(20)) {
		w.startPlanner()
	}
	for _, sh := range w.shards {
		if len(w.healthy(sh)) == 0 && len(w.trace.violations) == 0 && (w.calm || w.one(20)) {
			w.start(sh)
		}
	}
}

// open are the calls that may be let through.
func (w *world) open() []*call {
	now := time.Now()
	return slices.DeleteFunc(w.gate.waiting(), func(c *call) bool {
		if c.s.frozen.After(now) || c.until.After(now) || w.p.spite && w.untimely(c) {
			return true
		}
		return c.ctx.Err() == nil && c.idle != nil && c.idle()
	})
}

// rest lets time pass until somebody comes to the gate.
func (w *world) rest() {
	if waits := w.p.ambush > 0 && !w.calm; !waits && len(w.network) > 0 && w.one(3) {
		w.land()
		return
	}
	// The logs' readers find nothing, now and then, and look after Redis.
	if w.one(4) {
		if idle := w.idle(); len(idle) > 0 {
			w.let(idle[w.rnd.IntN(len(idle))], "nothing new")
			return
		}
	}
	most := 3 * time.Second
	if w.calm {
		most = 20 * time.Second
	}
	if w.p.spite && slices.ContainsFunc(w.gate.waiting(), w.untimely) {
		most = time.Duration(w.p.settings.SettleWithin) / 100
	}
	select {
	case <-w.gate.rung:
	default:
	}
	t := time.NewTimer(time.Duration(1 + w.rnd.Int64N(int64(most))))
	defer t.Stop()
	select {
	case <-w.gate.rung:
	case <-t.C:
	}
}

func (w *world) idle() []*call {
	now := time.Now()
	return slices.DeleteFunc(w.gate.waiting(), func(c *call) bool {
		return c.s.frozen.After(now) || c.idle == nil || c.op != "plans.read"
	})
}

// serve lets a call through, or most of it.
func (w *world) serve(c *call) {
	if err := c.ctx.Err(); err != nil && !c.done {
		if c.late && w.one(2) {
			w.adrift(c)
		}
		w.trace.add(c.s.name(), c.text(), "its time is over", c.value)
		w.gate.answer(c, c.lost(true))
		return
	}
	o := w.p.odds[c.class]
	if w.calm {
		o = odds{}
	}
	if c.wrong != "" {
		w.trace.violate("%s", c.wrong)
	}
	switch {
	case !c.done && w.of(o.crash, 1000):
		if w.one(2) {
			c.err, c.done = c.effect(), true
			w.trace.add(c.s.name(), c.text(), "takes effect: "+outcome(c.err), c.value)
		}
		w.crash(c.s)
	case c.done:
		if w.of(o.after, 1000) {
			w.trace.add(c.s.name(), c.text(), "answer lost", nil)
			c.err = c.lost(true)
		} else {
			w.trace.add(c.s.name(), c.text(), "answered late: "+outcome(c.err), nil)
		}
		w.gate.answer(c, c.err)
	case w.of(o.before, 1000):
		w.trace.add(c.s.name(), c.text(), "lost before its effect", c.value)
		w.gate.answer(c, c.lost(false))
	case w.of(o.after, 1000):
		err := c.effect()
		w.trace.add(c.s.name(), c.text(), "answer lost: "+outcome(err), c.value)
		w.gate.answer(c, c.lost(true))
	case c.late && w.of(o.delayed, 1000):
		w.trace.add(c.s.name(), c.text(), "timed out, still in the network", c.value)
		w.adrift(c)
		w.gate.answer(c, c.lost(true))
	case c.late && w.of(o.slow, 1000):
		c.err, c.done = c.effect(), true
		if w.p.tardy > 0 {
			c.until = time.Now().Add(time.Duration(w.rnd.Int64N(int64(w.p.tardy))))
		}
		w.trace.add(c.s.name(), c.text(), "takes effect: "+outcome(c.err), c.value)
	case c.twice && w.of(o.twice, 1000):
		_ = c.effect()
		w.let(c, "twice: ")
	default:
		w.let(c, "")
	}
}

// let lets a call have its effect and its answer.
func (w *world) let(c *call, how string) {
	err := c.effect()
	w.trace.add(c.s.name(), c.text(), how+outcome(err), c.value)
	w.gate.answer(c, err)
}

// overtake lets an auth that is still in the network arrive just before the
// cancel that is to fence it.
func (w *world) overtake() bool {
	for _, c := range w.gate.waiting() {
		i := slices.IndexFunc(w.network, func(n *call) bool { return n.op == "auth" && n.detail == c.detail })
		if c.op == "cancel" && i >= 0 {
			w.landOne(i)
			return true
		}
	}
	return false
}

// follow does what a theme has wait for a record: a late one of the same batch
// comes right behind it, or its writer falls asleep.
func (w *world) follow() bool {
	c := w.wrote
	if w.wrote = nil; c == nil {
		return false
	}
	if !w.calm && w.of(w.p.nap, 1000) {
		w.freeze(c.s, w.p.cfg.Grace+time.Duration(w.rnd.Int64N(int64(4*w.p.cfg.Grace))))
	}
	i := slices.IndexFunc(w.network, func(n *call) bool { return n.op == c.op && n.detail == c.detail })
	if i < 0 || !w.of(w.p.ambush, 1000) {
		return false
	}
	w.landOne(i)
	w.wrote = nil
	return true
}

// untimely reports whether a cancel would come before the batch is half at the
// bank, when it can stop the other half alone.
func (w *world) untimely(c *call) bool {
	if c.op != "cancel" || c.done || time.Since(c.since) > time.Duration(w.p.settings.SettleWithin) {
		return false
	}
	for _, b := range w.provider.Books().Batches {
		if b.RequestID != c.detail {
			continue
		}
		moving := b.Status == iyzicotest.BatchInProgress || b.Status == iyzicotest.BatchPublishedToQueue
		return moving && b.Items[iyzicotest.ItemInit] > 0 && b.Items[iyzicotest.ItemQueued] == 0
	}
	return false
}

// land lets a call take effect whose caller has gone.
func (w *world) land() {
	i := w.rnd.IntN(len(w.network))
	if w.p.spite && !w.calm && w.network[i].op == "auth" {
		return // it waits for the cancel
	}
	w.landOne(i)
}

// adrift leaves a call in the network, without its caller.
func (w *world) adrift(c *call) {
	w.network = append(w.network, c)
	w.loose = w.loose || c.class == inits
}

func (w *world) landOne(i int) {
	c := w.network[i]
	w.network = slices.Delete(w.network, i, i+1)
	w.trace.add("network", c.text()+" of "+c.s.name()+" arrives", outcome(c.effect()), c.value)
}

func (c *call) text() string { return c.op + " " + c.detail }

func outcome(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, errLost):
		return "lost"
	}
	return err.Error()
}
