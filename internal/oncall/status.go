package oncall

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// A Status is the whole installation on one screen.
type Status struct {
	At          time.Time       `json:"at"`
	Requests    []Lag           `json:"requests"`
	NotRead     []Leftover      `json:"notRead"` // topics of requests that no merchant names any more
	Shards      []ShardStatus   `json:"shards"`
	States      []StateCount    `json:"states"` // those that need a person first
	Stuck       []Batch         `json:"stuck"`  // at most StuckShown
	StuckCount  int             `json:"stuckCount"`
	Merchants   []MerchantSum   `json:"merchants"`
	Pauses      []Pause         `json:"pauses"`
	Causes      []Cause         `json:"deadLetters"`                  // of the last DeadLettersLookedAt of each partition
	Iyzico      []MerchantPulse `json:"iyzico"`                       // what the running processes tell of their calls
	LastAnswer  *time.Time      `json:"iyzicoLastAnswerAt,omitempty"` // that the journal has
	Troubles    []ShardTrouble  `json:"troubles"`
	OpenBatches int             `json:"openBatches"`
}

// What a status is limited to.
const (
	StuckShown          = 10
	DeadLettersLookedAt = 1000
)

// A ShardStatus is how a shard stands.
type ShardStatus struct {
	Shard      int        `json:"shard"`
	PlanEnd    int64      `json:"planEnd"`   // offset that the next plan will get
	Watermark  int64      `json:"watermark"` // last plan that the claims in Redis have taken in
	Behind     int64      `json:"behind"`    // plans that they have not
	JournalEnd int64      `json:"journalEnd"`
	Claims     int64      `json:"claims"`
	Trouble    string     `json:"trouble,omitempty"` // why it pays nothing new: its claims cannot be believed, or a plan cannot be read
	LastAt     *time.Time `json:"lastRecordAt,omitempty"`
	Owner      string     `json:"owner,omitempty"` // the worker that the group has given it to
}

// A StateCount counts the batches in a state.
type StateCount struct {
	State    worker.BatchState `json:"state"`
	Batches  int               `json:"batches"`
	Payouts  int               `json:"payouts"`
	OldestAt time.Time         `json:"oldestAt"` // when the oldest was sealed
}

// A MerchantSum is the money of a merchant that is under way.
type MerchantSum struct {
	Merchant   string `json:"merchant"`
	Currency   string `json:"currency"`
	Batches    int    `json:"batches"`
	Payable    Sum    `json:"payable"`    // not answered, before the point of no return
	Unanswered Sum    `json:"unanswered"` // not answered, past it
	Unknown    Sum    `json:"unknown"`    // of these: iyzico's answer is being sought
}

// A Pause is a pause in force, and in how many shards.
type Pause struct {
	Merchant string    `json:"merchant,omitempty"` // none: all
	By       string    `json:"by"`
	Reason   string    `json:"reason,omitempty"`
	Since    time.Time `json:"since"`
	Shards   []int     `json:"shards"`
	Closed   bool      `json:"closed,omitempty"` // since Kafka was lost or restored: resume does not lift it, toplu claims import does
}

// Status looks at everything. owners names the worker of each shard as far as it
// is known. Shards that cannot be read are troubles; the error is of the topics.
func (d *Desk) Status(ctx context.Context, owners map[int]string) (*Status, error) {
	s := &Status{At: d.Now().UTC(), Shards: []ShardStatus{}, Stuck: []Batch{}, Pauses: []Pause{}}
	floors, err := d.floors(ctx)
	if err != nil {
		return nil, err
	}
	if s.Requests, err = d.lags(ctx, floors); err != nil {
		return nil, err
	}
	if s.NotRead, err = d.leftovers(ctx, floors); err != nil {
		return nil, err
	}
	if s.Causes, err = d.Causes(ctx, DeadLettersLookedAt); err != nil {
		return nil, err
	}
	// Redis away, or a note nobody can read, is no reason to show nothing.
	s.Iyzico, _ = d.Pulses(ctx)
	views, troubles, err := d.Look(ctx)
	if err != nil {
		return nil, err
	}
	s.Troubles = append([]ShardTrouble{}, troubles...)
	for _, v := range views {
		s.Shards = append(s.Shards, shardStatus(v, owners[v.Shard]))
		if s.LastAnswer == nil && !v.LastAnswer.IsZero() || s.LastAnswer != nil && v.LastAnswer.After(*s.LastAnswer) {
			s.LastAnswer = &v.LastAnswer
		}
	}
	batches := d.batches(&outlook{d, s.Iyzico}, views)
	s.OpenBatches = len(batches)
	for i := range batches {
		if batches[i].Stuck {
			s.StuckCount++
			if len(s.Stuck) < StuckShown {
				s.Stuck = append(s.Stuck, batches[i])
			}
		}
	}
	s.States, s.Merchants, s.Pauses = countStates(views), sumMerchants(views), joinPauses(views)
	return s, nil
}

func shardStatus(v *worker.ShardView, owner string) ShardStatus {
	s := ShardStatus{
		Shard: v.Shard, PlanEnd: v.PlanEnd, Watermark: v.Claims.Watermark, Behind: max(0, v.PlanEnd-1-v.Claims.Watermark),
		JournalEnd: v.JournalEnd, Claims: v.Claims.Count, Trouble: cmp.Or(v.PlanTrouble, v.ClaimsTrouble), Owner: owner,
	}
	if !v.LastAt.IsZero() {
		s.LastAt = &v.LastAt
	}
	return s
}

func countStates(views []*worker.ShardView) []StateCount {
	found := map[worker.BatchState]StateCount{}
	for _, v := range views {
		for i := range v.Batches {
			b := &v.Batches[i]
			c := found[b.State]
			if c.Batches == 0 || b.SealedAt.Before(c.OldestAt) {
				c.OldestAt = b.SealedAt
			}
			c.State, c.Batches, c.Payouts = b.State, c.Batches+1, c.Payouts+b.All.Items
			found[b.State] = c
		}
	}
	all := []StateCount{}
	for _, state := range worker.BatchStates() {
		if c, ok := found[state]; ok {
			all = append(all, c)
		}
	}
	return all
}

func sumMerchants(views []*worker.ShardView) []MerchantSum {
	type account struct {
		merchant string
		currency schema.Currency
	}
	type sums struct {
		batches                      int
		payable, unanswered, unknown worker.Tally
	}
	add := func(t *worker.Tally, more worker.Tally) {
		t.Items += more.Items
		t.Minor += more.Minor
	}
	found := map[account]*sums{}
	for _, v := range views {
		for i := range v.Batches {
			b := &v.Batches[i]
			a := account{b.Merchant, b.Currency}
			if found[a] == nil {
				found[a] = &sums{}
			}
			found[a].batches++
			add(&found[a].payable, b.Payable)
			add(&found[a].unanswered, b.Unanswered)
			if b.Gone {
				add(&found[a].unknown, b.Statuses[schema.Unknown])
			}
		}
	}
	all := []MerchantSum{}
	for a, s := range found {
		all = append(all, MerchantSum{a.merchant, string(a.currency), s.batches, sumOf(s.payable), sumOf(s.unanswered), sumOf(s.unknown)})
	}
	slices.SortFunc(all, func(a, b MerchantSum) int {
		return cmp.Or(cmp.Compare(a.Merchant, b.Merchant), cmp.Compare(a.Currency, b.Currency))
	})
	return all
}

// joinPauses makes one pause of those that were asked for together: one stands in
// each shard.
func joinPauses(views []*worker.ShardView) []Pause {
	type asked struct {
		scope, by, reason string
		closed            bool
	}
	found := map[asked]*Pause{}
	for _, v := range views {
		for _, p := range v.Pauses {
			a := asked{p.Scope, p.By, text(&p.Reason), p.Closed}
			j := found[a]
			if j == nil {
				j = &Pause{Merchant: p.Scope, By: p.By, Reason: a.reason, Since: p.Since, Closed: p.Closed}
				found[a] = j
			}
			if p.Since.Before(j.Since) {
				j.Since = p.Since
			}
			if !slices.Contains(j.Shards, v.Shard) {
				j.Shards = append(j.Shards, v.Shard)
			}
		}
	}
	all := []Pause{}
	for _, p := range slices.SortedFunc(maps.Values(found), func(a, b *Pause) int { return a.Since.Compare(b.Since) }) {
		all = append(all, *p)
	}
	return all
}
