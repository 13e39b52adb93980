package worker

import (
	"context"
	"fmt"
	"slices"

	"github.com/toplu/toplu/iyzico"
	"github.com/toplu/toplu/schema"
)

// externalID names an attempt to iyzico. It is known before the call, so that
// every call can be read back.
func (b *batch) externalID() string { return fmt.Sprintf("%s-%d", b.plan.ID, b.attempt) }

// initRequest is the attempt as iyzico is told.
func (b *batch) initRequest() iyzico.InitRequest {
	r := iyzico.InitRequest{ExternalID: b.externalID(), ConversationID: b.plan.ID, Purpose: iyzico.Purpose(b.plan.Purpose)}
	for i := range b.items {
		if !b.items[i].carried {
			continue
		}
		q := b.plan.Request(i)
		r.Items = append(r.Items, iyzico.InitItem{
			ExternalID: q.PayoutID, RecipientType: iyzico.RecipientType(q.Recipient.Type),
			Recipient: iyzico.Private(q.Recipient.Value.Reveal()), RecipientName: iyzico.Private(q.Recipient.Name.Reveal()),
			Amount: iyzico.Money(q.Amount.Minor), Currency: iyzico.Currency(q.Amount.Currency),
			Description: iyzico.Private(q.Description.Reveal()),
		})
	}
	return r
}

// init calls init. It moves no money; all that can be lost here is an answer.
//
// Commit point: from the creating record on, which has been read back, a batch
// may exist at iyzico. A crash right here leaves it unnamed; the next session
// finds it by its externalId.
func (s *Shard) init(b *batch) {
	d := &b.drive
	p, ok := s.ports.Merchant(b.merchant)
	if !ok {
		return
	}
	request, attempt := b.initRequest(), b.attempt
	s.call(b, "create", func(ctx context.Context) func() {
		a, err := p.Init(ctx, request)
		return func() {
			switch {
			case err == nil:
				s.writeCreated(b, attempt, request.ExternalID, a)
			case b.attempt != attempt: // it ended meanwhile: what became of it does not matter
			case iyzico.OutcomeOf(err) == iyzico.OutcomeNotSent:
				s.again(b, s.cfg.Grace)
			case !refused(err):
				d.lost = true
				s.log.Warn().Err(err).Str("batch", b.plan.ID).Msg("init's answer was lost, reading back")
			case iyzico.KindOf(err) == iyzico.KindTraffic:
				s.again(b, s.cfg.Grace)
			default:
				// "Seen before" has no documented code, and another session may
				// have called too, one that was frozen and is awake again: what
				// any call may have left is looked for before the refusal is
				// believed.
				d.lost, d.refusal = true, err
			}
		}
	})
}

// writeCreated writes what init answered to an attempt, which may have ended
// meanwhile: its requestId must be known, to be cancelled. Only the first created
// of the current attempt counts, so this may lose.
func (s *Shard) writeCreated(b *batch, attempt int, externalID string, a iyzico.InitAnswer) {
	if first, seen := b.named[a.RequestID]; seen && first < attempt {
		// Such a created never counts. What this call did is looked for instead.
		s.log.Error().Str("batch", b.plan.ID).Str("requestId", a.RequestID).Int("attempt", attempt).Int("of", first).
			Msg("init answers with the requestId of an earlier attempt, reading back")
		if attempt == b.attempt {
			b.drive.lost = true
			s.again(b, s.cfg.Grace)
		}
		return
	}
	r := schema.Record{Type: schema.RecCreated, ExternalID: externalID, RequestID: a.RequestID}
	for _, inv := range a.Invalid {
		i := b.index(inv.ExternalID)
		if i < 0 {
			s.log.Error().Str("batch", b.plan.ID).Msg("init calls an item invalid that was not sent")
			s.ports.Metrics.unexplained("invalid_stranger")
			continue
		}
		r.Invalid = append(r.Invalid, schema.InvalidItem{Item: i, Code: inv.Code, Text: inv.Message})
	}
	if attempt == b.attempt {
		b.drive.answer = &r // to be written again if the journal does not take it
	}
	s.writeAt(b, attempt, r)
}

// index finds an item by its payout id, or returns -1.
func (b *batch) index(payoutID string) int {
	if b.byID == nil {
		b.byID = make(map[string]int, len(b.items))
		for i := range b.plan.Items {
			b.byID[b.plan.Items[i].PayoutID] = i
		}
	}
	if i, ok := b.byID[payoutID]; ok && b.items[i].owned {
		return i
	}
	return -1
}

// writeRefused ends an attempt that iyzico refused for good, or has people look
// at it: only a code that the configuration lists rejects anybody.
func (s *Shard) writeRefused(b *batch, err error) {
	why := &schema.Reason{Code: orElse(iyzico.CodeOf(err), "init_refused"), Text: err.Error()}
	if slices.Contains(s.cfg.RejectCodes, iyzico.CodeOf(err)) {
		s.write(b, schema.Record{Type: schema.RecRefused, Reason: why})
		return
	}
	why.Text += "; list the code in iyzico.rejectCodes if it rejects the items, or resume or cancel the batch"
	s.hold(b, schema.HoldRefused, why.Code, why.Text)
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// seek reads back by externalId whether an earlier init left a batch.
func (s *Shard) seek(b *batch) {
	p, ok := s.ports.Merchant(b.merchant)
	if !ok {
		return
	}
	asked := s.asking(b, fmt.Sprintf("seek %s after %v", b.externalID(), b.drive.refusal))
	by := iyzico.RetrieveRequest{ExternalID: b.externalID()}
	s.ask(b, "seek", func(ctx context.Context) func() {
		v, err := s.view(ctx, p, by)
		requestID := ""
		if err == nil && v.found {
			requestID, err = recoverRequestID(ctx, p, v)
		}
		return func() {
			overdue := asked >= s.cfg.Grace
			switch {
			case err != nil:
				s.again(b, s.cfg.Grace)
			case v.found:
				s.found(b, v, requestID, overdue)
			case !overdue:
				s.again(b, s.cfg.Grace/4)
			default:
				s.notFound(b)
			}
		}
	})
}

// found takes a batch over that an earlier init left.
func (s *Shard) found(b *batch, v view, requestID string, overdue bool) {
	status := see(v.batch.Status)
	switch {
	case status == sawTaken || status == sawUnfunded:
		// Nobody of ours can have authorised it: there was no requestId.
		s.hold(b, schema.HoldForeign, "authorised_elsewhere", fmt.Sprintf("iyzico shows %s before it was completed", v.batch.Status))
	case !v.lists(b) && !overdue:
		s.again(b, s.cfg.Grace/4)
	case !v.lists(b):
		s.hold(b, schema.HoldMismatch, "items_differ", "iyzico's items are not the ones that were sent")
	case requestID == "" && (status == sawInit || status == sawCanceled):
		// Not recoverable. Nothing can be authorised without a created that
		// counts, so no word from iyzico is needed.
		s.write(b, schema.Record{Type: schema.RecAbandoned, Reason: &schema.Reason{Code: "request_id_lost", Text: "init's answer was lost and iyzico does not tell the requestId"}})
	case requestID == "":
		s.again(b, s.cfg.Grace)
	default:
		a := iyzico.InitAnswer{RequestID: requestID}
		for _, it := range v.invalid {
			a.Invalid = append(a.Invalid, iyzico.InvalidItem{ExternalID: it.ExternalID, Code: "INVALID", Message: firstOf(it.Errors)})
		}
		s.writeCreated(b, b.attempt, b.externalID(), a)
	}
}

// notFound believes, after the grace period, that no earlier init left a batch.
func (s *Shard) notFound(b *batch) {
	d := &b.drive
	if d.refusal != nil && iyzico.KindOf(d.refusal) != iyzico.KindSeenBefore {
		refusal := d.refusal
		d.refusal, d.lost = nil, false
		s.writeRefused(b, refusal)
		return
	}
	if d.refusal != nil {
		s.log.Error().Str("batch", b.plan.ID).Str("code", iyzico.CodeOf(d.refusal)).Msg("init says it has seen this externalId and retrieve does not find it; trying both again")
	}
	d.lost, d.refusal, d.asked = false, nil, nil
	s.again(b, s.cfg.Grace)
}

// recoverRequestID finds the requestId of a batch that was found by externalId:
// on an item of the page or, as only iyzico's unmerged Java change documents,
// on the item itself.
func recoverRequestID(ctx context.Context, p Provider, v view) (string, error) {
	all := slices.Concat(v.valid, v.invalid)
	for _, it := range all {
		if it.RequestID != "" {
			return it.RequestID, nil
		}
	}
	for _, it := range all {
		if it.ReferenceCode == "" {
			continue
		}
		one, err := p.Item(ctx, it.ReferenceCode)
		if refused(err) {
			return "", nil
		}
		return one.RequestID, err
	}
	return "", nil
}

func firstOf(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	return texts[0]
}

// cancelOrphans cancels what ended attempts left at iyzico. No safety rests on
// it: an orphan can never be authorised by us. But iyzico may refuse an
// itemExternalId twice, and somebody might authorise an orphan by hand.
func (s *Shard) cancelOrphans(b *batch) {
	p, ok := s.ports.Merchant(b.merchant)
	if !ok {
		return
	}
	d := &b.drive
	i := slices.IndexFunc(b.orphans, func(id string) bool { return !d.orphans[id] })
	id := b.orphans[i]
	asked := s.asking(b, "orphan "+id)
	s.ask(b, "cancel orphan", func(ctx context.Context) func() {
		cancelled := p.Cancel(ctx, id)
		rep, err := p.Retrieve(ctx, iyzico.RetrieveRequest{RequestID: id, ItemType: iyzico.ItemsValid, Size: 1})
		return func() {
			status := see(rep.Batch.Status)
			switch {
			case err == nil && (status == sawTaken || status == sawUnfunded):
				s.ports.Metrics.unexplained("orphan_authorised")
				s.orphanDone(b, id)
				s.hold(b, schema.HoldForeign, "orphan_authorised", fmt.Sprintf("iyzico shows %s for requestId %s, which nobody of ours can have authorised", rep.Batch.Status, id))
			case err == nil && status == sawCanceled, asked >= s.cfg.Grace:
				if status != sawCanceled {
					s.log.Warn().AnErr("cancel", cancelled).Str("batch", b.plan.ID).Str("requestId", id).Msg("an orphaned batch at iyzico could not be cancelled; it can never be authorised by toplu")
				}
				s.orphanDone(b, id)
			default:
				s.again(b, s.cfg.Grace/4)
			}
		}
	})
}

func (s *Shard) orphanDone(b *batch, id string) {
	if b.drive.orphans == nil {
		b.drive.orphans = map[string]bool{}
	}
	b.drive.orphans[id] = true
}
