package worker

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/toplu/toplu/schema"
)

// Metrics counts what shards do and have open. A nil *Metrics counts nothing.
type Metrics struct {
	statuses     *prometheus.CounterVec
	amounts      *prometheus.CounterVec
	duplicates   prometheus.Counter
	conflicts    prometheus.Counter
	batches      prometheus.Counter
	holds        prometheus.Counter
	unknowns     prometheus.Counter
	late         prometheus.Counter
	unfundeds    *prometheus.CounterVec
	losses       prometheus.Counter
	unexplaineds *prometheus.CounterVec
	readings     *readings
	poor         sync.Map // merchant → time.Time, when a batch last waited for money
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
		statuses:     vec("toplu_payout_statuses_total", "Changes of a payout's status, those re-emitted after a restart too.", "merchant", "status"),
		amounts:      vec("toplu_payout_amount_minor_units_total", "Sum of the payouts that reached a status, in minor units, those re-emitted after a restart too.", "merchant", "status", "currency"),
		duplicates:   counter("toplu_duplicates_total", "Requests in plans that an earlier plan had already, with the same content."),
		conflicts:    counter("toplu_conflicts_total", "Requests whose payout id was used before with other content."),
		batches:      counter("toplu_batches_closed_total", "Batches with every item answered."),
		holds:        counter("toplu_batches_held_total", "Batches that toplu held for a person."),
		unknowns:     counter("toplu_batches_unknown_total", "Times that a batch's outcome became unknown."),
		late:         counter("toplu_batches_overdue_total", "Looks at batches that have had no answer for longer than report.giveUp."),
		unfundeds:    vec("toplu_balance_too_low_total", "Times that a batch had to wait for the merchant's balance.", "merchant"),
		losses:       counter("toplu_claims_lost_total", "Times that the claims in Redis were found lost, rolled back or damaged."),
		unexplaineds: vec("toplu_unexplained_total", "What must never be: iyzico contradicts a final status, or knows what nobody asked for.", "kind"),
		readings:     newReadings(),
	}
	r.MustRegister(m.statuses, m.amounts, m.duplicates, m.conflicts, m.batches, m.holds, m.unknowns, m.late, m.unfundeds, m.losses, m.unexplaineds, m.readings)
	return m
}

// A tally counts statuses. They come batch by batch, so it keeps the counters of
// the one before. It is for one goroutine.
type tally struct {
	metrics  *Metrics
	merchant string
	status   schema.PayoutStatus
	currency schema.Currency
	number   prometheus.Counter // nil: none yet
	amount   prometheus.Counter
}

func (t *tally) count(s *schema.Status) {
	if t.metrics == nil {
		return
	}
	if t.number == nil || t.merchant != s.Merchant || t.status != s.Status || t.currency != s.Amount.Currency {
		t.merchant, t.status, t.currency = s.Merchant, s.Status, s.Amount.Currency
		t.number = t.metrics.statuses.WithLabelValues(s.Merchant, string(s.Status))
		t.amount = t.metrics.amounts.WithLabelValues(s.Merchant, string(s.Status), string(s.Amount.Currency))
	}
	t.number.Inc()
	t.amount.Add(float64(s.Amount.Minor)) //nolint:forbidigo // a metric is a float; no money is computed from it
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

func (m *Metrics) closed() {
	if m != nil {
		m.batches.Inc()
	}
}

func (m *Metrics) held() {
	if m != nil {
		m.holds.Inc()
	}
}

func (m *Metrics) unknown() {
	if m != nil {
		m.unknowns.Inc()
	}
}

func (m *Metrics) overdue() {
	if m != nil {
		m.late.Inc()
	}
}

func (m *Metrics) unfunded(merchant string, at time.Time) {
	if m != nil {
		m.unfundeds.WithLabelValues(merchant).Inc()
		m.poor.Store(merchant, at)
	}
}

// BalanceTooLowAt is when a batch of the merchant last had to wait for its balance;
// zero: none has. It is safe for concurrent use.
func (m *Metrics) BalanceTooLowAt(merchant string) time.Time {
	at, ok := m.poor.Load(merchant)
	if !ok {
		return time.Time{}
	}
	return at.(time.Time)
}

func (m *Metrics) claimsLost() {
	if m != nil {
		m.losses.Inc()
	}
}

func (m *Metrics) unexplained(kind string) {
	if m != nil {
		m.unexplaineds.WithLabelValues(kind).Inc()
	}
}
