package kafkasource

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/toplu/toplu/internal/kafkaio"
)

// A StartMode says where a group without commits begins.
type StartMode string

// The start modes.
const (
	// StartUnset is StartFirst, if that is safe to assume; see [StartError].
	StartUnset StartMode = ""
	StartFirst StartMode = "first" // at the first request there is
	StartNow   StartMode = "now"   // at the end; what is there now is never paid
	StartTime  StartMode = "time"  // at the first request written at or after a time
)

// StartAt is where a group without commits begins. It is looked at only then.
type StartAt struct {
	Mode StartMode
	Time time.Time // only with StartTime
}

// old is the age at which a request that was there before the installation may
// have been paid by another system.
const old = time.Hour

// A StartError says that only a person can know where to begin: the group has
// committed nothing, and another system may have paid what is waiting, or what
// is waiting may never be paid.
type StartError struct {
	Group, Topic string
	Waiting      int64     // offsets in the topic: what starting at the first would take, at most
	Old          int64     // of them, written before Before
	Before       time.Time // an hour before the installation began, or read the topic for the first time
	Now          bool      // kafka.startAt is now, but this installation has planned payouts before
}

// Error says what each choice would take, and how to choose.
func (e *StartError) Error() string {
	if e.Now {
		return fmt.Sprintf("kafka.startAt is now, but this installation has planned payouts before and consumer group %s has no offsets in %s any more (they expire, or the group is new): "+
			"now would leave out up to %d requests for ever. Set kafka.startAt to first, which pays nothing twice that this installation has planned, or to a time such as %s",
			e.Group, e.Topic, e.Waiting, e.Before.UTC().Format(time.RFC3339))
	}
	return fmt.Sprintf("consumer group %s has no offsets in %s, where up to %d requests are waiting, %d of them from before %s: another system may have paid these. "+
		"Set kafka.startAt (or TOPLU_KAFKA_STARTAT) to first to pay all %d, to now to pay none of them, or to a time such as %s to pay those written since, up to %d",
		e.Group, e.Topic, e.Waiting, e.Old, e.Before.UTC().Format(time.RFC3339),
		e.Waiting, e.Before.UTC().Format(time.RFC3339), e.Waiting-e.Old)
}

// guard returns a [StartError] if the group's first start needs a person.
func (s *source) guard(ctx context.Context) error {
	commits, err := s.Client.CommittedOffsets(ctx, s.Group, s.Requests)
	if err != nil || anyCommit(commits) {
		return err
	}
	switch here, _, err := s.floors(ctx); {
	case err != nil && !errors.Is(err, ErrNotBegun):
		return err
	case len(here) > 0:
		return nil // the group's commits are gone; the floors say where to go on
	}
	birth, planned, err := s.birth(ctx)
	if err != nil {
		return err
	}
	if s.Named {
		// What is new is the topic, not the installation.
		birth = s.now()
	}
	before := birth.Add(-old)
	waiting, aged, err := s.count(ctx, before)
	if err != nil {
		return err
	}
	e := &StartError{Group: s.Group, Topic: s.Requests, Waiting: waiting, Old: aged, Before: before}
	switch {
	case s.StartAt.Mode == StartUnset && aged > 0:
		return e
	case s.StartAt.Mode == StartNow && planned && waiting > 0:
		e.Now = true
		return e
	}
	return nil
}

// birth is when the installation began, and whether it has planned anything.
func (s *source) birth(ctx context.Context) (at time.Time, planned bool, err error) {
	bounds, err := s.Client.Offsets(ctx, s.Batches)
	if err != nil {
		return time.Time{}, false, err
	}
	at = s.now()
	for shard, b := range bounds {
		if b.End <= 1 { // nothing, or a genesis
			continue
		}
		planned = true
		first, err := s.Client.ReadAt(ctx, s.Batches, shard, b.Start)
		if err != nil {
			return time.Time{}, false, err
		}
		if first.Time.Before(at) {
			at = first.Time
		}
	}
	return at, planned, nil
}

// count counts the offsets in the requests' topic, and those before a time.
func (s *source) count(ctx context.Context, before time.Time) (all, aged int64, err error) {
	bounds, err := s.Client.Offsets(ctx, s.Requests)
	if err != nil {
		return 0, 0, err
	}
	at, err := s.Client.OffsetsAt(ctx, s.Requests, before)
	if err != nil {
		return 0, 0, err
	}
	for id, b := range bounds {
		all += b.End - b.Start
		aged += max(0, min(at[id], b.End)-b.Start)
	}
	return all, aged, nil
}

func anyCommit(commits map[int]kafkaio.Committed) bool {
	for _, c := range commits {
		if c.Found {
			return true
		}
	}
	return false
}
