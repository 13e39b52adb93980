package kafkaio

import (
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/toplu/toplu/schema"
)

// Header is one header of a message. Keys may repeat.
type Header = schema.Header

// Message is something to be written. Its bytes must not be changed
// afterwards: a write whose caller has left may still be under way.
type Message struct {
	// Key decides the partition where none is given. A nil key is none; an
	// empty one is a key.
	Key []byte
	// Value is the payload. Nil is a tombstone; an empty one is not.
	Value   []byte
	Headers []Header
	// Partition, if not nil, is where [Client.Publish] writes the message. An
	// [Appender] has its own partition and does not look at it.
	Partition *int
}

// Record is something that was read. It shares memory with what was read together
// with it, which is freed when none of it is needed any more.
type Record struct {
	Topic     string
	Partition int
	Offset    int64
	// Time is when its producer says it was made, or when the broker got it, as
	// the topic is configured; to the millisecond.
	Time       time.Time
	Key, Value []byte // nil and empty are kept apart
	Headers    []Header
}

// Messages makes what is to be written of what package schema encodes. It
// shares memory with it.
func Messages(of ...schema.Message) []Message {
	out := make([]Message, len(of))
	for i, m := range of {
		out[i] = Message{Key: m.Key, Value: m.Value, Headers: m.Headers}
	}
	return out
}

// Message makes what package schema decodes of what was read. It shares memory
// with it.
func (r *Record) Message() schema.Message {
	return schema.Message{Key: r.Key, Value: r.Value, Headers: r.Headers}
}

// size is no less than what the message takes in an uncompressed record batch.
func (m Message) size() int {
	n := 36 + len(m.Key) + len(m.Value) // lengths, deltas and counts at their longest
	for _, h := range m.Headers {
		n += 10 + len(h.Key) + len(h.Value)
	}
	return n
}

// size is what the record's key, value and headers take.
func (r *Record) size() int {
	n := len(r.Key) + len(r.Value)
	for _, h := range r.Headers {
		n += len(h.Key) + len(h.Value)
	}
	return n
}

// PartitionFor returns the partition of a key among n, as Kafka's Java client
// hashes keys: the positive murmur2 hash modulo n.
func PartitionFor(key []byte, n int) int {
	return partitionAmong(key, upTo(n))
}

// partitionAmong is PartitionFor for a list of partitions made once.
func partitionAmong(key []byte, partitions []int) int {
	return kafka.Murmur2Balancer{Consistent: true}.Balance(kafka.Message{Key: key}, partitions...)
}
