//go:build integration

package e2e_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/realparts"
)

// lostAnswers are the dials of a bad network to iyzico.
const lostAnswers = `{"initLostAfter":0.2,"authLostBefore":0.2,"authLostAfter":0.2,"retrieveLost":0.1,"cancelLostAfter":0.1}`

// TestKill kills a worker under load while answers of iyzico are lost, and has
// the other one finish its work.
func TestKill(t *testing.T) {
	w := newWorld(t, realparts.Kafka42)
	w.maxWait = "1s" // so that requests die with the worker that are in no batch yet
	w.configure()
	l := w.follow()
	a, _ := w.runTwo()
	w.faults(lostAnswers)
	stop := w.load(25, nil)
	l.awaitAnswers(t, 200, 30*time.Second)

	killed, shards := time.Now(), a.shards()
	a.kill()
	// What a had paid may be seen a moment later.
	took := l.awaitPaid(t, killed.Add(2*time.Second), shards, 40*time.Second) + 2*time.Second
	w.run("run-a")
	pause(t, 2*time.Second)
	stop()
	w.faults(`{}`)
	w.judge(l, 60*time.Second)
	t.Logf("kill -9 to the first payout of its shards by the other: %.1f s, of which the session time-out is 6 s", took.Seconds())
}

// TestFreeze stops a worker under load for longer than its session, so that the
// other takes its work, and wakes it in the middle of that.
func TestFreeze(t *testing.T) {
	w := newWorld(t, realparts.Kafka42)
	l := w.follow()
	a, b := w.runTwo()
	w.faults(lostAnswers)
	stop := w.load(25, nil)
	l.awaitAnswers(t, 200, 30*time.Second)

	frozen, shards := time.Now(), a.shards()
	a.signal(syscall.SIGSTOP)
	took := l.awaitPaid(t, frozen.Add(2*time.Second), shards, 40*time.Second) + 2*time.Second
	a.signal(syscall.SIGCONT)
	pause(t, 3*time.Second)
	stop()
	w.faults(`{}`)
	w.judge(l, 60*time.Second)
	for _, p := range []*process{a, b} {
		if status, took := p.end(t); status != 0 || took > 20*time.Second {
			t.Errorf("%s ends with exit status %d after %s", p.name, status, took)
		}
	}
	t.Logf("frozen for %.1f s; its shards are paid by the other after %.1f s", time.Since(frozen).Seconds(), took.Seconds())
}
