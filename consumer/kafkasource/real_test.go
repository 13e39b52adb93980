//go:build integration

package kafkasource_test

import (
	"testing"
	"time"

	"github.com/toplu/toplu/internal/realparts"
)

func TestOnKafka42(t *testing.T) { onRealKafka(t, realparts.Kafka42) }

func TestOnKafka39(t *testing.T) { onRealKafka(t, realparts.Kafka39) }

func onRealKafka(t *testing.T, version string) {
	k, err := realparts.StartKafka(t.Context(), version, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Stop(); err != nil {
			t.Error(err)
		}
	})
	suite(t, cluster{k.Brokers, 6 * time.Second})
}
