package schema

import (
	"bytes"
	"slices"
)

// A Header is one header of a Kafka record.
type Header struct {
	Key   string
	Value []byte
}

// A Message is a Kafka record without its place: what is written to a topic
// and what was read from one. A nil Value is a tombstone, an empty one is not.
type Message struct {
	Key     []byte
	Value   []byte
	Headers []Header
}

// Clone returns a message that shares no memory with others: for whoever keeps it
// longer than what was read together with it.
func (m Message) Clone() Message {
	c := Message{Key: bytes.Clone(m.Key), Value: bytes.Clone(m.Value), Headers: slices.Clone(m.Headers)}
	for i := range c.Headers {
		c.Headers[i].Value = bytes.Clone(c.Headers[i].Value)
	}
	return c
}

// Get returns the value of the last header named key, as Kafka's clients do.
func (m Message) Get(key string) (string, bool) {
	value, ok := m.header(key)
	return string(value), ok
}

// header is Get without a copy.
func (m Message) header(key string) ([]byte, bool) {
	for _, h := range slices.Backward(m.Headers) {
		if h.Key == key {
			return h.Value, true
		}
	}
	return nil, false
}

// A Source is the place of a record in Kafka.
type Source struct {
	Topic     string `json:"topic"`
	Partition int    `json:"partition"`
	Offset    int64  `json:"offset"`
}
