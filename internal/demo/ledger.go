package demo

import (
	"fmt"
	"sync"

	"github.com/toplu/toplu/iyzico/iyzicotest"
	"github.com/toplu/toplu/schema"
)

// A Ledger books statuses as a marketplace's would: once each, in sequence. It
// is safe for concurrent use.
type Ledger struct {
	mu      sync.Mutex
	payouts map[string]schema.Status // guarded by mu: the last status of each
	refused map[string]bool          // guarded by mu: ids of refused requests
	dead    map[string]int           // guarded by mu: dead letters by reason
	seen    map[string]bool          // guarded by mu: ids of events
	wrong   []string                 // guarded by mu
}

// NewLedger returns an empty ledger.
func NewLedger() *Ledger {
	return &Ledger{payouts: map[string]schema.Status{}, refused: map[string]bool{}, dead: map[string]int{}, seen: map[string]bool{}}
}

// Book books an event.
func (l *Ledger) Book(m schema.Message) error {
	id, _ := m.Get("ce_id")
	s, err := schema.DecodeStatus(m)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen[id] {
		return nil // re-emitted: the same event
	}
	l.seen[id] = true
	if s.Sequence == 0 {
		l.refused[s.PayoutID] = true
		return nil
	}
	last := l.payouts[s.PayoutID]
	if s.Sequence != last.Sequence+1 || !last.Status.CanBecome(s.Status) {
		l.wrong = append(l.wrong, fmt.Sprintf("%s: %s with sequence %d after %s with %d", s.PayoutID, s.Status, s.Sequence, last.Status, last.Sequence))
	}
	l.payouts[s.PayoutID] = s
	return nil
}

// Bury counts a dead letter by its reason.
func (l *Ledger) Bury(m schema.Message) {
	code, _ := m.Get("toplu-reason-code")
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead[code]++
}

// Counts says how many payouts have which last status, and how many requests
// were refused.
func (l *Ledger) Counts() (byStatus map[schema.PayoutStatus]int, refused int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	byStatus = map[schema.PayoutStatus]int{}
	for _, s := range l.payouts {
		byStatus[s.Status]++
	}
	return byStatus, len(l.refused)
}

// A Result is the demo's verdict.
type Result struct {
	Requested  int    `json:"requested"` // events written, of every kind
	Paid       int    `json:"paid"`
	Failed     int    `json:"failed"`
	Returned   int    `json:"returned"`
	Rejected   int    `json:"rejected"`
	Refused    int    `json:"refused"`
	Duplicates int    `json:"duplicates"`
	Conflicts  int    `json:"conflicts"`
	PaidTwice  int    `json:"paidTwice"`
	Unanswered int    `json:"unanswered"`
	PaidAmount string `json:"paidAmount"` // in the ledger, lira
	BooksTotal string `json:"booksTotal"` // in iyzico's books, lira
	Batches    int    `json:"batches"`
	Calls      int    `json:"calls"`
	Balanced   bool   `json:"balanced"`

	Wrong []string `json:"wrong,omitempty"` // what does not balance, in words
}

// Judge compares what the shop ordered, what the ledger booked and what iyzico
// has in its books.
func (p *Parts) Judge(orders []Order, l *Ledger) Result {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := Result{Requested: len(orders), Wrong: append([]string{}, l.wrong...)}
	books := p.simulator.Provider().Books()
	transfers := map[string][]iyzicotest.Money{}
	var total, booked int64
	for t := range books.Transfers {
		transfers[t.ItemExternalID] = append(transfers[t.ItemExternalID], t.Amount)
		total += int64(t.Amount)
	}
	for id, t := range transfers {
		if len(t) > 1 {
			r.PaidTwice++
			r.wrongf("%s was paid %d times", id, len(t))
		}
	}
	for _, o := range orders {
		r.judge(o, l, transfers[o.ID])
		if s := l.payouts[o.ID]; s.Status == schema.Paid && o.Kind == Pays {
			booked += s.Amount.Minor
		}
	}
	r.Conflicts = l.dead["conflict"]
	if want := count(orders, Conflict); r.Conflicts != want {
		r.wrongf("%d conflicts in the dead letters, should be %d", r.Conflicts, want)
	}
	if total != booked {
		r.wrongf("the ledger has %s paid, iyzico's books %s", schema.FormatMinor(booked), schema.FormatMinor(total))
	}
	r.PaidAmount, r.BooksTotal = schema.FormatMinor(booked), schema.FormatMinor(total)
	r.Batches = len(books.Batches)
	for _, n := range books.Calls {
		r.Calls += n
	}
	r.Balanced = len(r.Wrong) == 0
	return r
}

func count(orders []Order, kind Kind) int {
	n := 0
	for _, o := range orders {
		if o.Kind == kind {
			n++
		}
	}
	return n
}

// judge checks one order against its last status and its transfers.
func (r *Result) judge(o Order, l *Ledger, transfers []iyzicotest.Money) {
	status := l.payouts[o.ID].Status
	expect := func(want schema.PayoutStatus, n *int, paid int) {
		switch {
		case !status.Final():
			r.Unanswered++
			r.wrongf("%s has no final status: %q", o.ID, status)
		case status != want:
			r.wrongf("%s is %s and should be %s", o.ID, status, want)
		default:
			*n++
		}
		if len(transfers) != paid || paid == 1 && int64(transfers[0]) != o.Minor {
			r.wrongf("%s: %d transfers, should be %d of %s", o.ID, len(transfers), paid, schema.FormatMinor(o.Minor))
		}
	}
	switch o.Kind {
	case Pays:
		expect(schema.Paid, &r.Paid, 1)
	case Fails:
		expect(schema.Failed, &r.Failed, 0)
	case Returns:
		expect(schema.Returned, &r.Returned, 0)
	case Rejects:
		expect(schema.Rejected, &r.Rejected, 0)
	case Refused:
		if !l.refused[o.ID] {
			r.Unanswered++
			r.wrongf("%s was not refused", o.ID)
			return
		}
		r.Refused++
	case Duplicate:
		r.Duplicates++
	case Conflict: // counted in the dead letters
	}
}

func (r *Result) wrongf(format string, args ...any) {
	r.Wrong = append(r.Wrong, fmt.Sprintf(format, args...))
}

// Answered reports whether every order has its last answer.
func (l *Ledger) Answered(orders []Order) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead["conflict"] < count(orders, Conflict) {
		return false
	}
	for _, o := range orders {
		s := l.payouts[o.ID].Status
		switch o.Kind {
		case Refused:
			if !l.refused[o.ID] {
				return false
			}
		case Returns:
			if s != schema.Returned {
				return false
			}
		case Pays, Fails, Rejects:
			if !s.Final() {
				return false
			}
		case Duplicate, Conflict: // their originals are answered
		}
	}
	return true
}
