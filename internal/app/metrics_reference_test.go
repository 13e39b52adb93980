package app

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/toplu/toplu/consumer"
	"github.com/toplu/toplu/worker"
)

var updateMetrics = flag.Bool("update-metrics", false, "write docs/metrics.md anew")

const metricsIntro = `# Metrics

<!-- Made of the metrics in the code: go test ./internal/app -run Metrics -update-metrics -->

` + "`GET /metrics` on `admin.listen`" + ` serves these and the Go runtime's. Alerts, recording rules and a dashboard made of them are in
[deployments/](../deployments/README.md).

* **Where the money is.** ` + "`toplu_open_amount_minor_units`" + ` is a gauge of all money without a final status: *payable* (its turn, or the
  merchant's balance, is all it waits for), *scheduled* (until the merchant's cut-off lets it), *held* (by a hold or a pause), *in_flight* (past the point of no return), *unknown* (past it, and
  iyzico's answer is overdue) and *unexplained*, **which must be 0**: iyzico shows a batch authorised that nobody of ours authorised, or contradicts
  a final status. It is made of the logs, so a restart changes nothing about it, except that a
  contradiction is told again only when a report shows it again.
* **What became of it** is counted: ` + "`toplu_payout_amount_minor_units_total`" + ` by status. A crash makes the next owner of a shard send some statuses
  again, and they are counted again, so ` + "`paid`" + ` and ` + "`returned`" + ` are for rates and pictures. To the kuruş, ledgers and ` + "`toplu audit`" + ` know.
* **Ages do not freeze**: they are taken when Prometheus asks, so they grow also while a shard does not move.
* **One owner a shard.** Sum over shards and processes; a shard that was given up is told by its next owner alone.
* **Labels are bounded**: merchants are those of the configuration, shards and partitions those of the topics, codes those of the schema.
  No metric has a payout, a batch or a person in it. Amounts are in minor units (kuruş); a gauge beyond 2⁵³ of them is no longer exact.

| metric | labels | |
|---|---|---|
`

var described = regexp.MustCompile(`fqName: "([^"]*)", help: "((?:[^"\\]|\\.)*)", (?:unit: "[^"]*", )?constLabels: \{\}, variableLabels: \{([^}]*)\}`)

// TestMetricsReference compares docs/metrics.md with what the code registers.
func TestMetricsReference(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	worker.NewMetrics(registry)
	consumer.NewMetrics(registry)
	newCallMetrics(registry)
	shardMetrics(registry, 1, nil)
	sealMetric(registry)
	stopMetric(registry)

	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		registry.Describe(descs)
	}()
	var rows []string
	for d := range descs {
		m := described.FindStringSubmatch(d.String())
		if m == nil {
			t.Fatalf("cannot read %s", d)
		}
		labels := ""
		if m[3] != "" {
			labels = "`" + strings.ReplaceAll(m[3], ",", "`, `") + "`"
		}
		rows = append(rows, fmt.Sprintf("| `%s` | %s | %s |\n", m[1], labels, m[2]))
	}
	slices.Sort(rows)
	want := metricsIntro + strings.Join(rows, "")
	path := filepath.Join("..", "..", "docs", "metrics.md")
	if *updateMetrics {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("run: go test ./internal/app -run Metrics -update-metrics\n%s", diff)
	}
}
