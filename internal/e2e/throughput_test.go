//go:build integration

package e2e_test

import (
	"testing"
	"time"

	"github.com/toplu/toplu/internal/realparts"
)

// TestThroughput pays 20,000 payouts with one process and prints what it took.
// It asserts that they are paid, not how fast: machines differ.
func TestThroughput(t *testing.T) {
	const payouts = 20_000
	w := newWorld(t, realparts.Kafka42)
	w.maxItems = 500 // the default
	w.configure()
	l := w.follow()
	w.send(w.shop.make("", payouts/2))
	w.send(w.shop.make("market", payouts/2))
	simulator := w.simulator.cpu(t)

	run := w.run("run")
	began := time.Now()
	l.awaitAnswers(t, payouts, 2*time.Minute)
	took := time.Since(began)
	cpu, peak := run.cpu(t), run.peak(t)
	simulator = w.simulator.cpu(t) - simulator
	w.judge(l, time.Minute)
	t.Logf("%d payouts in %.2f s from the start of the process: %.0f payouts/s; CPU %.2f s, %d µs a payout; %d MiB at most; the simulator beside it took %.2f s of CPU",
		payouts, took.Seconds(), payouts/took.Seconds(), cpu.Seconds(), cpu.Microseconds()/payouts, peak, simulator.Seconds())
}
