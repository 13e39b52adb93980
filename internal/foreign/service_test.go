//go:build integration && slow

package foreign_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/realparts"
)

// A service is toplu on real Kafka and Redis, with the simulator as iyzico.
type service struct {
	brokers   string
	simulator string // its URL
}

const partitions = 4

// startService starts all of it, with a version of Kafka. The service runs until the test ends.
func startService(t *testing.T, version string) *service {
	t.Helper()
	s := &service{brokers: startKafka(t, version)}
	redis, err := realparts.StartRedis(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = redis.Kill() })
	s.simulator = startSimulator(t)
	config := filepath.Join(t.TempDir(), "toplu.yaml")
	text := fmt.Sprintf(`kafka: {brokers: [%q]}
redis: {addrs: [%q]}
iyzico: {baseUrl: %q, grace: 1s}
merchants: {default: {apiKey: sandbox-key, secretKey: sandbox-secret}}
batch: {maxItems: 50, maxWait: 200ms}
report: {interval: 200ms}
admin: {listen: "127.0.0.1:0"}
`, s.brokers, redis.Addr, s.simulator)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, []string{"TOPLU_KAFKA_MININSYNCREPLICAS=1"}, program("toplu"), "topics", "create", "--config", config, "--partitions", strconv.Itoa(partitions))
	start(t, nil, program("toplu"), "run", "--config", config)
	return s
}

// startSimulator starts the simulator with the keys it has without a
// configuration, and returns its URL.
func startSimulator(t *testing.T) string {
	t.Helper()
	said := start(t, nil, program("toplu"), "simulator", "--listen", "127.0.0.1:0").says(t, "books:")
	url, _, _ := strings.Cut(strings.TrimPrefix(said, "simulator: "), "\n")
	return url
}

// transfers counts how often each payout was paid.
func transfers(t *testing.T, simulator string) map[string]int {
	t.Helper()
	client := &http.Client{Timeout: 10 * time.Second}
	answer, err := client.Get(simulator + "/_simulator/books")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var books struct {
		Transfers []struct {
			ItemExternalID string `json:"itemExternalId"`
		}
	}
	if err := json.NewDecoder(answer.Body).Decode(&books); err != nil {
		t.Fatal(err)
	}
	n := map[string]int{}
	for _, transfer := range books.Transfers {
		n[transfer.ItemExternalID]++
	}
	return n
}

// A record is one of a topic, as every client prints it.
type record struct {
	Partition int               `json:"partition"`
	Offset    int               `json:"offset"`
	Key       string            `json:"key"`
	Headers   map[string]string `json:"headers"`
	Value     json.RawMessage   `json:"value"`
}

// records reads what a client has printed.
func records(t *testing.T, lines string) []record {
	t.Helper()
	var all []record
	for line := range strings.Lines(lines) {
		var r record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		all = append(all, r)
	}
	return all
}
