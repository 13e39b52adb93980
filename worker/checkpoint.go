package worker

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/toplu/toplu/schema"
)

// checkpointing is when and what to write as the next checkpoint.
type checkpointing struct {
	records int // journal records folded since the last one was taken
	owing   int // dead letters that are not acknowledged
	pending *schema.Record
	after   int // statuses that must be acknowledged before pending is written
	busy    bool
	parted  bool // the last one of the session was tried
}

// maxCheckpoint keeps a checkpoint well below the broker's limit for a record.
const maxCheckpoint = 700_000

// checkpoint takes one now and then, and writes it when every status that the
// records below it made has been acknowledged: what a reader skips is answered.
func (s *Shard) checkpoint() {
	c := &s.check
	if s.stopping || c.busy || !s.ready() {
		return
	}
	if c.pending == nil && c.records >= s.cfg.CheckpointRecords {
		c.pending, c.after, c.records = s.takeCheckpoint(), s.outbox.emitted, 0
		if c.pending == nil {
			c.records = s.cfg.CheckpointRecords * 9 / 10 // soon again
		}
	}
	if c.pending == nil || s.outbox.published < c.after || c.owing > 0 {
		return
	}
	r := *c.pending
	c.pending, c.busy = nil, true
	s.spawn(func(ctx context.Context) func() {
		err := s.appendShardRecord(ctx, r)
		return func() {
			c.busy = false
			if err != nil {
				s.log.Warn().Err(err).Msg("the journal did not acknowledge a checkpoint")
			}
		}
	})
}

// partingCheckpoint begins to write a last checkpoint, so that the next session
// repeats nothing, and reports whether there is one to wait for.
func (s *Shard) partingCheckpoint() bool {
	c := &s.check
	unpublished := s.outbox.published < s.outbox.emitted // given up, not empty
	if c.parted || unpublished || !s.ready() || c.records == 0 || c.owing > 0 || len(s.fail) > 0 {
		return false
	}
	c.parted = true
	r := s.takeCheckpoint()
	if r == nil {
		return false
	}
	s.spawn(func(ctx context.Context) func() {
		if err := s.appendShardRecord(ctx, *r); err != nil {
			s.log.Warn().Err(err).Msg("the journal did not acknowledge the last checkpoint")
		}
		return nil
	})
	return true
}

// takeCheckpoint lists what is open, by the places of its records. Nil: a batch
// is being read, or the list is too long; the next try follows.
func (s *Shard) takeCheckpoint() *schema.Record {
	cp := &schema.Checkpoint{PlanOffset: s.plansNext, JournalOffset: s.journalNext, Commands: s.commandsNext, Floors: s.floors.list()}
	if len(s.early) > 0 || !s.recovery.done() {
		return nil
	}
	size := 0
	for _, b := range s.sorted() {
		if b.plan == nil {
			return nil
		}
		cp.Open = append(cp.Open, schema.OpenBatch{Plan: b.offset, Records: slices.Clone(b.records)})
		size += 30 + 12*len(b.records)
	}
	for _, b := range s.asleep {
		cp.Open = append(cp.Open, schema.OpenBatch{Plan: b.offset, Records: b.records})
		size += 30 + 12*len(b.records)
	}
	slices.SortFunc(cp.Open, func(a, b schema.OpenBatch) int { return cmp.Compare(a.Plan, b.Plan) })
	cp.Waiting = s.waitingRanges()
	for at := range s.pauses {
		cp.Pauses = append(cp.Pauses, at)
	}
	slices.Sort(cp.Pauses)
	cp.Quarantined = slices.Sorted(maps.Keys(s.quarantine))
	if size+40*len(cp.Waiting) > maxCheckpoint {
		s.log.Warn().Int("open", len(cp.Open)).Msg("too much is open for a checkpoint; a restart reads from the last one")
		return nil
	}
	return &schema.Record{Type: schema.RecCheckpoint, LogID: s.logID, Epoch: s.epoch, Checkpoint: cp}
}

// waitingRanges lists the plans that wait for their turn. Plans in between that
// are open or closed end a range; plans that own nothing need not.
func (s *Shard) waitingRanges() []schema.OffsetRange {
	var all []int64
	for _, m := range s.merchants {
		all = append(all, m.waiting...)
	}
	slices.Sort(all)
	var ranges []schema.OffsetRange
	for _, o := range all {
		if n := len(ranges); n > 0 && ranges[n-1].To == o-1 {
			ranges[n-1].To = o
			continue
		}
		ranges = append(ranges, schema.OffsetRange{From: o, To: o})
	}
	return ranges
}
