//go:build integration

package app_test

import (
	"strings"
	"testing"

	"github.com/toplu/toplu/internal/realparts"
)

// TestTopicsAndSendOnRealKafka is for what kafkaio and kfake could both have
// wrong: the configs of topics as real brokers take and show them.
func TestTopicsAndSendOnRealKafka(t *testing.T) {
	for _, version := range []string{realparts.Kafka42, realparts.Kafka39} {
		t.Run(version, func(t *testing.T) {
			kafka, err := realparts.StartKafka(t.Context(), version, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = kafka.Stop() })
			env := map[string]string{"TOPLU_KAFKA_BROKERS": strings.Join(kafka.Brokers, ","), "TOPLU_KAFKA_MININSYNCREPLICAS": "1"}
			run(t, env, "", "topics", "create", "--partitions", "3").want(t, 0, "created topic payout.requests.dlq\n", "")
			check := run(t, env, "", "topics", "check", "--json")
			report := decode[topicsReport](t, check)
			if check.code != 0 || !report.OK || len(report.Topics) != 6 {
				t.Fatalf("got %+v", check)
			}
			for _, topic := range report.Topics {
				if forever := topic.RetentionMS == -1; forever == (strings.HasSuffix(topic.Name, "statuses") || strings.HasSuffix(topic.Name, "requests")) || topic.Partitions != 3 {
					t.Errorf("got %+v", topic)
				}
			}
			run(t, env, goodLine("a")+goodLine("b"), "send", "-").want(t, 0, "2 requests (201.00 TRY) sent to payout.requests", "")
			if _, events := sent(t, env); len(events) != 2 {
				t.Errorf("%d events", len(events))
			}
		})
	}
}
