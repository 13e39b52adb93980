package consumer

import (
	"context"

	"github.com/toplu/toplu/schema"
)

// letters are what waits to be told of: refused requests, and cancels to be
// passed on.
type letters struct {
	dead        []dead
	withdrawals []withdrawal
}

// dead is a letter that is neither sealed nor written yet.
type dead struct {
	schema.DeadLetter
	merchant string // "" if none could be read
	place    place
	refusal  []schema.Message // the event that goes with it, if any
	waited   bool             // for a key
}

// refuse puts an invalid request aside: as it came, with the reason, and if it
// names a payout, with an event to whoever waits for that.
func (r *run) refuse(e *event) {
	var events []schema.Message
	if e.invalid.PayoutID != "" && e.cancel == nil { // see nothingToCancel
		events = append(events, r.refusal(e))
	}
	r.putAside(e, events...)
}

// refusal is the event to whoever waits for the payout.
func (r *run) refusal(e *event) schema.Message {
	return schema.EncodeRefusal(&schema.Refusal{
		PayoutID: e.invalid.PayoutID, Merchant: e.invalid.Merchant, Reason: e.invalid.Reason(),
		OccurredAt: r.cfg.Now(), Source: e.source, Metadata: e.invalid.Metadata,
	})
}

// misplaced refuses a request that stands in a topic from which its merchant takes
// none. It is judged after the claims, for two reasons. One that was taken while
// the topic was the merchant's, and is read again, is a duplicate and no refusal.
// And where the payout id is used up already there is no event, as with a conflict:
// whoever writes in another's name must not make it believe that its own payout
// was refused.
func (r *run) misplaced(e *event, used bool) {
	e.invalid = e.misplaced
	var events []schema.Message
	if !used {
		events = append(events, r.refusal(e))
	}
	r.putAside(e, events...)
}

// putAside writes a refused request's letter and events.
func (r *run) putAside(e *event, events ...schema.Message) {
	reason := e.invalid.Reason()
	r.letter(e, reason, e.invalid.PayoutID, events...)
	r.cfg.Metrics.refused(reason.Code)
	r.often.Warn().Str("code", reason.Code).Str("reason", reason.Text).Str("payout", e.invalid.PayoutID).
		Int("partition", e.source.Partition).Int64("offset", e.source.Offset).Msg("a request is refused")
}

// conflict puts a request aside whose payout id is used up by another one. It
// is a mistake of the order system's, so it is loud; the payout itself goes its
// way, and so there is no event.
func (r *run) conflict(e *event) {
	r.letter(e, schema.Reason{
		Code: schema.CodeConflict,
		Text: "the payout id is used up by an earlier request with another merchant, recipient or amount: a new payout needs a new id",
	}, e.id())
	r.cfg.Metrics.conflict()
	r.often.Error().Str("payout", e.id()).Int("partition", e.source.Partition).Int64("offset", e.source.Offset).
		Msg("a payout id comes again with other content")
}

func (r *run) letter(e *event, why schema.Reason, payoutID string, refusal ...schema.Message) {
	merchant := e.request.Request.Merchant
	if e.invalid != nil {
		merchant = e.invalid.Merchant
	}
	d := schema.DeadLetter{Message: e.message, Code: why.Code, Text: why.Text, Source: e.source, At: r.cfg.Now(), PayoutID: payoutID}
	r.letters.dead = append(r.letters.dead, dead{DeadLetter: d, merchant: merchant, place: e.place, refusal: refusal})
}

// post publishes the letters. What they are about is answered then; letters
// without a key wait, see keyless.go.
func (r *run) post(ctx context.Context) error {
	l := r.letters
	r.letters = letters{}
	var messages, refusals []schema.Message
	var places []place
	for i := range l.dead {
		d := &l.dead[i]
		sealed := d.DeadLetter
		if err := r.ports.Seal.SealLetter(&sealed, d.merchant); err != nil {
			r.keyless.letter(*d, err)
			continue
		}
		messages = append(messages, sealed.Encode())
		refusals = append(refusals, d.refusal...)
		places = append(places, d.place)
	}
	if len(messages) > 0 {
		err := r.insist(ctx, "dead letters", func() error { return r.ports.DeadLetters.Publish(ctx, messages) })
		if err != nil {
			return err
		}
	}
	if len(refusals) > 0 {
		err := r.insist(ctx, "refusals", func() error { return r.ports.Statuses.Publish(ctx, refusals) })
		if err != nil {
			return err
		}
	}
	if err := r.passOn(ctx, l.withdrawals); err != nil {
		return err
	}
	for _, place := range places {
		place.answered()
	}
	for i := range l.withdrawals {
		l.withdrawals[i].place.answered()
	}
	return nil
}
