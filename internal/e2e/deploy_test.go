//go:build integration

package e2e_test

import (
	"testing"
	"time"

	"github.com/toplu/toplu/internal/realparts"
)

// TestDeploy restarts one worker after the other under load, as a deploy does,
// while some answers of iyzico are lost and all of them are slow.
func TestDeploy(t *testing.T) {
	w := newWorld(t, realparts.Kafka42)
	l := w.follow()
	w.runTwo()
	w.faults(`{"delayMs":50,"initLostAfter":0.1,"authLostAfter":0.1}`)
	stop := w.load(25, nil)
	l.awaitAnswers(t, 100, 30*time.Second)
	var slowest time.Duration
	for range 4 {
		oldest := w.up()[0]
		status, took := oldest.end(t)
		if status != 0 || took > 20*time.Second {
			t.Errorf("%s ends with exit status %d after %s:\n%s", oldest.name, status, took, tail(oldest.output()))
		}
		slowest = max(slowest, took)
		w.run(oldest.name)
		pause(t, time.Second)
	}
	stop()
	w.faults(`{}`)
	w.judge(l, 60*time.Second)
	w.stopAll()
	t.Logf("the slowest of four ends by SIGTERM took %.1f s", slowest.Seconds())
}

// TestRoles has the two halves run in processes of their own, the consumer first
// and alone for a while: what it seals waits in Kafka.
func TestRoles(t *testing.T) {
	w := newWorld(t, realparts.Kafka42)
	l := w.follow()
	w.run("consumer", "--roles", "consumer")
	w.send(w.shop.make("", 100))
	pause(t, 2*time.Second)
	if n := len(w.books().Transfers); n > 0 {
		t.Errorf("a consumer alone has moved money %d times", n)
	}
	w.run("worker", "--roles", "worker")
	w.send(w.shop.make("market", 100))
	w.judge(l, 30*time.Second)
	w.stopAll()
}
