package probe

import (
	"context"
	"errors"
	"fmt"

	"github.com/toplu/toplu/iyzico"
)

// cancelThenAuth tries the assumption that all of toplu's safety ends in: a
// batch that is read back as cancelled is dead.
func (p *Probe) cancelThenAuth(ctx context.Context) ([]Finding, error) {
	requestID, err := p.batch(ctx, "h", 1)
	if err != nil {
		return nil, err
	}
	if err := p.Client.Cancel(ctx, requestID); err != nil {
		return nil, err
	}
	dead := func(r *iyzico.Report) bool {
		return shown(r) && r.Batch.Status == iyzico.BatchCanceled && cancelled(r) == len(r.Items)
	}
	if _, err := p.await(ctx, requestID, dead); err != nil {
		return nil, fmt.Errorf("cancel was taken, but it does not show: %w", err)
	}
	f := Finding{Question: "auth of a cancelled batch"}
	authErr := p.Client.Auth(ctx, requestID)
	report, err := p.await(ctx, requestID, func(r *iyzico.Report) bool { return shown(r) && !dead(r) })
	switch {
	case err == nil:
		f.Answer = fmt.Sprintf("it lives again: %s", report.Batch.Status)
		f.Open = true
		f.Means = "STOP: toplu must not be used. A batch read back as CANCELED has to stay dead, for payouts are sent again after it."
	case !errors.Is(err, errWait):
		return nil, err
	case authErr == nil:
		f.Answer = "success, and the batch stays CANCELED"
		f.Means = "The first assumption of the README holds; nothing to set."
	default:
		f.Answer, f.Setting = authErr.Error()+"; the batch stays CANCELED", "unknownRequest=failure"
		if e, ok := errors.AsType[*iyzico.Error](authErr); ok && e.HTTPStatus == 404 {
			f.Setting = "unknownRequest=http404"
		}
		f.Means = "The first assumption of the README holds; nothing to set."
	}
	return []Finding{f}, nil
}

// authThenCancel cancels a batch right after its auth, and one whose auth shows.
func (p *Probe) authThenCancel(ctx context.Context) ([]Finding, error) {
	at, err := p.cancelAfter(ctx, "j", "cancel right after auth", false)
	if err != nil {
		return nil, err
	}
	if at.Open { // for want of money
		return []Finding{at}, nil
	}
	later, err := p.cancelAfter(ctx, "k", "cancel once the auth shows", true)
	if err != nil {
		return []Finding{at}, err
	}
	return []Finding{at, later}, nil
}

// several is how many payouts a batch has that may be cancelled in part.
const several = 4

func (p *Probe) cancelAfter(ctx context.Context, name, question string, wait bool) (Finding, error) {
	f := Finding{Question: question}
	requestID, err := p.batch(ctx, name, several)
	if err != nil {
		return f, err
	}
	authErr := p.Client.Auth(ctx, requestID)
	if authErr != nil && iyzico.OutcomeOf(authErr) != iyzico.OutcomeRefused {
		return f, authErr
	}
	if poor, err := p.refusedForMoney(ctx, requestID, authErr, several*lira); poor || err != nil {
		return refusedForMoney(question, authErr), err
	}
	if wait {
		if _, err := p.await(ctx, requestID, moved); err != nil {
			return f, err
		}
	}
	cancelErr := p.Client.Cancel(ctx, requestID)
	report, err := p.await(ctx, requestID, settled)
	if err != nil {
		return f, err
	}
	n := cancelled(&report)
	f.Answer = fmt.Sprintf("success, and %d of %d payouts are cancelled; the batch is %s", n, len(report.Items), report.Batch.Status)
	if cancelErr != nil {
		f.Answer = fmt.Sprintf("%v; the batch is %s", cancelErr, report.Batch.Status)
	}
	f.Means = "toplu goes by what it reads back, never by the answer to cancel; nothing to set."
	switch {
	case cancelErr != nil:
		f.Setting = "cancelAfterAuth=failure"
	case n == 0:
		f.Setting = "cancelAfterAuth=noop"
	case n == len(report.Items) && !wait:
		f.Setting = "authVisibleAfter=1s" // or any other time
		f.Means = "An auth takes effect later, and a cancel in between wins, as toplu's fence hopes; nothing to set."
	default:
		f.Setting = "cancelAfterAuth=partial"
	}
	return f, nil
}

// refusedForMoney reports whether an auth was refused as there is not enough
// money: the balance is too small, and the batch stays to be authorised.
func (p *Probe) refusedForMoney(ctx context.Context, requestID string, authErr error, needed iyzico.Money) (bool, error) {
	if authErr == nil {
		return false, nil
	}
	balance, err := p.Client.Balance(ctx)
	if err != nil || balance >= needed {
		return false, err
	}
	_, err = p.await(ctx, requestID, moved)
	if errors.Is(err, errWait) {
		return true, nil
	}
	return false, err
}

// refusedForMoney is the finding then.
func refusedForMoney(question string, authErr error) Finding {
	return Finding{
		Question: question, Answer: fmt.Sprintf("auth is refused for want of money, and the batch stays INIT: %v", authErr), Setting: "balanceCheck=at-auth",
		Means: "Not found out: put money on the sandbox account and probe again.", Open: true,
	}
}

// paidAgain repeats the id of a payout that was paid.
func (p *Probe) paidAgain(ctx context.Context, report *iyzico.Report) (Finding, error) {
	f := Finding{Question: "an itemExternalId that was paid"}
	if report.Items[0].Status != iyzico.ItemSuccess {
		f.Answer, f.Open = "the payout was not paid: "+string(report.Items[0].Status), true
		f.Means = "Not found out: give a recipient that can be paid with --recipient."
		return f, nil
	}
	again, err := p.init(ctx, "n", p.item("mi0", lira))
	switch {
	case err != nil && iyzico.OutcomeOf(err) != iyzico.OutcomeRefused:
		return f, err
	case err != nil:
		f.Answer = err.Error()
	case len(again.Invalid) > 0:
		f.Answer = "invalid: code " + again.Invalid[0].Code
	default:
		f.Answer, f.Setting = "taken again", "repeatedItem=accept"
		f.Means = "iyzico does not keep a payout id from being paid twice: toplu's claims do; nothing to set."
		return f, nil
	}
	f.Means = "iyzico itself keeps a payout id from being paid twice; nothing to set."
	return f, nil
}

// authTwice authorises a batch again when it is paid, and looks at the balance.
func (p *Probe) authTwice(ctx context.Context) ([]Finding, error) {
	requestID, err := p.batch(ctx, "m", 1)
	if err != nil {
		return nil, err
	}
	firstErr := p.Client.Auth(ctx, requestID)
	if poor, err := p.refusedForMoney(ctx, requestID, firstErr, lira); poor || err != nil {
		return []Finding{refusedForMoney("auth twice", firstErr)}, err
	}
	report, err := p.await(ctx, requestID, settled)
	if err != nil {
		return nil, err
	}
	honest := Finding{Question: "the answer to auth", Answer: "success, and the batch goes on", Setting: "authAnswer=honest", Means: "Nothing to set."}
	if firstErr != nil {
		honest.Answer, honest.Setting = firstErr.Error()+"; the batch goes on all the same", "authAnswer=failure"
		honest.Means = "toplu takes no answer to auth for a refusal; nothing to set."
	}
	f := Finding{Question: "auth twice"}
	if broke(&report) {
		f.Answer = "the balance is too small: " + string(report.Batch.Status)
		f.Setting, f.Means, f.Open = "balanceCheck=worker", "Not found out: put money on the sandbox account and probe again.", true
		return []Finding{honest, f, p.cancelUnfunded(ctx, requestID)}, nil
	}
	before, err := p.Client.Balance(ctx)
	if err != nil {
		return []Finding{honest}, err
	}
	secondErr := p.Client.Auth(ctx, requestID)
	// A second payment has as long to show as a first one had.
	left, err := p.awaitBalance(ctx, before)
	if err != nil {
		return []Finding{honest}, err
	}
	switch {
	case left != before:
		f.Answer, f.Setting = fmt.Sprintf("the balance fell by %s more", before-left), "secondAuth=pays-again"
		f.Means = "The worst answer: a second auth pays again. toplu sends auth once per attempt, ever; nothing to set. Look at the account: this cannot be told from another payment."
	case secondErr != nil:
		f.Answer, f.Setting, f.Means = secondErr.Error(), "secondAuth=failure", "toplu sends auth once per attempt, ever; nothing to set."
	default:
		f.Answer, f.Setting = "success, and the balance stays", "secondAuth=success"
		f.Means = "toplu sends auth once per attempt, ever; nothing to set. A balance that never moves proves little: look at the account."
	}
	again, err := p.paidAgain(ctx, &report)
	if err != nil {
		return []Finding{honest, f}, err
	}
	return []Finding{honest, f, again}, nil
}

// awaitBalance returns the balance as soon as it differs, or when time is up.
func (p *Probe) awaitBalance(ctx context.Context, before iyzico.Money) (iyzico.Money, error) {
	looks := max(1, int(p.Wait/max(p.Poll, 1))/4)
	for range looks {
		now, err := p.Client.Balance(ctx)
		if err != nil || now != before {
			return now, err
		}
		if err := pause(ctx, p.Poll); err != nil {
			return now, err
		}
	}
	return before, nil
}

// cancelUnfunded cancels a batch that waits for money.
func (p *Probe) cancelUnfunded(ctx context.Context, requestID string) Finding {
	f := Finding{Question: "cancel for want of money", Answer: "success", Setting: "cancelUnfunded=accept", Means: "toplu goes by what it reads back; nothing to set."}
	if err := p.Client.Cancel(ctx, requestID); err != nil {
		f.Answer, f.Setting = err.Error(), "cancelUnfunded=refuse"
		f.Means = "A batch without money cannot be cancelled: its payouts stay unknown until there is money, or iyzico helps."
	}
	return f
}
