package app

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/toplu/toplu/iyzico"
	"github.com/toplu/toplu/worker"
)

// A tracedProvider records each call to iyzico as part of the step that makes
// it: what the call proves and iyzico's code, but none of its words.
type tracedProvider struct {
	worker.Provider
	tracer   trace.Tracer
	merchant string
}

// traced returns the provider, with its calls recorded if there is a tracer.
func traced(p worker.Provider, tracer trace.Tracer, merchant string) worker.Provider {
	if tracer == nil {
		return p
	}
	return &tracedProvider{p, tracer, merchant}
}

// call begins the span of a call, if the step that makes it has one.
func (p *tracedProvider) call(ctx context.Context, op string) (context.Context, func(error)) {
	if !trace.SpanContextFromContext(ctx).IsSampled() {
		return ctx, func(error) {}
	}
	ctx, span := p.tracer.Start(ctx, "iyzico "+op, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attribute.String("toplu.merchant", p.merchant)))
	return ctx, func(err error) {
		defer span.End()
		if err == nil {
			return
		}
		span.SetAttributes(attribute.String("toplu.iyzico.outcome", iyzico.OutcomeOf(err).String()), attribute.String("toplu.iyzico.code", iyzico.CodeOf(err)))
		if !errors.Is(err, context.Canceled) {
			span.SetStatus(codes.Error, "")
		}
	}
}

// Init implements [worker.Provider].
func (p *tracedProvider) Init(ctx context.Context, r iyzico.InitRequest) (a iyzico.InitAnswer, err error) {
	ctx, end := p.call(ctx, "init")
	defer func() { end(err) }()
	return p.Provider.Init(ctx, r)
}

// Auth implements [worker.Provider].
func (p *tracedProvider) Auth(ctx context.Context, requestID string) (err error) {
	ctx, end := p.call(ctx, "auth")
	defer func() { end(err) }()
	return p.Provider.Auth(ctx, requestID)
}

// Retrieve implements [worker.Provider].
func (p *tracedProvider) Retrieve(ctx context.Context, r iyzico.RetrieveRequest) (rep iyzico.Report, err error) {
	ctx, end := p.call(ctx, "retrieve")
	defer func() { end(err) }()
	return p.Provider.Retrieve(ctx, r)
}

// Item implements [worker.Provider].
func (p *tracedProvider) Item(ctx context.Context, referenceCode string) (it iyzico.Item, err error) {
	ctx, end := p.call(ctx, "item")
	defer func() { end(err) }()
	return p.Provider.Item(ctx, referenceCode)
}

// Cancel implements [worker.Provider].
func (p *tracedProvider) Cancel(ctx context.Context, requestID string) (err error) {
	ctx, end := p.call(ctx, "cancel")
	defer func() { end(err) }()
	return p.Provider.Cancel(ctx, requestID)
}

// Balance implements [worker.Provider].
func (p *tracedProvider) Balance(ctx context.Context) (has iyzico.Money, err error) {
	ctx, end := p.call(ctx, "balance")
	defer func() { end(err) }()
	return p.Provider.Balance(ctx)
}
