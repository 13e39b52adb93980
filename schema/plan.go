package schema

import (
	"time"
)

// PlanVersion is the version that [EncodePlan] writes of plans in clear; 2 is a
// sealed plan.
const PlanVersion = 1

// A Plan is a sealed batch: what we mean to pay, in order. The first record of
// every partition of payout.batches is a genesis instead.
type Plan struct {
	ID       string // 24 characters of content hash, see [PlanID]
	Merchant string
	Purpose  string
	Currency Currency
	At       time.Time // when it was sealed; becomes occurredAt of accepted
	// NotBefore is when it may be created at iyzico; zero: at once. It depends on
	// the clock, as At does, and so is no part of the id.
	NotBefore time.Time
	Key       string // the month of the merchant's key that the items are sealed with, as in 2026-11; "": they are in clear
	Items     []PlanItem
}

// A PlanItem is one request in a plan and where it came from.
type PlanItem struct {
	PayoutID    string
	Recipient   Recipient
	Minor       int64
	Description Private
	Metadata    []byte // a JSON object, or nil
	EventID     string // the CloudEvents id of the request
	TraceParent string
	Source      Source

	// Of a sealed plan alone. Recipient (but its type), Description and Metadata
	// are empty there until [Plan.Open].
	Box    []byte
	Digest Digest // see [Plan.Content]
}

// A PlanRecord is one record of payout.batches. One of its fields is set.
type PlanRecord struct {
	Genesis  *Genesis
	Plan     *Plan
	Imported *Imported
}

// A Genesis is the first record of a partition of payout.batches. It tells logs
// apart that have the same name.
type Genesis struct {
	LogID      string
	Partitions int // of payout.batches when it was made: the shards, for ever
	At         time.Time
	// Closed says why nothing may be paid before a person has said what was paid
	// already: there were logs before these. "": these are the first.
	Closed string
}

// Request returns item i as the request it was.
func (p *Plan) Request(i int) Request {
	it := &p.Items[i]
	return Request{
		PayoutID: it.PayoutID, Merchant: p.Merchant, Purpose: p.Purpose, Recipient: it.Recipient,
		Amount: Amount{it.Minor, p.Currency}, Description: it.Description, Metadata: it.Metadata,
	}
}
