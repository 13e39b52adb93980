package worker

import (
	"fmt"
	"slices"
	"time"

	"github.com/toplu/toplu/schema"
)

// A phase is how far the journal has brought the current attempt of a batch.
type phase int

const (
	planned    phase = iota // nothing is written of this attempt
	creating                // init may have been called
	created                 // a requestId has won; nothing can be authorised yet
	completing              // the point of no return: auth may have been called
	completed               // iyzico took it, as far as anybody has shown
)

func (p phase) String() string {
	return [...]string{"planned", "creating", "created", "completing", "completed"}[p]
}

// An item is one payout of a batch, as the journal tells it.
type item struct {
	owned     bool // claimed by this plan; the others are no part of the batch
	carried   bool // in the current attempt
	invalid   bool // the winning init of the current attempt refused it
	took      bool // an attempt that carried it was authorised
	withdrawn bool // a cancel waits for the death of the attempt
	status    schema.PayoutStatus
	sequence  int
	reference string
	fee       *int64
}

// A batch is the fold of one plan and its journal records. It is changed by
// [batch.apply] alone, so it is the same for every reader of the logs.
type batch struct {
	plan     *schema.Plan // nil until it has been read for its turn
	offset   int64        // of the plan in payout.batches
	merchant string
	queue    []queued // records that came before the plan was read
	items    []item
	records  []int64 // offsets of its journal records that changed something

	attempt   int
	phase     phase
	winner    string          // the current attempt's requestId
	named     map[string]int  // every requestId seen, and the attempt that named it first
	orphans   []string        // requestIds that can never be authorised, of ended attempts
	creator   string          // the session whose creating counted
	completer string          // the session whose completing counted
	fenced    bool            // nobody calls auth any more
	unknown   *schema.Reason  // an answer is being sought
	took      bool            // a report of this attempt showed that money moved
	holds     map[int64]*hold // by the offset of the record that made it
	weighed   bool            // it was held for its amounts: from now on they are a person's matter
	closed    bool

	byID  map[string]int       // payout id → index, made when first needed
	emit  func(*schema.Status) // told every change of a status, which is its own only until it returns
	told  schema.Status        // what emit is told; one for all, since there are many
	fee   schema.Amount        // told's commission
	drive drive                // what this session is doing about it; not part of the fold
}

// A hold keeps an attempt from completing until it is lifted.
type hold struct {
	kind   schema.HoldKind
	reason schema.Reason
	by     string
	items  []int // lifted only by a cancel of these; none: by resumed
}

// newBatch begins the life of a plan of which the items with owned set are
// claimed, and emits accepted for each of them.
func newBatch(p *schema.Plan, offset int64, owned []bool, emit func(*schema.Status)) *batch {
	b := &batch{
		plan: p, offset: offset, merchant: p.Merchant, items: make([]item, len(p.Items)), attempt: 1,
		named: map[string]int{}, holds: map[int64]*hold{}, emit: emit,
	}
	for i := range b.items {
		if owned[i] {
			b.items[i].owned = true
			b.items[i].carried = true
			b.move(i, schema.Accepted, nil, p.At)
		}
	}
	return b
}

// move takes an item along one arrow and emits the status. The arrows are the
// contract with ledgers, so one that does not exist is a broken fold.
func (b *batch) move(i int, to schema.PayoutStatus, why *schema.Reason, at time.Time) {
	it := &b.items[i]
	if !it.status.CanBecome(to) {
		panic(&ImpossibleError{b.plan.ID, fmt.Sprintf("item %d: %q cannot become %q", i, it.status, to)})
	}
	from := it.status
	it.status = to
	it.sequence++
	if b.emit == nil {
		return
	}
	r := &b.plan.Items[i]
	b.told = schema.Status{
		PayoutID: r.PayoutID, Merchant: b.plan.Merchant, Sequence: it.sequence, PreviousStatus: from, Status: to,
		BatchID: b.plan.ID, RequestID: b.winner, ReferenceCode: it.reference, Amount: schema.Amount{Minor: r.Minor, Currency: b.plan.Currency}, Reason: why,
		OccurredAt: at, Source: r.Source, Metadata: r.Metadata, TraceParent: r.TraceParent,
	}
	if it.fee != nil {
		b.fee = schema.Amount{Minor: *it.fee, Currency: b.plan.Currency}
		b.told.Commission = &b.fee
	}
	b.emit(&b.told)
}

// valid reports whether the winning init of the current attempt took item i on.
func (b *batch) valid(i int) bool { return b.items[i].carried && !b.items[i].invalid }

// count counts the items that f holds for.
func (b *batch) count(f func(i int) bool) int {
	n := 0
	for i := range b.items {
		if f(i) {
			n++
		}
	}
	return n
}

// open reports whether item i still needs an answer.
func (b *batch) open(i int) bool { return b.items[i].owned && !b.items[i].status.Final() }

// settled reports whether every item has its final status.
func (b *batch) settled() bool { return b.count(b.open) == 0 }

// returnable reports whether a failed item may still come back.
func (b *batch) returnable() bool {
	return b.count(func(i int) bool { return b.items[i].status == schema.Failed }) > 0
}

// inAttempt reports whether r speaks of the live attempt and its winner.
func (b *batch) inAttempt(r *schema.Record) bool {
	return r.Attempt == b.attempt && r.RequestID == b.winner && b.winner != ""
}

// heldBy returns the hold that was made last, or nil.
func (b *batch) heldBy() *hold {
	at := None
	for o := range b.holds {
		at = max(at, o)
	}
	return b.holds[at]
}

// foreign reports whether a hold stands since somebody else acted on the batch.
func (b *batch) foreign() bool {
	for _, h := range b.holds {
		if h.kind == schema.HoldForeign {
			return true
		}
	}
	return false
}

// endAttempt begins the next attempt with the items that have no final status.
func (b *batch) endAttempt() {
	if b.winner != "" {
		b.orphan(b.winner)
	}
	b.attempt++
	b.phase, b.winner, b.creator, b.completer, b.fenced, b.unknown, b.took = planned, "", "", "", false, nil, false
	for i := range b.items {
		b.items[i].carried = b.open(i)
		b.items[i].invalid = false
	}
}

func (b *batch) orphan(requestID string) {
	if !slices.Contains(b.orphans, requestID) {
		b.orphans = append(b.orphans, requestID)
	}
}

// An ImpossibleError says that the logs, or iyzico, show what the protocol rules out.
// The shard that meets one stops, loudly, and touches no money.
type ImpossibleError struct {
	Batch string
	What  string
}

func (e *ImpossibleError) Error() string {
	return fmt.Sprintf("impossible state in batch %s: %s; the shard stops and pays nothing, a person must look", e.Batch, e.What)
}
