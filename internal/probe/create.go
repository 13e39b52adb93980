package probe

import (
	"context"
	"fmt"

	"github.com/toplu/toplu/iyzico"
)

// externalIDTwice repeats an init, with the same content and with another.
func (p *Probe) externalIDTwice(ctx context.Context) ([]Finding, error) {
	first, err := p.init(ctx, "a", p.item("ai0", lira))
	if err != nil {
		return nil, err
	}
	var all []Finding
	for _, again := range []struct {
		question, setting string
		amount            iyzico.Money
	}{
		{"init twice with one externalId and the same content", "duplicateExternalId", lira},
		{"init twice with one externalId and another amount", "duplicateOther", 2 * lira},
	} {
		f := Finding{Question: again.question}
		second, err := p.init(ctx, "a", p.item("ai0", again.amount))
		switch {
		case err != nil && iyzico.OutcomeOf(err) == iyzico.OutcomeRefused:
			f.Answer, f.Setting = err.Error(), again.setting+"=reject"
			f.Means = "toplu takes the refusal for what it is if iyzico.seenBeforeCodes has the code."
			if code := iyzico.CodeOf(err); code != "" {
				f.Means = fmt.Sprintf("Set iyzico.seenBeforeCodes: [%s]: a batch whose init was answered and the answer lost is then found at once.", code)
			}
		case err != nil:
			return all, err
		case second.RequestID == first.RequestID:
			f.Answer, f.Setting = "the first requestId again", again.setting+"=replay"
			f.Means = "The kindest answer: nothing to set."
		default:
			f.Answer, f.Setting = "a second requestId", again.setting+"=second"
			f.Means = "The worst answer: a repeated init makes a second batch. toplu authorises only the one that its journal names first; nothing to set."
		}
		all = append(all, f)
	}
	return all, nil
}

// itemTwice repeats payouts' ids: in one batch, and of an earlier batch that was
// cancelled and of one that still stands.
func (p *Probe) itemTwice(ctx context.Context) ([]Finding, error) {
	within := Finding{Question: "an itemExternalId twice in one init"}
	a, err := p.init(ctx, "b", p.item("bi0", lira), p.item("bi0", lira))
	switch {
	case err != nil && iyzico.OutcomeOf(err) == iyzico.OutcomeRefused:
		within.Answer, within.Setting = err.Error(), "duplicateItem=reject"
	case err != nil:
		return nil, err
	case len(a.Invalid) > 0:
		within.Answer, within.Setting = "invalid items: code "+a.Invalid[0].Code, "duplicateItem=invalid"
	default:
		within.Answer, within.Setting = "both are taken", "duplicateItem=accept"
	}
	within.Means = "toplu never sends one twice in a batch; nothing to set."

	gone, err := p.batch(ctx, "c", 1)
	if err != nil {
		return []Finding{within}, err
	}
	if err := p.Client.Cancel(ctx, gone); err != nil {
		return []Finding{within}, err
	}
	if _, err := p.await(ctx, gone, func(r *iyzico.Report) bool { return shown(r) && cancelled(r) == 1 }); err != nil {
		return []Finding{within}, err
	}
	if _, err := p.batch(ctx, "d", 1); err != nil {
		return []Finding{within}, err
	}
	again, err := p.init(ctx, "e", p.item("ci0", lira), p.item("di0", lira))
	if err != nil {
		return []Finding{within}, err
	}
	refused := map[string]bool{}
	for _, i := range again.Invalid {
		refused[i.ExternalID] = true
	}
	f := Finding{Question: "an itemExternalId of an earlier batch"}
	switch afterCancel, standing := refused[p.id("ci0")], refused[p.id("di0")]; {
	case afterCancel && standing:
		f.Answer, f.Setting = "invalid, even if the earlier batch was cancelled", "repeatedItem=invalid"
		f.Means = "After a batch has died its payouts cannot be sent again: they end as rejected, and need new ids."
	case standing:
		f.Answer, f.Setting = "invalid until the earlier batch is cancelled", "repeatedItem=unless-cancelled"
		f.Means = "iyzico itself keeps a payout from being paid twice. toplu cancels a dead attempt before the next one; nothing to set."
	case afterCancel:
		f.Answer = "invalid only after the earlier batch was cancelled"
		f.Means, f.Open = "Not expected: ask iyzico.", true
	default:
		f.Answer, f.Setting = "taken again", "repeatedItem=accept"
		f.Means = "iyzico does not keep a payout id from being paid twice: toplu's claims do; nothing to set."
	}
	return []Finding{within, f}, nil
}
