package oncall

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/toplu/toplu/iyzico"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// AuditIyzico is how iyzico's reports compare.
type AuditIyzico struct {
	Requests int `json:"requests"` // requestIds that were asked about
	Items    int `json:"items"`
	Pending  int `json:"pending"` // iyzico has answered, the log not yet
}

// compareBatch holds a batch against what iyzico shows of every requestId that
// the journal names: the live one and those that must be dead.
func (a *auditor) compareBatch(ctx context.Context, v *worker.BatchView, p *schema.Plan, statuses []schema.PayoutStatus) error {
	if a.options.Merchant == nil || len(v.Requests) == 0 {
		return nil
	}
	b := &batchAudit{auditor: a, view: v, plan: p, statuses: statuses, index: map[string]int{}, paidBy: map[string]string{}, references: map[string]string{}, listed: map[int]bool{}}
	provider, ok := a.options.Merchant(v.Merchant)
	if !ok {
		b.differ("", "merchant "+v.Merchant+" is not in the configuration: not compared")
		return nil
	}
	for i := range p.Items {
		if statuses[i] != "" {
			b.index[p.Items[i].PayoutID] = i
		}
	}
	for _, requestID := range slices.Sorted(maps.Keys(v.Requests)) {
		items, err := a.report(ctx, provider, iyzico.RetrieveRequest{RequestID: requestID})
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			b.differ("", "iyzico does not tell of requestId "+requestID+": "+err.Error())
			continue
		}
		a.out.Iyzico.Requests++
		b.request(requestID, items)
	}
	b.unlisted()
	return b.strangers(ctx, provider)
}

// strangers asks for the batch's attempts by the names that toplu gives them, and
// for one that it has not made: money may have moved under a requestId that the
// journal never heard of.
func (b *batchAudit) strangers(ctx context.Context, p worker.Provider) error {
	for attempt := 1; attempt <= b.view.Attempt+1; attempt++ {
		name := fmt.Sprintf("%s-%d", b.view.ID, attempt)
		items, err := b.report(ctx, p, iyzico.RetrieveRequest{ExternalID: name})
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case iyzico.KindOf(err) != iyzico.KindTraffic && iyzico.OutcomeOf(err) == iyzico.OutcomeRefused:
			continue // it has no such batch
		case err != nil:
			b.differ("", "iyzico does not tell of externalId "+name+": "+err.Error())
			continue
		}
		for i := range items {
			it := &items[i]
			if it.Status != iyzico.ItemSuccess {
				continue
			}
			if ref, paid := b.references[it.ExternalID]; !paid {
				b.differ(it.ExternalID, "iyzico shows it as paid under externalId "+name+", and under no requestId that the journal names")
			} else if ref != it.ReferenceCode {
				b.differ(it.ExternalID, "PAID TWICE: iyzico shows it as paid under externalId "+name+" as "+it.ReferenceCode+" too")
			}
		}
	}
	return nil
}

// report reads every valid item of a batch at iyzico.
func (a *auditor) report(ctx context.Context, p worker.Provider, of iyzico.RetrieveRequest) ([]iyzico.Item, error) {
	size := max(1, a.options.PageSize)
	var all []iyzico.Item
	for page := 0; ; page++ {
		var r iyzico.Report
		retry := backoff.NewExponentialBackOff(backoff.WithInitialInterval(200*time.Millisecond), backoff.WithMaxElapsedTime(20*time.Second))
		err := backoff.Retry(func() (err error) {
			of.ItemType, of.Page, of.Size = iyzico.ItemsValid, page, size
			if r, err = p.Retrieve(ctx, of); iyzico.OutcomeOf(err) == iyzico.OutcomeRefused && iyzico.KindOf(err) != iyzico.KindTraffic {
				return backoff.Permanent(err) // it knows the answer
			}
			return err
		}, backoff.WithContext(retry, ctx))
		if err != nil {
			return nil, err
		}
		all = append(all, r.Items...)
		if r.Size > 0 {
			size = min(size, r.Size)
		}
		if len(r.Items) < size || r.Total >= 0 && len(all) >= r.Total {
			return all, nil
		}
	}
}

// A batchAudit compares one batch.
type batchAudit struct {
	*auditor
	view       *worker.BatchView
	plan       *schema.Plan
	statuses   []schema.PayoutStatus
	index      map[string]int    // of the batch's own payouts
	references map[string]string // of the payouts that a requestId of the journal shows as paid
	paidBy     map[string]string // requestId that shows a payout as paid
	listed     map[int]bool      // in the live attempt's report
}

func (b *batchAudit) differ(payout, text string) {
	b.auditor.differ(Difference{Where: "iyzico", Shard: b.shard.Shard, BatchID: b.view.ID, PayoutID: payout, Text: text})
}

// request holds the items of one requestId against the log.
func (b *batchAudit) request(requestID string, items []iyzico.Item) {
	live := b.view.Gone && requestID == b.view.RequestID
	for i := range items {
		it := &items[i]
		b.out.Iyzico.Items++
		at, own := b.index[it.ExternalID]
		if !own {
			b.differ(it.ExternalID, "requestId "+requestID+" has an item that is not the batch's")
			continue
		}
		if it.Status == iyzico.ItemSuccess {
			if other, twice := b.paidBy[it.ExternalID]; twice {
				b.differ(it.ExternalID, "PAID TWICE: by requestId "+other+" and by "+requestID)
			}
			b.paidBy[it.ExternalID], b.references[it.ExternalID] = requestID, it.ReferenceCode
		}
		if int64(it.Amount) != b.plan.Items[at].Minor {
			b.differ(it.ExternalID, fmt.Sprintf("iyzico has %s, the plan %s %s", schema.FormatMinor(int64(it.Amount)), schema.FormatMinor(b.plan.Items[at].Minor), b.plan.Currency))
		}
		if !live {
			if settledAs(it.Status) != "" {
				b.differ(it.ExternalID, fmt.Sprintf("iyzico shows %s in requestId %s, an attempt that the log counts as never authorised or dead", it.Status, requestID))
			}
			continue
		}
		b.listed[at] = true
		b.item(it, b.statuses[at])
	}
}

// item holds a payout of the live attempt against its status.
func (b *batchAudit) item(it *iyzico.Item, ours schema.PayoutStatus) {
	theirs := settledAs(it.Status)
	switch {
	case theirs == ours, theirs == "" && !ours.Final(), ours == schema.Rejected && theirs == "", ours == schema.Cancelled && theirs == "":
	case theirs != "" && !b.view.Closed && ours.CanBecome(theirs):
		b.out.Iyzico.Pending++
	case ours == schema.Failed && theirs == "" && it.Status == iyzico.ItemCanceled: // cancelled in a batch that took
	default:
		b.differ(it.ExternalID, fmt.Sprintf("the log says %s, iyzico shows %s", ours, it.Status))
	}
}

// unlisted names payouts that the log has as paid and the report does not list.
func (b *batchAudit) unlisted() {
	for id, at := range b.index {
		if b.statuses[at] == schema.Paid && !b.listed[at] {
			b.differ(id, "the log says paid, iyzico's report of requestId "+b.view.RequestID+" does not list it")
		}
	}
}

// settledAs is the status that an item's word proves, "" if none.
func settledAs(s iyzico.ItemStatus) schema.PayoutStatus {
	switch s { //nolint:exhaustive // every other word proves nothing
	case iyzico.ItemSuccess:
		return schema.Paid
	case iyzico.ItemFailed:
		return schema.Failed
	case iyzico.ItemDepositSuccess:
		return schema.Returned
	case iyzico.ItemDepositFail:
		return schema.ReturnFailed
	}
	return ""
}
