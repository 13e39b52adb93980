package kafkasource

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema"
)

// Floors remember, where a reset of the group cannot reach it, up to where
// requests were answered. Safe for concurrent use.
type Floors interface {
	// Read returns the floor of every partition of every topic that has one. It
	// fails with [ErrNotBegun] while that cannot be known, and with a
	// [StoppedError] if nothing may be planned.
	Read(ctx context.Context) ([]schema.Floor, error)
	// Raise writes that everything below floors is answered, and returns nil when
	// that is durable.
	Raise(ctx context.Context, raised []schema.Floor) error
}

// ErrNotBegun says that no worker has begun a shard yet: there may be floors that
// nobody can write or read.
var ErrNotBegun = errors.New("waiting for a worker to begin the shards")

// A StoppedError says why no requests are read until a person has given a command.
// Whatever else the program does may go on.
type StoppedError struct{ text string }

// Stopped makes a StoppedError.
func Stopped(format string, values ...any) error {
	return &StoppedError{fmt.Sprintf(format, values...)}
}

func (e *StoppedError) Error() string { return e.text }

// floors returns the floors of the requests' topic by partition, and the name of
// a topic that has some and is read no more, "" if none has.
func (s *source) floors(ctx context.Context) (here map[int]schema.Floor, moved string, err error) {
	here = make(map[int]schema.Floor)
	if s.Floors == nil {
		return here, "", nil
	}
	all, err := s.Floors.Read(ctx)
	for _, f := range all {
		if f.Topic == s.Requests {
			here[f.Partition] = f
		} else if !slices.Contains(s.Sources, f.Topic) {
			moved = f.Topic
		}
	}
	return here, moved, err
}

// mended is what ends every alarm of the floors and the commits.
const mended = "Nothing is read before a person has found out which; to go on with this topic as it is: toplu offsets accept"

// checkFloors holds the floors against the log. A topic that a merchant names has
// no floors when it is read for the first time, and the one it named before may be
// gone: what guards that start is [StartError].
func (s *source) checkFloors(here map[int]schema.Floor, moved string, bounds map[int]kafkaio.Offsets) error {
	if len(here) == 0 && moved != "" && !s.Named {
		return Stopped("the requests stood in %s and are now read from %s: it was renamed, or the configuration points elsewhere. %s", moved, s.Requests, mended)
	}
	for id, b := range bounds {
		if f, known := here[id]; known && f.Offset > b.End {
			return Stopped("requests of %s/%d were answered up to offset %d, and it ends at %d: the topic was made anew, or the log is shorter than it was. %s", s.Requests, id, f.Offset, b.End, mended)
		}
	}
	return nil
}

// stale reports whether a commit is from before a person accepted the partition
// as it is now.
func stale(c kafkaio.Committed, f schema.Floor, b kafkaio.Offsets) bool {
	logID, _, era := parseMetadata(c.Metadata)
	return era < f.Era && (logID != "" || c.Offset < b.Start || c.Offset > b.End)
}

// raiser raises the floors of one generation.
type raiser struct {
	source  *source
	floors  map[int]schema.Floor // as they were read
	skipped map[int]bool         // partitions that were begun above what is answered
}

// Raise implements [consumer.Floors].
func (r raiser) Raise(ctx context.Context, offsets map[int]int64) error {
	if r.source.Floors == nil || len(offsets) == 0 {
		return nil
	}
	raised := make([]schema.Floor, 0, len(offsets))
	for id, offset := range offsets {
		raised = append(raised, schema.Floor{Topic: r.source.Requests, Partition: id, Offset: offset, Era: r.floors[id].Era, Skipped: r.skipped[id]})
	}
	return r.source.Floors.Raise(ctx, raised)
}
