//go:build integration && slow

package e2e_test

import (
	"testing"
	"time"

	"github.com/toplu/toplu/internal/realparts"
)

// TestSlowGone has each part away, and each part frozen, for a minute under
// load. A frozen one takes what it is sent and never answers.
func TestSlowGone(t *testing.T) {
	w := newWorld(t, realparts.Kafka42)
	l := w.follow()
	w.runTwo()
	gone(t, w, l, time.Minute, []outage{
		{"iyzico", func() { w.cut(w.iyzicoWay) }, func() { w.mend(w.iyzicoWay) }},
		{"Redis", func() { w.must(w.redis.Kill()) }, func() { w.must(w.redis.Restart(t.Context())) }},
		{"Kafka", func() { w.must(w.kafka.Kill()) }, func() { w.must(w.kafka.Restart(t.Context())) }},
	})
	w.runTwo()
	gone(t, w, l, time.Minute, []outage{
		{"frozen Redis", func() { w.must(w.redis.Pause()) }, func() { w.must(w.redis.Resume()) }},
		{"frozen Kafka", func() { w.must(w.kafka.Pause()) }, func() { w.must(w.kafka.Resume()) }},
	})
}

// TestSlowWipe wipes Redis when it holds 100,000 claims, and measures how long
// it takes to pay again.
func TestSlowWipe(t *testing.T) {
	const claims = 100_000
	w := newWorld(t, realparts.Kafka42)
	w.maxItems = 500
	w.configure()
	l := w.follow()
	w.runTwo()
	for range 10 {
		w.send(w.shop.make("", claims/20))
		w.send(w.shop.make("market", claims/20))
	}
	w.judge(l, 5*time.Minute)

	w.redisDo("FLUSHALL")
	wiped := time.Now()
	w.send(w.shop.make("", 20))
	w.judge(l, 2*time.Minute)
	took := l.awaitPaid(t, wiped, []int{0, 1, 2, 3}, time.Second)
	t.Logf("a wipe at %d claims to the first payout: %.1f s", claims, took.Seconds())
	w.stopAll()
}

// TestSlowStorms has four storms of a minute; make storm has as many as one likes.
func TestSlowStorms(t *testing.T) {
	for seed := range uint64(4) {
		newStorm(t, 1000+seed).rage(time.Minute)
	}
}
