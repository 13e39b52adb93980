//go:build integration

package kafkalog_test

import (
	"testing"

	"github.com/toplu/toplu/internal/realparts"
)

func TestOnKafka42(t *testing.T) { onKafka(t, realparts.Kafka42) }

func TestOnKafka39(t *testing.T) { onKafka(t, realparts.Kafka39) }

func onKafka(t *testing.T, version string) {
	t.Helper()
	k, err := realparts.StartKafka(t.Context(), version, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := k.Stop(); err != nil {
			t.Error(err)
		}
	}()
	suite(t, k.Brokers)
}
