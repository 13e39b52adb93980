package consumer

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/toplu/toplu/internal/spans"
)

// trace records a batch that has landed: the root of its trace, and in the trace
// of each request that it was planned.
func (r *run) trace(ctx context.Context, b *batch) {
	if r.cfg.Tracer == nil {
		return
	}
	now := trace.WithTimestamp(r.cfg.Now())
	var links []trace.Link
	for i := range b.items {
		request, ok := spans.Request(b.items[i].TraceParent)
		if !ok {
			continue
		}
		if len(links) < spans.MaxLinks {
			links = append(links, trace.Link{SpanContext: request})
		}
		_, span := spans.Begin(ctx, r.cfg.Tracer, request, "plan", b.added[i], trace.WithSpanKind(trace.SpanKindConsumer),
			trace.WithLinks(trace.Link{SpanContext: spans.Batch(b.id)}),
			trace.WithAttributes(spans.KeyPayout.String(b.items[i].PayoutID), spans.KeyBatch.String(b.id), spans.KeyShard.Int(b.key.shard)))
		span.End(now)
	}
	root := spans.Root(ctx, r.cfg.Tracer, b.id, b.added[0], trace.WithLinks(links...), trace.WithAttributes(
		spans.KeyBatch.String(b.id), spans.KeyShard.Int(b.key.shard), spans.KeyItems.Int(len(b.items)),
		attribute.String("toplu.merchant", b.key.merchant),
	))
	root.End(now)
}
