package worker_test

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/toplu/toplu/iyzico/iyzicotest"
	"github.com/toplu/toplu/worker"
)

// free are leases that nobody else wants.
type free struct{}

func (free) Obtain(context.Context, int, time.Duration) (worker.Lease, error) { return free{}, nil }
func (free) Refresh(context.Context, time.Duration) error                     { return nil }
func (free) Release(context.Context) error                                    { return nil }

// TestMissingMerchant: the batches of a merchant that is not in the configuration
// wait and are told of; with it back they are paid, and nothing is lost.
func TestMissingMerchant(t *testing.T) {
	t.Parallel()
	b := newBench(t, iyzicotest.Settings{})
	b.plan(t, "a", 2)
	registry := prometheus.NewRegistry()
	ports := b.ports(t)
	ports.Metrics = worker.NewMetrics(registry)
	ports.Merchant = func(string) (worker.Provider, bool) { return nil, false }
	w := worker.NewWorker(quick, func(int) worker.Ports { return ports }, free{}, time.Second, zerolog.Nop())
	w.Assign(t.Context(), []int{0})
	waitFor(t, "the merchant is told of", func() bool {
		return len(w.Missing()) == 1 && w.Missing()[0] == "default" && gauge(t, registry, "toplu_merchant_missing")["default 0"] == 1 &&
			gauge(t, registry, "toplu_open_payouts")["TRY default 0 held"] == 2
	})
	w.Stop()
	if n := len(b.records(t)); n != 0 {
		t.Errorf("%d records are written", n)
	}
	b.run(t, quick, b.final(t, 2))
}
