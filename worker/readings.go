package worker

import (
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// A reading is what a shard last counted. It is not changed after it was made.
type reading struct {
	session    string
	now        Clock
	open       map[purse]map[openState]heapOf
	troubled   map[string]bool // merchants that iyzico refuses for account or traffic
	missing    []string        // merchants with open batches that are not in the configuration
	claimsLag  int64
	claimsOK   bool
	checkpoint time.Time
	unchecked  int64
}

// readings tells Prometheus what the shards last counted. Ages are taken when
// they are asked for, so they grow also while a shard does not come to count. A
// shard that was given up is told of no more: its next owner does.
type readings struct {
	mu     sync.Mutex
	shards map[int]*reading // guarded by mu

	payouts, amount, age, trouble, missing     *prometheus.Desc
	claimsLag, claimsOK, checkpoint, unchecked *prometheus.Desc
}

func newReadings() *readings {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	open := []string{"shard", "merchant", "currency", "state"}
	return &readings{
		shards:     map[int]*reading{},
		payouts:    desc("toplu_open_payouts", "Payouts without a final status, by where they are: payable, scheduled, held, in_flight, unknown, unexplained.", open...),
		amount:     desc("toplu_open_amount_minor_units", "Sum of the payouts without a final status, in minor units. What is unexplained must be 0.", open...),
		age:        desc("toplu_open_oldest_age_seconds", "Time since the oldest batch with such payouts was sealed, or since its merchant's cut-off let it go; 0 without any. Of batches that wait for their turn, at most.", open...),
		trouble:    desc("toplu_merchant_trouble", "1 while iyzico refuses or does not answer the merchant's calls and toplu backs off.", "shard", "merchant"),
		missing:    desc("toplu_merchant_missing", "1 for a merchant that has unanswered payouts and is not in the configuration: they wait until it is back.", "shard", "merchant"),
		claimsLag:  desc("toplu_claims_lag", "Records of the plan log that the claims in Redis do not stand behind yet.", "shard"),
		claimsOK:   desc("toplu_claims_believed", "1 if the claims in Redis are what the log makes them; at 0 nothing new is paid.", "shard"),
		checkpoint: desc("toplu_checkpoint_age_seconds", "Time since the shard's last checkpoint was written.", "shard"),
		unchecked:  desc("toplu_checkpoint_lag", "Journal records that a restart would read again.", "shard"),
	}
}

// Describe implements [prometheus.Collector].
func (r *readings) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{r.payouts, r.amount, r.age, r.trouble, r.missing, r.claimsLag, r.claimsOK, r.checkpoint, r.unchecked} {
		out <- d
	}
}

// Collect implements [prometheus.Collector].
func (r *readings) Collect(out chan<- prometheus.Metric) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for number, shard := range r.shards {
		r.collect(out, strconv.Itoa(number), shard)
	}
}

func (r *readings) collect(out chan<- prometheus.Metric, shard string, x *reading) {
	send := func(d *prometheus.Desc, value float64, labels ...string) { //nolint:forbidigo // a metric is a float; no money is computed from it
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, append([]string{shard}, labels...)...)
	}
	now := x.now()
	for p, states := range x.open {
		for _, state := range openStates {
			h := states[state]
			labels := []string{p.merchant, string(p.currency), string(state)}
			send(r.payouts, float64(h.Items), labels...) //nolint:forbidigo // a metric is a float
			send(r.amount, float64(h.Minor), labels...)  //nolint:forbidigo // a metric is a float
			send(r.age, since(h.oldest, now), labels...)
		}
	}
	for merchant, troubled := range x.troubled {
		send(r.trouble, flag(troubled), merchant)
	}
	for _, merchant := range x.missing {
		send(r.missing, 1, merchant)
	}
	send(r.claimsLag, float64(x.claimsLag)) //nolint:forbidigo // a metric is a float
	send(r.claimsOK, flag(x.claimsOK))
	if !x.checkpoint.IsZero() {
		send(r.checkpoint, since(x.checkpoint, now))
	}
	send(r.unchecked, float64(x.unchecked)) //nolint:forbidigo // a metric is a float
}

// since is the age in seconds of something of time at; 0 if there is none.
func since(at, now time.Time) float64 { //nolint:forbidigo // a metric is a float
	if at.IsZero() {
		return 0
	}
	return max(0, now.Sub(at).Seconds())
}

func flag(yes bool) float64 { //nolint:forbidigo // a metric is a float
	if yes {
		return 1
	}
	return 0
}

// read takes in what a shard has counted.
func (m *Metrics) read(shard int, x *reading) {
	if m != nil {
		m.readings.mu.Lock()
		defer m.readings.mu.Unlock()
		m.readings.shards[shard] = x
	}
}

// left forgets a shard that was given up, unless it has been taken again.
func (m *Metrics) left(shard int, session string) {
	if m == nil {
		return
	}
	m.readings.mu.Lock()
	defer m.readings.mu.Unlock()
	if x := m.readings.shards[shard]; x != nil && x.session == session {
		delete(m.readings.shards, shard)
	}
}
