package conformance

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/toplu/toplu/schema"
)

// An Entry is one payout in a ledger's books. Amounts are texts with two
// decimals, such as "100.50"; they are compared as such.
type Entry struct {
	PayoutID   string `json:"payoutId"`
	Status     string `json:"status"`     // the latest
	Reserved   string `json:"reserved"`   // set aside for a payout that may be paid
	Paid       string `json:"paid"`       // went to the recipient
	Commission string `json:"commission"` // what iyzico keeps: a cost
}

// Books are a ledger's, by payout id.
type Books map[string]Entry

// ReadBooks reads books as JSON lines. Empty lines and fields of the ledger's
// own are skipped. The error names the line.
func ReadBooks(r io.Reader) (Books, error) {
	books := Books{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf(`books: line %d is not {"payoutId":"…","status":"…","reserved":"0.00","paid":"0.00","commission":"0.00"}: %w`, n, err)
		}
		if e.PayoutID == "" || e.Reserved == "" || e.Paid == "" || e.Commission == "" {
			return nil, fmt.Errorf("books: line %d lacks payoutId, reserved, paid or commission", n)
		}
		if _, twice := books[e.PayoutID]; twice {
			return nil, fmt.Errorf("books: line %d: %s stands there twice; a payout is one line", n, e.PayoutID)
		}
		books[e.PayoutID] = e
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("books: %w", err)
	}
	return books, nil
}

// entry is what the books should say of the payout after the play; false if
// nothing should be booked at all.
func (p *payout) entry() (Entry, bool) {
	if len(p.story.statuses) == 0 {
		return Entry{}, false
	}
	last := p.story.statuses[len(p.story.statuses)-1]
	return book(p.id, last, p.amount, p.commission), true
}

// book is docs/ledger.md in code: the books follow from the latest status.
func book(id string, last schema.PayoutStatus, amount, commission int64) Entry {
	const none = "0.00"
	e := Entry{PayoutID: id, Status: string(last), Reserved: none, Paid: none, Commission: none}
	switch {
	case last == schema.Paid:
		e.Paid, e.Commission = schema.FormatMinor(amount), schema.FormatMinor(commission)
	case !last.Final() && last != inventedEnd:
		e.Reserved = schema.FormatMinor(amount)
	}
	return e
}
