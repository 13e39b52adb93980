package kafkaio

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/segmentio/kafka-go"
)

// Where the fields of a record batch of format 2 stand, the only one that is written
// since Kafka 0.11: https://kafka.apache.org/documentation/#recordbatch
const (
	atBaseOffset      = 0
	atLength          = 8  // of what follows it
	atMagic           = 16 // the format
	atChecksum        = 17 // CRC32-C of what follows it
	atAttributes      = 21
	atLastOffsetDelta = 23
	atFirstTimestamp  = 27
	atMaxTimestamp    = 35
	atProducerID      = 43
	atProducerEpoch   = 51
	atBaseSequence    = 53
	atCount           = 57 // of the records
	atRecords         = 61

	afterLength = atLength + 4
)

const formatVersion = 2

// Bits of a batch's attributes. The lowest three are its compression.
const (
	compressionBits  = 7
	logAppendTimeBit = 1 << 3
	transactionalBit = 1 << 4
	controlBit       = 1 << 5
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendBatch appends a record batch to b: of no producer with an id, all its
// records made at the same moment.
func appendBatch(b []byte, messages []Message, compression kafka.Compression, at time.Time) ([]byte, error) {
	start, millis := len(b), uint64(at.UnixMilli())
	b = append(b, make([]byte, atRecords)...)
	if compression == 0 {
		b = appendRecords(b, messages)
	} else {
		packed := bytes.NewBuffer(b)
		codec := compression.Codec().NewWriter(packed)
		if _, err := codec.Write(appendRecords(make([]byte, 0, sizeOf(messages)), messages)); err != nil {
			return nil, fmt.Errorf("compress with %s: %w", compression, err)
		}
		if err := codec.Close(); err != nil {
			return nil, fmt.Errorf("compress with %s: %w", compression, err)
		}
		b = packed.Bytes()
	}
	batch := b[start:]
	binary.BigEndian.PutUint32(batch[atLength:], uint32(len(batch)-afterLength))
	binary.BigEndian.PutUint32(batch[afterLength:], ^uint32(0)) // the leader's epoch is the broker's affair
	batch[atMagic] = formatVersion
	binary.BigEndian.PutUint16(batch[atAttributes:], uint16(compression))
	binary.BigEndian.PutUint32(batch[atLastOffsetDelta:], uint32(len(messages)-1))
	binary.BigEndian.PutUint64(batch[atFirstTimestamp:], millis)
	binary.BigEndian.PutUint64(batch[atMaxTimestamp:], millis)
	binary.BigEndian.PutUint64(batch[atProducerID:], ^uint64(0))
	binary.BigEndian.PutUint16(batch[atProducerEpoch:], ^uint16(0))
	binary.BigEndian.PutUint32(batch[atBaseSequence:], ^uint32(0))
	binary.BigEndian.PutUint32(batch[atCount:], uint32(len(messages)))
	binary.BigEndian.PutUint32(batch[atChecksum:], crc32.Checksum(batch[atAttributes:], castagnoli))
	return b, nil
}

// appendRecords appends the records of a batch.
func appendRecords(b []byte, messages []Message) []byte {
	for i := range messages {
		m := &messages[i]
		length := 2 + varintSize(i) + bytesSize(m.Key) + bytesSize(m.Value) + varintSize(len(m.Headers))
		for _, h := range m.Headers {
			length += varintSize(len(h.Key)) + len(h.Key) + bytesSize(h.Value)
		}
		b = binary.AppendVarint(b, int64(length))
		b = append(b, 0, 0) // no attributes, and no time after the first record's
		b = binary.AppendVarint(b, int64(i))
		b = appendBytes(b, m.Key)
		b = appendBytes(b, m.Value)
		b = binary.AppendVarint(b, int64(len(m.Headers)))
		for _, h := range m.Headers {
			b = binary.AppendVarint(b, int64(len(h.Key)))
			b = append(b, h.Key...)
			b = appendBytes(b, h.Value)
		}
	}
	return b
}

// appendBytes appends bytes behind their length, which is -1 for nil.
func appendBytes(b, content []byte) []byte {
	if content == nil {
		return append(b, 1) // -1 as a varint
	}
	b = binary.AppendVarint(b, int64(len(content)))
	return append(b, content...)
}

// bytesSize is what appendBytes takes.
func bytesSize(content []byte) int { return varintSize(len(content)) + len(content) }

// varintSize is what a varint takes, of which each byte has seven bits, and the lowest
// of all is the sign.
func varintSize(n int) int {
	size := 1
	for n >= 1<<6 {
		n >>= 7
		size++
	}
	return size
}
