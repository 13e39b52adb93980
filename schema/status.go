package schema

import (
	"encoding/json"
	"slices"
	"time"
)

// A PayoutStatus is a step in a payout's life as its ledger sees it. It is an
// open set for readers: what a later version adds is kept as text.
type PayoutStatus string

// The statuses. Their arrows are in [PayoutStatus.Next].
const (
	Accepted     PayoutStatus = "accepted"      // claimed: it will be paid, or answered otherwise
	Submitted    PayoutStatus = "submitted"     // iyzico has been told to pay
	Paid         PayoutStatus = "paid"          // iyzico says SUCCESS; final
	Failed       PayoutStatus = "failed"        // not paid; final, the money may still come back
	Returned     PayoutStatus = "returned"      // not paid, the money came back (DEPOSIT_SUCCESS); final
	ReturnFailed PayoutStatus = "return_failed" // not paid, the money did not come back (DEPOSIT_FAIL); final
	Rejected     PayoutStatus = "rejected"      // iyzico refused the item, no money moved; final
	Cancelled    PayoutStatus = "cancelled"     // withdrawn by a person or the order system; final
	Unknown      PayoutStatus = "unknown"       // iyzico's answer is being sought; keep the reserve
)

// arrows is the whole life of a payout: what is not listed is refused.
var arrows = map[PayoutStatus][]PayoutStatus{
	"":           {Accepted},
	Accepted:     {Submitted, Rejected, Cancelled, Unknown},
	Submitted:    {Paid, Failed, Unknown},
	Failed:       {Returned, ReturnFailed},
	Unknown:      {Submitted, Paid, Failed, Returned, ReturnFailed, Rejected, Cancelled},
	Paid:         {},
	Returned:     {},
	ReturnFailed: {},
	Rejected:     {},
	Cancelled:    {},
}

// Next lists the statuses that may follow s. A payout begins with "".
func (s PayoutStatus) Next() []PayoutStatus { return arrows[s] }

// CanBecome reports whether the arrow from s to t exists.
func (s PayoutStatus) CanBecome(t PayoutStatus) bool {
	return slices.Contains(arrows[s], t)
}

// Final reports whether it is settled for good if the payout was paid or not.
// A final failed may still become returned or return_failed. Of a status that a
// later version has added it knows nothing: readers go by [Status].Final.
func (s PayoutStatus) Final() bool {
	switch s {
	case Paid, Failed, Returned, ReturnFailed, Rejected, Cancelled:
		return true
	case Accepted, Submitted, Unknown:
		return false
	default: // invented tomorrow
		return false
	}
}

// A Reason says why a status came about. Text never holds personal data.
type Reason struct {
	Code string `json:"code"`
	Text string `json:"text,omitempty"`
}

// A Status is the data of a payout.<status>.v1 event.
type Status struct {
	PayoutID       string
	Merchant       string
	Sequence       int // 1, 2, 3… per payout without gaps; 0 for a refused request
	PreviousStatus PayoutStatus
	Status         PayoutStatus
	Final          bool // as the event says; a status that is known here decides itself, see [PayoutStatus.Final]
	BatchID        string
	RequestID      string
	ReferenceCode  string
	Amount         Amount
	Commission     *Amount
	Reason         *Reason
	OccurredAt     time.Time
	Source         Source
	Metadata       json.RawMessage
	TraceParent    string
}

// isFinal is what the field final says. Writers of the known statuses need not
// set it.
func (s *Status) isFinal() bool {
	if _, known := arrows[s.Status]; known || s.Status == statusRefused {
		return s.Status.Final()
	}
	return s.Final
}
