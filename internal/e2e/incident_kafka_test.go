//go:build integration && slow

package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSlowIncidentKafkaRestored(t *testing.T) {
	i := newIncident(t, "kafka-restored")
	run := i.run("run")
	i.send(i.shop.make("", 100))
	i.ledger.awaitAnswers(t, 100, time.Minute)
	run.end(t)
	data, backup, newest := filepath.Join(i.dir, "kafka", "kafka-1", "data"), filepath.Join(i.dir, "backup"), filepath.Join(i.dir, "newest")
	i.must(i.kafka.Stop())
	i.must(os.CopyFS(backup, os.DirFS(data)))
	i.must(i.kafka.Restart(t.Context()))
	i.run("run")
	since := i.shop.make("", 100)
	i.send(since)
	i.ledger.awaitAnswers(t, 200, time.Minute)
	i.stopAll()

	// The disks are gone, and yesterday's are put in their place.
	i.must(i.kafka.Stop())
	i.must(os.Rename(data, newest))
	i.must(os.CopyFS(data, os.DirFS(backup)))
	i.must(i.kafka.Restart(t.Context()))
	again := i.run("restored")
	i.send(since) // order systems ask again for all that was lost
	eventually(t, time.Minute, func() string {
		answer := again.admin(t, "/readyz")
		if strings.Count(answer, i.shows("Kafka has lost records")) != 4 {
			return "/readyz says " + answer
		}
		return ""
	})
	i.play(1, []string{`payout\.batches ends at`}, "status")
	i.play(1, []string{`DIFFERS in claims.* the claims stand at`}, "audit")
	pause(t, 5*time.Second)
	if n := len(i.books().Transfers); n != 200 {
		t.Fatalf("%d transfers for 200 payouts: the memory of what was paid is gone, and money moved", n)
	}

	// Somebody finds the newest disks after all.
	i.stopAll()
	i.must(i.kafka.Stop())
	i.must(os.RemoveAll(data))
	i.must(os.Rename(newest, data))
	i.must(i.kafka.Restart(t.Context()))
	i.run("found")
	i.send(since)
	i.send(i.shop.make("market", 20))
	i.playedIn(TestSlowIncidentKafkaRestoredForGood, "claims import")
	i.over()
	if n := len(i.books().Transfers); n != 220 {
		t.Errorf("%d transfers for 220 payouts", n)
	}
}

// TestSlowIncidentKafkaRestoredForGood is the same without newer disks: what was
// paid since the backup is known to iyzico alone, and comes from there.
func TestSlowIncidentKafkaRestoredForGood(t *testing.T) {
	i := newIncident(t, "kafka-restored")
	i.run("run")
	before := i.shop.make("", 40)
	i.send(before)
	i.paid(before)
	i.stopAll()
	data, backup := filepath.Join(i.dir, "kafka", "kafka-1", "data"), filepath.Join(i.dir, "backup")
	i.must(i.kafka.Stop())
	i.must(os.CopyFS(backup, os.DirFS(data)))
	i.must(i.kafka.Restart(t.Context()))
	i.run("run")
	since := i.shop.make("", 40)
	i.send(since)
	i.paid(before, since)
	i.stopAll()
	i.must(i.kafka.Stop())
	i.must(os.RemoveAll(data))
	i.must(os.CopyFS(data, os.DirFS(backup)))
	i.must(i.kafka.Restart(t.Context()))
	i.run("restored")
	i.play(1, []string{`payout\.batches ends at`}, "status")
	i.stopAll()

	i.anew("payout.requests", "payout.batches", "payout.journal", "payout.requests.dlq", "payout.commands")
	run := i.launch("anew")
	run.says(t, "Redis has claims of the log", time.Minute)
	added := i.shop.make("market", 20)
	for _, all := range [][]*request{before, since, added} { // order systems ask again
		i.send(all)
	}
	i.play(0, []string{`CLOSED: `}, "status")
	pause(t, 6*time.Second) // the consumer looks every 5 s whether it may go on
	i.paid(before, since)
	var list strings.Builder
	list.WriteString("payoutId\n")
	for _, moved := range i.books().Transfers {
		list.WriteString(moved.ItemExternalID + "\n")
	}
	i.file("paid.csv", []byte(list.String()))
	i.play(0, []string{`opened shards: 0, 1, 2, 3`}, "claims import")
	i.paid(before, since, added)
	i.says(0, "claims import paid.csv --dry-run --reason again", `80 imported before`)
	i.paid(before, since, added)
	i.stopAll()
}
