// Package tracing records traces with OpenTelemetry's SDK and sends them away:
// by OTLP over HTTP to a collector, and as JSON lines into a file. What is in
// them is said by package spans.
package tracing

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/toplu/toplu/internal/spans"
)

// Config says where traces go. With neither Endpoint nor File there are none.
type Config struct {
	Endpoint   string // URL that OTLP is posted to; "": nowhere
	File       string // path that JSON lines are added to; "": none
	Millionths int    // of all traces that are recorded
	Log        zerolog.Logger
}

// sendTimeout is how long one export may take, and the last one at the end.
const sendTimeout = 2 * time.Second

// Start returns a tracer and what ends it, which sends what is left, for two
// seconds at most. The tracer is nil if there is nothing to record. Recording
// never waits for who takes the spans: those that come too fast are dropped.
func Start(ctx context.Context, c Config) (trace.Tracer, func(), error) {
	if c.Endpoint == "" && c.File == "" {
		return nil, func() {}, nil
	}
	options := []sdk.TracerProviderOption{
		sdk.WithSampler(sdk.TraceIDRatioBased(float64(c.Millionths) / 1_000_000)), //nolint:forbidigo // a share, no money
		sdk.WithIDGenerator(generator{}),
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "toplu"))),
	}
	closes := func() {}
	if c.File != "" {
		f, err := os.OpenFile(c.File, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, nil, fmt.Errorf("tracing.file: %w", err)
		}
		closes = func() { _ = f.Close() }
		options = append(options, batched(NewWriter(f), c.Log))
	}
	if c.Endpoint != "" {
		// The SDK sends again by itself for a minute; the batcher drops meanwhile.
		e, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(c.Endpoint), otlptracehttp.WithTimeout(sendTimeout),
			otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: false}))
		if err != nil {
			closes()
			return nil, nil, fmt.Errorf("tracing.endpoint: %w", err)
		}
		options = append(options, batched(e, c.Log))
	}
	p := sdk.NewTracerProvider(options...)
	return p.Tracer(spans.Name), func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendTimeout)
		defer cancel()
		_ = p.Shutdown(last)
		closes()
	}, nil
}

func batched(e sdk.SpanExporter, log zerolog.Logger) sdk.TracerProviderOption {
	return sdk.WithBatcher(&quiet{SpanExporter: e, log: log}, sdk.WithBatchTimeout(time.Second), sdk.WithMaxQueueSize(8192), sdk.WithExportTimeout(sendTimeout))
}

// quiet logs each new trouble of an exporter once, and keeps the SDK from
// writing it to standard error.
type quiet struct {
	sdk.SpanExporter
	log  zerolog.Logger
	told string // for the one goroutine that exports
}

// ExportSpans implements the SDK's SpanExporter.
func (q *quiet) ExportSpans(ctx context.Context, all []sdk.ReadOnlySpan) error {
	err := q.SpanExporter.ExportSpans(ctx, all)
	switch {
	case err == nil:
		q.told = ""
	case err.Error() != q.told && !errors.Is(err, context.Canceled):
		q.told = err.Error()
		q.log.Warn().Err(err).Msg("traces are lost: nobody takes them. Payouts go on")
	}
	return nil
}

// generator makes random ids, but for the root of a batch's trace.
type generator struct{}

// NewIDs implements the SDK's IDGenerator.
func (g generator) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	if t, s, ok := spans.RootIDs(ctx); ok {
		return t, s
	}
	var t trace.TraceID
	_, _ = rand.Read(t[:])
	return t, g.NewSpanID(ctx, t)
}

// NewSpanID implements the SDK's IDGenerator.
func (generator) NewSpanID(context.Context, trace.TraceID) trace.SpanID {
	var s trace.SpanID
	_, _ = rand.Read(s[:])
	return s
}
