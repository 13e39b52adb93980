package simulation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing/synctest"
	"time"
)

// happen lets this step's misfortunes happen.
func (w *world) happen() {
	sh := w.shards[w.rnd.IntN(len(w.shards))]
	switch {
	case w.p.consumer && w.one(12) && len(sh.unplanned) > 0:
		w.request(sh)
	case !w.p.consumer && w.one(15) && len(sh.made) < w.p.plans:
		w.plan(sh)
	}
	if w.of(w.p.replay, 10_000) {
		w.plan(sh)
	}
	if w.p.consumer && w.of(w.p.second, 10_000) && len(w.planners()) < 2 {
		w.startPlanner()
	}
	if w.p.consumer && w.of(w.p.rebalance, 10_000) {
		n := w.rnd.IntN(len(w.committed))
		w.committed[n] = w.rnd.Int64N(w.committed[n] + 1)
		w.trace.add("group", fmt.Sprintf("partition %d", n), fmt.Sprintf("offset reset to %d", w.committed[n]), nil)
	}
	alive := w.healthy(sh)
	if planners := w.planners(); len(planners) > 0 && w.one(2) {
		alive = planners
	}
	if len(alive) > 0 {
		s := alive[w.rnd.IntN(len(alive))]
		switch {
		case w.of(w.p.freeze, 10_000):
			w.freeze(s, time.Millisecond<<w.rnd.IntN(20)) // up to nine minutes
		case w.of(w.p.crash, 10_000):
			w.crash(s)
		case w.of(w.p.rebalance, 10_000):
			w.stop(s)
		}
	}
	if w.of(w.p.second, 10_000) && len(w.owners(sh)) < w.p.owners {
		w.start(sh)
	}
	if w.of(w.p.redis, 10_000) {
		w.tamper(sh)
	}
	if w.of(w.p.people, 10_000) {
		sh.person.meddle()
	}
	if w.of(w.p.panel, 10_000) {
		sh.person.panelCancel()
	}
}

// freeze has a session's calls wait.
func (w *world) freeze(s *session, d time.Duration) {
	s.frozen = time.Now().Add(d)
	w.trace.add(s.name(), "freezes", "until "+s.frozen.Sub(w.began).String(), nil)
}

// stop gives a shard up as a rebalance does: calls in flight may end.
func (w *world) stop(s *session) {
	// What it hears first, this or an answer, is not for the runtime to decide.
	synctest.Wait()
	w.trace.add(s.name(), "is to give its shard up", "", nil)
	s.stopping = true
	s.cancel()
	synctest.Wait()
}

// tamper does to the shard's claims what a Redis does that loses its memory.
// Before the shard's first epoch there is nothing to lose, and claims of another
// log stop it by design.
func (w *world) tamper(sh *shard) {
	if !sh.person.read().epoch {
		return
	}
	var how string
	switch n := w.rnd.IntN(6); n {
	case 0:
		how = "wiped"
		w.claims.Wipe(sh.n)
	case 1:
		how = "robbed of a key"
		w.claims.DeleteOne(sh.n, w.rnd)
	case 2:
		how = "exchanged"
		w.claims.Swap(sh.n, w.logID(sh), "foreign", int64(w.rnd.IntN(20)))
	case 3:
		if len(sh.snapshots) > 0 {
			how = "rolled back"
			sh.snapshots[w.rnd.IntN(len(sh.snapshots))]()
			break
		}
		fallthrough
	default:
		how = "copied"
		sh.snapshots = append(sh.snapshots, w.claims.Snapshot(sh.n))
	}
	w.trace.add("redis", fmt.Sprintf("shard %d", sh.n), how, nil)
}

// logID is what the shard's plan log calls itself. A Redis of another log stops
// a session that has read no epoch yet, by design; so the strangers here have
// only the epoch of another.
func (w *world) logID(sh *shard) string {
	first, err := sh.plans.ReadAt(context.Background(), 0)
	if err != nil {
		panic(err)
	}
	var genesis struct{ LogID string }
	if err := json.Unmarshal(first.Value, &genesis); err != nil {
		panic(err)
	}
	return genesis.LogID
}
