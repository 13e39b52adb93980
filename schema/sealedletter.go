package schema

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
)

// Seal puts the original's value and headers into a box, for the key
// MERCHANT/MONTH. Nobody knows what is in a request that could not be read, so
// all of it counts as personal; but not the record's key, which says where the
// record belongs.
func (d *DeadLetter) Seal(key string, seal func(about, text []byte) []byte) {
	text := appendBytes(make([]byte, 0, len(d.Message.Value)+256), d.Message.Value)
	for _, h := range d.Message.Headers {
		text = appendBytes(text, []byte(h.Key))
		text = appendBytes(text, h.Value)
	}
	d.Key = key
	d.Message = Message{Key: d.Message.Key, Value: seal(aboutLetter(d.Message.Key, d.Source), text)}
}

// SealedWith returns the key, MERCHANT/MONTH, that a dead letter is sealed with,
// "" if it is as it came.
func SealedWith(m Message) string {
	key, _ := m.Get(HeaderSealed)
	return key
}

// OpenLetter returns a dead letter with its original value and headers, the
// headers of the reason behind them. One that is not sealed is returned as it is.
func OpenLetter(m Message, open func(about, box []byte) ([]byte, error)) (Message, error) {
	if SealedWith(m) == "" {
		return m, nil
	}
	text, err := open(aboutLetter(m.Key, letterSource(m)), m.Value)
	if err != nil {
		return m, err
	}
	opened := Message{Key: m.Key}
	value, text, ok := cutBytes(text)
	opened.Value = value
	for ok && len(text) > 0 {
		var h Header
		var name []byte
		if name, text, ok = cutBytes(text); ok {
			h.Key = string(name)
			h.Value, text, ok = cutBytes(text)
		}
		if ok && !slices.Contains(deadLetterHeaders, h.Key) {
			opened.Headers = append(opened.Headers, h)
		}
	}
	if !ok {
		return m, fmt.Errorf("%w: the box of a dead letter", ErrRecord)
	}
	opened.Headers = append(opened.Headers, m.Headers...)
	return opened, nil
}

// appendBytes appends b behind its length, and tells nil from empty.
func appendBytes(to, b []byte) []byte {
	if b == nil {
		return append(to, 0)
	}
	to = binary.AppendUvarint(to, uint64(len(b))+1)
	return append(to, b...)
}

// cutBytes takes off what appendBytes appended.
func cutBytes(from []byte) (b, rest []byte, ok bool) {
	n, size := binary.Uvarint(from)
	if size <= 0 || n > uint64(len(from)-size)+1 {
		return nil, nil, false
	}
	from = from[size:]
	if n == 0 {
		return nil, from, true
	}
	return from[: n-1 : n-1], from[n-1:], true
}

// letterSource is where a dead letter's headers say that it was read.
func letterSource(m Message) Source {
	topic, _ := m.Get(HeaderTopic)
	partition, _ := m.Get(HeaderPartition)
	offset, _ := m.Get(HeaderOffset)
	s := Source{Topic: topic}
	s.Partition, _ = strconv.Atoi(partition)
	s.Offset, _ = strconv.ParseInt(offset, 10, 64)
	return s
}

// aboutLetter is what a dead letter's box is bound to.
func aboutLetter(key []byte, s Source) []byte {
	b := appendPart(nil, "toplu letter 1")
	b = appendPart(b, string(key))
	return appendSource(b, s)
}
