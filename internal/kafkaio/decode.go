package kafkaio

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/fetch"
)

// decoded is what is in the record batches of one answer.
type decoded struct {
	records []Record
	next    int64 // the offset to go on from
	batches int   // complete batches seen
	bytes   int   // of the records
}

// decode takes the committed records from offset on out of the batches of an
// answer. A batch cut off at the end is left out. A damaged one is reported only
// if it is the first, so that the good ones before it are read now and the damage
// with the next fetch.
func decode(set []byte, offset int64, aborted []fetch.ResponseTransaction) (decoded, error) {
	d := decoded{next: offset}
	filter := newAbortFilter(aborted)
	for len(set) >= atMagic {
		size := afterLength + int64(int32(binary.BigEndian.Uint32(set[atLength:])))
		if size > int64(len(set)) {
			break
		}
		b, err := openBatch(set[:max(0, size)])
		if err == nil {
			err = d.add(b, offset, filter)
		}
		if err != nil && d.batches == 0 {
			return d, fmt.Errorf("%w: the batch at %d: %w", ErrCorrupt, binary.BigEndian.Uint64(set), err)
		}
		if err != nil {
			break
		}
		d.batches++
		set = set[size:]
	}
	if d.batches > 0 && d.next == offset {
		return d, fmt.Errorf("%w: all batches end before the offset", ErrCorrupt)
	}
	return d, nil
}

// A recordBatch is one batch, its checksum right.
type recordBatch struct {
	base       int64
	last       int64 // the last offset that it covers; its records may be fewer, after compaction
	attributes uint16
	first      int64 // the time of its first record, milliseconds
	newest     int64 // that of its newest, or when the broker got it
	producer   int64
	count      int
	records    []byte // decompressed
}

// openBatch looks at a batch as a whole.
func openBatch(b []byte) (recordBatch, error) {
	if len(b) > atMagic && b[atMagic] != formatVersion {
		return recordBatch{}, fmt.Errorf("message format %d; only %d, which Kafka writes since 0.11, is read", b[atMagic], formatVersion)
	}
	if len(b) < atRecords {
		return recordBatch{}, fmt.Errorf("%d bytes are too short", len(b))
	}
	if sum, want := crc32.Checksum(b[atAttributes:], castagnoli), binary.BigEndian.Uint32(b[atChecksum:]); sum != want {
		return recordBatch{}, fmt.Errorf("its checksum is %08x, and should be %08x", sum, want)
	}
	batch := recordBatch{
		base:       int64(binary.BigEndian.Uint64(b[atBaseOffset:])),
		attributes: binary.BigEndian.Uint16(b[atAttributes:]),
		first:      int64(binary.BigEndian.Uint64(b[atFirstTimestamp:])),
		newest:     int64(binary.BigEndian.Uint64(b[atMaxTimestamp:])),
		producer:   int64(binary.BigEndian.Uint64(b[atProducerID:])),
		count:      int(int32(binary.BigEndian.Uint32(b[atCount:]))),
		records:    b[atRecords:],
	}
	batch.last = batch.base + int64(int32(binary.BigEndian.Uint32(b[atLastOffsetDelta:])))
	compression := kafka.Compression(batch.attributes & compressionBits)
	if compression == 0 {
		return batch, nil
	}
	codec := compression.Codec()
	if codec == nil {
		return recordBatch{}, fmt.Errorf("compression %d is not known", compression)
	}
	plain := codec.NewReader(bytes.NewReader(batch.records))
	defer plain.Close()
	var err error
	if batch.records, err = io.ReadAll(plain); err != nil {
		return recordBatch{}, fmt.Errorf("decompress with %s: %w", compression, err)
	}
	return batch, nil
}

// add takes over the records of a batch, or the end of a transaction that it tells
// of.
func (d *decoded) add(b recordBatch, offset int64, filter *abortFilter) error {
	control := b.attributes&controlBit != 0
	drop := control || b.attributes&transactionalBit != 0 && filter.drops(b.producer, b.base)
	came, size := d.records, d.bytes
	if !drop {
		came = slices.Grow(came, min(b.count, len(b.records)/leastRecord))
	}
	r := recordReader{wire: wire{rest: b.records}, batch: &b}
	for range b.count {
		record, err := r.next()
		if err != nil {
			return err
		}
		switch {
		case control && isAbort(record.Key):
			filter.ended(b.producer, record.Offset)
		case drop, record.Offset < offset: // a batch is sent whole, also if the offset is inside of it
		default:
			size += record.size()
			came = append(came, record)
		}
	}
	if len(r.rest) > 0 {
		return fmt.Errorf("%d bytes are left after %d records", len(r.rest), b.count)
	}
	d.records, d.bytes, d.next = came, size, max(d.next, b.last+1)
	return nil
}

// isAbort reports whether the key of a marker is that of one at which a transaction
// was aborted: version and type, two bytes each.
func isAbort(key []byte) bool {
	const abort = 0 // of commit 1; others are the broker's own
	return len(key) >= 4 && binary.BigEndian.Uint16(key[2:]) == abort
}

// leastRecord is what a record takes at least.
const leastRecord = 7

// A recordReader reads the records of a batch one after the other.
type recordReader struct {
	wire

	batch *recordBatch
	shape []Header // of the record before: most have headers of the same names
	room  []Header // for the headers of the records to come
}

// headersAtOnce is for how many headers memory is taken at a time.
const headersAtOnce = 256

func (r *recordReader) next() (Record, error) {
	length := r.varint()
	if r.short || length < 0 || length > int64(len(r.rest)) {
		return Record{}, errShortRecord
	}
	in := wire{rest: r.take(int(length))}
	in.take(1) // attributes
	rec := Record{
		Time: time.UnixMilli(r.batch.first + in.varint()), Offset: r.batch.base + in.varint(),
		Key: in.bytes(), Value: in.bytes(),
	}
	if r.batch.attributes&logAppendTimeBit != 0 {
		rec.Time = time.UnixMilli(r.batch.newest)
	}
	rec.Headers = r.headers(&in)
	switch {
	case in.short:
		return Record{}, errShortRecord
	case len(in.rest) > 0:
		return Record{}, fmt.Errorf("%d bytes are left after the record at %d", len(in.rest), rec.Offset)
	case rec.Offset < r.batch.base || rec.Offset > r.batch.last:
		return Record{}, fmt.Errorf("offset %d is not from %d to %d", rec.Offset, r.batch.base, r.batch.last)
	}
	return rec, nil
}

// headers reads the headers of a record.
func (r *recordReader) headers(in *wire) []Header {
	n := int(in.varint())
	if n < 0 || n > len(in.rest)/2 {
		in.short = true
	}
	if n == 0 || in.short {
		return nil
	}
	if n > len(r.room) {
		r.room = make([]Header, max(n, headersAtOnce))
	}
	read := r.room[:n:n]
	r.room = r.room[n:]
	for i := range read {
		key := in.bytes()
		if i < len(r.shape) && string(key) == r.shape[i].Key {
			read[i].Key = r.shape[i].Key
		} else {
			read[i].Key = string(key)
		}
		read[i].Value = in.bytes()
	}
	r.shape = read
	return read
}

var errShortRecord = errors.New("a record is cut off")

// varint reads a signed number of up to ten bytes.
func (w *wire) varint() int64 {
	n, size := binary.Varint(w.rest)
	if size <= 0 {
		w.short, w.rest = true, nil
		return 0
	}
	w.rest = w.rest[size:]
	return n
}

// bytes reads bytes behind their length; nil for -1.
func (w *wire) bytes() []byte {
	n := w.varint()
	if n < 0 {
		return nil
	}
	return w.take(int(min(n, math.MaxInt32)))
}

// abortFilter knows, while batches are walked in order, whose records belong to
// a transaction that was aborted. The broker names such transactions by
// producer and first offset; one ends at its producer's abort marker.
type abortFilter struct {
	ahead  []fetch.ResponseTransaction // by first offset, not reached yet
	inside map[int64]bool              // producers within an aborted transaction
}

func newAbortFilter(aborted []fetch.ResponseTransaction) *abortFilter {
	ahead := slices.Clone(aborted)
	slices.SortFunc(ahead, func(a, b fetch.ResponseTransaction) int { return cmp.Compare(a.FirstOffset, b.FirstOffset) })
	return &abortFilter{ahead: ahead, inside: make(map[int64]bool)}
}

// drops reports whether a transactional batch of producer was aborted.
func (f *abortFilter) drops(producer, base int64) bool {
	f.advance(base)
	return f.inside[producer]
}

// ended notes an abort marker. A producer's transactions do not overlap, so
// whatever of it began before is over.
func (f *abortFilter) ended(producer, marker int64) {
	f.advance(marker)
	delete(f.inside, producer)
}

func (f *abortFilter) advance(offset int64) {
	for len(f.ahead) > 0 && f.ahead[0].FirstOffset <= offset {
		f.inside[f.ahead[0].ProducerID] = true
		f.ahead = f.ahead[1:]
	}
}
