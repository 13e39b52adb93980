package worker

import (
	"time"

	"github.com/toplu/toplu/schema"
)

// A refusal says why a record does not count; "" is a record that counts.
type refusal string

const (
	counts        refusal = ""
	otherAttempt  refusal = "another attempt is current"
	otherRequest  refusal = "another requestId won"
	tooLate       refusal = "it came after the point of no return"
	tooEarly      refusal = "nothing has been completed"
	alreadyThere  refusal = "an earlier one counted"
	staleRequest  refusal = "an earlier attempt named this requestId"
	isHeld        refusal = "the batch is held"
	isPaused      refusal = "payouts are paused"
	notFenced     refusal = "no fencing came before it"
	notUnknown    refusal = "the outcome is not unknown"
	moneyMoved    refusal = "a report showed that money moved"
	nothingToDo   refusal = "it changes nothing"
	dealtWith     refusal = "the command was dealt with before"
	alreadyClosed refusal = "the batch is closed"
)

// apply folds the journal record at offset into the batch. paused tells whether
// a pause of its merchant stood at that place of the log. It returns why the
// record does not count, if so. A record is judged here, once, and never again.
//
// This switch is the second column of the table in doc.go. Before a rule is
// changed, the model check has a counterexample for it.
func (b *batch) apply(offset int64, r *schema.Record, paused bool) refusal {
	b.check(r)
	why := b.fold(offset, r, paused)
	if why == counts || r.Type == schema.RecCreated {
		// What is read again from a checkpoint is judged without what stood
		// around it, so only what did something is listed: a void completing
		// would count there once its pause is forgotten. A void created leaves
		// an orphan.
		b.records = append(b.records, offset)
	}
	return why
}

func (b *batch) fold(offset int64, r *schema.Record, paused bool) refusal {
	switch r.Type {
	case schema.RecCreating:
		return b.applyCreating(r)
	case schema.RecCreated:
		return b.applyCreated(offset, r)
	case schema.RecRefused:
		return b.applyRefused(offset, r)
	case schema.RecAbandoned:
		if r.Attempt != b.attempt {
			return otherAttempt
		}
		if b.phase >= completing {
			return tooLate
		}
		if b.foreign() {
			return isHeld // somebody else authorised it: people
		}
		b.endAttempt()
		return counts
	case schema.RecCompleting:
		return b.applyCompleting(r, paused)
	case schema.RecCompleted:
		if why := b.live(r); why != counts {
			return why
		}
		if b.phase == completed && b.unknown == nil {
			return alreadyThere
		}
		b.submit(r.At)
		return counts
	case schema.RecFencing:
		if why := b.live(r); why != counts {
			return why
		}
		b.fenced = true
		return counts
	case schema.RecDead:
		if why := b.live(r); why != counts {
			return why
		}
		if !b.fenced {
			return notFenced
		}
		return b.die(r)
	case schema.RecSettled:
		return b.applySettled(r)
	case schema.RecUnknown:
		return b.applyUnknown(r)
	case schema.RecHeld:
		b.holds[offset] = &hold{kind: r.Hold, reason: *r.Reason, by: r.By}
		b.weighed = b.weighed || r.Hold == schema.HoldLimit
		return counts
	case schema.RecResumed:
		return b.applyResumed(r)
	case schema.RecCancel:
		return b.applyCancel(r)
	case schema.RecDecided:
		return b.applyDecided(r)
	case schema.RecClosed:
		if b.closed {
			return alreadyClosed
		}
		if !b.settled() {
			return nothingToDo
		}
		b.closed = true
		return counts
	case schema.RecNoted:
		return nothingToDo
	case schema.RecGenesis, schema.RecEpoch, schema.RecCheckpoint, schema.RecPaused, schema.RecQuarantined, schema.RecFloor:
	}
	panic(&ImpossibleError{b.plan.ID, "a record of type " + string(r.Type) + " names a batch"})
}

// check refuses a record that names items the plan does not have.
func (b *batch) check(r *schema.Record) {
	bad := func(i int) bool { return i < 0 || i >= len(b.items) || !b.items[i].owned }
	for _, i := range r.Only {
		if bad(i) {
			panic(&ImpossibleError{b.plan.ID, "a cancel names an item that is not the batch's"})
		}
	}
	for _, inv := range r.Invalid {
		if bad(inv.Item) {
			panic(&ImpossibleError{b.plan.ID, "a created names an item that is not the batch's"})
		}
	}
	for _, c := range r.Items {
		if bad(c.Item) {
			panic(&ImpossibleError{b.plan.ID, "a settled names an item that is not the batch's"})
		}
	}
}

// live reports whether r speaks of an attempt past its point of no return.
func (b *batch) live(r *schema.Record) refusal {
	switch {
	case r.Attempt != b.attempt:
		return otherAttempt
	case !b.inAttempt(r):
		return otherRequest
	case b.phase < completing:
		return tooEarly
	}
	return counts
}

func (b *batch) applyCreating(r *schema.Record) refusal {
	if r.Attempt != b.attempt {
		return otherAttempt
	}
	if b.phase != planned {
		return alreadyThere
	}
	b.phase, b.creator = creating, r.Session
	return counts
}

func (b *batch) applyCreated(offset int64, r *schema.Record) refusal {
	first, seen := b.named[r.RequestID]
	if !seen {
		b.named[r.RequestID] = r.Attempt
	}
	if r.Attempt != b.attempt {
		b.orphan(r.RequestID)
		return otherAttempt
	}
	if seen && first < r.Attempt {
		return staleRequest
	}
	if b.phase >= created {
		if r.RequestID != b.winner {
			b.orphan(r.RequestID)
		}
		return alreadyThere
	}
	b.phase, b.winner = created, r.RequestID
	var tookEarlier []int
	for _, inv := range r.Invalid {
		if !b.items[inv.Item].carried {
			continue
		}
		b.items[inv.Item].invalid = true
		if b.items[inv.Item].took {
			// An earlier attempt took it and was proven dead; that init now calls
			// it invalid is a contradiction for people, not a rejection.
			tookEarlier = append(tookEarlier, inv.Item)
			continue
		}
		b.move(inv.Item, schema.Rejected, &schema.Reason{Code: inv.Code, Text: inv.Text}, r.At)
	}
	if len(tookEarlier) > 0 {
		b.holds[offset] = &hold{
			kind: schema.HoldRefused, items: tookEarlier,
			reason: schema.Reason{Code: "invalid_after_submitted", Text: "init refuses an item that an earlier attempt took; cancel the item to go on"},
		}
	}
	return counts
}

func (b *batch) applyRefused(offset int64, r *schema.Record) refusal {
	if r.Attempt != b.attempt {
		return otherAttempt
	}
	if b.phase >= created {
		return alreadyThere
	}
	if b.count(func(i int) bool { return b.items[i].carried && b.items[i].took }) > 0 {
		b.holds[offset] = &hold{kind: schema.HoldRefused, reason: *r.Reason}
		return counts
	}
	for i := range b.items {
		if b.items[i].carried {
			b.move(i, schema.Rejected, r.Reason, r.At)
			b.items[i].carried = false
		}
	}
	return counts
}

func (b *batch) applyCompleting(r *schema.Record, paused bool) refusal {
	switch {
	case r.Attempt != b.attempt:
		return otherAttempt
	case !b.inAttempt(r):
		return otherRequest
	case b.phase >= completing:
		return alreadyThere
	case len(b.holds) > 0:
		return isHeld
	case paused:
		return isPaused
	}
	b.phase, b.completer = completing, r.Session
	return counts
}

// submit marks that iyzico took the attempt.
func (b *batch) submit(at time.Time) {
	b.phase, b.unknown = completed, nil
	for i := range b.items {
		if b.valid(i) && b.open(i) && b.items[i].status != schema.Submitted {
			b.move(i, schema.Submitted, nil, at)
			b.items[i].took = true
		}
	}
}

// die ends an attempt that is proven dead, and lets the cancels that waited for
// it take effect.
func (b *batch) die(r *schema.Record) refusal {
	if b.took {
		return moneyMoved
	}
	for i := range b.items {
		if b.items[i].status == schema.Submitted {
			b.move(i, schema.Unknown, &schema.Reason{Code: "attempt_dead", Text: "iyzico cancelled this attempt; the next one follows"}, r.At)
		}
		if b.items[i].withdrawn && b.open(i) {
			b.move(i, schema.Cancelled, &schema.Reason{Code: "cancelled", Text: "cancelled while an attempt was under way that died"}, r.At)
		}
	}
	b.winner = "" // proven dead: nothing is left to cancel
	b.endAttempt()
	return counts
}

// applySettled joins what a report showed: only forward along the arrows, so
// that an older report changes nothing.
func (b *batch) applySettled(r *schema.Record) refusal {
	if why := b.live(r); why != counts {
		return why
	}
	changed := b.phase < completed || b.unknown != nil
	b.submit(r.At)
	if !b.join(r) && !changed {
		return nothingToDo
	}
	return counts
}

// join takes over what a record says of items of an attempt that took, and reports
// whether it changed anything.
func (b *batch) join(r *schema.Record) (changed bool) {
	for _, c := range r.Items {
		it := &b.items[c.Item]
		if !b.valid(c.Item) {
			panic(&ImpossibleError{b.plan.ID, "a report settles an item that the attempt does not carry"})
		}
		if c.Reference != "" {
			it.reference = c.Reference
		}
		if c.Commission != nil {
			it.fee = c.Commission
		}
		if c.Status == schema.Paid {
			b.took = true
		}
		var why *schema.Reason
		if c.Code != "" || c.Text != "" {
			why = &schema.Reason{Code: c.Code, Text: c.Text}
		}
		if (c.Status == schema.Returned || c.Status == schema.ReturnFailed) && it.status == schema.Submitted {
			b.move(c.Item, schema.Failed, why, r.At)
		}
		if it.status != c.Status && it.status.CanBecome(c.Status) {
			b.move(c.Item, c.Status, why, r.At)
			changed = true
		}
	}
	return changed
}

func (b *batch) applyUnknown(r *schema.Record) refusal {
	if why := b.live(r); why != counts {
		return why
	}
	if b.unknown != nil && b.unknown.Code == r.Reason.Code {
		return alreadyThere
	}
	b.unknown = r.Reason
	for i := range b.items {
		if b.valid(i) && b.open(i) && b.items[i].status != schema.Unknown {
			b.move(i, schema.Unknown, r.Reason, r.At)
		}
	}
	return counts
}

func (b *batch) applyResumed(r *schema.Record) refusal {
	why := nothingToDo
	for _, o := range r.Which {
		if h := b.holds[o]; h != nil && len(h.items) == 0 {
			delete(b.holds, o)
			why = counts
		}
	}
	return why
}

func (b *batch) applyCancel(r *schema.Record) refusal {
	only := r.Only
	if len(only) == 0 {
		for i := range b.items {
			only = append(only, i)
		}
	}
	// A batch that somebody else authorised is as far gone as one of ours.
	late := b.phase >= completing || b.foreign()
	n := 0
	for _, i := range only {
		if !b.open(i) {
			continue
		}
		n++
		if late {
			b.items[i].withdrawn = true
			continue
		}
		b.move(i, schema.Cancelled, r.Reason, r.At)
	}
	if n == 0 {
		return nothingToDo
	}
	if !late {
		b.endAttempt()
		b.liftCancelled()
	}
	return counts
}

// liftCancelled lifts the holds whose items are all answered.
func (b *batch) liftCancelled() {
	for o, h := range b.holds {
		left := 0
		for _, i := range h.items {
			if b.open(i) {
				left++
			}
		}
		if len(h.items) > 0 && left == 0 {
			delete(b.holds, o)
		}
	}
}

// applyDecided takes a person's word where nothing else can decide.
func (b *batch) applyDecided(r *schema.Record) refusal {
	switch {
	case r.Attempt != b.attempt:
		return otherAttempt
	case !b.inAttempt(r):
		return otherRequest
	case b.unknown == nil && !b.foreign():
		return notUnknown
	}
	if r.Verdict == schema.VerdictDead {
		if b.took {
			return moneyMoved
		}
		b.liftForeign()
		return b.die(r)
	}
	b.liftForeign()
	b.submit(r.At)
	b.join(r)
	return counts
}

func (b *batch) liftForeign() {
	for o, h := range b.holds {
		if h.kind == schema.HoldForeign {
			delete(b.holds, o)
		}
	}
}
