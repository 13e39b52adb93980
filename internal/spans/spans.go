// Package spans says how the traces of payouts hang together, in terms of
// OpenTelemetry's API alone. Package tracing records and exports them.
//
// There are two kinds of traces. A request's own is the one whose context came
// with its event; toplu adds what happened to that payout: planned, and each
// status. A batch's is toplu's: sealed, claimed, each step and each call to
// iyzico. They are joined by links, since a batch has many requests.
//
// The context of a batch's trace is made of the batch id and nothing else. So the
// consumer that sealed it, the worker that pays it and the one that takes over
// after a crash all write into one trace, and nothing about traces has to be
// kept in the logs.
//
// Attributes are ids, counts and words of ours and iyzico's: never a person, an
// account or an amount.
package spans

import (
	"context"
	"crypto/sha256"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// Name is the instrumentation scope of every span.
const Name = "github.com/toplu/toplu"

// Keys of attributes that more than one package sets.
const (
	KeyPayout  = attribute.Key("toplu.payout.id")
	KeyBatch   = attribute.Key("toplu.batch.id")
	KeyShard   = attribute.Key("toplu.shard")
	KeyItems   = attribute.Key("toplu.items")
	KeyAttempt = attribute.Key("toplu.attempt")
	KeyRequest = attribute.Key("toplu.request.id") // iyzico's massPayoutRequestId
)

// MaxLinks is how many requests a batch's span is linked with at most: the rest
// are linked from their side alone.
const MaxLinks = 100

// Batch is the context of a batch's trace: of its root span, which whoever seals
// the batch records.
func Batch(id string) trace.SpanContext {
	sum := sha256.Sum256([]byte("toplu batch " + id))
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID(sum[:16]), SpanID: trace.SpanID(sum[16:24]), TraceFlags: trace.FlagsSampled, Remote: true,
	})
}

// Request is the context that a request came with, in W3C's form. It reports
// false if there is none, or if it says that its trace is not recorded.
func Request(traceParent string) (trace.SpanContext, bool) {
	// Package schema has looked at the form; later versions only add to the end.
	if len(traceParent) < 55 || traceParent[:2] == "ff" {
		return trace.SpanContext{}, false
	}
	flags, err := strconv.ParseUint(traceParent[53:55], 16, 8)
	if err != nil || trace.TraceFlags(flags)&trace.FlagsSampled == 0 {
		return trace.SpanContext{}, false
	}
	id, err := trace.TraceIDFromHex(traceParent[3:35])
	if err != nil {
		return trace.SpanContext{}, false
	}
	span, err := trace.SpanIDFromHex(traceParent[36:52])
	if err != nil {
		return trace.SpanContext{}, false
	}
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: span, TraceFlags: trace.FlagsSampled, Remote: true}), true
}

// Begin begins a span under parent at a time. Its context is for what happens
// within it.
func Begin(ctx context.Context, t trace.Tracer, parent trace.SpanContext, name string, at time.Time, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	return t.Start(trace.ContextWithSpanContext(ctx, parent), name, append(options, trace.WithTimestamp(at))...)
}

// Root begins the root span of a batch's trace, under the ids that [Batch] makes.
// It is for the one who seals the batch.
func Root(ctx context.Context, t trace.Tracer, id string, at time.Time, options ...trace.SpanStartOption) trace.Span {
	ctx = context.WithValue(trace.ContextWithSpanContext(ctx, trace.SpanContext{}), rootKey{}, Batch(id))
	_, span := t.Start(ctx, "batch", append(options, trace.WithTimestamp(at), trace.WithNewRoot())...)
	return span
}

type rootKey struct{}

// RootIDs returns the ids that the span about to begin under ctx must have, for
// the recorder's generator of ids; false if any will do.
func RootIDs(ctx context.Context) (trace.TraceID, trace.SpanID, bool) {
	root, ok := ctx.Value(rootKey{}).(trace.SpanContext)
	return root.TraceID(), root.SpanID(), ok
}
