package app_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema"
)

// administer gives the service a free port for its admin server, and returns what
// asks there.
func (s *shift) administer(t *testing.T) func(path string) (status int, body string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	s.env = plus(s.env, "TOPLU_ADMIN_LISTEN="+addr)
	return func(path string) (int, string) {
		res, err := http.Get("http://" + addr + path)
		if err != nil {
			return 0, err.Error()
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(body)
	}
}

// answers waits until the admin server answers so.
func answers(t *testing.T, ask func(string) (int, string), path string, status int, text string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		code, body := ask(path)
		if code == status && strings.Contains(body, text) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: got %d %s, want %d %s", path, code, body, status, text)
		}
	}
}

func TestPprofIsASetting(t *testing.T) {
	t.Parallel()
	for _, on := range []bool{false, true} {
		s := newShift(t, time.Millisecond)
		ask := s.administer(t)
		s.env = plus(s.env, fmt.Sprintf("TOPLU_ADMIN_PPROF=%v", on))
		s.start(t)
		answers(t, ask, "/readyz", 200, "ok")
		want := map[bool]int{false: 404, true: 200}[on]
		answers(t, ask, "/debug/pprof/goroutine?debug=1", want, "")
		s.stop()
	}
}

// TestMetricsStayBounded has one request of every odd kind, and then many more of
// them: no metric may have got another series by that.
func TestMetricsStayBounded(t *testing.T) {
	t.Parallel()
	s := newShift(t, 1500*time.Millisecond)
	ask := s.administer(t)
	s.start(t)
	cfg, client := kafkaOf(t, s.env)
	odd := func(round string) {
		t.Helper()
		request := func(id, rest string) schema.Message {
			return schema.Message{Key: []byte(id), Value: []byte(fmt.Sprintf(`{"payoutId":%q,%s}`, id, rest))}
		}
		const iban, amount = `"recipient":{"type":"IBAN","value":"TR330006100519786457841326","name":"Ayşe Yılmaz"}`, `"amount":{"value":"1.00","currency":"TRY"}`
		var all []schema.Message
		for i := range 8 { // so that both shards have one of each kind
			id := fmt.Sprintf("%s-%d", round, i)
			all = append(all,
				request(id, iban+","+amount),
				request(id, iban+","+amount),
				request(id, iban+`,"amount":{"value":"2.00","currency":"TRY"}`),
				request(id+"-fails", iban+","+amount),
				request(id+"-returns", iban+","+amount),
				request(id+"-rejects", iban+","+amount),
				request(id+"-merchant", `"merchant":"shop-`+id+`",`+iban+","+amount),
				request(id+"-purpose", `"purpose":"`+id+`",`+iban+","+amount),
				request(id+"-currency", iban+`,"amount":{"value":"1.00","currency":"X`+id+`"}`),
				request(id+"-type", `"recipient":{"type":"`+id+`","value":"1"},`+amount),
				schema.Message{Key: []byte(id), Value: []byte("no JSON " + id)},
				schema.Message{Key: []byte(id)},
			)
		}
		if err := client.Publish(t.Context(), cfg.Kafka.Topics().Requests, kafkaio.Messages(all...)); err != nil {
			t.Fatal(err)
		}
		for i := range 8 {
			id := fmt.Sprintf("%s-%d", round, i)
			s.says(t, ": paid", "explain", id)
			s.says(t, ": rejected", "explain", id+"-rejects")
			s.says(t, ": returned", "explain", id+"-returns")
		}
	}
	series := func() []string {
		_, text := ask("/metrics")
		var all []string
		for line := range strings.Lines(text) {
			if name, _, ok := strings.Cut(line, " "); ok && strings.HasPrefix(line, "toplu_") && !strings.Contains(name, "toplu_plans_sealed_total") {
				all = append(all, name)
			}
		}
		slices.Sort(all)
		return all
	}
	odd("once")
	for _, shard := range []string{"0", "1"} { // what is open is counted once a second
		answers(t, ask, "/metrics", 200, `toplu_open_payouts{currency="TRY",merchant="default",shard="`+shard+`"`)
	}
	before := series()
	if len(before) < 40 {
		t.Fatalf("only %d series: %v", len(before), before)
	}
	for i := range 2 {
		odd(fmt.Sprintf("round-%d", i))
	}
	if diff := cmp.Diff(before, series()); diff != "" {
		t.Errorf("series came with odd requests (-before +after):\n%s", diff)
	}
	for _, name := range before {
		if strings.Contains(name, "once") {
			t.Errorf("%s has an id in it", name)
		}
	}
}
