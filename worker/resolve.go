package worker

import (
	"context"
	"fmt"
	"slices"

	"github.com/toplu/toplu/iyzico"
	"github.com/toplu/toplu/schema"
)

// A sighting is what iyzico says to a person's word about a requestId.
type sighting struct {
	requestID     string // that it was asked about
	contradiction string // "": it does not speak against it, or says nothing
}

// hear asks iyzico about the requestId that a person's word is about. A word counts
// only beside a sighting: of a batch that is still being read there is none yet, and
// it is asked about again.
func (s *Shard) hear(ctx context.Context, c *schema.Command) (seen sighting, err error) {
	var p Provider
	if err := s.hand(ctx, func() {
		if b := s.batches[c.Plan]; b != nil && b.plan != nil && b.disputed() {
			p, _ = s.ports.Merchant(b.merchant)
			seen.requestID = c.RequestID
		}
	}); err != nil || p == nil || seen.requestID == "" {
		return seen, err
	}
	v, err := s.sight(ctx, p, seen.requestID, true)
	if err != nil || !v.found {
		return seen, nil //nolint:nilerr // iyzico says nothing: the person's evidence is all there is
	}
	seen.contradiction = contradicts(c, &v)
	return seen, nil
}

// contradicts says how what iyzico shows speaks against a person's verdict, ""
// if it does not. A batch that shows INIT is never dead: auth may still come.
func contradicts(c *schema.Command, v *view) string {
	said := map[string]schema.PayoutStatus{}
	for _, w := range c.Items {
		said[w.PayoutID] = w.Status
	}
	moves, cancelled := 0, 0
	for _, it := range v.valid {
		if word := said[it.ExternalID]; word == schema.Failed && it.Status == iyzico.ItemSuccess || word == schema.Paid && (it.Status == iyzico.ItemFailed || it.Status == iyzico.ItemDepositSuccess || it.Status == iyzico.ItemDepositFail) {
			return fmt.Sprintf("iyzico shows %s as %s", it.ExternalID, it.Status)
		}
		if moved(it.Status) {
			moves++
		}
		if it.Status == iyzico.ItemCanceled {
			cancelled++
		}
	}
	status := see(v.batch.Status)
	switch {
	case c.Verdict == schema.VerdictDead && (status == sawTaken || moves > 0):
		return "iyzico shows " + string(v.batch.Status) + ": it took"
	case c.Verdict == schema.VerdictDead && status == sawInit:
		return "iyzico shows INIT: auth may still come; cancel the batch at iyzico first"
	case c.Verdict != schema.VerdictDead && status == sawCanceled && cancelled == len(v.valid):
		return "iyzico shows CANCELED with every item cancelled: it is dead"
	}
	return ""
}

// disputed reports whether anything is left to a person's word.
func (b *batch) disputed() bool { return b.unknown != nil || b.foreign() }

// obeyResolve makes a record of a person's word on the batch's outcome, where
// nothing else is left to decide.
func (b *batch) obeyResolve(c *schema.Command, why *schema.Reason, contradiction string) *schema.Record {
	switch {
	case !b.disputed():
		return noted("not_unknown", "iyzico's answer stands, or is not overdue: nothing is left to a person")
	case b.winner == "":
		return noted("no_request", "no attempt of the batch has a requestId that a word could be about; resume it when iyzico's people have cancelled what iyzico shows")
	case c.Attempt != b.attempt || c.RequestID != b.winner:
		// What follows an attempt that the person saw may be paid already.
		return noted("other_attempt", fmt.Sprintf("the word is about attempt %d (requestId %s), and the batch is in attempt %d (requestId %s) by now: look at it again", c.Attempt, orElse(c.RequestID, "none"), b.attempt, b.winner))
	case contradiction != "":
		return noted("contradicted", contradiction)
	}
	items, unfit := b.words(c.Items)
	if unfit != "" {
		return noted("no_such_item", unfit)
	}
	why.Text = c.Evidence
	return &schema.Record{Type: schema.RecDecided, Verdict: c.Verdict, Attempt: b.attempt, RequestID: b.winner, Items: items, Reason: why}
}

// words are a person's words on items as a record has them, or why one cannot be.
func (b *batch) words(all []schema.ItemWord) (items []schema.ItemChange, unfit string) {
	for _, w := range all {
		i := slices.IndexFunc(b.plan.Items, func(it schema.PlanItem) bool { return it.PayoutID == w.PayoutID })
		if i < 0 || !b.items[i].owned || !b.valid(i) {
			return nil, w.PayoutID + " is not in this attempt of the batch"
		}
		if !b.open(i) && b.items[i].status != w.Status {
			return nil, w.PayoutID + " is " + string(b.items[i].status)
		}
		items = append(items, schema.ItemChange{Item: i, Status: w.Status, Code: "decided", Text: "a person's word"})
	}
	return items, ""
}
