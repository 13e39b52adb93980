package producer_test

import (
	"errors"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"github.com/toplu/toplu/producer"
)

// A request's trace travels with its event, and does not change its id: the
// same request in another trace is the same request.
func TestTrace(t *testing.T) {
	t.Parallel()
	brokers := cluster(t)
	p := newProducer(t, producer.Config{Brokers: brokers})
	const first, second = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
	for _, parent := range []string{first, second, ""} {
		r := good("traced")
		r.TraceParent = parent
		if err := p.Publish(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	records := readAll(t, brokers)
	for i, want := range []string{first, second, ""} {
		if e := decode(t, records[i]); e.TraceParent != want || e.ID != decode(t, records[0]).ID {
			t.Errorf("event %d has trace %q, want %q, and id %s", i, e.TraceParent, want, e.ID)
		}
	}
	wrong := good("wrong")
	wrong.TraceParent = "order-1042"
	err := p.Publish(t.Context(), wrong)
	invalid, ok := errors.AsType[*producer.InvalidError](err)
	if !ok || len(invalid.Requests) != 1 || invalid.Requests[0].Problems[0].Field != "traceparent" {
		t.Errorf("of what is no trace: %v", err)
	}
	if n := len(readAll(t, brokers)); n != 3 {
		t.Errorf("%d requests", n)
	}
}

// The span in the context goes with every request that has no trace of its own.
func TestSpanOfTheContext(t *testing.T) {
	t.Parallel()
	brokers := cluster(t)
	p := newProducer(t, producer.Config{Brokers: brokers})
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{0xab}, SpanID: trace.SpanID{0xcd}, TraceFlags: trace.FlagsSampled})
	own := good("own")
	own.TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
	if err := p.Publish(trace.ContextWithSpanContext(t.Context(), span), good("context"), own); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, r := range readAll(t, brokers) {
		e := decode(t, r)
		got[e.Request.PayoutID] = e.TraceParent
	}
	if want := "00-ab000000000000000000000000000000-cd00000000000000-01"; got["context"] != want || got["own"] != own.TraceParent {
		t.Errorf("traces %v, want %s for the one without", got, want)
	}
}
