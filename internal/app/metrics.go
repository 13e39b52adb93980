package app

import (
	"regexp"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/toplu/toplu/iyzico"
)

// newRegistry returns a registry with the process's own metrics.
func newRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	live := collectors.GoRuntimeMetricsRule{Matcher: regexp.MustCompile(`^/gc/heap/live:bytes$`)} // what the last collection has left
	r.MustRegister(collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(live)), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// callMetrics count the calls to iyzico. They are safe for concurrent use.
type callMetrics struct {
	calls    *prometheus.CounterVec
	duration *prometheus.HistogramVec
	logins   *prometheus.CounterVec
}

func newCallMetrics(r prometheus.Registerer) *callMetrics {
	m := &callMetrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "toplu_iyzico_calls_total", Help: "Calls to iyzico, by operation and what their end proves.",
		}, []string{"merchant", "op", "outcome"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "toplu_iyzico_call_seconds", Help: "How long calls to iyzico took.",
			Buckets: []float64{.005, .02, .1, .3, 1, 3, 10, 30, 140},
		}, []string{"op"}),
		logins: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "toplu_iyzico_keys_refused_total", Help: "Calls that iyzico refused since it does not know the merchant's keys or signature.",
		}, []string{"merchant"}),
	}
	r.MustRegister(m.calls, m.duration, m.logins)
	return m
}

// of returns what counts a merchant's calls.
func (m *callMetrics) of(merchant string) func(op string, outcome iyzico.Outcome, code string, took time.Duration) {
	logins := m.logins.WithLabelValues(merchant) // told as 0 from the start, so that the first one is an increase
	return func(op string, outcome iyzico.Outcome, code string, took time.Duration) {
		m.calls.WithLabelValues(merchant, op, outcome.String()).Inc()
		m.duration.WithLabelValues(op).Observe(took.Seconds())
		if code == "1000" || code == "1001" {
			logins.Inc()
		}
	}
}

// shardMetrics tells how many shards there are, and how many of this process's
// pay nothing until a person has looked.
func shardMetrics(r prometheus.Registerer, shards int, stopped func() map[int]error) {
	gauge := func(name, help string, value func() int) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			return float64(value())
		}))
	}
	gauge("toplu_shards", "Shards of the installation, of which each has one worker.", func() int { return shards })
	gauge("toplu_shards_stopped", "Shards of this process that stopped and pay nothing until a person has looked; /readyz says why.", func() int { return len(stopped()) })
}
