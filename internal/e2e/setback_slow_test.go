//go:build integration && slow

package e2e_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/realparts"
)

// TestSlowOffsetsSetBack skips requests and then sets the group back to before
// them: they are put aside, and paid by a replay alone.
func TestSlowOffsetsSetBack(t *testing.T) {
	w := newWorld(t, realparts.Kafka42)
	w.run("run")
	before := w.shop.make("", 20)
	w.send(before)
	w.paid(before)
	w.stopAll()
	skipped := w.shop.make("", 6)
	w.send(skipped)
	w.skip()
	w.run("skipped")
	after := w.shop.make("market", 40)
	w.send(after)
	w.paid(before, after)
	w.says(0, "audit")
	w.stopAll()

	w.rewind()
	w.says(0, "status", `SET BACK: partition \d to offset 0, it was answered up to`)
	w.run("back")
	w.says(0, "dlq list", `below_floor +6 `)
	w.says(0, "status", `below_floor +6 `)
	w.says(0, "dlq redrive --code below_floor --reason try --yes", `0 sent back`)
	w.paid(before, after)
	w.replay()
	w.paid(before, after, skipped)
	w.says(0, "audit")
	w.stopAll()
}

// paid waits until exactly these are paid, each once.
func (w *world) paid(groups ...[]*request) {
	w.t.Helper()
	want := map[string]bool{}
	for _, g := range groups {
		for _, r := range g {
			want[r.PayoutID] = true
		}
	}
	eventually(w.t, time.Minute, func() string {
		if len(w.books().Transfers) < len(want) {
			return "not all are paid"
		}
		return ""
	})
	seen := map[string]bool{}
	for _, moved := range w.books().Transfers {
		if id := moved.ItemExternalID; seen[id] || !want[id] {
			w.t.Fatalf("%s is paid, before: %v, wanted: %v", id, seen[id], want[id])
		}
		seen[moved.ItemExternalID] = true
	}
}

// says repeats a command until it ends with a status and says everything that is
// wanted.
func (w *world) says(status int, command string, want ...string) string {
	w.t.Helper()
	var out string
	eventually(w.t, time.Minute, func() string {
		p := w.start("toplu", append(strings.Fields(command), "--config", "toplu.yaml")...)
		got := p.wait(w.t, time.Minute)
		out = p.output()
		for _, text := range want {
			if !regexp.MustCompile(text).MatchString(out) {
				return command + " does not say " + text + ":\n" + out
			}
		}
		if got != status {
			return command + " ends with another status:\n" + out
		}
		return ""
	})
	return out
}

// replay pays what a replay from the first request on finds to be new.
func (w *world) replay() {
	w.t.Helper()
	w.says(0, "replay plan --from 0 --out all.plan")
	w.says(0, "replay run all.plan --reason parked --yes")
}

// skip sets the consumers' offsets to the ends. No run may be up.
func (w *world) skip() {
	w.t.Helper()
	ends := map[int]int64{}
	for _, r := range w.read("payout.requests") {
		ends[r.Partition] = max(ends[r.Partition], r.Offset+1)
	}
	w.commit(ends)
}
