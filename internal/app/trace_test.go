package app_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/internal/spans"
	"github.com/toplu/toplu/internal/tracing"
	"github.com/toplu/toplu/producer"
	"github.com/toplu/toplu/schema"
)

const (
	shopTrace  = "4bf92f3577b34da6a3ce929d0e0e4736"
	shopParent = "00-" + shopTrace + "-00f067aa0ba902b7-01"
	notTraced  = "00-5bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
)

// publish sends payouts, each with its trace context.
func (s *shift) publish(t *testing.T, traces map[string]string) {
	t.Helper()
	p, err := producer.New(producer.Config{Brokers: []string{s.env["TOPLU_KAFKA_BROKERS"]}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for id, trace := range traces {
		err := p.Publish(t.Context(), producer.Request{
			PayoutID: id, Recipient: schema.Recipient{Type: schema.IBAN, Value: "TR330006100519786457841326", Name: "Ayşe Yılmaz"},
			Amount: "10.00", Currency: schema.TRY, TraceParent: trace,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestTrace pays three payouts and follows one of them by its trace: from the
// shop's request over the batch to the last status. The picture is logged.
func TestTrace(t *testing.T) {
	t.Parallel()
	var posted atomic.Int64
	collect := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var spans collector.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(body, &spans)
		}
		if err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		for _, rs := range spans.GetResourceSpans() {
			for _, ss := range rs.GetScopeSpans() {
				posted.Add(int64(len(ss.GetSpans())))
			}
		}
	}))
	defer collect.Close()
	file := filepath.Join(t.TempDir(), "traces.jsonl")
	s := newShift(t, 50*time.Millisecond)
	s.env = plus(s.env, "TOPLU_TRACING_FILE="+file, "TOPLU_TRACING_ENDPOINT="+collect.URL+"/v1/traces")
	s.start(t)
	s.publish(t, map[string]string{"a-1": shopParent, "a-2": notTraced, "a-3": ""})
	for _, id := range []string{"a-1", "a-2", "a-3"} {
		s.says(t, ": paid", "explain", id)
	}
	batch := s.batchOf(t, "a-1")
	s.says(t, "no open batches", "batch", "list")
	s.stop()

	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := tracing.Read(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var picture strings.Builder
	batchTrace := spans.Batch(batch).TraceID().String()
	tracing.Tree(&picture, slices.DeleteFunc(slices.Clone(lines), func(l tracing.Line) bool { return l.Trace != shopTrace && l.Trace != batchTrace }))
	t.Logf("\n%s", picture.String())

	named := map[string][]tracing.Line{}
	for _, l := range lines {
		if l.Trace == shopTrace || l.Trace == batchTrace {
			named[l.Name] = append(named[l.Name], l)
		}
		if strings.HasPrefix(l.Trace, "5bf9") {
			t.Errorf("%s is recorded, though its request said not to", l.Name)
		}
	}
	for _, name := range []string{"plan", "status accepted", "status submitted", "status paid"} {
		l := named[name]
		if len(l) != 1 || l[0].Trace != shopTrace || l[0].Parent != "00f067aa0ba902b7" || l[0].Attributes["toplu.payout.id"] != "a-1" ||
			len(l[0].Links) != 1 || l[0].Links[0].Trace != batchTrace {
			t.Errorf("%s: %+v", name, l)
		}
	}
	root := named["batch"]
	if len(root) != 1 || root[0].Parent != "" || root[0].Links[0].Trace != shopTrace {
		t.Fatalf("batch: %+v", root)
	}
	for _, name := range []string{"claim", "create", "verify", "balance", "complete", "report", "journal creating", "journal created", "journal completing", "journal completed", "journal settled", "journal closed"} {
		if l := named[name]; len(l) == 0 || l[0].Parent != root[0].Span {
			t.Errorf("%s: %+v", name, l)
		}
	}
	for call, step := range map[string]string{"init": "create", "auth": "complete", "retrieve": "verify", "balance": "balance"} {
		l := named["iyzico "+call]
		if len(l) == 0 || l[0].Parent != named[step][0].Span {
			t.Errorf("%s is not within %s: %+v", call, step, l)
		}
	}
	for _, private := range []string{"TR33", "786457841326", "Ayşe", "10.00", "sandbox-"} {
		if strings.Contains(string(text), private) {
			t.Errorf("%q is in a trace", private)
		}
	}
	if posted.Load() != int64(len(lines)) {
		t.Errorf("%d spans were posted, %d are in the file", posted.Load(), len(lines))
	}

	// The status carries what the request came with, and so does one that is sent again.
	for _, m := range statuses(t, s.env) {
		trace, _ := m.Get("ce_traceparent")
		if want := map[string]string{"a-1": shopParent, "a-2": notTraced, "a-3": ""}[string(m.Key)]; trace != want {
			t.Errorf("a status of %s has trace %q", m.Key, trace)
		}
	}
}

// TestTracesHoldNobodyUp points traces at a collector that never answers.
func TestTracesHoldNobodyUp(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	collect := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hang }))
	defer collect.Close()
	defer close(hang)
	s := newShift(t, 50*time.Millisecond)
	s.env = plus(s.env, "TOPLU_TRACING_ENDPOINT="+collect.URL)
	s.start(t)
	s.send(t, "a-1")
	s.says(t, ": paid", "explain", "a-1")
	s.stop()
}

// TestStoryInTheLog follows one payout and one batch through the log by their ids.
func TestStoryInTheLog(t *testing.T) {
	t.Parallel()
	s := newShift(t, 50*time.Millisecond)
	s.env = plus(s.env, "TOPLU_LOG_LEVEL=debug", "TOPLU_LOG_FORMAT=json")
	s.start(t)
	s.send(t, "a-1")
	s.says(t, ": paid", "explain", "a-1")
	batch := s.batchOf(t, "a-1")
	s.says(t, "no open batches", "batch", "list")
	s.stop()
	follow := func(needle string, want ...string) {
		t.Helper()
		var story []string
		for line := range strings.Lines(s.logs.String()) {
			if strings.Contains(line, needle) {
				story = append(story, line)
			}
		}
		rest := strings.Join(story, "")
		for _, w := range want {
			_, after, ok := strings.Cut(rest, w)
			if !ok {
				t.Fatalf("%s is not there, or not in this place:\n%s", w, strings.Join(story, ""))
			}
			rest = after
		}
	}
	// The consumer and the worker write at the same time, so each is followed by itself.
	follow(`"payout":"a-1"`, `"batch":"`+batch+`"`, `"planned"`)
	follow(`"payout":"a-1"`, `"status":"accepted"`, `"status":"submitted"`, `"status":"paid"`)
	follow(`"batch":"`+batch+`"`, `batch sealed`)
	follow(`"batch":"`+batch+`"`, `"record":"creating"`, `"record":"created"`, `"record":"completing"`, `"record":"completed"`, `"record":"settled"`, `"record":"closed"`)
}

// statuses reads every status.
func statuses(t *testing.T, env map[string]string) (all []schema.Message) {
	t.Helper()
	cfg, client := kafkaOf(t, env)
	ends, err := client.Offsets(t.Context(), cfg.Kafka.Topics().Statuses)
	if err != nil {
		t.Fatal(err)
	}
	for partition, o := range ends {
		r := client.NewReader(cfg.Kafka.Topics().Statuses, partition, o.Start, kafkaio.ReaderOptions{})
		for r.Offset() < o.End {
			b, err := r.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, rec := range b.Records {
				all = append(all, rec.Message())
			}
		}
	}
	return all
}
