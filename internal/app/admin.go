package app

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/pprof"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/toplu/toplu/worker"
)

// health is why the service is not ready, if so. It is safe for concurrent use.
type health struct {
	mu      sync.Mutex
	reasons map[string]string // guarded by mu: by what is wrong
	remarks map[string]string // guarded by mu: what is wrong and keeps nothing else from going on
	worker  *worker.Worker    // guarded by mu
}

// set says what is wrong with a part; "" is nothing.
func (h *health) set(part, reason string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	put(&h.reasons, part, reason)
}

// note says what a person should know of a part; "" is nothing.
func (h *health) note(part, text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	put(&h.remarks, part, text)
}

func put(all *map[string]string, part, text string) {
	if *all == nil {
		*all = map[string]string{}
	}
	if text == "" {
		delete(*all, part)
		return
	}
	(*all)[part] = text
}

// watch asks the worker too, from now on.
func (h *health) watch(w *worker.Worker) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.worker = w
}

// problems lists what is wrong, in order.
func (h *health) problems() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []string
	for _, part := range slices.Sorted(maps.Keys(h.reasons)) {
		all = append(all, h.reasons[part])
	}
	if h.worker == nil {
		return all
	}
	if why := h.worker.Halted(); why != nil {
		return append(all, "all shards have stopped: "+why.Error())
	}
	stopped := h.worker.Stopped()
	for _, shard := range slices.Sorted(maps.Keys(stopped)) {
		all = append(all, fmt.Sprintf("shard %d has stopped: %v", shard, stopped[shard]))
	}
	return all
}

// profiles serves Go's profiler. Its package also registers itself with the
// default mux, which nothing here serves.
func profiles(mux *http.ServeMux) {
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
}

// notes lists what a person should know and no other process would do better.
func (h *health) notes() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []string
	for _, part := range slices.Sorted(maps.Keys(h.remarks)) {
		all = append(all, h.remarks[part])
	}
	if h.worker == nil {
		return all
	}
	for _, name := range h.worker.Missing() {
		all = append(all, "merchant "+name+" has open batches and is not in the configuration: they wait until it is back")
	}
	return all
}

// serveAdmin serves health and metrics, and returns what ends it.
func (s *service) serveAdmin(ctx context.Context) (func(), error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.cfg.Admin.Listen)
	if err != nil {
		return nil, fmt.Errorf("admin.listen: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		problems := s.health.problems()
		if len(problems) == 0 {
			_, _ = fmt.Fprintln(w, "ok")
			for _, note := range s.health.notes() {
				_, _ = fmt.Fprintln(w, note)
			}
			return
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		for _, p := range problems {
			_, _ = fmt.Fprintln(w, p)
		}
	})
	if s.cfg.Admin.Pprof {
		profiles(mux)
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	s.log.Info().Str("listen", listener.Addr().String()).Msg("health and metrics are served")
	return func() {
		_ = server.Close()
		<-done
	}, nil
}
