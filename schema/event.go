package schema

import (
	"time"
)

// ourSource is ce_source of the events that toplu writes by itself.
const ourSource = "toplu"

// An event is the CloudEvent around data, to be written in binary mode.
type event struct {
	kind    string
	id      string
	source  string // "": toplu
	subject string // and key
	at      time.Time
	trace   string
}

// message puts the event around data. All values share one piece of memory:
// events are written by the hundred thousand.
func (e event) message(data []byte) Message {
	if e.source == "" {
		e.source = ourSource
	}
	size := 2*len(e.subject) + len(e.kind) + len(e.id) + len(e.trace) + len(e.source) + 64
	b := make([]byte, 0, size)
	cut := func(s string) []byte {
		from := len(b)
		b = append(b, s...)
		return b[from:len(b):len(b)]
	}
	headers := make([]Header, 0, 8)
	add := func(key, value string) { headers = append(headers, Header{key, cut(value)}) }
	key := cut(e.subject)
	add("ce_specversion", specVersion)
	add("ce_id", e.id)
	add("ce_source", e.source)
	add("ce_type", e.kind)
	add("ce_subject", e.subject)
	from := len(b)
	b = appendTime(b, e.at)
	headers = append(headers, Header{"ce_time", b[from:len(b):len(b)]})
	add(contentType, jsonType)
	if e.trace != "" {
		add("ce_traceparent", e.trace)
	}
	return Message{Key: key, Value: data, Headers: headers}
}
