package worker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/toplu/toplu/schema"
)

// ObservePorts are what an observer reads. Of the logs it reads alone; of the
// claims it asks State and Lookup.
type ObservePorts struct {
	Plans, Journal Log
	Claims         Claims
}

// Observe folds a shard as its worker would, from the best checkpoint to where
// both logs end now, and tells what is open. It writes nothing and claims
// nothing, and works while a worker drives the shard and while none does. Of
// every plan but the one at hand it keeps a summary, so memory is flat whatever
// waits.
//
// Claims that cannot be believed are no error: the view says so, and counts each
// plan's payouts as its own. The error is of the logs: they cannot be read, or
// are not what they must be ([ErrLogID], [schema.ErrVersion], [schema.ErrRecord]).
func Observe(ctx context.Context, shard int, ports ObservePorts) (*ShardView, error) {
	o := newObserver(shard, ports)
	return o.walk(ctx, o.begin, o.readTail, o.askClaims, o.driven, o.waiting)
}

// Glance is [Observe] without the batches and without a look at the plans that
// wait: where both logs end, what stands, and whether the claims can be believed.
func Glance(ctx context.Context, shard int, ports ObservePorts) (*ShardView, error) {
	o := newObserver(shard, ports)
	return o.walk(ctx, o.begin, o.readTail, o.askClaims)
}

func newObserver(shard int, ports ObservePorts) *observer {
	return &observer{
		ports: ports, view: &ShardView{Shard: shard, Claims: ClaimsState{Watermark: None}},
		pauses: map[int64]PauseView{}, quarantine: map[int64]bool{}, floors: floors{}, tail: map[int64][]queued{},
	}
}

// walk takes one step after the other and returns what came of them.
func (o *observer) walk(ctx context.Context, steps ...func(context.Context) error) (*ShardView, error) {
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return nil, fmt.Errorf("shard %d: %w", o.view.Shard, err)
		}
		if o.view.LogID == "" {
			return o.view, nil // nothing has ever been planned
		}
	}
	for _, offset := range slices.Sorted(maps.Keys(o.pauses)) {
		o.view.Pauses = append(o.view.Pauses, o.pauses[offset])
	}
	o.view.Floors, o.view.Quarantined = o.floors.list(), slices.Sorted(maps.Keys(o.quarantine))
	slices.SortFunc(o.view.Batches, func(a, b BatchView) int { return int(a.Plan - b.Plan) })
	return o.view, nil
}

// An observer is one look at a shard.
type observer struct {
	ports      ObservePorts
	view       *ShardView
	checkpoint schema.Checkpoint
	pauses     map[int64]PauseView
	quarantine map[int64]bool // plans that own nothing since nobody can read them
	floors     floors
	tail       map[int64][]queued // records since the checkpoint, by plan
}

// begin finds where the logs begin and end, and the checkpoint to start from.
// The journal's end is taken first: what its records speak of is then in the plans.
func (o *observer) begin(ctx context.Context) error {
	start, end, err := o.ports.Journal.Bounds(ctx)
	if err != nil {
		return err
	}
	best, err := lastCheckpoint(ctx, o.ports.Journal, start, end, checkpointStretch)
	if err != nil {
		return err
	}
	planStart, planEnd, err := o.ports.Plans.Bounds(ctx)
	switch {
	case err != nil:
		return err
	case start > 0 || planStart > 0:
		return fmt.Errorf("%w: payout.journal begins at offset %d and payout.batches at %d, not at 0: records were deleted", ErrLogID, start, planStart)
	case planEnd == 0:
		return nil
	}
	o.view.PlanEnd, o.view.JournalEnd = planEnd, end
	first, err := o.plan(ctx, 0)
	if err != nil {
		return err
	}
	if first.Genesis == nil {
		return fmt.Errorf("%w: payout.batches does not begin with a genesis", ErrLogID)
	}
	o.view.LogID = first.Genesis.LogID
	if best == nil {
		return nil
	}
	return o.from(ctx, best)
}

// from starts from a checkpoint.
func (o *observer) from(ctx context.Context, r *schema.Record) error {
	o.checkpoint = *r.Checkpoint
	if r.LogID != o.view.LogID || o.checkpoint.PlanOffset > o.view.PlanEnd || o.checkpoint.JournalOffset > o.view.JournalEnd {
		return fmt.Errorf("%w: the journal has a checkpoint of log %s with plans to %d, the plans are of log %s to %d", ErrLogID, r.LogID, o.checkpoint.PlanOffset, o.view.LogID, o.view.PlanEnd)
	}
	o.view.Epoch, o.view.Commands = r.Epoch, o.checkpoint.Commands
	o.floors.from(o.checkpoint.Floors)
	for _, plan := range o.checkpoint.Quarantined {
		o.quarantine[plan] = true
	}
	for _, at := range o.checkpoint.Pauses {
		p, err := o.record(ctx, at)
		if err != nil {
			return err
		}
		o.pause(at, &p)
	}
	return nil
}

// readTail reads the journal from the checkpoint to its end.
func (o *observer) readTail(ctx context.Context) error {
	for at := o.checkpoint.JournalOffset; at < o.view.JournalEnd; {
		chunk, err := o.ports.Journal.Read(ctx, at)
		if err != nil {
			return err
		}
		for _, e := range chunk.Entries {
			if e.Offset >= o.view.JournalEnd {
				break
			}
			r, err := schema.DecodeRecord(e.Value)
			if err != nil {
				return fmt.Errorf("payout.journal offset %d: %w", e.Offset, err)
			}
			o.take(e.Offset, &r)
		}
		at = chunk.Next
	}
	return nil
}

// take folds what a record says of the shard, and puts those of batches aside.
// It is [Shard.foldRecord] for a reader.
func (o *observer) take(offset int64, r *schema.Record) {
	if r.Session != "" {
		o.view.LastAt, o.view.LastSession = r.At, r.Session
	}
	if slices.Contains([]schema.RecordType{schema.RecCreated, schema.RecRefused, schema.RecCompleted, schema.RecDead, schema.RecSettled}, r.Type) {
		o.view.LastAnswer = r.At
	}
	void := counts
	if r.Command > 0 {
		if r.Command <= o.view.Commands {
			void = dealtWith
		}
		o.view.Commands = max(o.view.Commands, r.Command)
	}
	switch {
	case r.Closes():
		o.pause(offset, r)
	case r.Type == schema.RecGenesis, r.Type == schema.RecCheckpoint, r.Type == schema.RecNoted:
	case r.Type == schema.RecEpoch:
		if r.Previous == o.view.Epoch {
			o.view.Epoch = r.Epoch
		}
	case r.Batch != "":
		o.tail[r.Plan] = append(o.tail[r.Plan], queued{offset, *r, o.scopes(), void})
	case void != counts:
	case r.Type == schema.RecFloor:
		o.floors.take(r)
	case r.Type == schema.RecPaused:
		o.pause(offset, r)
	case r.Type == schema.RecQuarantined:
		o.quarantine[r.Plan] = true
	case r.Type == schema.RecResumed:
		for _, at := range r.Which {
			delete(o.pauses, at)
		}
	}
}

func (o *observer) pause(offset int64, r *schema.Record) {
	p := PauseView{Offset: offset, Scope: r.Scope, By: r.By, Since: r.At, Closed: r.Closes()}
	if r.Reason != nil {
		p.Reason = *r.Reason
	}
	o.pauses[offset] = p
}

func (o *observer) scopes() []string {
	var all []string
	for _, p := range o.pauses {
		all = append(all, p.Scope)
	}
	return all
}

// askClaims holds what stands in Redis against the logs.
func (o *observer) askClaims(ctx context.Context) error {
	state, err := o.ports.Claims.State(ctx, o.view.Shard)
	if err != nil {
		o.view.ClaimsTrouble = err.Error()
		return ctx.Err()
	}
	o.view.Claims = state
	switch {
	case state.LogID != o.view.LogID:
		o.view.Shorter = true
		o.view.ClaimsTrouble = "the claims in Redis are of log " + state.LogID + ", the plans of " + o.view.LogID
	case state.Epoch != o.view.Epoch:
		o.view.ClaimsTrouble = "the claims in Redis are of epoch " + state.Epoch + ", the journal's is " + o.view.Epoch
	case state.Watermark >= o.view.PlanEnd:
		// It may have moved since the logs' ends were read.
		_, end, err := o.ports.Plans.Bounds(ctx)
		if err != nil {
			return err
		}
		if state.Watermark >= end {
			o.view.Shorter = true
			o.view.ClaimsTrouble = fmt.Sprintf("the claims stand at offset %d and payout.batches ends at %d: Kafka has lost records", state.Watermark, end)
		}
	}
	return nil
}

// driven folds the batches that have records: those open at the checkpoint and
// those that the tail speaks of. A record of a batch closed before changes nothing.
func (o *observer) driven(ctx context.Context) error {
	records := map[int64][]int64{}
	for _, b := range o.checkpoint.Open {
		records[b.Plan] = b.Records
	}
	for plan := range o.tail {
		if _, open := records[plan]; !open && (plan >= o.checkpoint.PlanOffset || o.waited(plan)) {
			records[plan] = nil
		}
	}
	for _, plan := range slices.Sorted(maps.Keys(records)) {
		rec, err := o.plan(ctx, plan)
		if err != nil {
			return err
		}
		if rec.Plan == nil {
			return fmt.Errorf("%w: the journal speaks of a batch at offset %d, where there is none", ErrLogID, plan)
		}
		var old []queued
		for _, at := range records[plan] {
			r, err := o.record(ctx, at)
			if err != nil {
				return err
			}
			old = append(old, queued{offset: at, record: r})
		}
		if err := o.add(ctx, plan, rec.Plan, append(old, o.tail[plan]...)); err != nil {
			return err
		}
	}
	return nil
}

func (o *observer) waited(plan int64) bool {
	return slices.ContainsFunc(o.checkpoint.Waiting, func(w schema.OffsetRange) bool { return w.From <= plan && plan <= w.To })
}

// waiting reads the plans that have no record yet.
func (o *observer) waiting(ctx context.Context) error {
	stretches := append(slices.Clone(o.checkpoint.Waiting), schema.OffsetRange{From: o.checkpoint.PlanOffset, To: o.view.PlanEnd - 1})
	for _, s := range stretches {
		for at := s.From; at <= s.To; {
			chunk, err := o.ports.Plans.Read(ctx, at)
			if err != nil {
				return err
			}
			for _, e := range chunk.Entries {
				if e.Offset > s.To {
					break
				}
				if len(o.tail[e.Offset]) > 0 {
					continue
				}
				rec, err := schema.DecodePlan(e.Value)
				if err != nil && !o.quarantine[e.Offset] && o.view.PlanTrouble == "" {
					o.view.PlanTrouble = fmt.Sprintf("payout.batches offset %d cannot be read: %v", e.Offset, err)
				}
				if err != nil || rec.Plan == nil {
					continue
				}
				if err := o.add(ctx, e.Offset, rec.Plan, nil); err != nil {
					return err
				}
			}
			at = chunk.Next
		}
	}
	return nil
}

// add folds a batch and keeps how it stands, unless it owns nothing or is closed.
func (o *observer) add(ctx context.Context, offset int64, p *schema.Plan, records []queued) error {
	owners, claimed, err := o.owners(ctx, offset, p)
	if err != nil {
		return err
	}
	f := foldedPlan{offset: offset, plan: p, owners: owners}
	owned, n := f.owned()
	if n == 0 {
		return nil // a copy, or all of it is others'
	}
	v := look(newBatch(p, offset, owned, nil), records)
	v.Claimed = claimed
	if !v.Closed {
		o.view.Batches = append(o.view.Batches, v)
	}
	return nil
}

// look folds records into a batch and tells how it stands. What stops a worker
// is told to a person.
func look(b *batch, records []queued) (v BatchView) {
	at := map[int64]time.Time{}
	defer func() {
		if r := recover(); r != nil {
			impossible, ok := r.(*ImpossibleError)
			if !ok {
				panic(r)
			}
			v = b.view(at)
			v.State, v.Next = StateImpossible, impossible.Error()
		}
	}()
	for _, q := range records {
		at[q.offset] = q.record.At
		if q.record.Batch != b.plan.ID {
			panic(&ImpossibleError{b.plan.ID, fmt.Sprintf("journal offset %d names batch %s at this plan's offset", q.offset, q.record.Batch)})
		}
		if q.void == counts {
			b.apply(q.offset, &q.record, PausedIn(q.scopes, b.merchant))
		}
	}
	return b.view(at)
}

// owners asks who owns a plan's payouts. If the claims cannot tell, they are all
// counted as the plan's, and claimed is false.
func (o *observer) owners(ctx context.Context, offset int64, p *schema.Plan) (owners []Owner, claimed bool, err error) {
	if o.view.ClaimsTrouble == "" && offset <= o.view.Claims.Watermark {
		asks := &Shard{number: o.view.Shard, ports: Ports{Claims: o.ports.Claims}}
		owners, err = asks.owners(ctx, o.view.Epoch, offset, p)
		switch {
		case err == nil:
			return owners, true, nil
		case ctx.Err() != nil:
			return nil, false, ctx.Err()
		case errors.Is(err, ErrClaimsLost), errors.Is(err, ErrClaimsCorrupt):
			o.view.ClaimsTrouble = err.Error()
		default:
			o.view.ClaimsTrouble = "Redis does not answer: " + err.Error()
		}
	}
	owners = make([]Owner, len(p.Items))
	for i := range owners {
		owners[i].Offset = offset
	}
	return owners, false, nil
}

func (o *observer) plan(ctx context.Context, offset int64) (schema.PlanRecord, error) {
	e, err := o.ports.Plans.ReadAt(ctx, offset)
	if err != nil {
		return schema.PlanRecord{}, err
	}
	rec, err := schema.DecodePlan(e.Value)
	if err != nil {
		return schema.PlanRecord{}, fmt.Errorf("payout.batches offset %d: %w", offset, err)
	}
	return rec, nil
}

func (o *observer) record(ctx context.Context, offset int64) (schema.Record, error) {
	e, err := o.ports.Journal.ReadAt(ctx, offset)
	if err != nil {
		return schema.Record{}, err
	}
	return schema.DecodeRecord(e.Value)
}
