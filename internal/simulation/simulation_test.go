package simulation_test

import (
	"flag"
	"fmt"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var (
	oneSeed  = flag.Uint64("seed", 0, "run this seed alone; with -v its trace is printed")
	seeds    = flag.Uint64("seeds", defaultSeeds, "how many seeds to run")
	fromSeed = flag.Uint64("from", 1, "the first seed")
	oneTheme = flag.Int("theme", -1, "run only the seeds whose worlds have this theme, by its number in theme_test.go")
	most     = flag.Int64("violating", 5, "after how many seeds with violations to stop")
)

// simulate runs one seed in a bubble of its own.
func simulate(t *testing.T, seed uint64, verbose bool) *world {
	t.Helper()
	var w *world
	synctest.Test(t, func(*testing.T) {
		w = newWorld(draw(seed), verbose)
		w.run()
	})
	return w
}

// run is a whole run: the storm, the calm, the judgement, the end.
func (w *world) run() {
	for _, sh := range w.shards {
		if w.p.closed {
			w.planned(sh)
		}
		w.plan(sh)
		w.start(sh)
	}
	for w.steps < w.p.steps && len(w.trace.violations) == 0 {
		w.step()
	}
	w.settle()
	if len(w.trace.violations) == 0 {
		w.judge()
	}
	w.end()
}

// settle ends the storm: what was frozen wakes or is crashed, one healthy
// session a shard is left, faults end, and people answer.
func (w *world) settle() {
	w.trace.add("storm", "is over", "", nil)
	w.calm = true
	f := w.p.faults
	w.provider.SetFaults(iyzicoAfterTheStorm(f))
	for _, sh := range w.shards {
		for (w.p.consumer || len(sh.made) < w.p.plans) && len(sh.unplanned) > 0 {
			w.plan(sh)
		}
		alive := w.healthy(sh)
		for i, s := range alive {
			switch {
			case i == len(alive)-1 && w.one(2):
				s.frozen = time.Time{}
			case w.one(2):
				s.frozen = time.Time{}
				w.stop(s)
			default:
				w.crash(s)
			}
		}
	}
	for _, s := range w.planners() {
		if s.frozen = (time.Time{}); w.one(2) {
			w.crash(s)
		}
	}
	const patience = 4 * time.Hour
	began, looked, quiet := time.Now(), time.Now(), 0
	for len(w.trace.violations) == 0 && time.Since(began) < patience && w.steps < w.p.steps+60_000 {
		w.step()
		if w.steps%64 != 0 && time.Since(looked) < 2*time.Minute {
			continue
		}
		done := w.allPlanned() && w.allObeyed() && w.allAnswered()
		if done && len(w.network) == 0 {
			if quiet++; quiet > 3 {
				return
			}
		}
		if time.Since(looked) >= 2*time.Minute {
			looked = time.Now()
			if !done {
				for _, sh := range w.shards {
					sh.person.resolve()
				}
			}
		}
	}
}

// end ends every session, so that no goroutine is left.
func (w *world) end() {
	for _, s := range w.sessions {
		if !s.dead {
			w.crash(s)
			w.sleep(time.Microsecond) // so that no two of them give up at the same instant
		}
	}
	for _, s := range w.sessions {
		<-s.done
	}
}

func report(t *testing.T, w *world, seed uint64) {
	t.Helper()
	for _, v := range w.trace.violations {
		t.Errorf("seed %d: %s", seed, v)
	}
	t.Logf("%s\nto see what happened: go test ./internal/simulation -run TestSimulation -seed %d -v", w.p, seed)
}

// TestSimulation runs seeds in parallel bubbles.
func TestSimulation(t *testing.T) {
	t.Parallel()
	if *oneSeed != 0 {
		w := simulate(t, *oneSeed, testing.Verbose())
		if testing.Verbose() {
			fmt.Println(w.p, "\n", w.trace)
		}
		report(t, w, *oneSeed)
		return
	}
	var at, steps, failed atomic.Int64
	at.Store(int64(*fromSeed))
	began := time.Now()
	t.Cleanup(func() {
		t.Logf("%d seeds, %d steps, %v", *seeds, steps.Load(), time.Since(began).Round(time.Millisecond))
	})
	for n := range runtime.GOMAXPROCS(0) {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			t.Parallel()
			for failed.Load() < *most {
				seed := uint64(at.Add(1) - 1)
				if seed >= *fromSeed+*seeds {
					return
				}
				if *oneTheme >= 0 && draw(seed).theme != theme(*oneTheme) {
					continue
				}
				w := simulate(t, seed, false)
				steps.Add(int64(w.steps))
				if len(w.trace.violations) > 0 {
					failed.Add(1)
					report(t, w, seed)
				}
			}
		})
	}
}

// TestSameSeedSameRun holds the simulation to its word.
func TestSameSeedSameRun(t *testing.T) {
	t.Parallel()
	const seeds = 150
	differ := 0
	for seed := *fromSeed; seed < *fromSeed+seeds; seed++ {
		a, b := simulate(t, seed, false), simulate(t, seed, false)
		if a.trace.hash() == b.trace.hash() {
			continue
		}
		differ++
		for i := range min(len(a.trace.events), len(b.trace.events)) {
			x, y := a.trace.events[i], b.trace.events[i]
			if x.at != y.at || x.who != y.who || x.what != y.what || x.how != y.how || string(x.value) != string(y.value) {
				t.Logf("seed %d: event %d is %v %s %s %s, then %v %s %s %s", seed, i, x.at, x.who, x.what, x.how, y.at, y.who, y.what, y.how)
				break
			}
		}
	}
	if differ > 0 {
		t.Errorf("%d of %d seeds did not run the same way twice", differ, seeds)
	}
}
