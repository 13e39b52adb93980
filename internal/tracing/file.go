package tracing

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"sync"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// A Line is a span as it stands in a file: one JSON object a line.
type Line struct {
	Trace      string         `json:"trace"`
	Span       string         `json:"span"`
	Parent     string         `json:"parent,omitempty"`
	Name       string         `json:"name"`
	Start      time.Time      `json:"start"`
	End        time.Time      `json:"end"`
	Failed     bool           `json:"failed,omitempty"`
	Why        string         `json:"why,omitempty"`
	Attributes map[string]any `json:"attributes,omitempty"`
	Links      []Link         `json:"links,omitempty"`
}

// A Link leads to a span of another trace.
type Link struct {
	Trace string `json:"trace"`
	Span  string `json:"span"`
}

// NewWriter returns an exporter that writes [Line]s to w, a write a call.
func NewWriter(w io.Writer) sdk.SpanExporter { return &writer{w: w} }

type writer struct {
	mu sync.Mutex
	w  io.Writer // guarded by mu
}

// ExportSpans implements the SDK's SpanExporter.
func (x *writer) ExportSpans(_ context.Context, all []sdk.ReadOnlySpan) error {
	var text bytes.Buffer
	to := json.NewEncoder(&text)
	for _, s := range all {
		if err := to.Encode(line(s)); err != nil {
			return err
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	_, err := x.w.Write(text.Bytes())
	return err
}

// Shutdown implements the SDK's SpanExporter.
func (*writer) Shutdown(context.Context) error { return nil }

func line(s sdk.ReadOnlySpan) Line {
	l := Line{
		Trace: s.SpanContext().TraceID().String(), Span: s.SpanContext().SpanID().String(), Name: s.Name(),
		Start: s.StartTime().UTC(), End: s.EndTime().UTC(), Failed: s.Status().Code.String() == "Error", Why: s.Status().Description,
	}
	if s.Parent().IsValid() {
		l.Parent = s.Parent().SpanID().String()
	}
	for _, a := range s.Attributes() {
		if l.Attributes == nil {
			l.Attributes = map[string]any{}
		}
		l.Attributes[string(a.Key)] = a.Value.AsInterface()
	}
	for _, k := range s.Links() {
		l.Links = append(l.Links, Link{k.SpanContext.TraceID().String(), k.SpanContext.SpanID().String()})
	}
	return l
}
