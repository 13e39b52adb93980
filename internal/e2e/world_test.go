//go:build integration

package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/toplu/toplu/internal/e2e"
	"github.com/toplu/toplu/internal/realparts"
	"github.com/toplu/toplu/schema/schematest"
)

// A world is everything that one test needs: real servers, the simulator, the
// configuration, and the processes it starts.
type world struct {
	t   *testing.T
	dir string
	env []string // for the processes, besides this one's

	kafka *realparts.Kafka
	redis *realparts.Redis
	// The program reaches all three through these, so that the way there can be
	// cut; the tests' own clients do not.
	kafkaWay, redisWay, iyzicoWay *toxiproxy.Proxy
	simulator                     *process
	simulatorURL                  string
	config                        string
	maxItems                      int    // of a batch
	maxWait                       string // of a batch, until it is sealed

	shop  *shop
	runs  []*process
	began time.Time
}

// newWorld starts Kafka, Redis and the simulator, and makes the topics. Flags
// are for the simulator.
func newWorld(t *testing.T, version string, flags ...string) *world {
	t.Helper()
	w := bareWorld(t)
	w.startKafka(version)
	w.startRedis()
	w.startSimulator(flags...)
	w.createTopics()
	return w
}

// bareWorld has a directory, ways to servers that are not there yet, and a
// configuration.
func bareWorld(t *testing.T) *world {
	t.Helper()
	dir, err := os.MkdirTemp("", "toplu-world-") //nolint:usetesting // it outlives a test that fails
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, dir: dir, maxItems: 50, maxWait: "100ms", shop: newShop(), began: time.Now()}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("kept: %s", dir)
			return
		}
		_ = os.RemoveAll(dir)
	})
	w.kafkaWay, w.redisWay, w.iyzicoWay = w.way("kafka"), w.way("redis"), w.way("iyzico")
	w.config = filepath.Join(dir, "toplu.yaml")
	return w
}

func (w *world) startKafka(version string) {
	w.t.Helper()
	var err error
	if w.kafka, err = realparts.StartKafkaBehind(w.t.Context(), version, filepath.Join(w.dir, "kafka"), w.kafkaWay.Listen); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = w.kafka.Kill() })
	w.open(w.kafkaWay, w.kafka.Behind)
	w.configure()
}

func (w *world) startRedis() {
	w.t.Helper()
	var err error
	if w.redis, err = realparts.StartRedis(w.t.Context(), filepath.Join(w.dir, "redis")); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = w.redis.Kill() })
	w.open(w.redisWay, w.redis.Addr)
}

func (w *world) startSimulator(flags ...string) {
	w.t.Helper()
	w.simulator = w.start("simulator", append([]string{"simulator", "--config", w.config, "--listen", "127.0.0.1:0"}, flags...)...)
	w.simulatorURL = w.simulator.says(w.t, `simulator: (http://\S+)`, 10*time.Second)
	w.open(w.iyzicoWay, strings.TrimPrefix(w.simulatorURL, "http://"))
}

// configure writes the configuration. It has the shape that the README shows,
// and no key besides.
func (w *world) configure() {
	w.t.Helper()
	brokers := "127.0.0.1:1"
	switch {
	case w.kafka == nil:
	case w.kafka.Behind != "":
		brokers = w.kafkaWay.Listen
	default:
		brokers = strings.Join(w.kafka.Brokers, ",")
	}
	text := fmt.Sprintf(`kafka:
  brokers: [%s]
  sessionTimeout: 6s
redis:
  addrs: ["%s"]
iyzico:
  baseUrl: http://%s
  timeout: 3s
  grace: 1s
merchants:
  default: {apiKey: sandbox-default, secretKey: sandbox-default-secret}
  market:  {apiKey: sandbox-market, secretKey: sandbox-market-secret}
batch:
  maxItems: %d
  maxWait: %s
  maxAmount: "1000000.00"
report:
  interval: 200ms
admin:
  listen: 127.0.0.1:0
`, brokers, w.redisWay.Listen, w.iyzicoWay.Listen, w.maxItems, w.maxWait)
	if err := os.WriteFile(w.config, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) createTopics() {
	w.t.Helper()
	p := w.start("topics", "topics", "create", "--config", w.config, "--partitions", "4")
	if status := p.wait(w.t, 30*time.Second); status != 0 {
		w.t.Fatalf("topics create: exit status %d\n%s", status, p.output())
	}
}

// run starts a worker (or `toplu run` with other flags) and waits until it says
// that it is running.
func (w *world) run(name string, flags ...string) *process {
	w.t.Helper()
	p := w.launch(name, flags...)
	p.says(w.t, "toplu is running", 20*time.Second)
	return p
}

// launch starts a worker and does not wait.
func (w *world) launch(name string, flags ...string) *process {
	w.t.Helper()
	p := w.start(name, append([]string{"run", "--config", w.config}, flags...)...)
	w.runs = append(w.runs, p)
	return p
}

// way makes a proxy on a port of its own, which leads nowhere yet.
func (w *world) way(name string) *toxiproxy.Proxy {
	w.t.Helper()
	p := toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), name, "127.0.0.1:0", "127.0.0.1:1")
	if err := p.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(p.Stop)
	return p
}

// open lets a way lead to an address.
func (w *world) open(p *toxiproxy.Proxy, upstream string) {
	w.t.Helper()
	if err := p.Update(&toxiproxy.Proxy{Listen: p.Listen, Upstream: upstream, Enabled: true}); err != nil {
		w.t.Fatal(err)
	}
}

// cut closes a way, and what is on it; mend opens it again.
func (w *world) cut(p *toxiproxy.Proxy) { w.enable(p, false) }

func (w *world) mend(p *toxiproxy.Proxy) { w.enable(p, true) }

func (w *world) enable(p *toxiproxy.Proxy, enabled bool) {
	w.t.Helper()
	if err := p.Update(&toxiproxy.Proxy{Listen: p.Listen, Upstream: p.Upstream, Enabled: enabled}); err != nil {
		w.t.Fatal(err)
	}
}

// faults puts dials of the simulator in force.
func (w *world) faults(dials string) {
	w.t.Helper()
	res, err := http.Post(w.simulatorURL+"/_simulator/faults", "application/json", strings.NewReader(dials))
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		var text bytes.Buffer
		_, _ = text.ReadFrom(res.Body)
		w.t.Fatalf("faults: %s", text.String())
	}
}

// books asks the simulator for its books.
func (w *world) books() e2e.Books {
	w.t.Helper()
	text, err := get(w.t.Context(), w.simulatorURL+"/_simulator/books")
	if err != nil {
		w.t.Fatal(err)
	}
	var b e2e.Books
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		w.t.Fatal(err)
	}
	return b
}

// file writes a file into the world's directory.
func (w *world) file(name string, content []byte) string {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}

// judge ends the run: it waits until everything asked for is answered, judges,
// looks for what must not be told, and says what was measured.
func (w *world) judge(l *ledger, atMost time.Duration) *e2e.Verdict {
	w.t.Helper()
	if err := l.answers(w.t, len(w.shop.asked), atMost); err != nil {
		w.t.Error(err)
	}
	statuses := w.read("payout.statuses")
	v := e2e.Judge(e2e.Case{Asked: w.shop.asked, Statuses: statuses, Books: w.books()})
	if err := v.Err(); err != nil {
		w.t.Error(err)
	}
	w.valid(statuses)
	w.discreet()
	w.sound()
	w.t.Logf("%s; calls %v; %.1f s", v, w.books().Calls, time.Since(w.began).Seconds())
	return v
}

// valid holds every event against the schema of its type.
func (w *world) valid(events []e2e.Record) {
	w.t.Helper()
	validate, wrong := schematest.Validator(w.t), 0
	for _, r := range events {
		if err := validate(r.Header("ce_type"), r.Value); err != nil {
			if wrong++; wrong < 5 {
				w.t.Errorf("%d/%d: %v: %s", r.Partition, r.Offset, err, r.Value)
			}
		}
	}
}

// sound checks that nothing has stopped or panicked that should pay.
func (w *world) sound() {
	w.t.Helper()
	for _, p := range w.runs {
		for _, bad := range []string{"panic: ", "goroutine 1 [", "DATA RACE"} {
			if strings.Contains(p.output(), bad) {
				w.t.Errorf("%s: %q in its log", p.name, bad)
			}
		}
		if p.running() {
			eventually(w.t, 20*time.Second, func() string {
				if answer := p.admin(w.t, "/readyz"); answer != "ok\n" {
					return p.name + " is not ready: " + answer
				}
				return ""
			})
		}
	}
}

// discreet looks for personal data wherever it must not be.
func (w *world) discreet() {
	w.t.Helper()
	look := func(place, text string) {
		if err := w.shop.personal.In(place, text); err != nil {
			w.t.Error(err)
		}
	}
	for _, r := range w.read("payout.statuses") {
		look("a status", string(r.Key)+" "+string(r.Value)+" "+strings.Join(r.Headers, " "))
	}
	for _, r := range w.read("payout.requests.dlq") {
		for _, h := range r.Headers {
			if strings.HasPrefix(h, "toplu-") {
				look("a dead letter's header", h)
			}
		}
	}
	for _, p := range append(w.runs, w.simulator) {
		look("the log of "+p.name, p.output())
		if p != w.simulator && p.running() {
			for _, path := range []string{"/metrics", "/readyz"} {
				look(path+" of "+p.name, p.admin(w.t, path))
			}
		}
	}
}
