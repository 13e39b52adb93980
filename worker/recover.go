package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/toplu/toplu/schema"
)

// recovery is where a session begins to fold: what a checkpoint covers.
type recovery struct {
	planOffset    int64 // plans below are folded for claims alone, unless listed
	journalOffset int64 // records below were published before
	waiting       []schema.OffsetRange
	told          int64 // the last of them that the loop was told of
}

// untold reports whether the plan waited at the checkpoint and the loop has not
// been told of it yet.
func (r *recovery) untold(plan int64) bool {
	return plan > r.told && slices.ContainsFunc(r.waiting, func(w schema.OffsetRange) bool { return w.From <= plan && plan <= w.To })
}

// done reports whether every plan that waited has been told.
func (r *recovery) done() bool {
	return len(r.waiting) == 0 || r.told >= r.waiting[len(r.waiting)-1].To
}

// ErrLogID says that the logs, Redis or the journal belong to different
// installations, or that Kafka has lost its memory.
var ErrLogID = errors.New("the logs do not belong together")

// recover finds out where to begin: it makes sure that both logs begin with
// their genesis and belong together, and takes the best checkpoint. A reader of
// the whole journal and one that begins here fold the same.
func (s *Shard) recover(ctx context.Context) error {
	retry := s.cfg.backOff(s.cfg.Grace)
	for {
		err := s.tryRecover(ctx)
		var gone *OutOfRangeError
		if err == nil || errors.Is(err, ErrLogID) || errors.As(err, &gone) || errors.Is(err, schema.ErrVersion) || errors.Is(err, schema.ErrRecord) {
			return err
		}
		s.log.Warn().Err(err).Msg("cannot read the shard's logs, trying again")
		if err := pause(ctx, retry.NextBackOff()); err != nil {
			return err
		}
	}
}

func (s *Shard) tryRecover(ctx context.Context) error {
	genesis, err := EnsurePlanGenesis(ctx, s.ports.Plans, s.cfg.Partitions, s.ports.NewID, s.ports.Now, nil)
	if err != nil {
		return err
	}
	logID := genesis.LogID
	if err := s.ensureJournalGenesis(ctx, logID, genesis.Closed); err != nil {
		return err
	}
	s.logID = logID
	start, end, err := s.ports.Journal.Bounds(ctx)
	if err != nil {
		return err
	}
	s.journalGoal = end
	best, err := lastCheckpoint(ctx, s.ports.Journal, start, end, 2*int64(s.cfg.CheckpointRecords))
	if err != nil {
		return err
	}
	// After the journal: whoever else drives the shard may write a checkpoint of
	// plans that came in between.
	if _, s.plansGoal, err = s.ports.Plans.Bounds(ctx); err != nil {
		return err
	}
	s.journalNext, s.plansNext = start, 0
	if best == nil {
		return nil
	}
	return s.begin(ctx, best)
}

// begin starts from a checkpoint.
func (s *Shard) begin(ctx context.Context, r *schema.Record) error {
	cp := r.Checkpoint
	if r.LogID != s.logID {
		return fmt.Errorf("shard %d: %w: a checkpoint in payout.journal is of log %s, the logs are of %s", s.number, ErrLogID, r.LogID, s.logID)
	}
	if cp.PlanOffset > s.plansGoal || cp.JournalOffset > s.journalGoal {
		return fmt.Errorf("shard %d: %w: the journal has a checkpoint of plans to %d and records to %d, the logs end at %d and %d", s.number, ErrLogID, cp.PlanOffset, cp.JournalOffset, s.plansGoal, s.journalGoal)
	}
	s.pauses = map[int64]string{}
	for _, at := range cp.Pauses {
		p, err := s.readRecord(ctx, at)
		if err != nil {
			return err
		}
		s.pauses[at] = p.Scope
		if p.Closes() {
			s.closings[at] = true
		}
	}
	s.floors.from(cp.Floors)
	s.epoch, s.commandsNext = r.Epoch, cp.Commands
	for _, plan := range cp.Quarantined {
		s.quarantine[plan] = true
	}
	s.recovery = recovery{planOffset: cp.PlanOffset, journalOffset: cp.JournalOffset, waiting: cp.Waiting}
	s.journalNext, s.plansNext = cp.JournalOffset, cp.PlanOffset
	s.batches = map[int64]*batch{}
	for _, o := range cp.Open {
		b := &batch{offset: o.Plan}
		b.drive.awaits, b.drive.reread = None, o.Records
		s.batches[o.Plan] = b
	}
	return nil
}

func (s *Shard) readRecord(ctx context.Context, offset int64) (schema.Record, error) {
	e, err := s.ports.Journal.ReadAt(ctx, offset)
	if err != nil {
		return schema.Record{}, err
	}
	return schema.DecodeRecord(e.Value)
}

// EnsurePlanGenesis makes sure that a partition of payout.batches begins with a
// genesis, and returns it. Whoever comes first writes it; of two that come
// together the first in the log is the genesis. It fails with [ErrLogID] if the
// log does not begin with one, or with one for another number of partitions.
//
// evidence is asked before a genesis is written: what it says of logs that were
// there before these closes the shard until a person has said what was paid. Nil:
// there is none to ask.
func EnsurePlanGenesis(ctx context.Context, plans Log, partitions int, newID func() string, now Clock, evidence func(context.Context) (string, error)) (*schema.Genesis, error) {
	start, end, err := plans.Bounds(ctx)
	if err != nil {
		return nil, err
	}
	if start > 0 {
		return nil, fmt.Errorf("%w: payout.batches begins at offset %d, not at 0: records were deleted", ErrLogID, start)
	}
	if end == 0 {
		g := schema.Genesis{LogID: newID(), Partitions: partitions, At: now()}
		if evidence != nil {
			if g.Closed, err = evidence(ctx); err != nil {
				return nil, err
			}
		}
		if _, err := plans.Append(ctx, schema.Message{Key: []byte("genesis"), Value: schema.EncodePlanGenesis(&g)}); err != nil {
			return nil, err
		}
	}
	e, err := plans.ReadAt(ctx, 0)
	if err != nil {
		return nil, err
	}
	first, err := schema.DecodePlan(e.Value)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the first record of payout.batches: %w", err)
	case first.Genesis == nil:
		return nil, fmt.Errorf("%w: payout.batches does not begin with a genesis", ErrLogID)
	case first.Genesis.Partitions != partitions:
		return nil, fmt.Errorf("%w: payout.batches has %d partitions and was made with %d; the number of shards can never change, for a payout id would move to another", ErrLogID, partitions, first.Genesis.Partitions)
	}
	return first.Genesis, nil
}

// ensureJournalGenesis makes sure that the journal begins with the genesis of the
// plan log. If that is closed, so is the shard.
func (s *Shard) ensureJournalGenesis(ctx context.Context, logID, closed string) error {
	// Before the journal: another session may begin it meanwhile, and claim.
	state, stateErr := s.ports.Claims.State(ctx, s.number)
	start, end, err := s.ports.Journal.Bounds(ctx)
	if err != nil {
		return err
	}
	if start > 0 {
		return fmt.Errorf("shard %d: %w: payout.journal begins at offset %d, not at 0: records were deleted", s.number, ErrLogID, start)
	}
	if end == 0 {
		_, plansEnd, err := s.ports.Plans.Bounds(ctx)
		if err != nil {
			return err
		}
		if stateErr == nil && (state.LogID == logID || state.Watermark >= plansEnd) && closed == "" {
			return fmt.Errorf("shard %d: %w: payout.journal is empty and the claims in Redis know plans to offset %d", s.number, ErrLogID, state.Watermark)
		}
		first := schema.Record{Type: schema.RecGenesis, LogID: logID}
		if closed != "" {
			first.Reason = &schema.Reason{Code: schema.ReasonRestored, Text: closed}
			s.log.Error().Str("why", closed).Msg(ErrClosed.Error())
		}
		if err := s.appendShardRecord(ctx, first); err != nil {
			return err
		}
	}
	first, err := s.readRecord(ctx, 0)
	if err != nil {
		return err
	}
	if first.Type != schema.RecGenesis || first.LogID != logID {
		return fmt.Errorf("shard %d: %w: payout.journal begins with %s of log %q, payout.batches is log %q", s.number, ErrLogID, first.Type, first.LogID, logID)
	}
	return nil
}

// lastCheckpoint looks from the journal's end backwards for the stretch of
// records that has a checkpoint, and returns the one in it that covers most. A late one, of a
// session that was frozen, covers less than it might; it is right all the same.
func lastCheckpoint(ctx context.Context, journal Log, start, end, stretch int64) (*schema.Record, error) {
	for to := end; to > start; to = max(start, to-stretch) {
		var best *schema.Record
		for at := max(start, to-stretch); at < to; {
			chunk, err := journal.Read(ctx, at)
			if err != nil {
				return nil, err
			}
			for _, e := range chunk.Entries {
				if e.Offset >= to || string(e.Key) != string(schema.RecCheckpoint) {
					continue
				}
				r, err := schema.DecodeRecord(e.Value)
				if err != nil {
					return nil, fmt.Errorf("payout.journal offset %d: %w", e.Offset, err)
				}
				if r.Checkpoint != nil && (best == nil || r.Checkpoint.JournalOffset > best.Checkpoint.JournalOffset) {
					best = &r
				}
			}
			at = max(chunk.Next, at)
		}
		if best != nil {
			return best, nil
		}
	}
	return nil, nil
}
