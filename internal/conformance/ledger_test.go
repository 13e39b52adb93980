package conformance_test

import (
	"math/bits"
	"slices"
	"strings"

	"github.com/toplu/toplu/internal/conformance"
	"github.com/toplu/toplu/schema"
)

// A flaw is a mistake that ledgers make.
type flaw struct {
	again            bool // books an event as often as it comes
	anyOrder         bool // the last event that came is the latest, unless it came before
	unknownFails     bool
	booksRefusals    bool
	knownOnly        bool
	anyType          bool
	anyOfVersion1    bool // takes every payout.….v1 for a status
	listsFinal       bool // knows by heart which statuses are final
	alwaysCommission bool
	rounds           bool
	loses            bool // forgets what it had in hand when it was killed
	memory           bool // knows the last sequences in memory alone, and another process does not
	waits            bool // for the events before
	adds             bool // what an event seems to say, each event once
	finalIsEnd       bool // takes a final status for the last
	takesBack        bool // takes returned for a payment that is undone
}

// A ledger is a model of one, right but for its flaw.
type ledger struct {
	flaw    flaw
	payouts map[string]*account
	seen    map[string]bool
}

type account struct {
	sequence                   int
	status                     schema.PayoutStatus
	reserved, paid, commission int64
}

func newLedger(f flaw) *ledger {
	return &ledger{flaw: f, payouts: map[string]*account{}, seen: map[string]bool{}}
}

func (l *ledger) book(m schema.Message) {
	kind, _ := m.Get("ce_type")
	s, err := schema.DecodeStatus(m)
	if err != nil {
		seeming := l.flaw.anyOfVersion1 && kind == "payout.annotated.v1"
		if !l.flaw.anyType && !seeming {
			return
		}
		// It looks at nothing but the fields that it knows.
		s = schema.Status{PayoutID: string(m.Key), Sequence: 99, Status: schema.Paid, Amount: schema.Amount{Minor: 100}}
	}
	if kind == schema.TypeRefused && !l.flaw.booksRefusals {
		return
	}
	if l.flaw.knownOnly && !slices.Contains([]schema.PayoutStatus{"accepted", "submitted", "paid", "failed", "returned", "return_failed", "rejected", "cancelled", "unknown"}, s.Status) {
		return
	}
	a := l.payouts[s.PayoutID]
	if a == nil {
		a = &account{}
		l.payouts[s.PayoutID] = a
	}
	if l.flaw.loses && strings.Contains(s.PayoutID, "interrupted") && s.Status == schema.Paid {
		return
	}
	l.put(a, &s)
}

func (l *ledger) put(a *account, s *schema.Status) {
	amount := s.Amount.Minor
	if l.flaw.rounds {
		shift := max(0, bits.Len64(uint64(amount))-24) // as a number of 32 bits holds it
		amount = amount >> shift << shift
	}
	id := schema.StatusID(s.PayoutID, s.Sequence, s.Status)
	switch {
	case l.flaw.waits && s.Sequence > a.sequence+1, l.flaw.finalIsEnd && a.status.Final(), l.flaw.adds && s.Sequence <= a.sequence:
		return
	case l.flaw.again, l.flaw.adds:
		a.sequence = s.Sequence
		switch {
		case s.Status == schema.Accepted:
			a.reserved += amount
		case s.Status == schema.Paid:
			a.reserved, a.paid, a.commission = a.reserved-amount, a.paid+amount, a.commission+s.Commission.Minor
		case s.Final && (a.reserved > 0 || l.flaw.adds):
			a.reserved -= amount
		}
		a.status = s.Status
		return
	case l.flaw.anyOrder && l.seen[id], !l.flaw.anyOrder && s.Sequence <= a.sequence && s.Sequence != 0:
		return
	}
	l.seen[id] = true
	a.sequence, a.status = s.Sequence, s.Status
	a.reserved, a.paid, a.commission = 0, 0, 0
	switch {
	case s.Status == schema.Paid:
		a.paid = amount
	case s.Status == schema.Unknown && l.flaw.unknownFails:
	case s.Status == schema.Returned && l.flaw.takesBack:
		a.paid = -amount
	case !s.Final || l.flaw.listsFinal && !s.Status.Final():
		a.reserved = amount
		if s.Sequence == 0 {
			a.reserved = 100
		}
	}
	if s.Commission != nil && (s.Status == schema.Paid || l.flaw.alwaysCommission && s.Status.Final()) {
		a.commission = s.Commission.Minor
	}
}

// handOver has another process go on with the books.
func (l *ledger) handOver() {
	if l.flaw.memory {
		for _, a := range l.payouts {
			a.sequence = 0
		}
	}
}

func (l *ledger) books() conformance.Books {
	books := conformance.Books{}
	for id, a := range l.payouts {
		books[id] = conformance.Entry{
			PayoutID: id, Status: string(a.status),
			Reserved: money(a.reserved), Paid: money(a.paid), Commission: money(a.commission),
		}
	}
	return books
}

func money(n int64) string {
	if n < 0 {
		return "-" + schema.FormatMinor(-n)
	}
	return schema.FormatMinor(n)
}
