package app

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/pprof"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/toplu/toplu/internal/bench"
)

// benchWorkerCommand is the service as the bench runs it. Nobody else does.
type benchWorkerCommand struct {
	Profile string `help:"Beginning of the names of profiles."`
}

// Run serves until the standard input ends.
func (c *benchWorkerCommand) Run(ctx context.Context, p *program) error {
	cfg, err := p.config()
	if err != nil {
		return err
	}
	for name := range cfg.Merchants {
		if name != benchMerchant {
			delete(cfg.Merchants, name)
		}
	}
	log, err := newLogger(cfg.Log, p.stderr)
	if err != nil {
		return err
	}
	paceCollections() // as run does
	s, err := newService(cfg, Roles{Consumer: true, Worker: true}, log)
	if err != nil {
		return err
	}
	// The bench asks often, and what this one reads of the system would be
	// counted as the service's own work.
	s.registry.Unregister(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	profiled, err := c.profile()
	if err != nil {
		return err
	}
	var began beginning
	run, stop := context.WithCancel(ctx)
	defer stop()
	go began.watch(run, s.registry)
	served := make(chan error, 1)
	go func() { served <- s.Run(run) }()
	asked := make(chan error, 1)
	go func() {
		asked <- bench.ServeUsage(p.stdin, p.stdout, func() bench.Usage {
			u := bench.Self()
			u.Done, u.Counts = time.Now(), benchCounts(s.registry)
			began.into(&u)
			return u
		})
	}()
	select {
	case err = <-served:
		return errors.Join(err, profiled())
	case err = <-asked:
	}
	stop()
	return errors.Join(err, <-served, profiled())
}

// benchMerchant is the merchant that the bench pays from.
const benchMerchant = "default"

// profile begins to record CPU and allocations, and returns what ends that.
func (c *benchWorkerCommand) profile() (func() error, error) {
	if c.Profile == "" {
		return func() error { return nil }, nil
	}
	cpu, err := os.Create(c.Profile + ".cpu.pprof")
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return nil, err
	}
	return func() error {
		pprof.StopCPUProfile()
		allocs, err := os.Create(c.Profile + ".allocs.pprof")
		if err != nil {
			return err
		}
		runtime.GC()
		return errors.Join(pprof.Lookup("allocs").WriteTo(allocs, 0), allocs.Close(), cpu.Close())
	}, nil
}

// A beginning is what had been used when the first request was read.
type beginning struct {
	mu  sync.Mutex
	at  time.Time
	was bench.Usage
}

// watch waits for the first request.
func (b *beginning) watch(ctx context.Context, r prometheus.Gatherer) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if benchCounts(r)["read"] > 0 {
			b.note(time.Now(), bench.Self())
			return
		}
	}
}

func (b *beginning) note(at time.Time, was bench.Usage) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at, b.was = at, was
}

func (b *beginning) into(u *bench.Usage) {
	b.mu.Lock()
	defer b.mu.Unlock()
	u.Began, u.CPUAtStart, u.AtStart, u.AtStartSize = b.at, b.was.CPU, b.was.Mallocs, b.was.AllocBytes
}

// benchCounts are those of the service's counters that the bench looks at.
func benchCounts(r prometheus.Gatherer) map[string]int64 {
	counts := map[string]int64{}
	families, err := r.Gather()
	if err != nil {
		return counts
	}
	names := map[string]string{
		"toplu_requests_read_total": "read", "toplu_requests_duplicate_total": "duplicate", "toplu_plans_sealed_total": "plans",
		"toplu_batches_closed_total": "closed",
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			n := int64(m.GetCounter().GetValue())
			label := func(name string) string {
				for _, l := range m.GetLabel() {
					if l.GetName() == name {
						return l.GetValue()
					}
				}
				return ""
			}
			switch name := f.GetName(); name {
			case "toplu_payout_statuses_total":
				counts[label("status")] += n
			case "toplu_iyzico_calls_total":
				counts["call:"+label("op")] += n
			default:
				if short, ok := names[name]; ok {
					counts[short] += n
				}
			}
		}
	}
	return counts
}

// benchSimulatorCommand is an iyzico that settles at once, with a merchant of
// the bench's own.
type benchSimulatorCommand struct{}

// Run serves until the standard input ends.
func (c *benchSimulatorCommand) Run(ctx context.Context, p *program) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server, err := instantSimulator()
	if err != nil {
		return err
	}
	run, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	go func() { served <- serve(run, listener, server) }()
	err = bench.ServeUsage(p.stdin, p.stdout, func() bench.Usage {
		u := bench.Self()
		u.URL = "http://" + listener.Addr().String()
		return u
	})
	stop()
	if serving := <-served; !errors.Is(serving, io.EOF) {
		err = errors.Join(err, serving)
	}
	return err
}
