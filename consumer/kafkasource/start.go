package kafkasource

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema"
)

// A beginning is where a generation's partitions are read from, and what its
// commits carry.
type beginning struct {
	offsets  map[int]int64
	metadata map[int]string
	floors   map[int]schema.Floor // as they were read, before this generation raises them
	// skipped are the partitions that are read from above where requests were answered.
	skipped map[int]bool
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
	here, moved, err := s.floors(ctx)
	if err != nil {
		return beginning{}, err
	}
	if err := s.checkFloors(here, moved, bounds); err != nil {
		return beginning{}, err
	}
	since, err := s.check(commits, bounds, here)
	if err != nil {
		return beginning{}, err
	}
	b := beginning{offsets: make(map[int]int64), metadata: make(map[int]string), floors: here, skipped: make(map[int]bool)}
	fresh := make(map[int]int64) // nobody has begun them
	again := make(map[int]int64) // their commit is gone, or of a topic that is
	for _, id := range ids {
		c := commits[id]
		f, known := here[id]
		switch {
		case c.Found && !stale(c, f, bounds[id]):
			b.offsets[id] = c.Offset
			if answered := max(f.Answered, bounds[id].Start); known && c.Offset > answered {
				b.skipped[id] = true
				s.log.Error().Int("partition", id).Int64("committed", c.Offset).Int64("answered", answered).
					Msg("the group's offset was set forward: the requests in between are read by nobody. Set it back to where they were answered: toplu pays nothing of them by itself, obeys the cancels among them, and toplu replay plan finds the rest")
			}
		case known:
			// Everything below was answered, whatever became of the group.
			again[id] = max(bounds[id].Start, f.Answered)
		default:
			fresh[id] = bounds[id].Start
		}
	}
	began := anyCommit(commits) || len(here) > 0
	if !began {
		since = s.startTime()
	}
	if err := s.place(ctx, fresh, bounds, since, began); err != nil {
		return beginning{}, err
	}
	for _, id := range ids {
		b.metadata[id] = metadata(s.LogID, since, here[id].Era)
	}
	maps.Copy(b.offsets, fresh)
	maps.Copy(b.offsets, again)
	raise := make(map[int]int64)
	for id, offset := range b.offsets {
		if f, known := here[id]; !known || offset > f.Offset {
			raise[id] = offset
		}
	}
	// Commit points: first the floors, then the commits. A crash between them, or
	// before them, decides anew, but nothing has been read yet.
	if err := (raiser{s, here, b.skipped}).Raise(ctx, raise); err != nil {
		return beginning{}, err
	}
	for id := range raise {
		answered := raise[id]
		if b.skipped[id] {
			answered = here[id].Answered
		}
		here[id] = schema.Floor{Topic: s.Requests, Partition: id, Offset: raise[id], Answered: answered, Era: here[id].Era}
	}
	maps.Copy(fresh, again)
	return b, committer{g, b.metadata}.Commit(ctx, fresh)
}

// check holds the group's commits against the logs, and returns where the group
// once began; zero is the first offset.
func (s *source) check(commits map[int]kafkaio.Committed, bounds map[int]kafkaio.Offsets, here map[int]schema.Floor) (since time.Time, err error) {
	for id, c := range commits {
		if !c.Found {
			continue
		}
		b, mine := bounds[id]
		if stale(c, here[id], b) {
			continue
		}
		logID, began, _ := parseMetadata(c.Metadata)
		if began.After(since) {
			since = began
		}
		if logID != "" && logID != s.LogID {
			return since, Stopped("the offset that group %s has committed for %s/%d belongs to the plan log %q, but %s is the log %q: "+
				"one of the two was replaced. %s",
				s.Group, s.Requests, id, logID, s.Batches, s.LogID, mended)
		}
		if mine && (c.Offset < b.Start || c.Offset > b.End) {
			return since, Stopped("group %s has committed offset %d for %s/%d, which has only %d up to but not including %d: %s. %s",
				s.Group, c.Offset, s.Requests, id, b.Start, b.End, gone(c.Offset, b), mended)
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

// What stands between the log's id, the start and the era in commit metadata.
const (
	sinceMark = " since="
	eraMark   = " era="
)

// metadata is what a commit carries beside its offset.
func metadata(logID string, since time.Time, era int64) string {
	if !since.IsZero() {
		logID += sinceMark + since.UTC().Format(time.RFC3339Nano)
	}
	if era > 0 {
		logID += eraMark + strconv.FormatInt(era, 10)
	}
	return logID
}

// parseMetadata reads metadata. Other tools' is empty, or no time.
func parseMetadata(text string) (logID string, since time.Time, era int64) {
	text, number, _ := strings.Cut(text, eraMark)
	era, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		era = 0
	}
	logID, at, _ := strings.Cut(text, sinceMark)
	since, err = time.Parse(time.RFC3339Nano, at)
	if err != nil {
		return logID, time.Time{}, era
	}
	return logID, since, era
}
