package oncall

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/toplu/toplu/internal/seal"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// Logs are the logs of a shard, and where in the journal a time begins.
type Logs struct {
	Plans, Journal worker.Log
	Commands       worker.Log // the shard's partition of payout.commands
	// JournalAt returns the offset of the first journal record at or after a time.
	JournalAt func(ctx context.Context, t time.Time) (int64, error)
}

// A Payout is what is known of one payout id.
type Payout struct {
	PayoutID string `json:"payoutId"`
	Shard    int    `json:"shard"`
	Seen     bool   `json:"seen"` // a batch owns it
	// Imported: it was paid elsewhere, as a person has said; no batch has it, and
	// none ever will.
	Imported bool `json:"imported,omitempty"`

	Merchant  string         `json:"merchant,omitempty"`
	Amount    *Money         `json:"amount,omitempty"`
	Recipient string         `json:"recipient,omitempty"` // type and masked value
	Source    *schema.Source `json:"source,omitempty"`
	EventID   string         `json:"eventId,omitempty"`
	BatchID   string         `json:"batchId,omitempty"`
	PlannedAt *time.Time     `json:"plannedAt,omitempty"`
	Plan      int64          `json:"planOffset,omitempty"` // which owns it by the claims
	Watermark int64          `json:"claimsStandAt,omitempty"`
	Epoch     string         `json:"claimsEpoch,omitempty"`
	// ClaimsTrouble: the claims could not be believed, and the plans were searched.
	ClaimsTrouble string `json:"claimsTrouble,omitempty"`
	PlanEnd       int64  `json:"planEnd,omitempty"` // of payout.batches when it was looked through
	Items         int    `json:"batchItems,omitempty"`

	Status   schema.PayoutStatus `json:"status,omitempty"`
	Final    bool                `json:"final"`
	Statuses []StatusLine        `json:"statuses,omitempty"`
	Journal  []JournalLine       `json:"journal,omitempty"`
	Next     string              `json:"next"`
	Trail    *Trail              `json:"trail,omitempty"`    // see [Desk.Trail]
	Read     []Answered          `json:"requests,omitempty"` // of what is not seen: how far requests are answered
}

// Money is an amount as events carry it.
type Money struct {
	Value    string `json:"value"`
	Currency string `json:"currency"`
}

// A StatusLine is one status of the payout.
type StatusLine struct {
	At       time.Time           `json:"at"`
	Sequence int                 `json:"sequence"`
	Status   schema.PayoutStatus `json:"status"`
	EventID  string              `json:"eventId"`
	Reason   string              `json:"reason,omitempty"`
}

// A JournalLine is one record of the payout's batch.
type JournalLine struct {
	At        time.Time         `json:"at"`
	Offset    int64             `json:"offset"`
	Record    schema.RecordType `json:"record"`
	Attempt   int               `json:"attempt,omitempty"`
	Call      string            `json:"call,omitempty"` // of iyzico's API that the record stands for
	RequestID string            `json:"requestId,omitempty"`
	By        string            `json:"by,omitempty"`
	Text      string            `json:"text,omitempty"`
	Void      string            `json:"doesNotCount,omitempty"`
}

// Explain tells the story of a payout from the shard's logs. The claims only
// shorten the way to its batch: where they are lost, or stand behind the plans, the
// plans themselves are searched. An id that no plan in the log has is no error; it
// fails with [ErrNotKnown] where a plan may have it that nobody can read, or that
// Kafka has lost.
func (d *Desk) Explain(ctx context.Context, payoutID string) (*Payout, error) {
	p := &Payout{PayoutID: payoutID, Shard: schema.Shard(payoutID, d.Shards), Next: "nothing: no batch has it"}
	v, err := d.glance(ctx, p.Shard)
	if err != nil {
		return nil, err
	}
	t, at, err := d.find(ctx, v, payoutID)
	if im, ok := errors.AsType[*importedError](err); ok {
		p.Plan, p.Imported = at, true
		p.Next = fmt.Sprintf("nothing: it was paid elsewhere, says %s at %s: %s", im.By, im.At.Format(time.RFC3339), im.Reason)
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	p.Watermark, p.Epoch, p.ClaimsTrouble, p.PlanEnd = v.Claims.Watermark, v.Claims.Epoch, v.ClaimsTrouble, v.PlanEnd
	if at == worker.None {
		if slices.ContainsFunc(v.Pauses, func(q worker.PauseView) bool { return q.Closed }) {
			p.Next = "not known: Kafka was lost or restored, and what was paid before is not in these logs until toplu claims import"
		}
		return p, nil
	}
	p.describe(&t, at)
	p.read(t.story)
	b := t.story.View()
	p.Next = d.outlook(ctx).next(t.in, &b)
	return p, nil
}

// find tells of the plan that owns a payout, and where it is; [worker.None]: none.
func (d *Desk) find(ctx context.Context, v *worker.ShardView, payoutID string) (told, int64, error) {
	for {
		owners, err := d.ownersUpTo(ctx, v, v.PlanEnd, []string{payoutID})
		if err != nil || owners[0].Offset == worker.None {
			return told{}, worker.None, err
		}
		at := owners[0].Offset
		t, err := d.tellBy(ctx, v, at)
		if err != nil || slices.ContainsFunc(t.plan.Items, func(it schema.PlanItem) bool { return it.PayoutID == payoutID }) || v.ClaimsTrouble != "" {
			return t, at, err
		}
		v.ClaimsTrouble = fmt.Sprintf("the claims name the plan at offset %d as its owner, which does not have it", at)
	}
}

// An importedError says that no batch stands at a place, but payouts that were
// paid elsewhere.
type importedError struct{ *schema.Imported }

func (e *importedError) Error() string {
	return ErrNoBatch.Error() + ": payout ids that were paid elsewhere stand there"
}

// told is a plan with the story of its batch.
type told struct {
	plan   *schema.Plan
	story  *worker.Story
	in     *worker.ShardView // the batch's shard
	closed error             // why the plan's recipients cannot be read, nil if they can
}

// recipient shows who is paid: the type, and the value masked, erased or sealed.
func (t *told) recipient(it *schema.PlanItem) string {
	shown := it.Recipient.Value.Mask()
	switch {
	case errors.Is(t.closed, seal.ErrErased):
		shown = "erased"
	case t.closed != nil:
		shown = "sealed"
	}
	return string(it.Recipient.Type) + " " + shown
}

// tell reads the plan at a place and folds its batch.
func (d *Desk) tell(ctx context.Context, at Place) (told, error) {
	v, err := d.glance(ctx, at.Shard)
	if err != nil {
		return told{}, err
	}
	return d.tellBy(ctx, v, at.Plan)
}

// tellBy reads the plan at an offset of a shard and folds its batch.
func (d *Desk) tellBy(ctx context.Context, v *worker.ShardView, offset int64) (told, error) {
	logs := d.Logs(v.Shard)
	entry, err := logs.Plans.ReadAt(ctx, offset)
	if err != nil {
		return told{}, err
	}
	rec, err := schema.DecodePlan(entry.Value)
	if err != nil {
		return told{}, fmt.Errorf("payout.batches offset %d: %w", offset, err)
	}
	if rec.Imported != nil {
		return told{}, &importedError{rec.Imported}
	}
	if rec.Plan == nil {
		return told{}, fmt.Errorf("%w at offset %d of shard %d: a genesis stands there", ErrNoBatch, offset, v.Shard)
	}
	// A plan that stays closed is told of without its recipients.
	opened := d.Seal.OpenPlan(rec.Plan)
	owners, err := d.ownersUpTo(ctx, v, offset+1, payoutIDs(&rec))
	if err != nil {
		return told{}, err
	}
	story := worker.NewStory(rec.Plan, offset, owners)
	// Clocks differ a little: records of the batch cannot be much older than
	// their plan.
	from, err := logs.JournalAt(ctx, rec.Plan.At.Add(-10*time.Minute))
	if err != nil {
		return told{}, err
	}
	return told{rec.Plan, story, v, opened}, scan(ctx, logs.Journal, from, rec.Plan.ID, rec.Plan.Merchant, story)
}

// scan folds the batch's records from an offset to the journal's end.
func scan(ctx context.Context, journal worker.Log, from int64, batch, merchant string, story *worker.Story) error {
	_, end, err := journal.Bounds(ctx)
	if err != nil {
		return err
	}
	pauses := map[int64]string{}
	obeyed := int64(0) // a command that a second worker obeys again counts once
	for from < end && !story.Closed() {
		chunk, err := journal.Read(ctx, from)
		if err != nil {
			return err
		}
		for _, e := range chunk.Entries {
			shardRecord := string(e.Key) == string(schema.RecPaused) || string(e.Key) == string(schema.RecResumed)
			if string(e.Key) != batch && !shardRecord {
				continue
			}
			r, err := schema.DecodeRecord(e.Value)
			if err != nil {
				return fmt.Errorf("payout.journal offset %d: %w", e.Offset, err)
			}
			switch {
			case r.Type == schema.RecPaused:
				pauses[e.Offset] = r.Scope
			case r.Batch == "":
				for _, o := range r.Which {
					delete(pauses, o)
				}
			case r.Command > 0 && r.Command <= obeyed:
			default:
				obeyed = max(obeyed, r.Command)
				if err := story.Add(e.Offset, &r, worker.PausedIn(slices.Collect(maps.Values(pauses)), merchant)); err != nil {
					return err
				}
			}
		}
		from = chunk.Next
	}
	return nil
}

// describe fills in what the plan says of the payout.
func (p *Payout) describe(t *told, offset int64) {
	plan := t.plan
	p.Seen, p.Merchant, p.BatchID, p.Plan, p.Items, p.PlannedAt = true, plan.Merchant, plan.ID, offset, len(plan.Items), &plan.At
	for i := range plan.Items {
		it := &plan.Items[i]
		if it.PayoutID != p.PayoutID {
			continue
		}
		p.Amount = &Money{schema.FormatMinor(it.Minor), string(plan.Currency)}
		p.Recipient = t.recipient(it)
		p.Source, p.EventID = &it.Source, it.EventID
	}
}

// read fills in what the journal says.
func (p *Payout) read(story *worker.Story) {
	for _, s := range story.Statuses(p.PayoutID) {
		line := StatusLine{At: s.OccurredAt, Sequence: s.Sequence, Status: s.Status, EventID: schema.StatusID(s.PayoutID, s.Sequence, s.Status)}
		if s.Reason != nil {
			line.Reason = s.Reason.Code + ": " + s.Reason.Text
		}
		p.Statuses = append(p.Statuses, line)
		p.Status, p.Final = s.Status, s.Status.Final()
	}
	p.Journal = journalLines(story)
}

// journalLines are the records of a story for people.
func journalLines(story *worker.Story) []JournalLine {
	lines := []JournalLine{}
	for _, l := range story.Lines() {
		line := JournalLine{At: l.Record.At, Offset: l.Offset, Record: l.Record.Type, Attempt: l.Record.Attempt, RequestID: l.Record.RequestID, By: l.Record.By, Void: l.Void}
		line.Call = call(&l.Record)
		if l.Record.Reason != nil {
			line.Text = text(l.Record.Reason)
		}
		lines = append(lines, line)
	}
	return lines
}

// call says which call of iyzico's API a record stands for, and how it ended.
func call(r *schema.Record) string {
	switch r.Type { //nolint:exhaustive // the others stand for none
	case schema.RecCreating:
		return fmt.Sprintf("init as %s-%d", r.Batch, r.Attempt)
	case schema.RecCreated:
		return "init: taken as " + r.ExternalID
	case schema.RecRefused:
		return "init: refused"
	case schema.RecCompleting:
		return "auth"
	case schema.RecCompleted:
		return "auth: taken"
	case schema.RecFencing:
		return "cancel"
	case schema.RecDead:
		return "cancel: proven"
	case schema.RecSettled:
		return "retrieve: settled"
	case schema.RecUnknown:
		return "auth: no answer"
	}
	return ""
}
