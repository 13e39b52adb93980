package consumer

import (
	"context"

	"github.com/toplu/toplu/schema"
)

// letters are what waits to be told of: refused requests, and cancels to be
// passed on.
type letters struct {
	dead        []dead
	refusals    []schema.Message
	withdrawals []withdrawal
	places      []place
}

// dead is a letter that is neither sealed nor written yet.
type dead struct {
	schema.DeadLetter
	merchant string // "" if none could be read
}

// refuse puts an invalid request aside: as it came, with the reason, and if it
// names a payout, with an event to whoever waits for that.
func (r *run) refuse(e *event) {
	now, reason := r.cfg.Now(), e.invalid.Reason()
	r.letter(e, reason, e.invalid.PayoutID)
	if e.invalid.PayoutID != "" && e.cancel == nil { // see nothingToCancel
		r.letters.refusals = append(r.letters.refusals, schema.EncodeRefusal(&schema.Refusal{
			PayoutID: e.invalid.PayoutID, Merchant: e.invalid.Merchant, Reason: reason,
			OccurredAt: now, Source: e.source, Metadata: e.invalid.Metadata,
		}))
	}
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

func (r *run) letter(e *event, why schema.Reason, payoutID string) {
	merchant := e.request.Request.Merchant
	if e.invalid != nil {
		merchant = e.invalid.Merchant
	}
	d := schema.DeadLetter{Message: e.message, Code: why.Code, Text: why.Text, Source: e.source, At: r.cfg.Now(), PayoutID: payoutID}
	r.letters.dead = append(r.letters.dead, dead{d, merchant})
	r.letters.places = append(r.letters.places, e.place)
}

// post publishes the letters. What they are about is answered then.
func (r *run) post(ctx context.Context) error {
	l := r.letters
	r.letters = letters{}
	if len(l.dead) > 0 {
		err := r.insist(ctx, "dead letters", func() error {
			sealed, err := r.sealed(l.dead)
			if err != nil {
				return err
			}
			return r.ports.DeadLetters.Publish(ctx, sealed)
		})
		if err != nil {
			return err
		}
	}
	if len(l.refusals) > 0 {
		err := r.insist(ctx, "refusals", func() error { return r.ports.Statuses.Publish(ctx, l.refusals) })
		if err != nil {
			return err
		}
	}
	if err := r.passOn(ctx, l.withdrawals); err != nil {
		return err
	}
	for _, place := range l.places {
		place.answered()
	}
	return nil
}

// sealed are letters as they are written.
func (r *run) sealed(letters []dead) ([]schema.Message, error) {
	messages := make([]schema.Message, len(letters))
	for i := range letters {
		d := letters[i].DeadLetter
		if err := r.ports.Seal.SealLetter(&d, letters[i].merchant); err != nil {
			return nil, err
		}
		messages[i] = d.Encode()
	}
	return messages, nil
}
