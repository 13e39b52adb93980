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

// TestBench measures a few payouts, and shows that nothing is left behind.
func TestBench(t *testing.T) {
	w := newWorld(t, realparts.Kafka42)
	topics := w.topicNames()
	bench := exec.CommandContext(t.Context(), programs.Path("toplu"), "bench", "--config", w.config, "--payouts", "600", "--batch", "100", "--page-size", "40", "--max-wait", "50ms", "--copy", "--replay", "--json")
	var stderr strings.Builder
	bench.Stderr = &stderr
	out, err := bench.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	var report struct {
		Life struct {
			Payouts, PayoutsPerSecond, Batches int64
			CPU                                json.Number            `json:"cpuMicrosPerPayout"`
			Allocations                        json.Number            `json:"allocationsPerPayout"`
			PeakMiB                            int64                  `json:"peakMiB"`
			Calls                              map[string]json.Number `json:"callsPerThousand"`
			ToPaid                             struct{ P50, P99 int64 }
			Topics                             map[string]struct{ Records, Bytes int64 }
		}
		Replay struct{ RequestsPerSecond int64 }
		Copy   struct{ PayoutsPerSecond, RequestsPerSecond int64 }
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	l := report.Life
	if l.Payouts != 600 || l.PayoutsPerSecond == 0 || l.CPU == "" || l.CPU == "0.0" || l.PeakMiB == 0 || l.ToPaid.P99 < l.ToPaid.P50 || l.ToPaid.P50 <= 0 {
		t.Errorf("got %s", out)
	}
	if l.Topics["payout.requests"].Records != 600 || l.Topics["payout.statuses"].Records != 3*600 || l.Topics["payout.batches"].Records != l.Batches+4 {
		t.Errorf("topics: got %s", out)
	}
	if calls, err := l.Calls["init"].Float64(); err != nil || calls < float64(l.Batches)*1000/600-1 || l.Batches < 6 {
		t.Errorf("calls: got %s", out)
	}
	if report.Replay.RequestsPerSecond == 0 || report.Copy.PayoutsPerSecond == 0 || report.Copy.RequestsPerSecond == 0 {
		t.Errorf("replay and copy: got %s", out)
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
