package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/toplu/toplu/schema"
)

// Floors say up to where requests were answered, where neither a reset of the
// consumer group nor the loss of Redis can take it back: in the journals. The
// floor of a partition of the requests stands in the journal of the shard with
// the partition's number, modulo their count ([FloorShard]).
//
// Two things raise a floor: a consumer, before it commits (so no commit is ever
// above its floor), and a person who accepts a partition that was made anew.
type floors map[floorKey]schema.Floor

type floorKey struct {
	topic     string
	partition int
}

// FloorShard is the shard whose journal has the floor of a partition.
func FloorShard(partition, shards int) int { return partition % shards }

// take folds a floor record. What a person accepts is taken as it is and begins
// an era; what consumers say counts only in the era they have read, and only
// upwards: the records of a session that was frozen come late.
func (f floors) take(r *schema.Record) {
	for _, said := range r.Floors {
		k := floorKey{said.Topic, said.Partition}
		now := f[k] // none is one of zero
		switch {
		case r.Command > 0:
			f[k] = schema.Floor{Topic: said.Topic, Partition: said.Partition, Offset: said.Offset, Era: now.Era + 1}
		case said.Era == now.Era:
			now.Topic, now.Partition = said.Topic, said.Partition
			now.Offset = max(now.Offset, said.Offset)
			if !said.Skipped {
				now.Answered = max(now.Answered, said.Offset)
			}
			f[k] = now
		}
	}
}

func (f floors) list() []schema.Floor {
	var all []schema.Floor
	for _, fl := range f {
		all = append(all, fl)
	}
	slices.SortFunc(all, func(a, b schema.Floor) int {
		return cmp.Or(strings.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return all
}

// from takes the floors of a checkpoint.
func (f floors) from(all []schema.Floor) {
	for _, fl := range all {
		f[floorKey{fl.Topic, fl.Partition}] = fl
	}
}

// Errors of [ReadFloors].
var (
	// ErrNotBegun says that no worker has begun the shard yet: its journal is empty.
	ErrNotBegun = errors.New("no worker has begun the shard yet")
	// ErrClosed says that the shard is closed since Kafka was lost or restored: what
	// was paid before is not in its logs. Nothing is planned and nothing completed
	// until the command [schema.CmdOpen].
	ErrClosed = errors.New("the installation is closed since Kafka was lost or restored: bring back in what was paid (toplu claims import FILE --open), nothing is paid before")
)

// tellsOfFloors are the keys of the records that [ReadFloors] reads. The others are
// batches' and the worker's: one that nobody can read stops its shard, and not
// the requests of all.
var tellsOfFloors = []schema.RecordType{schema.RecGenesis, schema.RecFloor, schema.RecPaused, schema.RecResumed, schema.RecNoted}

// ReadFloors returns the floors in a shard's journal as it ends now, from its
// last checkpoint on. It fails with [ErrNotBegun] and, beside the floors,
// [ErrClosed].
func ReadFloors(ctx context.Context, journal Log) ([]schema.Floor, error) {
	start, end, err := journal.Bounds(ctx)
	switch {
	case err != nil:
		return nil, err
	case start > 0:
		return nil, fmt.Errorf("%w: payout.journal begins at offset %d, not at 0: records were deleted", ErrLogID, start)
	case end == 0:
		return nil, ErrNotBegun
	}
	best, err := lastCheckpoint(ctx, journal, start, end, checkpointStretch)
	if err != nil {
		return nil, err
	}
	found, closings, at, obeyed := floors{}, map[int64]bool{}, int64(0), int64(0)
	if best != nil {
		obeyed = best.Checkpoint.Commands
		at = best.Checkpoint.JournalOffset
		found.from(best.Checkpoint.Floors)
		for _, offset := range best.Checkpoint.Pauses {
			e, err := journal.ReadAt(ctx, offset)
			if err != nil {
				return nil, err
			}
			r, err := schema.DecodeRecord(e.Value)
			if err != nil {
				return nil, fmt.Errorf("payout.journal offset %d: %w", offset, err)
			}
			closings[offset] = r.Closes()
		}
	}
	for at < end {
		chunk, err := journal.Read(ctx, at)
		if err != nil {
			return nil, err
		}
		for _, e := range chunk.Entries {
			if !slices.Contains(tellsOfFloors, schema.RecordType(e.Key)) {
				continue
			}
			r, err := schema.DecodeRecord(e.Value)
			if err != nil {
				return nil, fmt.Errorf("payout.journal offset %d: %w", e.Offset, err)
			}
			again := r.Command > 0 && r.Command <= obeyed
			obeyed = max(obeyed, r.Command)
			switch {
			case again:
			case r.Type == schema.RecFloor:
				found.take(&r)
			case r.Closes():
				closings[e.Offset] = true
			case r.Type == schema.RecResumed && r.Batch == "":
				for _, offset := range r.Which {
					delete(closings, offset)
				}
			}
		}
		at = chunk.Next
	}
	for _, closes := range closings {
		if closes {
			return found.list(), ErrClosed
		}
	}
	return found.list(), nil
}

// RaiseFloors writes to a shard's journal that requests are answered below
// floors. Floors of other shards' partitions do not belong there. It returns when
// that is durable.
func RaiseFloors(ctx context.Context, journal Log, raised []schema.Floor, now Clock) error {
	value, err := schema.EncodeRecord(&schema.Record{Type: schema.RecFloor, At: now(), Floors: raised})
	if err != nil {
		return err
	}
	_, err = journal.Append(ctx, schema.Message{Key: []byte(schema.RecFloor), Value: value})
	return err
}
