package kafkasource

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/toplu/toplu/internal/kafkaio"
)

// A beginning is where a generation's partitions are read from, and what its
// commits carry.
type beginning struct {
	offsets  map[int]int64
	metadata string
}

// begin finds where each partition of a generation is to be read from. Offsets
// that nobody had committed yet are, when it returns.
func (s *source) begin(ctx context.Context, g *kafkaio.Generation) (beginning, error) {
	commits, err := s.Client.CommittedOffsets(ctx, s.Group, s.Requests)
	if err != nil {
		return beginning{}, err
	}
	ids := make([]int, len(g.Partitions))
	for i, p := range g.Partitions {
		ids[i] = p.ID
	}
	bounds, err := s.Client.Offsets(ctx, s.Requests, ids...)
	if err != nil {
		return beginning{}, err
	}
	since, err := s.check(commits, bounds)
	if err != nil {
		return beginning{}, err
	}
	b := beginning{offsets: make(map[int]int64)}
	fresh := make(map[int]int64) // not committed yet
	for _, id := range ids {
		if c := commits[id]; c.Found {
			b.offsets[id] = c.Offset
			continue
		}
		fresh[id] = bounds[id].Start
	}
	if !anyCommit(commits) {
		since = s.startTime()
	}
	if err := s.place(ctx, fresh, bounds, since, anyCommit(commits)); err != nil {
		return beginning{}, err
	}
	b.metadata = metadata(s.LogID, since)
	maps.Copy(b.offsets, fresh)
	// Commit point: where a partition begins is decided once. A crash before it
	// decides anew, but nothing has been read yet.
	return b, g.Commit(ctx, fresh, b.metadata)
}

// check holds the group's commits against the logs, and returns where the group
// once began; zero is the first offset.
func (s *source) check(commits map[int]kafkaio.Committed, bounds map[int]kafkaio.Offsets) (since time.Time, err error) {
	for id, c := range commits {
		if !c.Found {
			continue
		}
		logID, began := parseMetadata(c.Metadata)
		if began.After(since) {
			since = began
		}
		if logID != "" && logID != s.LogID {
			return since, fmt.Errorf("the offset that group %s has committed for %s/%d belongs to the plan log %q, but %s is the log %q: "+
				"one of the two was replaced. Nothing is read before a person has found out which; to go on with these logs, use another kafka.group",
				s.Group, s.Requests, id, logID, s.Batches, s.LogID)
		}
		b, mine := bounds[id]
		if mine && (c.Offset < b.Start || c.Offset > b.End) {
			return since, fmt.Errorf("group %s has committed offset %d for %s/%d, which has only %d up to but not including %d: %s. "+
				"Nothing is read before a person has set the group's offset with Kafka's own tools",
				s.Group, c.Offset, s.Requests, id, b.Start, b.End, gone(c.Offset, b))
		}
	}
	return since, nil
}

// gone says what a commit outside of the log means.
func gone(offset int64, b kafkaio.Offsets) string {
	if offset < b.Start {
		return fmt.Sprintf("up to %d requests were deleted before they were read", b.Start-offset)
	}
	return "the log is shorter than it was, so acknowledged requests are lost"
}

// startTime is the time since which a new group takes requests; zero is all.
func (s *source) startTime() time.Time {
	switch s.StartAt.Mode {
	case StartNow:
		return s.now()
	case StartTime:
		return s.StartAt.Time
	case StartUnset, StartFirst:
	}
	return time.Time{}
}

// place moves fresh offsets from the logs' starts to where reading begins.
func (s *source) place(ctx context.Context, fresh map[int]int64, bounds map[int]kafkaio.Offsets, since time.Time, began bool) error {
	if since.IsZero() || len(fresh) == 0 {
		return nil
	}
	if !began && s.StartAt.Mode == StartNow {
		// Times of records are their producers'; the end is certain.
		for id := range fresh {
			fresh[id] = bounds[id].End
		}
		return nil
	}
	ids := make([]int, 0, len(fresh))
	for id := range fresh {
		ids = append(ids, id)
	}
	at, err := s.Client.OffsetsAt(ctx, s.Requests, since, ids...)
	if err != nil {
		return err
	}
	for id := range fresh {
		fresh[id] = at[id]
	}
	return nil
}

// sinceMark stands between the log's id and the start in commit metadata.
const sinceMark = " since="

// metadata is what a commit carries beside its offset.
func metadata(logID string, since time.Time) string {
	if since.IsZero() {
		return logID
	}
	return logID + sinceMark + since.UTC().Format(time.RFC3339Nano)
}

// parseMetadata reads metadata. Other tools' is empty, or no time.
func parseMetadata(text string) (logID string, since time.Time) {
	logID, at, _ := strings.Cut(text, sinceMark)
	since, err := time.Parse(time.RFC3339Nano, at)
	if err != nil {
		return logID, time.Time{}
	}
	return logID, since
}
