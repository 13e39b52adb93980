package worker

import (
	"cmp"
	"slices"
	"time"

	"github.com/toplu/toplu/schema"
)

// A ShardView is what the logs and the claims of a shard show to a reader that
// changes nothing. It is a picture of one moment and is not kept up to date.
type ShardView struct {
	Shard int
	LogID string // "": nobody has begun the shard yet
	Epoch string // of the claims, as the journal has it

	PlanEnd    int64 // offset that the next plan will get
	JournalEnd int64 // offset that the next record will get
	Commands   int64 // first offset of the commands that was not dealt with

	Claims        ClaimsState // what Redis holds; Watermark is [None] if nothing
	ClaimsTrouble string      // why the claims cannot be believed; "" if they can
	// Shorter: the claims know of plans that these logs do not have. Kafka has lost
	// records, or its topics were made anew, so what is not in the logs may be paid.
	Shorter bool

	// PlanTrouble says at which plan the shard waits for a person, since it cannot
	// be read and is not in quarantine; "" if at none.
	PlanTrouble string
	Quarantined []int64 // plans that own nothing since nobody can read them

	LastAt      time.Time // of the last record since the last checkpoint; zero: none
	LastSession string    // who wrote it
	LastAnswer  time.Time // of the last record since then that rests on an answer of iyzico's

	Pauses  []PauseView // in force, in the order of the log
	Batches []BatchView // not closed, in the order of the log
	Floors  []schema.Floor
}

// A PauseView is a pause in force.
type PauseView struct {
	Offset int64  // in the journal
	Scope  string // a merchant; "": all
	By     string
	Reason schema.Reason
	Since  time.Time
	Closed bool // Kafka was lost or restored: only toplu claims import lifts it
}

// A Tally is a number of payouts and their sum in minor units.
type Tally struct {
	Items int
	Minor int64
}

func (t *Tally) add(minor int64) {
	t.Items++
	t.Minor += minor
}

// A BatchState says in one word how a batch stands, for people and for lists.
type BatchState string

// The states of a batch. Those that need a person come first.
const (
	StateImpossible BatchState = "impossible" // the logs show what cannot be: its shard has stopped
	StateUnknown    BatchState = "unknown"    // iyzico's answer is overdue
	StateHeld       BatchState = "held"       // nothing is completed until somebody acts
	StateFencing    BatchState = "fencing"    // auth's answer was lost: being cancelled at iyzico
	StateCompleting BatchState = "completing" // past the point of no return
	StateCreated    BatchState = "created"    // at iyzico, not authorised
	StateCreating   BatchState = "creating"   // init was called or is about to be
	StatePlanned    BatchState = "planned"    // between two attempts
	StateSubmitted  BatchState = "submitted"  // iyzico took it; its report is awaited
	StateWaiting    BatchState = "waiting"    // for its turn
	StateAnswered   BatchState = "answered"   // every payout is; failed ones may still come back
)

// BatchStates lists the states, those that need a person first.
func BatchStates() []BatchState {
	return []BatchState{
		StateImpossible, StateUnknown, StateHeld, StateFencing, StateCompleting, StateCreated,
		StateCreating, StatePlanned, StateSubmitted, StateWaiting, StateAnswered,
	}
}

// A BatchView is how a batch stands.
type BatchView struct {
	ID       string
	Plan     int64 // its offset in payout.batches
	Merchant string
	Key      string // month of the key that its items are sealed with; "": they are in clear
	Purpose  string
	Currency schema.Currency
	SealedAt time.Time
	// NotBefore is when it may be created at iyzico; zero: at once.
	NotBefore time.Time
	LastAt    time.Time // when its last record that counts was written; zero: none
	// Claimed: the plan has gone through the claims. If not, its payouts are
	// counted as if all were its own.
	Claimed bool
	Closed  bool

	State      BatchState
	Attempt    int
	RequestID  string         // of the current attempt; "" before there is one
	Requests   map[string]int // every requestId that was named, and by which attempt first
	Gone       bool           // past the point of no return: a cancel or a hold waits for the attempt's death
	Unknown    *schema.Reason // nil: no answer is overdue
	Holds      []HoldView     // in the order of the log
	All        Tally          // payouts that are the batch's own
	Statuses   map[schema.PayoutStatus]Tally
	Payable    Tally  // unanswered payouts before the point of no return
	Unanswered Tally  // unanswered payouts past it
	Withdrawn  Tally  // unanswered payouts whose cancel waits for the attempt's death
	Next       string // what comes next, for people
}

// A HoldView is a hold in force.
type HoldView struct {
	Offset int64 // in the journal
	Kind   schema.HoldKind
	Reason schema.Reason
	By     string
	Since  time.Time
	Items  int // lifted only by a cancel of so many payouts; 0: by resume
}

// View tells how the batch stands after the records added so far.
func (st *Story) View() BatchView {
	at := map[int64]time.Time{}
	for _, l := range st.lines {
		at[l.Offset] = l.Record.At
	}
	return st.b.view(at)
}

// All returns every status of every payout of the batch, in the order in which
// they came about.
func (st *Story) All() []schema.Status { return st.statuses }

// view describes the fold. at has the times of the batch's records.
func (b *batch) view(at map[int64]time.Time) BatchView {
	v := BatchView{
		ID: b.plan.ID, Plan: b.offset, Merchant: b.plan.Merchant, Key: b.plan.Key, Purpose: b.plan.Purpose, Currency: b.plan.Currency,
		SealedAt: b.plan.At, NotBefore: b.plan.NotBefore, Claimed: true, Closed: b.closed, State: b.state(), Attempt: b.attempt, RequestID: b.winner, Requests: b.named,
		Gone: b.phase >= completing || b.foreign(), Unknown: b.unknown, Statuses: map[schema.PayoutStatus]Tally{},
		Next: (&Story{b: b}).Next(),
	}
	if len(b.records) > 0 {
		v.LastAt = at[b.records[len(b.records)-1]]
	}
	for o, h := range b.holds {
		v.Holds = append(v.Holds, HoldView{Offset: o, Kind: h.kind, Reason: h.reason, By: h.by, Since: at[o], Items: len(h.items)})
	}
	slices.SortFunc(v.Holds, func(a, b HoldView) int { return cmp.Compare(a.Offset, b.Offset) })
	for i := range b.items {
		it, minor := &b.items[i], b.plan.Items[i].Minor
		if !it.owned {
			continue
		}
		v.All.add(minor)
		t := v.Statuses[it.status]
		t.add(minor)
		v.Statuses[it.status] = t
		if !b.open(i) {
			continue
		}
		if it.withdrawn {
			v.Withdrawn.add(minor)
		}
		if v.Gone {
			v.Unanswered.add(minor)
		} else {
			v.Payable.add(minor)
		}
	}
	return v
}

// state is the one word for the fold.
func (b *batch) state() BatchState {
	switch {
	case b.settled():
		return StateAnswered
	case b.unknown != nil:
		return StateUnknown
	case b.heldBy() != nil && b.phase < completing:
		return StateHeld
	case b.fenced && b.phase == completing:
		return StateFencing
	}
	switch b.phase {
	case planned:
		if len(b.records) == 0 {
			return StateWaiting
		}
		return StatePlanned
	case creating:
		return StateCreating
	case created:
		return StateCreated
	case completing:
		return StateCompleting
	case completed:
	}
	return StateSubmitted
}
