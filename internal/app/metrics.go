package app

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/toplu/toplu/iyzico"
)

// newRegistry returns a registry with the process's own metrics.
func newRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// callMetrics count the calls to iyzico.
type callMetrics struct {
	calls    *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

func newCallMetrics(r prometheus.Registerer) *callMetrics {
	m := &callMetrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "toplu_iyzico_calls_total", Help: "Calls to iyzico, by operation and what their end proves.",
		}, []string{"op", "outcome"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "toplu_iyzico_call_seconds", Help: "How long calls to iyzico took.",
			Buckets: []float64{.005, .02, .1, .3, 1, 3, 10, 30, 140},
		}, []string{"op"}),
	}
	r.MustRegister(m.calls, m.duration)
	return m
}

func (m *callMetrics) observe(op string, outcome iyzico.Outcome, _ string, took time.Duration) {
	m.calls.WithLabelValues(op, outcome.String()).Inc()
	m.duration.WithLabelValues(op).Observe(took.Seconds())
}
