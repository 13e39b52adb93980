package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/toplu/toplu/schema"
)

// A foldedPlan is a plan whose items have gone through the claims.
type foldedPlan struct {
	offset int64
	plan   *schema.Plan
	owners []Owner
}

// owned tells which items are this plan's, and how many.
func (f *foldedPlan) owned() ([]bool, int) {
	mine, n := make([]bool, len(f.owners)), 0
	for i, o := range f.owners {
		if o.Offset == f.offset {
			mine[i] = true
			n++
		}
	}
	return mine, n
}

// A planFolder folds payout.batches into the claims, in the order of the log,
// one at a time. It is the only place of a session that claims.
type planFolder struct {
	s       *Shard
	epoch   string // under which it folds; "" before it has found out
	next    int64  // first record to fold
	last    int64  // the record before it, or None
	stands  int64  // up to here the claims stand, so that reading them is enough
	tell    int64  // first plan the loop has not been told of
	revisit []schema.OffsetRange
}

// followPlans folds the plan log for as long as ctx lasts. The fold never waits
// for iyzico: whatever is planned is claimed and answered with accepted, and
// then waits its turn.
func (s *Shard) followPlans(ctx context.Context) func() {
	p := &planFolder{s: s, tell: s.recovery.planOffset, last: None, revisit: slices.Clone(s.recovery.waiting)}
	retry := s.cfg.backOff(s.cfg.Grace)
	for ctx.Err() == nil {
		err := p.step(ctx)
		switch {
		case err == nil:
			retry.Reset()
		case ctx.Err() != nil || s.logLost(ctx, "plan log", err):
			return nil
		case pause(ctx, retry.NextBackOff()) != nil:
			return nil
		}
	}
	return nil
}

// step brings the claims to where this session stands, or folds a stretch.
func (p *planFolder) step(ctx context.Context) error {
	if p.epoch == "" {
		return p.stand(ctx)
	}
	select {
	case err := <-p.s.doubts:
		return p.lost(ctx, err)
	default:
	}
	if len(p.revisit) > 0 && p.next > p.revisit[len(p.revisit)-1].To {
		return p.lost(ctx, p.again(ctx))
	}
	chunk, err := p.s.ports.Plans.Read(ctx, p.next)
	if err != nil {
		return err
	}
	if len(chunk.Entries) == 0 {
		if err := p.look(ctx); err != nil {
			return p.lost(ctx, err)
		}
	}
	for _, e := range chunk.Entries {
		f, err := p.fold(ctx, e)
		if err != nil {
			return p.lost(ctx, err)
		}
		p.last, p.stands, p.next = max(p.last, e.Offset), max(p.stands, e.Offset), e.Offset+1
		if e.Offset < p.tell {
			continue // refilling: the loop knows this plan already
		}
		p.s.tryOpen(f.plan)
		if err := p.s.hand(ctx, func() { p.s.foldPlan(f) }); err != nil {
			return err
		}
		p.tell = p.next
	}
	p.next = max(p.next, chunk.Next)
	p.s.gauges.folded(max(p.next, p.stands+1), chunk.End)
	return p.reached(ctx)
}

// stand finds out where the claims stand and goes on from there.
func (p *planFolder) stand(ctx context.Context) error {
	epoch, logID, err := p.s.knownEpoch(ctx)
	if err != nil {
		return err
	}
	var closed bool
	if err := p.s.hand(ctx, func() { closed = len(p.s.closings) > 0 }); err != nil {
		return err
	}
	state, err := p.s.ports.Claims.State(ctx, p.s.number)
	if err == nil && epoch == "" && state.LogID != logID && !closed {
		err := fmt.Errorf("shard %d: %w: Redis has claims of log %s, and payout.batches is a new log %s: Kafka's topics were lost or made anew, and what was paid is not known there. If this really is a new installation, set another redis.keyPrefix", p.s.number, ErrLogID, state.LogID, logID)
		p.s.stopFrom(ctx, err)
		return err
	}
	switch {
	case errors.Is(err, ErrClaimsLost), errors.Is(err, ErrClaimsCorrupt) && epoch != "", err == nil && (state.Epoch != epoch || state.LogID != logID):
		if epoch != "" {
			p.s.log.Error().Str("epoch", epoch).Str("found", state.Epoch).Msg("the claims in Redis are lost or another's: nothing new is paid until they are filled again from the log")
			p.s.ports.Metrics.claimsLost()
		}
		return p.renew(ctx, logID, epoch)
	case err != nil:
		return err
	}
	_, end, err := p.s.ports.Plans.Bounds(ctx)
	if err != nil {
		return err
	}
	if state.Watermark >= end {
		err := fmt.Errorf("shard %d: the claims stand at offset %d but payout.batches ends at %d: Kafka has lost records that were acknowledged; nothing is paid until a person has looked", p.s.number, state.Watermark, end)
		p.s.stopFrom(ctx, err)
		return err
	}
	p.epoch = epoch
	p.resume(state.Watermark)
	return nil
}

// renew begins a new epoch after previous: first in the journal, where the first
// one that names its predecessor counts, then in Redis. A crash in between
// leaves an epoch that Redis does not have; the next session begins another.
func (p *planFolder) renew(ctx context.Context, logID, previous string) error {
	id := p.s.ports.NewID()
	if err := p.s.appendShardRecord(ctx, schema.Record{Type: schema.RecEpoch, Epoch: id, Previous: previous}); err != nil {
		return err
	}
	current, err := p.s.epochAfter(ctx, previous)
	if err != nil || current != id {
		return err // another session's counts: look again
	}
	if err := p.s.ports.Claims.Begin(ctx, p.s.number, logID, id); err != nil {
		return err
	}
	p.epoch = id
	p.resume(None)
	return nil
}

// resume goes on folding behind the watermark, but never past the first plan
// that the loop has not been told of.
func (p *planFolder) resume(watermark int64) {
	p.next, p.last, p.stands = watermark+1, watermark, watermark
	if p.next > p.tell {
		p.next = p.tell
	}
}

// fold puts one record through the claims. Up to the watermark it only reads
// them: a fold that may claim must name the record's true predecessor, or a
// Redis rolled back to nothing would take a plan out of its turn.
func (p *planFolder) fold(ctx context.Context, e Entry) (*foldedPlan, error) {
	rec, err := schema.DecodePlan(e.Value)
	if err != nil {
		if err := p.s.quarantined(ctx, e.Offset, err); err != nil {
			return nil, err
		}
		rec = schema.PlanRecord{} // it owns nothing
	}
	f := &foldedPlan{offset: e.Offset, plan: rec.Plan}
	if e.Offset <= p.stands {
		f.owners, err = p.s.owners(ctx, p.epoch, e.Offset, rec.Plan)
		return f, err
	}
	fold := Fold{Shard: p.s.number, Epoch: p.epoch, Offset: e.Offset, Predecessor: p.last, Items: claimItems(&rec)}
	began := p.s.ports.Now()
	f.owners, err = p.s.ports.Claims.Fold(ctx, fold)
	p.s.claimed(f, began, err)
	return f, err
}

// owners reads who owns the items of a plan that has been folded.
func (s *Shard) owners(ctx context.Context, epoch string, offset int64, plan *schema.Plan) ([]Owner, error) {
	if plan == nil {
		return nil, nil
	}
	const most = 5000 // ids in one look-up
	var all []Owner
	for rest := plan.Items; len(rest) > 0; {
		n := min(most, len(rest))
		ids := make([]string, n)
		for i := range ids {
			ids[i] = rest[i].PayoutID
		}
		part, err := s.ports.Claims.Lookup(ctx, s.number, epoch, offset, ids)
		if err != nil {
			return nil, err
		}
		all, rest = append(all, part...), rest[n:]
	}
	for _, o := range all {
		if o.Offset == None || o.Offset > offset {
			return nil, ErrClaimsCorrupt // a folded plan's items all have owners
		}
	}
	return all, nil
}

// again reads the plans that were waiting at the checkpoint, and tells of them.
func (p *planFolder) again(ctx context.Context) error {
	r := &p.revisit[0]
	chunk, err := p.s.ports.Plans.Read(ctx, r.From)
	if err != nil {
		return err
	}
	for _, e := range chunk.Entries {
		if e.Offset > r.To {
			break
		}
		f, err := p.fold(ctx, e)
		if err != nil {
			return err
		}
		p.s.tryOpen(f.plan)
		if err := p.s.hand(ctx, func() { p.s.foldPlan(f) }); err != nil {
			return err
		}
		r.From = e.Offset + 1 // told once: twice would be driven twice
	}
	r.From = max(r.From, chunk.Next)
	if r.From > r.To {
		p.revisit = p.revisit[1:]
	}
	return nil
}

// look asks, while there is nothing to fold, whether the claims are still there.
func (p *planFolder) look(ctx context.Context) error {
	var current string
	if err := p.s.hand(ctx, func() { current = p.s.epoch }); err != nil {
		return err
	}
	state, err := p.s.ports.Claims.State(ctx, p.s.number)
	switch {
	case err != nil:
		return err
	case current != p.epoch:
		// Another session began a later epoch before this one's reached Redis.
		return ErrClaimsLost
	case state.Epoch != p.epoch:
		return ErrClaimsLost
	case state.Watermark < p.last:
		return &LowError{Watermark: state.Watermark, Want: p.last}
	}
	return nil
}

// lost stops paying if err says that the claims are not what the log makes
// them, and has them filled again.
func (p *planFolder) lost(ctx context.Context, err error) error {
	var low *LowError
	isLow, isCorrupt := errors.As(err, &low), errors.Is(err, ErrClaimsCorrupt)
	if !isLow && !isCorrupt && !errors.Is(err, ErrClaimsLost) {
		return err
	}
	p.s.log.Error().Err(err).Msg("the claims in Redis are not what the log makes them: nothing new is paid until they are filled again")
	p.s.ports.Metrics.claimsLost()
	if err := p.s.hand(ctx, func() { p.s.claimsOK = false }); err != nil {
		return err
	}
	if isLow {
		p.resume(low.Watermark)
		return nil
	}
	spoilt := p.epoch
	p.epoch = ""
	if isCorrupt {
		return p.renew(ctx, p.s.logID, spoilt)
	}
	return nil
}

// doubt lets the folder know that a look-up found the claims damaged or
// another's: while it has nothing to fold, it would not find out.
func (s *Shard) doubt(err error) {
	if !errors.Is(err, ErrClaimsCorrupt) && !errors.Is(err, ErrClaimsLost) {
		return
	}
	select {
	case s.doubts <- err:
	default: // it knows already
	}
}

// reached tells the loop how far the claims stand.
func (p *planFolder) reached(ctx context.Context) error {
	next := p.next
	return p.s.hand(ctx, func() {
		behind := next < p.s.plansNext
		p.s.plansNext = max(p.s.plansNext, next)
		if !p.s.claimsOK && !behind {
			p.s.claimsOK = true
			p.s.log.Info().Int64("plans", next).Msg("the claims stand at the end of the plans folded")
		}
		p.s.advanceAll()
	})
}

// knownEpoch waits for the journal to be read to its end and returns the epoch
// that counts, "" before the first.
func (s *Shard) knownEpoch(ctx context.Context) (epoch, logID string, err error) {
	err = s.wait(ctx, func() bool {
		epoch, logID = s.epoch, s.logID
		return s.journalNext >= s.journalGoal
	})
	return epoch, logID, err
}

// epochAfter waits until an epoch after previous counts, and returns it.
func (s *Shard) epochAfter(ctx context.Context, previous string) (epoch string, err error) {
	err = s.wait(ctx, func() bool {
		epoch = s.epoch
		return s.epoch != previous
	})
	return epoch, err
}

// wait asks the loop until ok holds.
func (s *Shard) wait(ctx context.Context, ok func() bool) error {
	for {
		var yes bool
		if err := s.hand(ctx, func() { yes = ok() }); err != nil || yes {
			return err
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
}
