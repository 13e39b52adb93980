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
	headers := p.headers.piece
	first := len(headers)
	add := func(key string, value []byte) { headers = append(headers, Header{key, value}) }
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
	p.headers.piece = headers
	return Message{Key: key, Value: data, Headers: headers[first:len(headers):len(headers)]}
}

// pieces is memory that messages share: events are written by the hundred
// thousand. What it gave out stays as it is until reset; it is freed when all of
// a piece is.
type pieces struct {
	bytes   pile[byte]
	headers pile[Header]
	atLeast int // bytes of a new piece, a hundredth as many headers; 0: no more than is reserved
}

// reserve makes room for what comes next.
func (p *pieces) reserve(bytes, headers int) {
	p.bytes.reserve(bytes, p.atLeast)
	p.headers.reserve(headers, p.atLeast/100)
}

// keptBytes is how much memory is kept to be used again, without the headers.
const keptBytes = 4 << 20

// reset has everything that was given out be used again, or frees it if it is
// a lot.
func (p *pieces) reset() {
	if p.bytes.size() > keptBytes {
		p.bytes, p.headers = pile[byte]{}, pile[Header]{}
	}
	p.bytes.reset()
	p.headers.reset()
}

// put puts a value into the room reserved.
func put[T string | []byte](p *pieces, value T) []byte {
	b := p.bytes.piece
	from := len(b)
	b = append(b, value...)
	p.bytes.piece = b
	return b[from:len(b):len(b)]
}

// A pile is memory of one kind: the piece in use, those before it, and those that
// may be used again.
type pile[T any] struct {
	piece      []T
	full, free [][]T
}

func (p *pile[T]) reserve(n, atLeast int) {
	if cap(p.piece)-len(p.piece) >= n {
		return
	}
	if atLeast > 0 && cap(p.piece) > 0 {
		p.full = append(p.full, p.piece)
	}
	if last := len(p.free) - 1; last >= 0 && cap(p.free[last]) >= n {
		p.piece, p.free = p.free[last], p.free[:last]
		return
	}
	p.piece = make([]T, 0, max(n, atLeast))
}

// size is how much is given out.
func (p *pile[T]) size() int {
	n := cap(p.piece)
	for _, piece := range p.full {
		n += cap(piece)
	}
	return n
}

func (p *pile[T]) reset() {
	p.piece = p.piece[:0]
	for _, piece := range p.full {
		p.free = append(p.free, piece[:0])
	}
	clear(p.full)
	p.full = p.full[:0]
}
