package app

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// commitOfOurs is what commits of a toplu begin with: the id of its logs.
var commitOfOurs = regexp.MustCompile(`^[0-9a-f]{24}\b`)

// evidence looks, before logs are begun, for traces of logs that were there before
// them: in Redis, in the group's commits, and in the statuses. "": there are none,
// and this is a new installation. What it finds closes the installation until a
// person has brought back in what was paid.
func (s *service) evidence(ctx context.Context) (string, error) {
	var found []string
	for shard := range s.shards {
		state, err := s.claims.State(ctx, shard)
		switch {
		case err == nil && len(found) == 0:
			found = append(found, "Redis has claims of the log "+state.LogID)
		case err != nil && !errors.Is(err, worker.ErrClaimsLost):
			return "", fmt.Errorf("redis: %w", err)
		}
	}
	if s.roles.Consumer { // a worker's user may not ask for them; the consumer stops at such commits itself
		text, err := s.strangeCommit(ctx)
		if err != nil {
			return "", err
		}
		if text != "" {
			found = append(found, text)
		}
	}
	statuses, err := s.kafka.Offsets(ctx, s.topics.Statuses)
	if err != nil {
		return "", err
	}
	for id, b := range statuses {
		if b.End > 0 {
			found = append(found, fmt.Sprintf("%s/%d has statuses up to offset %d", s.topics.Statuses, id, b.End))
			break
		}
	}
	return strings.Join(found, "; "), nil
}

// strangeCommit finds a commit that a toplu made for logs that are gone.
func (s *service) strangeCommit(ctx context.Context) (string, error) {
	for _, topic := range s.topics.Sources() {
		group := s.cfg.GroupOf(topic)
		commits, err := s.kafka.CommittedOffsets(ctx, group, topic)
		if err != nil {
			return "", err
		}
		for id, c := range commits {
			if c.Found && commitOfOurs.MatchString(c.Metadata) {
				return fmt.Sprintf("group %s has committed offset %d of %s/%d for the logs %.24s", group, c.Offset, topic, id, c.Metadata), nil
			}
		}
	}
	return "", nil
}

// checkJournal refuses a shard that has plans and no journal: whatever is planned
// comes after the journal's first records, so these were lost. The plans are read
// first, since another process may begin both logs meanwhile.
func (s *service) checkJournal(ctx context.Context, shard int) error {
	plans, journal := s.logs(shard)
	at, err := firstPlan(ctx, plans)
	if err != nil || at == worker.None {
		return err
	}
	_, end, err := journal.Bounds(ctx)
	if err != nil || end > 0 {
		return err
	}
	return startError{fmt.Errorf("%s/%d is empty and %s/%d has a plan at offset %d: what was done about it was lost. Nothing is paid before the journal is restored, or both topics are made anew and the installation starts closed",
		s.topics.Journal, shard, s.topics.Batches, shard, at)}
}

// firstPlan is the offset of the first record that is no genesis, of which there
// are several where several processes began a log at once; [worker.None] if there
// is no other record.
func firstPlan(ctx context.Context, plans worker.Log) (int64, error) {
	_, end, err := plans.Bounds(ctx)
	for at := int64(0); err == nil && at < end; {
		var chunk worker.Chunk
		if chunk, err = plans.Read(ctx, at); err != nil {
			break
		}
		for _, e := range chunk.Entries {
			if rec, err := schema.DecodePlan(e.Value); err != nil || rec.Genesis == nil {
				return e.Offset, nil //nolint:nilerr // whatever cannot be read is no genesis
			}
		}
		at = max(chunk.Next, at)
	}
	return worker.None, err
}

// checkCommands refuses commands that were given to logs which are gone: new ones
// would obey them from the first on, and one of them may open the installation.
func (s *service) checkCommands(ctx context.Context) error {
	for shard := range s.shards {
		plans, _ := s.logs(shard)
		if _, end, err := plans.Bounds(ctx); err != nil || end > 0 {
			return err
		}
	}
	commands, err := s.kafka.Offsets(ctx, s.topics.Commands)
	if err != nil {
		return err
	}
	for id, b := range commands {
		if b.End == 0 {
			continue
		}
		found, err := s.evidence(ctx)
		if err != nil || found == "" {
			return err
		}
		return startError{fmt.Errorf("%s is empty, %s/%d has commands up to offset %d, and these are of logs that are gone (%s): new logs would obey them again, also one that opens them. Make %[2]s anew too",
			s.topics.Batches, s.topics.Commands, id, b.End, found)}
	}
	return nil
}
