//go:build integration && slow

package e2e_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/toplu/toplu/internal/realparts"
)

// TestSlowClosedUntilImported takes all logs away and leaves one trace of what was
// paid: nothing may be paid again before a person has brought it back in.
func TestSlowClosedUntilImported(t *testing.T) {
	all := []string{"payout.requests", "payout.batches", "payout.journal", "payout.statuses", "payout.requests.dlq", "payout.commands"}
	for _, c := range []struct {
		trace string
		lost  []string
		wreck func(w *world)
		says  string // of what is found
	}{
		{"Redis", all, func(*world) {}, "Redis has claims of the log"},
		{"statuses", []string{all[0], all[1], all[2], all[4], all[5]}, func(w *world) { w.redisDo("FLUSHALL") }, `payout\.statuses/\d has statuses up to offset`},
	} {
		t.Run(c.trace, func(t *testing.T) {
			w := newWorld(t, realparts.Kafka42)
			w.run("run")
			old := w.shop.make("", 20)
			w.send(old)
			w.paid(old)
			w.says(0, "audit")
			w.stopAll()
			w.anew(c.lost...)
			c.wreck(w)

			run := w.launch("lost")
			run.says(t, c.says, time.Minute)
			run.says(t, `no requests are read: .*claims import FILE --open`, time.Minute)
			added := w.shop.make("market", 20)
			w.send(old) // order systems ask again for all that was lost
			w.send(added)
			w.says(0, "status", `CLOSED: .*toplu claims import FILE --open`)
			w.says(1, "resume --yes --reason try", `nothing is paid before`)
			pause(t, 6*time.Second) // the consumer looks every 5 s whether it may go on
			w.says(0, "status", `CLOSED: `)
			w.paid(old)

			// What iyzico's panel lists is all that is known.
			var ids strings.Builder
			ids.WriteString("payoutId\n")
			for _, moved := range w.books().Transfers {
				ids.WriteString(moved.ItemExternalID + "\n")
			}
			w.file("ids.txt", []byte(ids.String()))
			w.says(0, "claims import ids.txt --reason panel --yes", `20 imported`)
			w.says(0, "claims import ids.txt --reason panel --yes", `20 imported before`, `0 imported;`)
			w.paid(old)
			w.says(0, "claims import ids.txt --open --reason panel --yes", `opened shards: 0, 1, 2, 3`)
			w.paid(old, added)
			w.says(0, "explain "+old[0].PayoutID, `paid elsewhere`, `panel`)
			if c.trace == "Redis" {
				w.says(0, "audit")
			} else { // events of the old logs are there still, and nothing else differs
				out := w.says(1, "audit", `DIFFERS in statuses`)
				for line := range strings.Lines(out) {
					if strings.HasPrefix(line, "DIFFERS") && !strings.Contains(line, "is not in the log") {
						t.Errorf("audit: %s", line)
					}
				}
			}
			w.stopAll()
		})
	}
}

// TestSlowOffsetsAccept loses the requests alone: they are not read until a person
// says from where on.
func TestSlowOffsetsAccept(t *testing.T) {
	w := newWorld(t, realparts.Kafka42)
	w.run("run")
	old := w.shop.make("", 80)
	w.send(old)
	w.paid(old)
	w.says(0, "audit")
	anew := func(name string) *process {
		w.stopAll()
		w.anew("payout.requests")
		run := w.launch(name)
		run.says(t, `no requests are read: .*toplu offsets accept`, time.Minute)
		return run
	}

	run := anew("start")
	first := w.shop.make("market", 8)
	w.send(old[:4])
	w.send(first)
	pause(t, 6*time.Second)
	w.paid(old)
	if !run.running() {
		t.Fatalf("it has ended:\n%s", tail(run.output()))
	}
	w.says(0, "offsets accept --floor start --reason moved --yes", `accepted`)
	w.paid(old, first)

	anew("end")
	second := w.shop.make("market", 4)
	w.send(old[:4])
	w.send(second)
	w.says(0, "offsets accept --floor end --reason moved --yes", `accepted`)
	w.says(0, "dlq list", `below_floor +4 `)
	third := w.shop.make("market", 4)
	w.send(third)
	w.paid(old, first, third)
	w.replay()
	w.paid(old, first, second, third)
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

// anew deletes topics with all that is in them, and makes them again. No run may
// be up.
func (w *world) anew(topics ...string) {
	w.t.Helper()
	res, err := w.admin().DeleteTopics(w.t.Context(), &kafka.DeleteTopicsRequest{Topics: topics})
	w.must(err)
	for _, err := range res.Errors {
		w.must(err)
	}
	w.says(0, "topics create --partitions 4")
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
