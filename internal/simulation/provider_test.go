package simulation_test

import (
	"context"
	"slices"
	"time"

	"github.com/toplu/toplu/iyzico"
	"github.com/toplu/toplu/iyzico/iyzicotest"
)

// simProvider is the simulated iyzico as a worker.Provider at the gate, without
// HTTP between.
type simProvider struct {
	w   *world
	s   *session
	key string
}

func (p simProvider) call(ctx context.Context, kind class, op iyzicotest.Op, detail string) *call {
	return &call{s: p.s, class: kind, op: string(op), detail: detail, ctx: ctx, late: kind != asks, lost: func(sent bool) error {
		e := &iyzico.Error{Op: string(op)}
		if !sent && p.w.one(3) {
			e.Outcome = iyzico.OutcomeNotSent
		}
		return e
	}}
}

// trafficCodes are those of the design, rule 7.
var trafficCodes = []string{"1000", "1001", "1", "2", "100001", "2000", "9000", "50000"}

// judge says what an answer proves, as the design has it.
func (p simProvider) judge(op iyzicotest.Op, a *iyzicotest.Answer) error {
	e := &iyzico.Error{Op: string(op), HTTPStatus: a.HTTPStatus}
	if a.HTTPStatus >= 500 {
		e.Kind = iyzico.KindTraffic
	}
	switch {
	case a.Delivery == iyzicotest.Lost:
		e.HTTPStatus = 0
		return e
	case a.Delivery != iyzicotest.Whole:
		return e
	case a.Code == "":
		return nil
	}
	e.Code, e.Message, e.Outcome = a.Code, a.Message, iyzico.OutcomeRefused
	switch {
	case slices.Contains(p.w.p.seenBefore, a.Code):
		e.Kind = iyzico.KindSeenBefore
	case slices.Contains(trafficCodes, a.Code):
		e.Kind = iyzico.KindTraffic
	}
	return e
}

func (p simProvider) Init(ctx context.Context, r iyzico.InitRequest) (iyzico.InitAnswer, error) {
	return through(p.w, p.call(ctx, inits, iyzicotest.OpInit, r.ExternalID), func() (iyzico.InitAnswer, error) {
		if !p.w.calm && p.w.of(p.w.p.refuse, 1000) {
			return iyzico.InitAnswer{}, &iyzico.Error{Op: string(iyzicotest.OpInit), Outcome: iyzico.OutcomeRefused, Code: refusedForGood, Kind: iyzico.KindBatch}
		}
		to := iyzicotest.InitRequest{ExternalID: r.ExternalID, ConversationID: r.ConversationID, Purpose: string(r.Purpose)}
		for _, it := range r.Items {
			to.Items = append(to.Items, iyzicotest.InitItem{
				ItemExternalID: it.ExternalID, RecipientType: string(it.RecipientType), RecipientInfo: it.Recipient.Reveal(),
				RecipientName: it.RecipientName.Reveal(), Description: it.Description.Reveal(),
				Amount: iyzicotest.Amount{Value: iyzicotest.Money(it.Amount), Currency: string(it.Currency)},
			})
		}
		if opens := time.Duration(p.w.p.opens) * time.Minute; time.Since(p.w.began) < opens {
			p.w.trace.violate("init of %s before the merchant opens", r.ExternalID)
		}
		if !p.w.calm && p.w.of(p.w.p.garble, 1000) {
			p.garble(&to)
		}
		a := p.w.provider.Init(p.key, to)
		if err := p.judge(iyzicotest.OpInit, &a); err != nil {
			return iyzico.InitAnswer{}, err
		}
		out := iyzico.InitAnswer{RequestID: a.RequestID, ConversationID: a.ConversationID}
		for _, it := range a.InvalidItems {
			out.Invalid = append(out.Invalid, iyzico.InvalidItem{ExternalID: it.ExternalID, Code: it.ErrorCode, Message: it.ErrorMessage})
		}
		return out, nil
	})
}

// garble has iyzico take an init for another: an amount is wrong, or a line is
// missing.
func (p simProvider) garble(r *iyzicotest.InitRequest) {
	i := p.w.rnd.IntN(len(r.Items))
	if p.w.one(2) && len(r.Items) > 1 {
		r.Items = slices.Delete(r.Items, i, i+1)
		return
	}
	r.Items[i].Amount.Value++
}

func (p simProvider) Auth(ctx context.Context, requestID string) error {
	c := p.call(ctx, auths, iyzicotest.OpAuth, requestID)
	c.effect = func() error {
		a := p.w.provider.Auth(p.key, requestID)
		return p.judge(iyzicotest.OpAuth, &a)
	}
	return p.w.gate.pass(c)
}

func (p simProvider) Cancel(ctx context.Context, requestID string) error {
	c := p.call(ctx, cancels, iyzicotest.OpCancel, requestID)
	c.effect = func() error {
		a := p.w.provider.Cancel(p.key, requestID)
		return p.judge(iyzicotest.OpCancel, &a)
	}
	return p.w.gate.pass(c)
}

func (p simProvider) Retrieve(ctx context.Context, r iyzico.RetrieveRequest) (iyzico.Report, error) {
	c := p.call(ctx, asks, iyzicotest.OpRetrieve, r.RequestID+r.ExternalID+" "+string(r.ItemType))
	return through(p.w, c, func() (iyzico.Report, error) {
		a := p.w.provider.Retrieve(p.key, iyzicotest.RetrieveRequest{
			RequestID: r.RequestID, ExternalID: r.ExternalID, ItemType: string(r.ItemType), Page: r.Page, Size: r.Size,
		})
		if err := p.judge(iyzicotest.OpRetrieve, &a); err != nil {
			return iyzico.Report{}, err
		}
		out := iyzico.Report{Found: true, Page: a.Page, Size: a.Size, Total: a.Total, Batch: iyzico.Batch{
			ExternalID: a.Batch.ExternalID, Status: iyzico.BatchStatus(a.Batch.Status.String()), Currency: iyzico.Currency(a.Batch.Currency),
			Total: iyzico.Money(a.Batch.TotalAmount), TotalSuccessful: iyzico.Money(a.Batch.TotalSuccessfulAmount), TotalCommission: iyzico.Money(a.Batch.TotalCommissionAmount),
		}}
		for i := range a.Items {
			out.Items = append(out.Items, item(&a.Items[i]))
		}
		return out, nil
	})
}

func (p simProvider) Item(ctx context.Context, referenceCode string) (iyzico.Item, error) {
	return through(p.w, p.call(ctx, asks, iyzicotest.OpItem, referenceCode), func() (iyzico.Item, error) {
		a := p.w.provider.Item(p.key, referenceCode)
		if err := p.judge(iyzicotest.OpItem, &a); err != nil {
			return iyzico.Item{}, err
		}
		return item(&a.Items[0]), nil
	})
}

func (p simProvider) Balance(ctx context.Context) (iyzico.Money, error) {
	return through(p.w, p.call(ctx, asks, iyzicotest.OpBalance, ""), func() (iyzico.Money, error) {
		a := p.w.provider.Balance(p.key)
		return iyzico.Money(a.Balance), p.judge(iyzicotest.OpBalance, &a)
	})
}

func item(it *iyzicotest.Item) iyzico.Item {
	out := iyzico.Item{
		ExternalID: it.ItemExternalID, ReferenceCode: it.ReferenceCode, RequestID: it.RequestID,
		RecipientType: iyzico.RecipientType(it.RecipientType), Recipient: iyzico.Private(it.RecipientInfo),
		RecipientName: iyzico.Private(it.RecipientName), Description: iyzico.Private(it.Description),
		Status: iyzico.ItemStatus(it.Status.String()), Amount: iyzico.Money(it.Amount), Commission: iyzico.Money(it.Commission),
		Currency: iyzico.Currency(it.Currency),
	}
	if it.ErrorMessage != "" {
		out.Errors = []string{it.ErrorMessage}
	}
	return out
}
