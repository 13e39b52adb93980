package worker

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/toplu/toplu/internal/spans"
	"github.com/toplu/toplu/schema"
)

// Traces tell a story beside the logs and decide nothing. Without a tracer no
// span is made; with one, what is done about a batch is recorded in the batch's
// trace, and each status in that of the request. A status event carries the
// request's own context, as the plan has it: an event that is sent again is the
// same to the byte.

// A tale is what the spans of a step have in common; nil when nothing is traced.
type tale struct {
	batch      string
	attributes []attribute.KeyValue
}

// tale tells of the batch as it stands.
func (s *Shard) tale(b *batch) *tale {
	if s.ports.Tracer == nil || b.plan == nil {
		return nil
	}
	return &tale{b.plan.ID, []attribute.KeyValue{
		spans.KeyBatch.String(b.plan.ID), spans.KeyShard.Int(s.number), spans.KeyAttempt.Int(b.attempt), spans.KeyRequest.String(b.winner),
	}}
}

// told begins a step's span; the context is for what the step calls.
func (s *Shard) told(ctx context.Context, t *tale, step string) (context.Context, func()) {
	if t == nil {
		return ctx, func() {}
	}
	ctx, span := spans.Begin(ctx, s.ports.Tracer, spans.Batch(t.batch), step, s.ports.Now(), trace.WithAttributes(t.attributes...))
	return ctx, func() { span.End(trace.WithTimestamp(s.ports.Now())) }
}

// claimed records that a plan went through the claims, which began at began.
func (s *Shard) claimed(f *foldedPlan, began time.Time, err error) {
	if s.ports.Tracer == nil || f.plan == nil {
		return
	}
	_, owned := f.owned()
	_, span := spans.Begin(s.calls, s.ports.Tracer, spans.Batch(f.plan.ID), "claim", began, trace.WithAttributes(
		spans.KeyBatch.String(f.plan.ID), spans.KeyShard.Int(s.number), spans.KeyItems.Int(len(f.plan.Items)), attribute.Int("toplu.items.claimed", owned),
	))
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
	span.End(trace.WithTimestamp(s.ports.Now()))
}

// A telling is a status that is on its way to the broker.
type telling struct {
	number int // of the status in the outbox
	span   trace.Span
}

// telling begins the span of a status, if its request's trace is recorded.
func (s *Shard) telling(st *schema.Status) {
	if s.ports.Tracer == nil {
		return
	}
	parent, ok := spans.Request(st.TraceParent)
	if !ok {
		return
	}
	_, span := spans.Begin(s.calls, s.ports.Tracer, parent, "status "+string(st.Status), s.ports.Now(),
		trace.WithSpanKind(trace.SpanKindProducer), trace.WithLinks(trace.Link{SpanContext: spans.Batch(st.BatchID)}),
		trace.WithAttributes(
			spans.KeyPayout.String(st.PayoutID), spans.KeyBatch.String(st.BatchID), spans.KeyShard.Int(s.number),
			attribute.Int("toplu.status.sequence", st.Sequence),
		))
	s.outbox.tellings = append(s.outbox.tellings, telling{s.outbox.emitted, span})
}

// acknowledged ends the spans of the statuses that the broker has.
func (s *Shard) acknowledged() {
	o := &s.outbox
	for len(o.tellings) > 0 && o.tellings[0].number <= o.published {
		o.tellings[0].span.End(trace.WithTimestamp(s.ports.Now()))
		o.tellings = o.tellings[1:]
	}
}
