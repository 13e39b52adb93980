package oncall

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// A Batch is how a batch stands. Amounts are decimal strings of its currency.
type Batch struct {
	ID         string            `json:"batchId"`
	Shard      int               `json:"shard"`
	Plan       int64             `json:"planOffset"`
	Merchant   string            `json:"merchant"`
	Purpose    string            `json:"purpose"`
	Currency   string            `json:"currency"`
	State      worker.BatchState `json:"state"`
	Stuck      bool              `json:"stuck"` // it needs a person, or has not moved for long
	Claimed    bool              `json:"claimed"`
	SealedAt   time.Time         `json:"sealedAt"`
	NotBefore  time.Time         `json:"notBefore,omitzero"` // the merchant's cut-off
	LastAt     *time.Time        `json:"lastRecordAt,omitempty"`
	Attempt    int               `json:"attempt"`
	RequestID  string            `json:"requestId,omitempty"`
	Gone       bool              `json:"pastPointOfNoReturn"`
	Unknown    string            `json:"unknown,omitempty"` // why iyzico's answer is being sought
	Holds      []Hold            `json:"holds,omitempty"`
	Payouts    Sum               `json:"payouts"`
	Statuses   map[string]Sum    `json:"statuses"`
	Payable    Sum               `json:"payable"`    // unanswered, before the point of no return
	Unanswered Sum               `json:"unanswered"` // unanswered, past it
	Withdrawn  Sum               `json:"withdrawn"`  // their cancel waits for the attempt's death
	Next       string            `json:"next"`
}

// A Sum is a number of payouts and what they come to, as a decimal string.
type Sum struct {
	Count int    `json:"count"`
	Value string `json:"value"`
}

// A Hold keeps a batch, or a pause a merchant, from being completed.
type Hold struct {
	By     string    `json:"by,omitempty"`
	Since  time.Time `json:"since"`
	Kind   string    `json:"kind,omitempty"` // of a hold
	Reason string    `json:"reason,omitempty"`
	// Items is how many payouts a hold is about; it is lifted by their cancel.
	Items int `json:"items,omitempty"`
}

// idle is how long a batch may stay between two records before it counts as
// stuck, where the next one is the worker's to write.
const idle = 10 * time.Minute

// Batches lists every batch that is not closed, the stuck first, then the oldest.
func (d *Desk) Batches(ctx context.Context) ([]Batch, []ShardTrouble, error) {
	views, troubles, err := d.Look(ctx)
	if err != nil {
		return nil, nil, err
	}
	return d.batches(d.outlook(ctx), views), troubles, nil
}

func (d *Desk) batches(o *outlook, views []*worker.ShardView) []Batch {
	all := []Batch{}
	for _, v := range views {
		for i := range v.Batches {
			all = append(all, d.describe(o, v, &v.Batches[i]))
		}
	}
	states := worker.BatchStates()
	slices.SortStableFunc(all, func(a, b Batch) int {
		if a.Stuck != b.Stuck {
			return map[bool]int{true: -1, false: 1}[a.Stuck]
		}
		return cmp.Or(cmp.Compare(slices.Index(states, a.State), slices.Index(states, b.State)), a.SealedAt.Compare(b.SealedAt))
	})
	return all
}

// describe makes a batch of a shard for people of what the logs show.
func (d *Desk) describe(o *outlook, in *worker.ShardView, v *worker.BatchView) Batch {
	b := Batch{
		ID: v.ID, Shard: in.Shard, Plan: v.Plan, Merchant: v.Merchant, Purpose: v.Purpose, Currency: string(v.Currency),
		State: v.State, Claimed: v.Claimed, SealedAt: v.SealedAt, NotBefore: v.NotBefore, Attempt: v.Attempt, RequestID: v.RequestID, Gone: v.Gone,
		Payouts: sumOf(v.All), Statuses: map[string]Sum{}, Payable: sumOf(v.Payable), Unanswered: sumOf(v.Unanswered),
		Withdrawn: sumOf(v.Withdrawn), Next: o.next(in, v),
	}
	moved := v.SealedAt
	if !v.LastAt.IsZero() {
		b.LastAt, moved = &v.LastAt, v.LastAt
	}
	if v.Unknown != nil {
		b.Unknown = text(v.Unknown)
	}
	for _, h := range v.Holds {
		b.Holds = append(b.Holds, Hold{By: h.By, Since: h.Since, Kind: string(h.Kind), Reason: text(&h.Reason), Items: h.Items})
	}
	for status, t := range v.Statuses {
		b.Statuses[string(status)] = sumOf(t)
	}
	switch v.State {
	case worker.StateImpossible, worker.StateUnknown, worker.StateHeld, worker.StateFencing:
		b.Stuck = true
	case worker.StateCompleting, worker.StateCreated, worker.StateCreating, worker.StatePlanned:
		b.Stuck = d.Now().Sub(moved) > idle
	case worker.StateSubmitted, worker.StateWaiting, worker.StateAnswered:
	}
	if v.Closed {
		b.State, b.Stuck = "closed", false
	}
	return b
}

func sumOf(t worker.Tally) Sum { return Sum{t.Items, schema.FormatMinor(t.Minor)} }

// text is a reason as people read it. What people asked for has their words alone.
func text(r *schema.Reason) string {
	switch {
	case r.Code == "command":
		return r.Text
	case r.Text == "":
		return r.Code
	}
	return r.Code + ": " + r.Text
}
