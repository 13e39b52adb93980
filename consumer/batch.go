package consumer

import (
	"cmp"
	"slices"
	"time"

	"github.com/toplu/toplu/schema"
)

// A key is what the items of a batch have in common.
type key struct {
	merchant, purpose string
	currency          schema.Currency
	shard             int
}

// A batch is a plan that is being filled, or waits to be written.
type batch struct {
	key     key
	policy  Policy
	due     time.Time // when it is sealed at the latest
	begins  time.Time // its plan's NotBefore; zero: none
	items   []schema.PlanItem
	places  []place     // of the items
	added   []time.Time // when each item was; nil when nothing is traced
	amount  int64       // minor units
	bytes   int         // upper bound of the record's size
	sealed  bool
	written bool
	id      string   // of its plan, once it is written
	noKey   error    // why it could not be sealed, the last time
	behind  []*event // decided about when it is in the log
}

// A pending is a payout id in a batch that is not in the log yet.
type pending struct {
	batch   *batch
	content schema.Digest
}

// Why a batch was sealed; a label of the metrics.
const (
	byItems  = "items"
	byAmount = "amount"
	byBytes  = "bytes"
	byAge    = "age"
	byRoom   = "room"     // too many open batches or unanswered requests
	byRival  = "conflict" // another request for one of its ids has come
	byCancel = "cancel"   // the cancel of one of its ids has come
	byEnd    = "end"      // the run ends
)

// add puts a request whose id nobody owns into the batch of its kind.
func (r *run) add(e *event) {
	q := &e.request.Request
	k := key{merchant: q.Merchant, purpose: q.Purpose, currency: q.Amount.Currency, shard: e.shard}
	item := e.item()
	_, open := r.ports.Seal.(inClear)
	size := itemSize(&item, !open)
	b := r.open[k]
	if b != nil {
		if why := b.overflows(q.Amount.Minor, size); why != "" {
			r.seal(b, why)
			b = nil
		}
	}
	if b == nil {
		b = r.begin(k)
	}
	if n := len(b.items); n == cap(b.items) {
		// More than append would take: a batch that is not small is full soon.
		more := min(max(16, 3*n), max(1, b.policy.MaxItems-n))
		b.items, b.places = slices.Grow(b.items, more), slices.Grow(b.places, more)
	}
	b.items = append(b.items, item)
	b.places = append(b.places, e.place)
	b.amount += q.Amount.Minor
	b.bytes += size
	if r.cfg.Tracer != nil {
		b.added = append(b.added, r.cfg.Now())
	}
	r.pending[q.PayoutID] = pending{b, e.content}
	switch {
	case len(b.items) >= b.policy.MaxItems:
		r.seal(b, byItems)
	case b.policy.MaxAmount > 0 && b.amount >= b.policy.MaxAmount:
		r.seal(b, byAmount)
	}
}

// overflows says which limit one more item would break, "" if none.
func (b *batch) overflows(minor int64, size int) string {
	switch {
	case b.policy.MaxAmount > 0 && b.amount+minor > b.policy.MaxAmount:
		return byAmount
	case b.bytes+size > b.policy.MaxBytes:
		return byBytes
	}
	return ""
}

// begin opens a batch, and makes room for it.
func (r *run) begin(k key) *batch {
	if len(r.open) >= r.cfg.MaxOpen {
		r.seal(r.oldest(), byRoom)
	}
	now := r.cfg.Now()
	b := &batch{key: k, policy: r.cfg.policy(k.merchant), bytes: headSize(k)}
	b.due = now.Add(b.policy.MaxWait)
	if cut := b.policy.CutOff; cut != nil {
		// What came before the cut-off is not to wait for the next day.
		var closes time.Time
		if b.begins, closes = cut.At(now); b.begins.IsZero() && closes.Before(b.due) {
			b.due = closes
		}
	}
	r.open[k] = b
	i, _ := slices.BinarySearchFunc(r.order, b.due, func(other *batch, due time.Time) int {
		return cmp.Or(other.due.Compare(due), -1) // behind those that are due at the same time
	})
	r.order = slices.Insert(r.order, i, b)
	return b
}

// oldest is the open batch that is due first, nil if none is.
func (r *run) oldest() *batch {
	if len(r.order) == 0 {
		return nil
	}
	return r.order[0]
}

// seal closes a batch. It is written with the next flush.
func (r *run) seal(b *batch, why string) {
	if b.sealed {
		return
	}
	b.sealed = true
	delete(r.open, b.key)
	r.order = slices.DeleteFunc(r.order, func(other *batch) bool { return other == b })
	r.ready = append(r.ready, b)
	r.cfg.Metrics.sealed(why, len(b.items))
}

// sealAged seals the batches whose first item has waited long enough.
func (r *run) sealAged() {
	for b := r.oldest(); b != nil && !r.cfg.Now().Before(b.due); b = r.oldest() {
		r.seal(b, byAge)
	}
}

// sealAll seals every open batch.
func (r *run) sealAll(why string) {
	for b := r.oldest(); b != nil; b = r.oldest() {
		r.seal(b, why)
	}
}

// plan is the batch as the log gets it.
func (b *batch) plan(now time.Time) *schema.Plan {
	p := &schema.Plan{Merchant: b.key.merchant, Purpose: b.key.purpose, Currency: b.key.currency, At: now, NotBefore: b.begins, Items: b.items}
	p.ID = schema.PlanID(p)
	return p
}
