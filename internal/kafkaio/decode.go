package kafkaio

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/fetch"
)

// decoded is what is in the record batches of one answer.
type decoded struct {
	records []Record
	next    int64 // the offset to go on from
	batches int   // complete batches seen
	bytes   int   // of the records
}

// decode takes the committed records from offset on out of an answer. The
// library has checked the batches' checksums and left out a batch cut off at
// the end; a damaged batch it reports only if it is the first, so that the good
// ones before it are read now and the damage with the next fetch.
func decode(set *protocol.RecordSet, offset int64, aborted []fetch.ResponseTransaction) (decoded, error) {
	d := decoded{next: offset}
	if set.Records == nil {
		return d, nil
	}
	stream, ok := set.Records.(*protocol.RecordStream)
	if !ok {
		return d, fmt.Errorf("%w: unexpected %T", ErrCorrupt, set.Records)
	}
	filter := newAbortFilter(aborted)
	for _, batch := range stream.Records {
		d.batches++
		if err := d.add(batch, offset, filter); err != nil {
			return decoded{next: offset}, fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
	}
	if d.batches > 0 && d.next == offset {
		// The first batch covers the offset, but the record is compacted away.
		// Where the batch ends the library does not say, so one step.
		d.next++
	}
	return d, nil
}

// add reads one batch.
func (d *decoded) add(batch protocol.RecordReader, offset int64, filter *abortFilter) error {
	switch b := batch.(type) {
	case *protocol.ControlBatch:
		d.next = max(d.next, b.BaseOffset)
		return d.addControl(b, filter)
	case *protocol.RecordBatch:
		d.next = max(d.next, b.BaseOffset)
		drop := b.Attributes.Transactional() && filter.drops(b.ProducerID, b.BaseOffset)
		return d.addRecords(b, offset, drop)
	case *protocol.MessageSet: // written before Kafka 0.11
		d.next = max(d.next, b.BaseOffset)
		return d.addRecords(b, offset, false)
	}
	return fmt.Errorf("unexpected %T", batch)
}

// addControl reads the markers at which transactions end.
func (d *decoded) addControl(b *protocol.ControlBatch, filter *abortFilter) error {
	const abort = 0 // of commit 1; others are the broker's own
	for {
		marker, err := b.ReadControlRecord()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		d.next = max(d.next, marker.Offset+1)
		if marker.Type == abort {
			filter.ended(b.ProducerID, marker.Offset)
		}
	}
}

// addRecords reads records, and only counts those to be dropped.
func (d *decoded) addRecords(records protocol.RecordReader, offset int64, drop bool) error {
	for {
		r, err := records.ReadRecord()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		key, value, err := contents(r)
		if err != nil {
			return err
		}
		if r.Offset < offset {
			continue // a batch is sent whole, also if the offset is inside of it
		}
		d.next = max(d.next, r.Offset+1)
		d.bytes += len(key) + len(value)
		for _, h := range r.Headers {
			d.bytes += len(h.Key) + len(h.Value)
		}
		if !drop {
			d.records = append(d.records, Record{
				Offset: r.Offset, Time: r.Time, Key: key, Value: value, Headers: headersOf(r.Headers),
			})
		}
	}
}

// contents copies a record's key and value and gives its memory back.
func contents(r *protocol.Record) (key, value []byte, err error) {
	key, kerr := protocol.ReadAll(r.Key)
	value, verr := protocol.ReadAll(r.Value)
	if r.Key != nil {
		_ = r.Key.Close()
	}
	if r.Value != nil {
		_ = r.Value.Close()
	}
	return key, value, errors.Join(kerr, verr)
}

func headersOf(in []protocol.Header) []Header {
	if len(in) == 0 {
		return nil
	}
	out := make([]Header, len(in))
	for i, h := range in {
		out[i] = Header{Key: h.Key, Value: h.Value}
	}
	return out
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
