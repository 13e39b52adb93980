package oncall

import (
	"cmp"
	"context"
	"fmt"

	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// judge says what a batch's record, the answer to a command, means: the batch is
// folded again with it, as its worker does.
func (d *Desk) judge(ctx context.Context, at Place, a Answer, r *schema.Record) (Answer, error) {
	t, err := d.tell(ctx, at)
	if err != nil {
		return a, fmt.Errorf("the command became record %s at offset %d of the journal; what it means cannot be said: %w", a.Record, a.Offset, err)
	}
	for _, l := range t.story.Lines() {
		if l.Offset == a.Offset && l.Void != "" {
			a.Verdict, a.Code, a.Text = Refused, "void", "it does not count: "+l.Void
			return a, nil
		}
	}
	v := t.story.View()
	v.Next = d.outlook(ctx).next(t.in, &v)
	a.Verdict, a.Text = meaning(r, &v)
	return a, nil
}

// meaning is what a record that counts means for the batch that stands like v.
func meaning(r *schema.Record, v *worker.BatchView) (Verdict, string) {
	sum := func(t worker.Tally) string {
		return fmt.Sprintf("%d payouts (%s %s)", t.Items, schema.FormatMinor(t.Minor), v.Currency)
	}
	switch r.Type { //nolint:exhaustive // only these answer commands about batches
	case schema.RecHeld:
		if v.Gone {
			return TooLate, "the batch is past the point of no return: the hold takes effect only if this attempt dies"
		}
		return Counted, "the batch is held: nothing of it is completed until it is resumed"
	case schema.RecResumed:
		if len(v.Holds) > 0 {
			return Counted, fmt.Sprintf("lifted; %d holds remain: %s", len(v.Holds), v.Next)
		}
		return Counted, "the batch is no longer held. Next: " + v.Next
	case schema.RecCancel:
		if v.Withdrawn.Items > 0 {
			return TooLate, "the batch is past the point of no return, iyzico may be paying it: " + sum(v.Withdrawn) + " are cancelled only if this attempt dies"
		}
		if len(r.Only) > 0 {
			return Counted, "the payout is cancelled; the others of its batch go into the next attempt"
		}
		return Counted, sum(v.Statuses[schema.Cancelled]) + " are cancelled"
	case schema.RecDecided:
		return Counted, fmt.Sprintf("taken as decided (%s) by %s. Next: %s", r.Verdict, r.By, v.Next)
	}
	return Counted, "record " + string(r.Type)
}

// Foresee says what a command about a batch would come to if it were given now,
// for a dry run.
func Foresee(kind schema.CommandKind, b *Batch) string {
	late := "too late: the batch is past the point of no return; it would take effect only if this attempt dies"
	switch {
	case b.State == "closed":
		return "refused: every payout of the batch is answered and the batch is closed"
	case kind == schema.CmdResume && len(b.Holds) == 0:
		return "refused: the batch is not held"
	case kind == schema.CmdResume:
		return fmt.Sprintf("%d holds would be lifted", len(b.Holds))
	case kind == schema.CmdResolve && b.State != worker.StateUnknown && !foreign(b):
		return "refused: iyzico's answer is not overdue; nothing is left to a person"
	case kind == schema.CmdResolve:
		return fmt.Sprintf("your word about attempt %d (requestId %s) would be taken, unless iyzico's answer contradicts it", b.Attempt, cmp.Or(b.RequestID, "none"))
	case b.Payable.Count+b.Unanswered.Count == 0:
		return "nothing would change: every payout of the batch is answered"
	case b.Gone:
		return late
	case kind == schema.CmdCancel:
		return fmt.Sprintf("%d payouts (%s %s) would be cancelled", b.Payable.Count, b.Payable.Value, b.Currency)
	}
	return "the batch would be held until it is resumed"
}

// foreign reports whether a hold says that somebody else acted on the batch.
func foreign(b *Batch) bool {
	for _, h := range b.Holds {
		if h.Kind == string(schema.HoldForeign) {
			return true
		}
	}
	return false
}
