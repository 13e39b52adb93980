package worker_test

import (
	"context"
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/toplu/toplu/iyzico"
	"github.com/toplu/toplu/iyzico/iyzicotest"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
	"github.com/toplu/toplu/worker/throttle"
)

// gauge returns the series of a metric by their labels' values, as whole numbers.
func gauge(t *testing.T, r *prometheus.Registry, name string) map[string]int64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]int64{}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() { // sorted by name
				labels = append(labels, l.GetValue())
			}
			all[strings.Join(labels, " ")] = int64(m.GetGauge().GetValue())
		}
	}
	return all
}

// open returns what is open of merchant default, as "payable 9 90450", without
// the states that are empty.
func open(t *testing.T, r *prometheus.Registry) map[string][2]int64 {
	t.Helper()
	all := map[string][2]int64{}
	minor := gauge(t, r, "toplu_open_amount_minor_units")
	for labels, n := range gauge(t, r, "toplu_open_payouts") {
		state, ok := strings.CutPrefix(labels, "TRY default 0 ")
		if !ok {
			t.Errorf("labels %s", labels)
		}
		if n != 0 || minor[labels] != 0 {
			all[state] = [2]int64{n, minor[labels]}
		}
	}
	return all
}

// An intruder authorises every batch behind the worker's back.
type intruder struct{ worker.Provider }

func (p intruder) Init(ctx context.Context, r iyzico.InitRequest) (iyzico.InitAnswer, error) {
	a, err := p.Provider.Init(ctx, r)
	if err == nil {
		err = p.Auth(ctx, a.RequestID)
	}
	return a, err
}

// What is open is told by where it is, waiting plans and plans in memory alike,
// and what is answered is told no more.
func TestGauges(t *testing.T) {
	t.Parallel()
	hour := iyzicotest.Duration(time.Hour)
	tests := []struct {
		name     string
		settings iyzicotest.Settings
		faults   iyzicotest.Faults
		provider func(p worker.Provider) worker.Provider
		pause    bool
		cutOff   bool
		want     map[string][2]int64
	}{
		{name: "paid", want: map[string][2]int64{}},
		{
			name: "no money", want: map[string][2]int64{"payable": {9, 3*10050 + 3 + 2*10050 + 1 + 4*10050 + 6}},
			provider: func(p worker.Provider) worker.Provider { return &stuck{Provider: p, released: make(chan struct{})} },
		},
		{
			name: "paused", pause: true, want: map[string][2]int64{"held": {9, 9*10050 + 10}},
			provider: func(p worker.Provider) worker.Provider { return &stuck{Provider: p, released: make(chan struct{})} },
		},
		{name: "waits for the cut-off", cutOff: true, want: map[string][2]int64{"scheduled": {9, 9*10050 + 10}}},
		{
			name: "not settled", settings: iyzicotest.Settings{SettleWithin: hour},
			want: map[string][2]int64{"in_flight": {3, 3*10050 + 3}, "payable": {6, 6*10050 + 7}},
		},
		{
			name: "unfunded at iyzico", settings: iyzicotest.Settings{CancelUnfunded: iyzicotest.CancelUnfundedRefuse}, faults: iyzicotest.Faults{LowBalance: iyzicotest.Always},
			want: map[string][2]int64{"unknown": {3, 3*10050 + 3}, "payable": {6, 6*10050 + 7}},
		},
		{
			name: "authorised by somebody", settings: iyzicotest.Settings{SettleWithin: hour}, provider: func(p worker.Provider) worker.Provider { return intruder{p} },
			want: map[string][2]int64{"unexplained": {3, 3*10050 + 3}, "payable": {6, 6*10050 + 7}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := &desk{bench: newBench(t, tt.settings)}
			d.simulator.Provider().SetFaults(tt.faults)
			if tt.cutOff {
				d.notBefore = time.Now().Add(time.Hour)
			}
			for i, n := range []int{3, 2, 4} {
				d.plan(t, string(rune('a'+i)), n)
			}
			registry := prometheus.NewRegistry()
			ports := d.bench.ports(t)
			ports.Metrics = worker.NewMetrics(registry)
			ports.Commands = &d.commands
			if p, _ := ports.Merchant("default"); tt.provider != nil {
				wrapped := tt.provider(p)
				ports.Merchant = func(string) (worker.Provider, bool) { return wrapped, true }
			}
			if tt.pause {
				d.ask(t, schema.Command{Kind: schema.CmdPause, Merchant: "default", Reason: "a drill"})
			}
			cfg := quick
			cfg.Merchants = map[string]worker.Terms{"default": {MaxOpen: 1}}
			all := d.final(t, 9)
			d.runWith(t, cfg, ports, func() bool {
				got := gauge(t, registry, "toplu_open_payouts")
				return len(got) == 6 && cmp.Equal(tt.want, open(t, registry)) && (len(tt.want) > 0 || all())
			})
			if got := gauge(t, registry, "toplu_open_payouts"); len(got) != 0 {
				t.Errorf("a shard that was given up still tells %v", got)
			}
		})
	}
}

// Ages grow by themselves, and are 0 when nothing is open.
func TestGaugesTellAges(t *testing.T) {
	t.Parallel()
	d := &desk{bench: newBench(t, iyzicotest.Settings{})}
	registry := prometheus.NewRegistry()
	ports := d.ports(t)
	ports.Metrics = worker.NewMetrics(registry)
	ahead := func() time.Time { return time.Now().Add(2 * time.Minute) }
	ports.Now = ahead
	cfg := quick
	cfg.CheckpointRecords = 5
	d.plan(t, "a", 3)
	age := func() int64 {
		return gauge(t, registry, "toplu_open_oldest_age_seconds")["TRY default 0 payable"]
	}
	waited := false
	d.runWith(t, cfg, ports, func() bool {
		if !waited && age() >= 120 {
			waited = true
			d.release()
		}
		shard := func(name string) int64 { return gauge(t, registry, name)["0"] }
		return waited && age() == 0 && shard("toplu_claims_believed") == 1 && shard("toplu_claims_lag") == 0 && shard("toplu_checkpoint_lag") < 8 &&
			len(gauge(t, registry, "toplu_checkpoint_age_seconds")) == 1
	})
}

// A night behind a cut-off is scheduled time, and not an age of what is payable
// or in flight after it.
func TestGaugesTellAgesFromTheOpening(t *testing.T) {
	t.Parallel()
	b := newBench(t, iyzicotest.Settings{SettleWithin: iyzicotest.Duration(time.Hour)})
	sealed := time.Now().UTC()
	opens := sealed.Add(10 * time.Hour)
	b.notBefore = opens
	for _, id := range []string{"a", "b"} { // the second waits for its turn
		b.plan(t, id, 3)
	}
	var shift atomic.Int64 // of the clock, so that the night is over at once
	shift.Store(int64(9 * time.Hour))
	registry := prometheus.NewRegistry()
	ports := b.ports(t)
	ports.Metrics = worker.NewMetrics(registry)
	ports.Now = func() time.Time { return time.Now().Add(time.Duration(shift.Load())) }
	cfg := quick
	cfg.Merchants = map[string]worker.Terms{"default": {MaxOpen: 1}}
	age := func(state string) int64 {
		return gauge(t, registry, "toplu_open_oldest_age_seconds")["TRY default 0 "+state]
	}
	const hour, minute = int64(3600), int64(60)
	night := false
	b.runWith(t, cfg, ports, func() bool {
		if !night {
			night = age("scheduled") >= 9*hour && age("payable") == 0
			if night {
				shift.Store(int64(10*time.Hour + 5*time.Minute))
			}
			return false
		}
		payable, inFlight := age("payable"), age("in_flight")
		if payable > hour || inFlight > hour {
			t.Fatalf("payable for %d s, in flight for %d s: the night is counted", payable, inFlight)
		}
		return age("scheduled") == 0 && payable >= 5*minute && inFlight >= 5*minute
	})
}

// While iyzico refuses a merchant, the merchant is said to be in trouble.
func TestGaugesTellTrouble(t *testing.T) {
	t.Parallel()
	b := newBench(t, iyzicotest.Settings{})
	b.simulator.Provider().SetFaults(iyzicotest.Faults{RateLimit: iyzicotest.Always})
	b.plan(t, "a", 3)
	registry := prometheus.NewRegistry()
	ports := b.ports(t)
	ports.Metrics = worker.NewMetrics(registry)
	provider, _ := ports.Merchant("default")
	gate := throttle.New(provider, throttle.Config{Merchant: "default", Failures: 2, Pause: 50 * time.Millisecond, Log: zerolog.Nop()})
	ports.Merchant = func(name string) (worker.Provider, bool) { return gate, name == "default" }
	ports.Standing = func(string) worker.Standing { return gate.Standing() }
	troubled, done := false, b.final(t, 3)
	b.runWith(t, quick, ports, func() bool {
		now := gauge(t, registry, "toplu_merchant_trouble")["default 0"]
		if now == 1 {
			troubled = true
			b.simulator.Provider().SetFaults(iyzicotest.Faults{})
		}
		return troubled && now == 0 && done()
	})
}

// A session that begins with plans waiting counts them again, once.
func TestGaugesAfterARestart(t *testing.T) {
	t.Parallel()
	d := &desk{bench: newBench(t, iyzicotest.Settings{})}
	for i, n := range []int{3, 2, 4} {
		d.plan(t, string(rune('a'+i)), n)
	}
	cfg := quick
	cfg.CheckpointRecords = 5
	cfg.Merchants = map[string]worker.Terms{"default": {MaxOpen: 1}}
	want := map[string][2]int64{"payable": {9, 9*10050 + 10}}
	for range 3 {
		registry := prometheus.NewRegistry()
		ports := d.ports(t)
		ports.Metrics = worker.NewMetrics(registry)
		d.runWith(t, cfg, ports, func() bool { return maps.Equal(want, open(t, registry)) })
	}
	registry := prometheus.NewRegistry()
	ports := d.ports(t)
	ports.Metrics = worker.NewMetrics(registry)
	d.release()
	done := d.final(t, 9)
	d.runWith(t, cfg, ports, func() bool { return done() && len(open(t, registry)) == 0 })
}
