package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Case is what there is to judge, after everything has healed.
type Case struct {
	Asked    map[string]int64 // kuruş by payout id: requests that must be answered
	Statuses []Record         // the whole of payout.statuses, each partition in order
	Books    Books            // of the provider
}

// Books is what GET /_simulator/books answers, as far as it is judged.
type Books struct {
	Transfers []Transfer     `json:"transfers"`
	Calls     map[string]int `json:"calls"`
}

// A Transfer is money that moved once.
type Transfer struct {
	ItemExternalID string `json:"itemExternalId"`
	ExternalID     string `json:"externalId"`
	Amount         string `json:"amount"`
	Currency       string `json:"currency"`
}

// A Verdict is what the judge found.
type Verdict struct {
	Requested, Answered int
	ByStatus            map[string]int // payouts by their last status
	PaidTwice, Lost     int            // ids with two transfers; ids without a word
	Paid                int64          // kuruş that statuses call paid
	Moved               int64          // kuruş that the books show
	Events, Repeated    int            // status events, and those that came again
	Refused             int            // request_refused events

	faults []string
	more   int
}

// mostFaults keeps a broken run readable.
const mostFaults = 40

func (v *Verdict) fault(format string, args ...any) {
	if len(v.faults) == mostFaults {
		v.more++
		return
	}
	v.faults = append(v.faults, fmt.Sprintf(format, args...))
}

// Err returns everything that is wrong, or nil.
func (v *Verdict) Err() error {
	if len(v.faults) == 0 {
		return nil
	}
	text := strings.Join(v.faults, "\n  ")
	if v.more > 0 {
		text += fmt.Sprintf("\n  and %d more", v.more)
	}
	return fmt.Errorf("the judge finds:\n  %s", text)
}

// String is the verdict in one line.
func (v *Verdict) String() string {
	var by []string
	for _, s := range slices.Sorted(maps.Keys(v.ByStatus)) {
		by = append(by, fmt.Sprintf("%s %d", s, v.ByStatus[s]))
	}
	return fmt.Sprintf("requested %d, answered %d (%s), paid twice %d, lost %d, told %s TRY paid, books %s TRY, %d events of which %d repeated, %d refused",
		v.Requested, v.Answered, strings.Join(by, ", "), v.PaidTwice, v.Lost, lira(v.Paid), lira(v.Moved), v.Events, v.Repeated, v.Refused)
}

// next is the whole life of a payout: what may follow what.
var next = map[string][]string{
	"":          {"accepted"},
	"accepted":  {"submitted", "rejected", "cancelled", "unknown"},
	"submitted": {"paid", "failed", "unknown"},
	"failed":    {"returned", "return_failed"},
	"unknown":   {"submitted", "paid", "failed", "returned", "return_failed", "rejected", "cancelled"},
}

var final = map[string]bool{
	"accepted": false, "submitted": false, "unknown": false,
	"paid": true, "failed": true, "returned": true, "return_failed": true, "rejected": true, "cancelled": true,
}

// told is the story of one payout so far.
type told struct {
	partition int
	sequence  int
	status    string
	ids       []string // of the events, by sequence
	values    [][]byte
}

// Judge compares what was asked for, what was told and what was paid.
func Judge(c Case) *Verdict {
	v := &Verdict{Requested: len(c.Asked), ByStatus: map[string]int{}}
	stories := v.read(c)
	moved := v.open(c)
	for _, id := range slices.Sorted(maps.Keys(c.Asked)) {
		s, ok := stories[id]
		if !ok {
			v.Lost++
			v.fault("%s: asked for, and never a word", id)
			continue
		}
		v.ByStatus[s.status]++
		if final[s.status] {
			v.Answered++
		} else {
			v.fault("%s: ends as %s, which is not final", id, s.status)
		}
		if s.status == "paid" {
			v.Paid += c.Asked[id]
		}
		switch paid := moved[id] > 0; {
		case s.status == "paid" && !paid:
			v.fault("%s: told paid, and no money moved", id)
		case s.status != "paid" && paid:
			v.fault("%s: told %s, and money moved", id, s.status)
		}
	}
	if v.Paid != v.Moved {
		v.fault("told paid: %s TRY, moved: %s TRY", lira(v.Paid), lira(v.Moved))
	}
	return v
}

// read goes through the status events in the order of their partitions.
func (v *Verdict) read(c Case) map[string]*told {
	stories := map[string]*told{}
	for i := range c.Statuses {
		v.Events++
		v.event(c, stories, &c.Statuses[i])
	}
	return stories
}

type statusData struct {
	PayoutID       string  `json:"payoutId"`
	Sequence       *int    `json:"sequence"`
	PreviousStatus string  `json:"previousStatus"`
	Status         *string `json:"status"`
	Final          *bool   `json:"final"`
	OccurredAt     string  `json:"occurredAt"`
	Amount         struct {
		Value    string `json:"value"`
		Currency string `json:"currency"`
	} `json:"amount"`
}

func (v *Verdict) event(c Case, stories map[string]*told, r *Record) {
	at := fmt.Sprintf("statuses %d/%d", r.Partition, r.Offset)
	var d statusData
	if err := json.Unmarshal(r.Value, &d); err != nil {
		v.fault("%s: %v", at, err)
		return
	}
	if d.PayoutID == "" || d.Sequence == nil || d.Status == nil || d.Final == nil || d.OccurredAt == "" {
		v.fault("%s: payoutId, sequence, status, final or occurredAt is missing: %s", at, r.Value)
		return
	}
	if string(r.Key) != d.PayoutID || r.Header("ce_subject") != d.PayoutID || r.Header("ce_type") != "payout."+*d.Status+".v1" || r.Header("ce_id") == "" {
		v.fault("%s: key %q and headers %q do not fit %s", at, r.Key, r.Headers, r.Value)
	}
	if *d.Status == "request_refused" {
		v.Refused++
		if *d.Sequence != 0 || *d.Final {
			v.fault("%s: a refused request has sequence 0 and is not final: %s", at, r.Value)
		}
		return
	}
	asked, ok := c.Asked[d.PayoutID]
	if !ok {
		v.fault("%s: nobody asked for %s", at, d.PayoutID)
		return
	}
	if is, known := final[*d.Status]; !known || is != *d.Final {
		v.fault("%s: %s and final %t do not go together", at, *d.Status, *d.Final)
	}
	if kurus, err := minor(d.Amount.Value); err != nil || kurus != asked || d.Amount.Currency != "TRY" {
		v.fault("%s: %s is of %s TRY, told %s %s", at, d.PayoutID, lira(asked), d.Amount.Value, d.Amount.Currency)
	}
	s := stories[d.PayoutID]
	if s == nil {
		s = &told{partition: r.Partition}
		stories[d.PayoutID] = s
	}
	v.follow(at, s, &d, r)
}

// follow adds an event to a payout's story, or compares it with what was told.
func (v *Verdict) follow(at string, s *told, d *statusData, r *Record) {
	id, n := r.Header("ce_id"), *d.Sequence
	switch {
	case r.Partition != s.partition:
		v.fault("%s: %s is told of in partition %d too", at, d.PayoutID, s.partition)
	case n >= 1 && n <= s.sequence:
		v.Repeated++
		if s.ids[n-1] != id || !bytes.Equal(s.values[n-1], r.Value) {
			v.fault("%s: %s sequence %d is told differently:\n    %s %s\n    %s %s", at, d.PayoutID, n, s.ids[n-1], s.values[n-1], id, r.Value)
		}
	case n != s.sequence+1:
		v.fault("%s: %s goes from sequence %d to %d", at, d.PayoutID, s.sequence, n)
	case d.PreviousStatus != s.status || !slices.Contains(next[s.status], *d.Status):
		v.fault("%s: %s goes from %q to %s and says it was %q", at, d.PayoutID, s.status, *d.Status, d.PreviousStatus)
	case slices.Contains(s.ids, id):
		v.fault("%s: %s has the event id %s twice", at, d.PayoutID, id)
	default:
		s.sequence, s.status = n, *d.Status
		s.ids, s.values = append(s.ids, id), append(s.values, r.Value)
	}
}

// open reads the books: how often money moved for each id.
func (v *Verdict) open(c Case) map[string]int {
	moved := map[string]int{}
	for _, t := range c.Books.Transfers {
		moved[t.ItemExternalID]++
		kurus, err := minor(t.Amount)
		asked, ok := c.Asked[t.ItemExternalID]
		if err != nil || !ok || kurus != asked || t.Currency != "TRY" {
			v.fault("books: %s %s for %s, asked for: %s TRY", t.Amount, t.Currency, t.ItemExternalID, lira(asked))
		}
		v.Moved += kurus
		if moved[t.ItemExternalID] == 2 {
			v.PaidTwice++
			v.fault("books: %s was paid twice", t.ItemExternalID)
		}
	}
	return moved
}

// minor reads a decimal in lira as kuruş.
func minor(text string) (int64, error) {
	whole, rest, _ := strings.Cut(text, ".")
	rest = strings.TrimRight(rest, "0")
	if len(rest) > 2 {
		return 0, fmt.Errorf("%s has more than two decimals", text)
	}
	var kurus int64
	for _, c := range whole + (rest + "00")[:2] {
		if c < '0' || c > '9' || kurus > 1<<50 {
			return 0, fmt.Errorf("%q is no amount", text)
		}
		kurus = kurus*10 + int64(c-'0')
	}
	return kurus, nil
}

func lira(kurus int64) string { return fmt.Sprintf("%d.%02d", kurus/100, kurus%100) }
