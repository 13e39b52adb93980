//go:build integration

package e2e_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/toplu/toplu/internal/realparts"
)

// TestBench measures a few payouts in every way, and shows that nothing is left
// behind.
func TestBench(t *testing.T) {
	w := newWorld(t, realparts.Kafka42)
	topics := w.topicNames()
	waiting := w.bench("--payouts", "600", "--before", "100", "--batch", "100", "--page-size", "40", "--idle", "--rebuild", "--restart", "--behind", "50", "--replay", "--copy")
	l := waiting.Life
	if l.Payouts != 600 || l.PayoutsPerSecond == 0 || l.CPU == "" || l.CPU == "0.0" || l.PeakMiB == 0 || l.ToPaid.P99 < l.ToPaid.P50 || l.ToPaid.P50 <= 0 {
		t.Errorf("got %s", waiting.text)
	}
	if l.Topics["payout.requests"].Records != 600 || l.Topics["payout.statuses"].Records != 3*600 || l.Topics["payout.batches"].Records != l.Batches {
		t.Errorf("topics: got %s", waiting.text)
	}
	if calls, err := l.Calls["init"].Float64(); err != nil || calls < float64(l.Batches)*1000/600-1 || l.Batches < 6 {
		t.Errorf("calls: got %s", waiting.text)
	}
	if waiting.Replay.RequestsPerSecond == 0 || waiting.Copy.PayoutsPerSecond == 0 || waiting.Copy.RequestsPerSecond == 0 || waiting.Idle.Seconds == "" {
		t.Errorf("replay, copy and idle: got %s", waiting.text)
	}
	// Each shard has a payout that stays open beside them, and what is behind.
	if r := waiting.Rebuild; r.Claims != 100+600+4+50 || positive(r.Seconds) == 0 || positive(r.Paying) == 0 {
		t.Errorf("rebuild: got %s", waiting.text)
	}
	if r := waiting.Restart; r.Plans != l.Batches || r.Open != 4 || r.Behind != 50 || positive(r.Stopped) == 0 || positive(r.Killed) == 0 {
		t.Errorf("restart: got %s", waiting.text)
	}

	arriving := w.bench("--payouts", "300", "--rate", "1000", "--batch", "50")
	l = arriving.Life
	if l.Payouts != 300 || l.OverWaiting.P50 <= 0 || l.OverWaiting.P99 < l.OverWaiting.P50 || l.ToInit.P99 < l.OverWaiting.P99 || l.ToPaid.P50 < l.ToInit.P50 {
		t.Errorf("arriving: got %s", arriving.text)
	}
	if l.Topics["payout.requests"].Records != 300 || l.Topics["payout.statuses"].Records != 3*300 {
		t.Errorf("arriving: got %s", arriving.text)
	}

	stalled := w.bench("--payouts", "500", "--batch", "20", "--stalled").Stalled
	if stalled.Payouts != 500 || stalled.PeakMiB < stalled.ResidentMiB || stalled.ResidentMiB == 0 {
		t.Errorf("stalled: got %+v", stalled)
	}

	eventually(t, time.Minute, func() string {
		if now := w.topicNames(); now != topics {
			return "topics are left: " + now
		}
		return ""
	})
	if keys := fmt.Sprint(w.redisDo("KEYS", "*bench*")); keys != "[]" {
		t.Errorf("keys are left: %v", keys)
	}
	if n := len(w.books().Transfers); n != 0 {
		t.Errorf("the installation's own iyzico has %d transfers", n)
	}
}

// TestBenchLeavesRedis has the bench refuse to empty a Redis that others use.
func TestBenchLeavesRedis(t *testing.T) {
	w := newWorld(t, realparts.Kafka42)
	w.redisDo("SET", "another", "1")
	text, err := w.benchCommand("--payouts", "20", "--rebuild").CombinedOutput()
	if err == nil || !strings.Contains(string(text), `redis holds the key "another"`) {
		t.Errorf("%v: %s", err, text)
	}
	if keys := fmt.Sprint(w.redisDo("KEYS", "*")); keys != "[another]" {
		t.Errorf("Redis has %s", keys)
	}
}

// A benchReport is what the bench prints, as far as the tests look at it.
type benchReport struct {
	text string
	Life struct {
		Payouts, PayoutsPerSecond, Batches int64
		CPU                                json.Number            `json:"cpuMicrosPerPayout"`
		Allocations                        json.Number            `json:"allocationsPerPayout"`
		PeakMiB                            int64                  `json:"peakMiB"`
		Calls                              map[string]json.Number `json:"callsPerThousand"`
		ToInit, OverWaiting, ToPaid        struct{ P50, P99 int64 }
		Topics                             map[string]struct{ Records, Bytes int64 }
	}
	Replay  struct{ RequestsPerSecond int64 }
	Copy    struct{ PayoutsPerSecond, RequestsPerSecond int64 }
	Idle    struct{ Seconds json.Number }
	Rebuild struct {
		Claims          int64
		Seconds, Paying json.Number
	}
	Restart struct {
		Plans, Open, Behind int64
		Stopped, Killed     json.Number
	}
	Stalled struct{ Payouts, PeakMiB, ResidentMiB int64 }
}

// positive is a number above 0, or 0.
func positive(n json.Number) float64 {
	f, err := n.Float64()
	if err != nil {
		return 0
	}
	return max(0, f)
}

// bench runs the bench, which must succeed.
func (w *world) bench(args ...string) benchReport {
	w.t.Helper()
	cmd := w.benchCommand(args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		w.t.Fatalf("%v: %s", err, stderr.String())
	}
	report := benchReport{text: string(out)}
	if err := json.Unmarshal(out, &report); err != nil {
		w.t.Fatalf("%v: %s", err, out)
	}
	return report
}

func (w *world) benchCommand(args ...string) *exec.Cmd {
	return exec.CommandContext(w.t.Context(), programs.Path("toplu"), append([]string{"bench", "--config", w.config, "--max-wait", "50ms", "--watch", "1s", "--json"}, args...)...)
}

// topicNames lists the topics of the cluster that are the program's.
func (w *world) topicNames() string {
	w.t.Helper()
	res, err := w.admin().Metadata(w.t.Context(), &kafka.MetadataRequest{})
	w.must(err)
	var names []string
	for _, topic := range res.Topics {
		if strings.Contains(topic.Name, "payout.") || strings.Contains(topic.Name, "bench") {
			names = append(names, topic.Name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}
