package schema

// ourSource is ce_source of the events that toplu writes by itself.
const ourSource = "toplu"

// What is the same in every event is shared by all of them.
var (
	specVersionValue = []byte(specVersion)
	ourSourceValue   = []byte(ourSource)
	jsonTypeValue    = []byte(jsonType)
)

// An event is the CloudEvent around data, to be written in binary mode.
type event struct {
	kind    string
	id      []byte
	source  string // "": toplu
	subject string // and key
	at      []byte // as appendTime writes it
	trace   string
}

// message puts the event around data, in memory of p.
func (e *event) message(p *pieces, data []byte) Message {
	p.reserve(len(e.subject)+len(e.kind)+len(e.id)+len(e.source)+len(e.at)+len(e.trace), 8)
	first := len(p.headers)
	add := func(key string, value []byte) { p.headers = append(p.headers, Header{key, value}) }
	key, source := put(p, e.subject), ourSourceValue
	if e.source != "" {
		source = put(p, e.source)
	}
	add("ce_specversion", specVersionValue)
	add("ce_id", put(p, e.id))
	add("ce_source", source)
	add("ce_type", put(p, e.kind))
	add("ce_subject", key)
	add("ce_time", put(p, e.at))
	add(contentType, jsonTypeValue)
	if e.trace != "" {
		add("ce_traceparent", put(p, e.trace))
	}
	return Message{Key: key, Value: data, Headers: p.headers[first:len(p.headers):len(p.headers)]}
}

// pieces is memory that messages share: events are written by the hundred
// thousand. What it gave out stays as it is; it is freed when all of a piece is.
type pieces struct {
	bytes   []byte
	headers []Header
	atLeast int // bytes of a new piece, a hundredth as many headers; 0: no more than is reserved
}

// reserve makes room for what comes next.
func (p *pieces) reserve(bytes, headers int) {
	if cap(p.bytes)-len(p.bytes) < bytes {
		p.bytes = make([]byte, 0, max(bytes, p.atLeast))
	}
	if cap(p.headers)-len(p.headers) < headers {
		p.headers = make([]Header, 0, max(headers, p.atLeast/100))
	}
}

// put puts a value into the room reserved.
func put[T string | []byte](p *pieces, value T) []byte {
	from := len(p.bytes)
	p.bytes = append(p.bytes, value...)
	return p.bytes[from:len(p.bytes):len(p.bytes)]
}
