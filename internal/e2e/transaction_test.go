//go:build integration

package e2e_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/toplu/toplu/internal/realparts"
)

// TestTransactions writes requests in transactions of a foreign client. Those
// that are committed are paid; those that are aborted never are, neither before
// nor after, nor when everything is read again.
func TestTransactions(t *testing.T) {
	for _, version := range []string{realparts.Kafka42, realparts.Kafka39} {
		t.Run(version, func(t *testing.T) {
			w := newWorld(t, version)
			l := w.follow()
			w.runTwo()
			client, err := kgo.NewClient(kgo.SeedBrokers(w.kafka.Brokers...), kgo.TransactionalID("shop"),
				kgo.DefaultProduceTopic("payout.requests"), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)))
			w.must(err)
			defer client.Close()
			forget := newShop() // asked for in transactions that are aborted
			forget.made.Store(500_000)
			for i := range 20 {
				s, end := w.shop, kgo.TryCommit
				if i%2 == 1 {
					s, end = forget, kgo.TryAbort
				}
				w.must(client.BeginTransaction())
				var records []*kgo.Record
				for _, r := range s.make("", 15) {
					records = append(records, &kgo.Record{
						Key: []byte(r.PayoutID), Value: r.structured(),
						Headers: []kgo.RecordHeader{{Key: "content-type", Value: []byte("application/cloudevents+json")}},
					})
				}
				w.must(client.ProduceSync(t.Context(), records...).FirstErr())
				if i == 10 { // what is not committed yet is not paid
					pause(t, 2*time.Second)
					if n := l.count("accepted", "submitted", "paid"); n > 150 {
						t.Errorf("%d payouts, of which 150 are committed", n)
					}
				}
				w.must(client.EndTransaction(t.Context(), end))
			}
			// The judge refuses every payout and every event of an aborted one:
			// nobody asked for them.
			w.judge(l, 30*time.Second)
			w.stopAll()
			w.redisDo("FLUSHALL")
			w.deleteOffsets()
			w.runTwo()
			w.oneMore(l)
		})
	}
}
