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
	i.over()
	if n := len(i.books().Transfers); n != 220 {
		t.Errorf("%d transfers for 220 payouts", n)
	}
}
