package worker

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/toplu/toplu/schema"
)

// A Listener hears a shard's logs told from their first records. Each function
// may be nil; an error of theirs ends the telling.
type Listener struct {
	// Open opens a sealed plan if it can; nil opens none. Of a plan that stays
	// closed the statuses lack metadata.
	Open func(*schema.Plan)
	// Plan hears every plan in the order of the log, with who owns its payouts by
	// the log alone, and how many claims there are after it.
	Plan func(offset int64, p *schema.Plan, owners []Owner, claims int64) error
	// Imported hears every import of ids that were paid elsewhere, as Plan does.
	Imported func(offset int64, im *schema.Imported, owners []Owner, claims int64) error
	// Status hears every status of every payout, those of a payout in sequence.
	// What it is given is its own only until it returns.
	Status func(*schema.Status) error
	// Record hears every record of a batch, with why it does not count, if so.
	Record func(offset int64, r *schema.Record, void string) error
	// Batch hears how each batch stands when nothing more of it is to come, with
	// its plan and, for each payout, its status; "" for those it does not own.
	Batch func(v *BatchView, p *schema.Plan, statuses []schema.PayoutStatus) error
}

// A Retold is what a telling came to.
type Retold struct {
	LogID, Epoch string
	PlanEnd      int64 // offset after the last plan told
	Records      int64
	Claims       int64 // payouts that are owned
}

// Retell folds a shard from the first record of both logs, without a checkpoint
// and with claims of its own in memory: some 60 bytes a payout, and the batches
// that are open at the place of the log. It reads the logs alone, to where they
// end now, and is what everything else can be held against. The error is of the
// logs or of the listener; an [*ImpossibleError] is what would stop a worker.
func Retell(ctx context.Context, shard int, plans, journal Log, to Listener) (*Retold, error) {
	t := &teller{
		plans: plans, to: to, claims: map[[12]byte]Owner{}, batches: map[int64]*batch{}, at: map[int64]map[int64]time.Time{},
		pauses: map[int64]string{}, quarantine: map[int64]bool{},
	}
	if err := t.tell(ctx, journal); err != nil {
		return nil, fmt.Errorf("shard %d: %w", shard, err)
	}
	t.told.Claims = int64(len(t.claims))
	return &t.told, nil
}

// A teller tells one shard.
type teller struct {
	plans      Log
	to         Listener
	told       Retold
	heard      error // of the listener, inside a fold
	claims     map[[12]byte]Owner
	batches    map[int64]*batch              // open, by plan offset
	at         map[int64]map[int64]time.Time // when a batch's records were written
	pauses     map[int64]string
	quarantine map[int64]bool // plans that own nothing since nobody can read them
	obeyed     int64          // first command that was not dealt with
	ready      []Entry
	next       int64 // first plan that was not read
}

// tell reads the journal; the plans are read as far as its records speak of them.
func (t *teller) tell(ctx context.Context, journal Log) (err error) {
	defer func() {
		if r := recover(); r != nil {
			impossible, ok := r.(*ImpossibleError)
			if !ok {
				panic(r)
			}
			err = impossible
		}
	}()
	start, end, err := journal.Bounds(ctx)
	if err != nil {
		return err
	}
	planStart, planEnd, err := t.plans.Bounds(ctx)
	switch {
	case err != nil:
		return err
	case start > 0 || planStart > 0:
		return fmt.Errorf("%w: payout.journal begins at offset %d and payout.batches at %d, not at 0: records were deleted", ErrLogID, start, planStart)
	}
	for at := int64(0); at < end; {
		chunk, err := journal.Read(ctx, at)
		if err != nil {
			return err
		}
		for _, e := range chunk.Entries {
			if e.Offset >= end {
				break
			}
			if err := t.record(ctx, e); err != nil {
				return err
			}
		}
		at = chunk.Next
	}
	if err := t.upTo(ctx, planEnd); err != nil {
		return err
	}
	t.told.PlanEnd = planEnd
	return t.rest()
}

// record folds one record of the journal.
func (t *teller) record(ctx context.Context, e Entry) error {
	r, err := schema.DecodeRecord(e.Value)
	if err != nil {
		return fmt.Errorf("payout.journal offset %d: %w", e.Offset, err)
	}
	t.told.Records++
	void := counts
	if r.Command > 0 {
		if r.Command <= t.obeyed {
			void = dealtWith
		}
		t.obeyed = max(t.obeyed, r.Command)
	}
	switch {
	case r.Closes():
		t.pauses[e.Offset] = r.Scope
	case r.Type == schema.RecEpoch:
		if r.Previous == t.told.Epoch {
			t.told.Epoch = r.Epoch
		}
	case r.Type == schema.RecGenesis, r.Type == schema.RecCheckpoint, r.Type == schema.RecNoted, r.Type == schema.RecFloor:
	case r.Batch != "":
		return t.ofBatch(ctx, e.Offset, &r, void)
	case void != counts:
	case r.Type == schema.RecPaused:
		t.pauses[e.Offset] = r.Scope
	case r.Type == schema.RecQuarantined:
		t.quarantine[r.Plan] = true
	case r.Type == schema.RecResumed:
		for _, at := range r.Which {
			delete(t.pauses, at)
		}
	}
	return nil
}

// ofBatch folds a record of a batch. One of a batch that is closed changes nothing.
func (t *teller) ofBatch(ctx context.Context, offset int64, r *schema.Record, void refusal) error {
	if err := t.upTo(ctx, r.Plan+1); err != nil {
		return err
	}
	b := t.batches[r.Plan]
	switch {
	case b == nil:
		void = alreadyClosed
	case b.plan.ID != r.Batch:
		panic(&ImpossibleError{b.plan.ID, fmt.Sprintf("journal offset %d names batch %s at this plan's offset", offset, r.Batch)})
	case void == counts:
		var scopes []string
		for _, scope := range t.pauses {
			scopes = append(scopes, scope)
		}
		t.at[r.Plan][offset] = r.At
		void = b.apply(offset, r, PausedIn(scopes, b.merchant))
	}
	if t.heard != nil {
		return t.heard
	}
	if t.to.Record != nil {
		if err := t.to.Record(offset, r, string(void)); err != nil {
			return err
		}
	}
	if b != nil && b.closed {
		return t.finish(b)
	}
	return nil
}

// upTo folds plans up to an offset, exclusive.
func (t *teller) upTo(ctx context.Context, end int64) error {
	for t.next < end {
		if len(t.ready) == 0 {
			chunk, err := t.plans.Read(ctx, t.next)
			if err != nil {
				return err
			}
			if len(chunk.Entries) == 0 {
				if t.next >= chunk.End {
					return fmt.Errorf("%w: the journal speaks of a plan at offset %d, payout.batches ends at %d", ErrLogID, end-1, chunk.End)
				}
				t.next = chunk.Next
				continue
			}
			t.ready = chunk.Entries
		}
		e := t.ready[0]
		if e.Offset >= end {
			t.next = end
			return nil
		}
		t.ready, t.next = t.ready[1:], e.Offset+1
		if err := t.planned(e); err != nil {
			return err
		}
	}
	return nil
}

// planned claims the payouts of a plan, and begins its batch.
func (t *teller) planned(e Entry) error {
	rec, err := schema.DecodePlan(e.Value)
	switch {
	case err != nil && t.quarantine[e.Offset]:
		return nil // a person has said so before any record of a later plan
	case err != nil:
		return fmt.Errorf("payout.batches offset %d: %w", e.Offset, err)
	case rec.Genesis != nil:
		if e.Offset == 0 {
			t.told.LogID = rec.Genesis.LogID
		}
		return nil
	}
	if t.to.Open != nil && rec.Plan != nil {
		t.to.Open(rec.Plan)
	}
	items := claimItems(&rec)
	f := foldedPlan{offset: e.Offset, plan: rec.Plan, owners: make([]Owner, len(items))}
	for i := range items {
		sum := sha256.Sum256([]byte(items[i].PayoutID))
		id := [12]byte(sum[:12])
		if _, taken := t.claims[id]; !taken {
			t.claims[id] = Owner{Offset: e.Offset, Content: items[i].Content}
		}
		f.owners[i] = t.claims[id]
	}
	if rec.Imported != nil {
		if t.to.Imported == nil {
			return nil
		}
		return t.to.Imported(e.Offset, rec.Imported, f.owners, int64(len(t.claims)))
	}
	if t.to.Plan != nil {
		if err := t.to.Plan(e.Offset, rec.Plan, f.owners, int64(len(t.claims))); err != nil {
			return err
		}
	}
	owned, n := f.owned()
	if n == 0 {
		return nil
	}
	t.at[e.Offset] = map[int64]time.Time{}
	t.batches[e.Offset] = newBatch(rec.Plan, e.Offset, owned, func(s *schema.Status) {
		if t.heard == nil && t.to.Status != nil {
			t.heard = t.to.Status(s)
		}
	})
	return t.heard
}

// rest tells of the batches that are open at the end.
func (t *teller) rest() error {
	for _, offset := range slices.Sorted(maps.Keys(t.batches)) {
		if err := t.finish(t.batches[offset]); err != nil {
			return err
		}
	}
	return nil
}

// finish tells how a batch stands, and forgets it.
func (t *teller) finish(b *batch) error {
	at := t.at[b.offset]
	delete(t.batches, b.offset)
	delete(t.at, b.offset)
	if t.to.Batch == nil {
		return nil
	}
	statuses := make([]schema.PayoutStatus, len(b.items))
	for i := range b.items {
		statuses[i] = b.items[i].status
	}
	v := b.view(at)
	return t.to.Batch(&v, b.plan, statuses)
}
