package consumer

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/toplu/toplu/schema"
)

// Metrics counts what planners do. A nil *Metrics counts nothing. Safe for
// concurrent use.
type Metrics struct {
	reads      prometheus.Counter
	refusals   *prometheus.CounterVec
	warnings   prometheus.Counter
	duplicates prometheus.Counter
	conflicts  prometheus.Counter
	unasked    prometheus.Counter
	cancels    prometheus.Counter
	passes     prometheus.Counter
	parks      prometheus.Counter
	plans      *prometheus.CounterVec
	items      prometheus.Counter
	lags       *prometheus.GaugeVec
}

// refusals are the codes of requests that are refused. Each is told as 0 from the
// start: Prometheus sees no increase in a series that begins with 1, and an alert on
// the first such request would be silent.
var refusals = []string{
	schema.CodeEmpty, schema.CodeNotJSON, schema.CodeNotCloudEvent, schema.CodeTooLarge, schema.CodeInvalid, schema.CodeUnknownMerchant,
	schema.CodeWrongTopic, schema.CodeNothingToCancel,
}

// NewMetrics makes the metrics and registers them.
func NewMetrics(r prometheus.Registerer) *Metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	vec := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &Metrics{
		reads:      counter("toplu_requests_read_total", "Records read from the topics of requests, those read again after a restart too."),
		refusals:   vec("toplu_requests_refused_total", "Requests put into the dead-letter topic since they cannot be read or are invalid.", "code"),
		warnings:   counter("toplu_requests_odd_total", "Warnings about requests that were taken all the same."),
		duplicates: counter("toplu_requests_duplicate_total", "Requests left out since their payout id is claimed or planned already, with the same content."),
		conflicts:  counter("toplu_requests_conflict_total", "Requests put into the dead-letter topic since their payout id is used up by another request."),
		unasked:    counter("toplu_requests_unasked_total", "Requests planned without asking for each whether it is known, since a sample of them was new."),
		cancels:    counter("toplu_requests_cancelled_total", "Cancels of order systems passed on to the workers, those passed on again after a restart too."),
		passes:     counter("toplu_requests_passed_total", "Requests from before the floor that were refused or in conflict before, and are passed over."),
		parks:      counter("toplu_requests_parked_total", "Requests from before the floor that no batch has: put into the dead-letter topic until a replay plan covers them."),
		plans:      vec("toplu_plans_sealed_total", "Batches sealed, and by what.", "by"),
		items:      counter("toplu_plan_items_total", "Items of the batches sealed."),
		lags: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "toplu_requests_lag", Help: "Offsets of a partition of a topic of requests that have no answer yet.",
		}, []string{"topic", "partition"}),
	}
	for _, code := range refusals {
		m.refusals.WithLabelValues(code)
	}
	r.MustRegister(m.reads, m.refusals, m.warnings, m.duplicates, m.conflicts, m.unasked, m.cancels, m.passes, m.parks, m.plans, m.items, m.lags)
	return m
}

func (m *Metrics) read(n int) {
	if m != nil {
		m.reads.Add(float64(n)) //nolint:forbidigo // a metric is a float
	}
}

func (m *Metrics) refused(code string) {
	if m != nil {
		m.refusals.WithLabelValues(code).Inc()
	}
}

func (m *Metrics) warned() {
	if m != nil {
		m.warnings.Inc()
	}
}

func (m *Metrics) duplicate() {
	if m != nil {
		m.duplicates.Inc()
	}
}

func (m *Metrics) conflict() {
	if m != nil {
		m.conflicts.Inc()
	}
}

func (m *Metrics) planUnasked(n int) {
	if m != nil {
		m.unasked.Add(float64(n)) //nolint:forbidigo // a metric is a float
	}
}

func (m *Metrics) cancel() {
	if m != nil {
		m.cancels.Inc()
	}
}

func (m *Metrics) passed() {
	if m != nil {
		m.passes.Inc()
	}
}

func (m *Metrics) parked() {
	if m != nil {
		m.parks.Inc()
	}
}

func (m *Metrics) sealed(by string, items int) {
	if m != nil {
		m.plans.WithLabelValues(by).Inc()
		m.items.Add(float64(items)) //nolint:forbidigo // a metric is a float
	}
}

func (m *Metrics) lag(topic string, partitions map[int]*progress) {
	if m == nil {
		return
	}
	for id, p := range partitions {
		m.lags.WithLabelValues(topic, strconv.Itoa(id)).Set(float64(max(0, p.end-p.next))) //nolint:forbidigo // a metric is a float
	}
}

// left drops what is another member's to tell from now on.
func (m *Metrics) left(topic string, partitions map[int]*progress) {
	if m == nil {
		return
	}
	for id := range partitions {
		m.lags.DeleteLabelValues(topic, strconv.Itoa(id))
	}
}
