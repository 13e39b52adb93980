//go:build integration && slow

package e2e_test

import (
	"flag"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/realparts"
)

var soakMinutes = flag.Int("soak.minutes", 10, "how long TestSlowSoak lasts, in minutes")

// TestSlowSoak pays at a modest rate for ten minutes and holds memory and
// goroutines against a straight line: after a warm-up it must be flat. Memory is
// what lives after a garbage collection, which is asked for before each look.
func TestSlowSoak(t *testing.T) {
	w := newWorld(t, realparts.Kafka42)
	l := w.follow()
	w.env = []string{"TOPLU_ADMIN_PPROF=true"}
	a, b := w.runTwo()
	stop := w.load(10, nil)
	lasts := time.Duration(*soakMinutes) * time.Minute
	heap, routines := map[*process]*series{a: {}, b: {}}, map[*process]*series{a: {}, b: {}}
	for began := time.Now(); time.Since(began) < lasts; pause(t, 5*time.Second) {
		at := time.Since(began)
		for _, p := range []*process{a, b} {
			p.admin(t, "/debug/pprof/heap?gc=1")
			metrics := p.admin(t, "/metrics")
			if at < lasts/4 { // until then pools and caches fill
				continue
			}
			heap[p].add(at, reading(t, metrics, "go_gc_heap_live_bytes")/(1<<20))
			routines[p].add(at, reading(t, metrics, "go_goroutines"))
			if n := reading(t, metrics, `toplu_open_payouts\{[^}]*state="unexplained"`); n != 0 {
				t.Errorf("%v payouts are unexplained", n)
			}
		}
	}
	stop()
	v := w.judge(l, time.Minute)
	t.Logf("%d payouts paid in %s", v.ByStatus["paid"], lasts)
	for _, p := range []*process{a, b} {
		for name, s := range map[string]*series{"MiB of live heap": heap[p], "goroutines": routines[p]} {
			mean, growth := s.trend()
			t.Logf("%s: %.1f %s at the mean of %d looks, from %.1f to %.1f; the line through them grows by %+.2f", p.name, mean, name, len(s.values), s.least(), s.most(), growth)
			if growth > max(mean/10, 2) {
				t.Errorf("%s: %s grow: %+.2f", p.name, name, growth)
			}
		}
	}
	w.stopAll()
}

// reading is the sum of the values of the metrics whose name and labels begin with
// a pattern.
func reading(t *testing.T, metrics, pattern string) (sum float64) {
	t.Helper()
	found := regexp.MustCompile(`(?m)^`+pattern+`[^ ]* (\S+)$`).FindAllStringSubmatch(metrics, -1)
	if found == nil {
		t.Fatalf("/metrics has no %s:\n%s", pattern, tail(metrics))
	}
	for _, m := range found {
		n, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return sum
}

// A series is what was read at which time.
type series struct{ times, values []float64 }

func (s *series) add(at time.Duration, value float64) {
	s.times, s.values = append(s.times, at.Seconds()), append(s.values, value)
}

// trend is the mean, and by how much the least-squares line grows from the first
// look to the last.
func (s *series) trend() (mean, growth float64) {
	n := float64(len(s.values))
	var st, sv, stt, stv float64
	for i, t := range s.times {
		st, sv, stt, stv = st+t, sv+s.values[i], stt+t*t, stv+t*s.values[i]
	}
	slope := (n*stv - st*sv) / (n*stt - st*st)
	return sv / n, slope * (s.times[len(s.times)-1] - s.times[0])
}

func (s *series) least() float64 {
	m := math.Inf(1)
	for _, v := range s.values {
		m = min(m, v)
	}
	return m
}

func (s *series) most() float64 {
	m := math.Inf(-1)
	for _, v := range s.values {
		m = max(m, v)
	}
	return m
}

// TestSlowRolling restarts two workers one after the other under load, and
// compares the longest time without a payout paid with that of the same run
// before it.
func TestSlowRolling(t *testing.T) {
	w := newWorld(t, realparts.Kafka42)
	l := w.follow()
	w.runTwo()
	stop := w.load(10, nil)
	l.awaitAnswers(t, 200, time.Minute)
	steady := time.Now()
	pause(t, 20*time.Second)
	rolling := time.Now()
	for range 2 {
		oldest := w.up()[0]
		if status, took := oldest.end(t); status != 0 || took > 20*time.Second {
			t.Errorf("%s ends with exit status %d after %s", oldest.name, status, took)
		}
		w.run(oldest.name)
		eventually(t, 30*time.Second, func() string {
			for _, p := range w.up() {
				if len(p.shards()) != 2 {
					return "the shards are not divided"
				}
			}
			return ""
		})
	}
	pause(t, 5*time.Second) // what was held up would be paid now
	done := time.Now()
	stop()
	w.judge(l, time.Minute)
	var lines []string
	for shard := -1; shard < 4; shard++ {
		name := "any shard"
		if shard >= 0 {
			name = fmt.Sprintf("shard %d", shard)
		}
		lines = append(lines, fmt.Sprintf("%-9s  steady %5.2f s, rolling %5.2f s", name, l.gap(shard, steady, rolling).Seconds(), l.gap(shard, rolling, done).Seconds()))
		// Far more than a hand-over takes, and far less than a payout held up
		// until a session or a lease has run out, twice.
		if gap := l.gap(shard, rolling, done); gap > 15*time.Second {
			t.Errorf("%s: nothing was paid for %s", name, gap)
		}
	}
	t.Logf("the longest time without a payout paid, in %s of steady load and in %s of a rolling restart:\n%s", rolling.Sub(steady).Round(time.Second), done.Sub(rolling).Round(time.Second), strings.Join(lines, "\n"))
	w.stopAll()
}

// gap is the longest time between two payouts seen paid; of one shard, or of any
// if it is -1.
func (l *ledger) gap(shard int, from, to time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	last, longest := from, time.Duration(0)
	for _, s := range l.paid {
		if s.at.Before(from) || s.at.After(to) || shard >= 0 && s.shard != shard {
			continue
		}
		longest = max(longest, s.at.Sub(last))
		last = s.at
	}
	return max(longest, to.Sub(last))
}

// TestSlowEndsWhateverHangs sends SIGTERM under load while Kafka, Redis or iyzico
// is away, or takes everything and answers nothing.
func TestSlowEndsWhateverHangs(t *testing.T) {
	w := newWorld(t, realparts.Kafka42)
	l := w.follow()
	for _, o := range []outage{
		{"iyzico away", func() { w.cut(w.iyzicoWay) }, func() { w.mend(w.iyzicoWay) }},
		{"iyzico frozen", func() { w.simulator.signal(syscall.SIGSTOP) }, func() { w.simulator.signal(syscall.SIGCONT) }},
		{"Redis away", func() { w.must(w.redis.Stop()) }, func() { w.must(w.redis.Restart(t.Context())) }},
		{"Redis frozen", func() { w.must(w.redis.Pause()) }, func() { w.must(w.redis.Resume()) }},
		{"Kafka away", func() { w.must(w.kafka.Stop()) }, func() { w.must(w.kafka.Restart(t.Context())) }},
		{"Kafka frozen", func() { w.must(w.kafka.Pause()) }, func() { w.must(w.kafka.Resume()) }},
	} {
		p := w.run("run")
		stop := w.load(10, nil)
		l.awaitPaid(t, time.Now(), []int{0, 1, 2, 3}, time.Minute)
		o.down()
		pause(t, 2*time.Second)
		status, took := p.end(t)
		o.up()
		stop()
		if status != 0 || took > 20*time.Second {
			t.Errorf("%s: exit status %d after %s:\n%s", o.name, status, took, tail(p.output()))
		}
		t.Logf("%-14s ended %4.1f s after SIGTERM", o.name+":", took.Seconds())
	}
	w.run("run")
	w.judge(l, time.Minute)
	w.stopAll()
}
