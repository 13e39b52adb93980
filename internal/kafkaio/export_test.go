package kafkaio

import (
	"time"

	"github.com/segmentio/kafka-go"
)

// Waiting is how many calls of Append wait for the one under way.
func (a *Appender) Waiting() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.queue)
}

// AppendBatch encodes a record batch, in memory of b.
func AppendBatch(b []byte, messages []Message, compression kafka.Compression, at time.Time) ([]byte, error) {
	return appendBatch(b, messages, compression, at)
}

// Decode decodes record batches, and returns the offset to go on from.
func Decode(set []byte, offset int64) ([]Record, int64, error) {
	d, err := decode(set, offset, nil)
	return d.records, d.next, err
}

// ReadAnswer decodes the answer to a fetch, and returns its record batches.
func ReadAnswer(body []byte) ([]byte, error) {
	a, err := readAnswer(body)
	return a.batches, err
}
