package kafkaio

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/fetch"
)

// fetchVersion is the version of the fetch API that is spoken: the highest that the
// library knows, and one that brokers have had since Kafka 2.3.
const fetchVersion = 11

// maxAnswerBytes is the largest answer to a fetch that is believed. Brokers send
// a batch whole, however large it is; so this is for what is no batch.
const maxAnswerBytes = 1 << 30

// A fetchRequest is the library's fetch request with an answer of its own. The
// library decodes each record into a dozen pieces of memory, and drops what a
// batch says of itself: how many records it has, and where it ends.
type fetchRequest struct {
	*fetch.Request // routes it, and is what is sent

	clientID string
	version  int16 // negotiated
}

// A fetchAnswer is the answer to a fetch of one partition, with its record batches
// as they came.
type fetchAnswer struct {
	code          int16 // of an error, 0 for none
	named         bool  // the partition, so that the rest is of it
	highWatermark int64
	lastStable    int64
	logStart      int64
	aborted       []fetch.ResponseTransaction
	batches       []byte
}

// ApiKey implements [protocol.Message].
func (*fetchAnswer) ApiKey() protocol.ApiKey { return protocol.Fetch } //nolint:revive,staticcheck // the library's spelling

// Required implements [protocol.RawExchanger].
func (r *fetchRequest) Required(versions map[protocol.ApiKey]int16) bool {
	r.version = versions[protocol.Fetch]
	return true
}

// correlations number the fetches of this process, so that an answer to another
// request is noticed.
var correlations atomic.Int32

// RawExchange implements [protocol.RawExchanger]: it sends the request and reads
// the answer. After an error the library closes the connection.
func (r *fetchRequest) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	if r.version < fetchVersion {
		return nil, fmt.Errorf("%w: fetch of version %d is needed, which brokers have since Kafka 2.3", kafka.UnsupportedVersion, fetchVersion)
	}
	id := correlations.Add(1)
	if err := protocol.WriteRequest(rw, fetchVersion, id, r.clientID, r.Request); err != nil {
		return nil, err
	}
	var head [8]byte
	if _, err := io.ReadFull(rw, head[:]); err != nil {
		return nil, cutOff(err)
	}
	size, answered := int(binary.BigEndian.Uint32(head[:]))-4, int32(binary.BigEndian.Uint32(head[4:]))
	if size < 0 || size > maxAnswerBytes || answered != id {
		return nil, protocol.Errorf("an answer of %d bytes to request %d came for request %d", size, answered, id)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(rw, body); err != nil {
		return nil, cutOff(err)
	}
	return readAnswer(body)
}

// cutOff makes of an end in the middle of an answer what a lost connection is.
func cutOff(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// readAnswer reads the answer to a fetch of one partition. It keeps parts of body.
func readAnswer(body []byte) (*fetchAnswer, error) {
	a, w := &fetchAnswer{}, wire{rest: body}
	w.take(4) // throttle time
	a.code = int16(w.uint(2))
	w.take(4)           // session
	if w.uint(4) == 1 { // topics
		w.take(int(w.uint(2)))   // its name
		a.named = w.uint(4) == 1 // partitions
	}
	if !a.named || w.short {
		return a, w.err()
	}
	w.take(4) // its number
	a.code = cmp.Or(a.code, int16(w.uint(2)))
	a.highWatermark, a.lastStable, a.logStart = int64(w.uint(8)), int64(w.uint(8)), int64(w.uint(8))
	for range int32(w.uint(4)) { // -1 for none
		if w.short {
			break
		}
		a.aborted = append(a.aborted, fetch.ResponseTransaction{ProducerID: int64(w.uint(8)), FirstOffset: int64(w.uint(8))})
	}
	w.take(4) // preferred replica
	a.batches = w.take(int(max(0, int32(w.uint(4)))))
	return a, w.err()
}

// wire reads an answer field by field. What is missing reads as zero.
type wire struct {
	rest  []byte
	short bool // something was missing
}

// take returns the next n bytes.
func (w *wire) take(n int) []byte {
	if n > len(w.rest) {
		w.short, w.rest = true, nil
		return nil
	}
	b := w.rest[:n:n]
	w.rest = w.rest[n:]
	return b
}

// uint reads a number of so many bytes.
func (w *wire) uint(size int) uint64 {
	var n uint64
	for _, c := range w.take(size) {
		n = n<<8 | uint64(c)
	}
	return n
}

// err is nil if nothing was missing.
func (w *wire) err() error {
	if w.short {
		return errors.New("the answer to a fetch ends early")
	}
	return nil
}
