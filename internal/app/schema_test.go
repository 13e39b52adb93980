package app_test

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/toplu/toplu/internal/app"
	"github.com/toplu/toplu/internal/demo"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/schema/schematest"
)

func TestSchema(t *testing.T) {
	t.Parallel()
	list := decode[struct{ Files []string }](t, run(t, nil, "", "schema", "list", "--json"))
	text := run(t, nil, "", "schema", "list")
	if len(list.Files) < 12 || text.out != strings.Join(list.Files, "\n")+"\n" {
		t.Errorf("got %v and %s", list.Files, text.out)
	}
	for _, name := range list.Files {
		want, err := schema.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if r := run(t, nil, "", "schema", "show", name); r.code != 0 || r.out != string(want) {
			t.Errorf("%s: got %+v", name, r)
		}
	}
	shown := decode[struct{ Name, Text string }](t, run(t, nil, "", "schema", "show", "README.md", "--json"))
	if shown.Name != "README.md" || !strings.Contains(shown.Text, "never") {
		t.Errorf("got %+v", shown)
	}
	run(t, nil, "", "schema", "show", "nothing").want(t, 2, "", "status.schema.json")
}

// TestEventsOfARunAreValid has the service pay requests of every kind, and holds
// every event in the public topics against its schema.
func TestEventsOfARunAreValid(t *testing.T) {
	t.Parallel()
	parts, err := demo.Start(t.Context(), 50*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(parts.Close)
	env := parts.Env()
	run(t, env, "", "topics", "create", "--partitions", "2").want(t, 0, "created topic payout.statuses", "")
	kafka, err := kgo.NewClient(kgo.SeedBrokers(parts.Brokers()...), kgo.ConsumeTopics("payout.statuses", "payout.requests"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	orders := demo.Orders(150, time.Now())
	for _, o := range orders {
		r := &kgo.Record{Topic: "payout.requests", Key: o.Message.Key, Value: o.Message.Value}
		for _, h := range o.Message.Headers {
			r.Headers = append(r.Headers, kgo.RecordHeader(h))
		}
		kafka.Produce(t.Context(), r, nil)
	}
	if err := kafka.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	serving, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	served := make(chan int, 1)
	log := &lockedBuffer{}
	go func() {
		served <- app.Run(serving, []string{"run"}, func(name string) string { return env[name] }, strings.NewReader(""), log, log)
	}()

	headers := schematest.Headers(t)
	validate, seen, ledger := schematest.Validator(t), map[string]int{}, demo.NewLedger()
	refusedOrders := map[string]bool{}
	for _, o := range orders {
		refusedOrders[o.ID] = refusedOrders[o.ID] || o.Kind == demo.Refused
	}
	conflicts := 0
	for _, o := range orders {
		if o.Kind == demo.Conflict {
			conflicts++
		}
	}
	for range conflicts { // they go to the dead letters, which are no events
		ledger.Bury(schema.Message{Headers: []schema.Header{{Key: "toplu-reason-code", Value: []byte("conflict")}}})
	}
	for !ledger.Answered(orders) && serving.Err() == nil {
		kafka.PollFetches(serving).EachRecord(func(r *kgo.Record) {
			m := schema.Message{Key: r.Key, Value: r.Value}
			for _, h := range r.Headers {
				m.Headers = append(m.Headers, schema.Header(h))
			}
			kind, _ := m.Get("ce_type")
			seen[kind]++
			err := validate(kind, r.Value)
			if invented := kind == schema.TypeRequested && refusedOrders[string(r.Key)]; (err != nil) != invented {
				t.Errorf("%s: %v: %s", kind, err, r.Value)
			}
			if err := headers(schematest.HeadersOf(kind), m.Headers); err != nil {
				t.Errorf("%s: %v", kind, err)
			}
			if r.Topic == "payout.statuses" {
				if err := ledger.Book(m); err != nil {
					t.Error(err)
				}
			}
		})
	}
	stop()
	if code := <-served; code != 0 {
		t.Errorf("the service ended with exit status %d:\n%s", code, log.String())
	}
	for _, kind := range []string{"requested", "accepted", "submitted", "paid", "failed", "returned", "rejected", "request_refused"} {
		if seen["payout."+kind+".v1"] == 0 {
			t.Errorf("no %s among %v", kind, seen)
		}
	}
}

// A lockedBuffer takes the log of a service, whose goroutines write at once as
// they may to a file.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
