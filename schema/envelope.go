package schema

import (
	"encoding/base64"
	"mime"
	"strings"
	"time"
)

// specVersion is the version of CloudEvents that is written and read.
const specVersion = "1.0"

const (
	contentType = "content-type"
	jsonType    = "application/json"
	eventsType  = "application/cloudevents"
)

// maxData is the largest data of an event: 64 KiB. A broker's limit is higher;
// this one keeps every request small enough to go into a plan with others.
const maxData = 64 << 10

// maxAttribute is the longest attribute that is kept: what comes in a header
// is not part of maxData, and goes into a plan all the same.
const maxAttribute = 255

// An envelope is what an event says about itself, beside its data.
type envelope struct {
	plain  bool // no CloudEvent at all: bare data
	spec   string
	kind   string
	id     string
	source string
	time   string
	trace  string
	format string // media type of the data
}

// openEnvelope reads an event in either mode of the CloudEvents Kafka binding,
// or bare JSON data without any ce_ header, as first tries with a console
// producer come. data is called once, where the data stands; it reads one value.
func openEnvelope(m Message, data func(*reader)) (envelope, *Invalid) {
	e, whole := headers(m)
	if len(m.Value) == 0 {
		return e, invalid(CodeEmpty, "", "there is no value: a request is a JSON object")
	}
	if strings.HasPrefix(whole, eventsType) {
		return openStructured(m, whole, data)
	}
	if len(m.Value) > maxData {
		return e, tooLarge()
	}
	r := reader{s: string(m.Value)}
	if r.peek() == 0 && r.i == len(r.s) {
		return e, invalid(CodeEmpty, "", "there are only blanks: a request is a JSON object")
	}
	data(&r)
	r.end()
	if r.err != nil {
		return e, notJSON(&r)
	}
	return e, nil
}

// EventID returns the CloudEvents id of an event in either mode of the Kafka
// binding, valid or not; "" if it has none, or cannot be read.
func EventID(m Message) string {
	e, _ := openEnvelope(m, (*reader).skip)
	return e.id
}

// headers reads the attributes of binary mode, and the content type as it is.
func headers(m Message) (e envelope, media string) {
	e.plain = true
	bare := ""
	for _, h := range m.Headers {
		switch h.Key {
		case "ce_specversion":
			e.spec = textOf(h.Value, specVersion)
		case "ce_type":
			e.kind = textOf(h.Value, TypeRequested)
		case "ce_id":
			e.id = string(h.Value)
		case "ce_source":
			e.source = string(h.Value)
		case "ce_time":
			e.time = string(h.Value)
		case "ce_traceparent":
			e.trace = string(h.Value)
		case "traceparent": // as tracing libraries for Kafka write it
			bare = string(h.Value)
		default:
			if strings.EqualFold(h.Key, contentType) {
				media = textOf(h.Value, jsonType)
			}
		}
		if strings.HasPrefix(h.Key, "ce_") {
			e.plain = false
		}
	}
	if e.trace == "" {
		e.trace = bare
	}
	if media != jsonType {
		if t, _, err := mime.ParseMediaType(media); err == nil {
			media = t
		}
	}
	e.format = media
	return e, media
}

// textOf is b as a text: the usual one if it is that, so that a hundred thousand
// events need no copy of it each.
func textOf(b []byte, usual string) string {
	if string(b) == usual {
		return usual
	}
	return string(b)
}

// openStructured reads an event whose attributes stand in the value.
func openStructured(m Message, media string, data func(*reader)) (envelope, *Invalid) {
	var e envelope
	if media != eventsType+"+json" {
		return e, invalid(CodeNotCloudEvent, contentType, "only application/cloudevents+json is read in structured mode, one event in a record")
	}
	// Base64 takes a third more; the rest is room for attributes.
	if len(m.Value) > 2*maxData {
		return e, tooLarge()
	}
	r := reader{s: string(m.Value)}
	size, found := 0, 0
	var seen names
	var problems []Problem
	attribute := func(name string, to *string) {
		if r.peek() == 'n' {
			r.skip()
			return
		}
		if r.peek() != '"' {
			r.skip()
			problems = append(problems, Problem{name, "must be a text"})
			return
		}
		*to = r.text()
	}
	for r.enter('{'); r.more('}'); {
		switch name := r.name(&seen); name {
		case "specversion":
			attribute(name, &e.spec)
		case "type":
			attribute(name, &e.kind)
		case "id":
			attribute(name, &e.id)
		case "source":
			if r.peek() != '"' { // nobody has minded so far
				r.skip()
				continue
			}
			e.source = r.text()
		case "time":
			attribute(name, &e.time)
		case "datacontenttype":
			attribute(name, &e.format)
		case "traceparent":
			attribute(name, &e.trace)
		case "data":
			found++
			from := r.i
			data(&r)
			size = r.i - from
		case "data_base64":
			found++
			size = r.encoded(data)
		default:
			r.skip()
		}
	}
	r.end()
	switch {
	case r.err != nil:
		return e, notJSON(&r)
	case size > maxData:
		return e, tooLarge()
	case found != 1:
		problems = append(problems, Problem{"data", "a structured CloudEvent has either data or data_base64"})
	}
	if problems != nil {
		return e, &Invalid{Code: CodeNotCloudEvent, Problems: problems}
	}
	return e, nil
}

// encoded reads data that stands as base64 in a text and returns its size.
func (r *reader) encoded(data func(*reader)) int {
	decoded, err := base64.StdEncoding.DecodeString(r.text())
	if err != nil {
		r.fail("data_base64 is not base64")
		return 0
	}
	inner := reader{s: string(decoded)}
	data(&inner)
	inner.end()
	if inner.err != nil && r.err == nil {
		r.err = inner.err
	}
	return len(decoded)
}

// problems judges the attributes. Bare data has none to judge.
func (e *envelope) problems(wantType func(string) bool, name string) []Problem {
	if e.plain {
		return nil
	}
	var all []Problem
	if e.spec != specVersion {
		all = append(all, Problem{"specversion", `must be "1.0"`})
	}
	if !wantType(e.kind) {
		all = append(all, Problem{"type", "must be " + name})
	}
	if len(e.id) > maxAttribute || !printable(e.id) {
		all = append(all, Problem{"id", "must be at most 255 bytes of text without control characters"})
	}
	if e.format != "" && e.format != jsonType {
		if t, _, err := mime.ParseMediaType(e.format); err != nil || t != jsonType {
			all = append(all, Problem{contentType, "must be application/json, or left out"})
		}
	}
	return all
}

// moment is the event's time; false if it has one that cannot be read.
func (e *envelope) moment() (time.Time, bool) {
	if e.time == "" {
		return time.Time{}, true
	}
	t, err := time.Parse(time.RFC3339Nano, e.time)
	if err != nil {
		return time.Time{}, false
	}
	return t.UTC(), true
}

// traceParent is the event's trace if it is one: W3C Trace Context asks readers
// to ignore any other.
func (e *envelope) traceParent() string {
	t := e.trace
	if len(t) != 55 || t[2] != '-' || t[35] != '-' || t[52] != '-' {
		return ""
	}
	for i := range len(t) {
		if c := t[i]; i != 2 && i != 35 && i != 52 && (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return ""
		}
	}
	return t
}
