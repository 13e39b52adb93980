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
	stop := w.load(25, 100*time.Millisecond)
	l.awaitAnswers(t, 100, 30*time.Second)
	var slowest time.Duration
	for _, name := range []string{"run-a", "run-b", "run-a", "run-b"} {
		for i, p := range w.runs {
			if p.name != name || !p.running() {
				continue
			}
			status, took := p.end(t)
			if status != 0 || took > 20*time.Second {
				t.Errorf("%s ends with exit status %d after %s:\n%s", name, status, took, tail(p.output()))
			}
			slowest = max(slowest, took)
			w.runs = append(w.runs[:i], w.runs[i+1:]...)
			w.run(name)
			break
		}
		pause(t, time.Second)
	}
	stop()
	w.faults(`{}`)
	w.judge(l, 60*time.Second)
	w.stopAll()
	t.Logf("the slowest of four ends by SIGTERM took %.1f s", slowest.Seconds())
}
