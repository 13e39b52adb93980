package simulation_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/toplu/toplu/iyzico/iyzicotest"
)

// The judge reads what everybody can see, with code of its own.

// owned is a plan that owns payouts, by the rule: the first plan with an id.
type owned struct {
	plan  int64
	batch string
	items []int
	ids   []string
	minor []int64
}

// A planned is a plan record as the judge reads it.
type planned struct {
	Type  string
	ID    string
	Items []struct {
		ID    string
		Minor int64
	}
}

// ownership reads a shard's plan log.
func (w *world) ownership(sh *shard) map[int64]owned {
	taken := map[string]bool{}
	all := map[int64]owned{}
	chunk, _ := sh.plans.Read(context.Background(), 0)
	for _, e := range chunk.Entries {
		var p planned
		if err := json.Unmarshal(e.Value, &p); err != nil {
			panic(err)
		}
		if p.Type != "planned" {
			continue
		}
		o := owned{plan: e.Offset, batch: p.ID}
		for i, it := range p.Items {
			if !taken[it.ID] {
				taken[it.ID] = true
				o.items, o.ids, o.minor = append(o.items, i), append(o.ids, it.ID), append(o.minor, it.Minor)
			}
		}
		if len(o.items) > 0 {
			all[e.Offset] = o
		}
	}
	return all
}

// A told is a status event as the judge reads it.
type told struct {
	PayoutID string
	Sequence int
	Previous string `json:"previousStatus"`
	Status   string
	Final    bool
	BatchID  string
	Amount   struct{ Value, Currency string }
	Reason   struct{ Code string }
}

// next are the arrows of the contract.
var next = map[string]string{
	"":              "accepted",
	"accepted":      "submitted rejected cancelled unknown",
	"submitted":     "paid failed unknown",
	"failed":        "returned return_failed",
	"unknown":       "submitted paid failed returned return_failed rejected cancelled",
	"paid":          "",
	"returned":      "",
	"return_failed": "",
	"rejected":      "",
	"cancelled":     "",
}

var final = []string{"paid", "failed", "returned", "return_failed", "rejected", "cancelled"}

// answered tells which payouts have a final status.
func (w *world) answered() map[string]bool {
	all := map[string]bool{}
	for _, m := range w.statuses.messages {
		var s told
		if err := json.Unmarshal(m.Value, &s); err == nil && slices.Contains(final, s.Status) {
			all[s.PayoutID] = true
		}
	}
	return all
}

// allAnswered reports whether no payout waits for its answer.
func (w *world) allAnswered() bool {
	answered := w.answered()
	for _, sh := range w.shards {
		for _, o := range w.ownership(sh) {
			for _, id := range o.ids {
				if !answered[id] {
					return false
				}
			}
		}
	}
	return true
}

// allObeyed reports whether every command of a person has left a record.
func (w *world) allObeyed() bool {
	return !slices.ContainsFunc(w.shards, func(sh *shard) bool { return !sh.person.obeyed() })
}

// judge compares the plan logs, the status topic and the books.
func (w *world) judge() {
	last := w.judgeStatuses()
	paid := map[string][]iyzicotest.Transfer{}
	for t := range w.provider.Books().Transfers {
		paid[t.ItemExternalID] = append(paid[t.ItemExternalID], t)
	}
	if w.p.consumer {
		w.judgeRequests()
	}
	if !w.allObeyed() {
		w.trace.violate("a command has left no record")
	}
	planned := map[string]bool{}
	for _, sh := range w.shards {
		owned := w.ownership(sh)
		for _, plan := range slices.Sorted(maps.Keys(owned)) {
			o := owned[plan]
			for i, id := range o.ids {
				w.judgePayout(o, i, last[id], paid[id])
				w.judgeAnswer(o, last[id])
				planned[id] = true
			}
		}
		w.judgeLetters(sh)
		w.judgeHolds(sh, paid)
	}
	w.judgeOrphans()
	for _, id := range slices.Sorted(maps.Keys(paid)) {
		if !planned[id] {
			w.trace.violate("%s was paid and is in no plan", id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(last)) {
		if !planned[id] {
			w.trace.violate("%s has statuses and is in no plan", id)
		}
	}
}

func (w *world) judgePayout(o owned, i int, s told, paid []iyzicotest.Transfer) {
	id, amount := o.ids[i], fmt.Sprintf("%d.%02d", o.minor[i]/100, o.minor[i]%100)
	switch {
	case len(paid) > 1:
		w.trace.violate("DOUBLE PAYMENT: %s was paid %d times (%s and %s)", id, len(paid), paid[0].ExternalID, paid[1].ExternalID)
	case !slices.Contains(final, s.Status):
		w.trace.violate("%s of plan %d is unanswered: %q", id, o.plan, s.Status)
	case s.Status == "paid" && len(paid) == 0:
		w.trace.violate("%s is answered paid and was not paid", id)
	case s.Status != "paid" && len(paid) == 1:
		w.trace.violate("%s is answered %s and was paid", id, s.Status)
	}
	for _, t := range paid {
		if t.Amount.String() != amount || !strings.HasPrefix(t.ExternalID, o.batch+"-") {
			w.trace.violate("%s of batch %s for %s was paid as %s in %s", id, o.batch, amount, t.Amount, t.ExternalID)
		}
	}
	if s.Status != "" && (s.Amount.Value != amount || s.BatchID != o.batch) {
		w.trace.violate("%s of batch %s for %s is told as %s of %s", id, o.batch, amount, s.Amount.Value, s.BatchID)
	}
}

// judgeStatuses follows every payout along its arrows, and returns the last.
func (w *world) judgeStatuses() map[string]told {
	last := map[string]told{}
	seen := map[string][]byte{}
	for _, m := range w.statuses.messages {
		var s told
		if err := json.Unmarshal(m.Value, &s); err != nil {
			w.trace.violate("a status cannot be read: %v", err)
			continue
		}
		if s.Status == "request_refused" {
			continue // no status of a payout
		}
		key := fmt.Sprintf("%s %d", s.PayoutID, s.Sequence)
		whole := append([]byte(nil), m.Value...)
		for _, h := range m.Headers {
			whole = fmt.Appendf(whole, "|%s=%s", h.Key, h.Value)
		}
		if before, again := seen[key]; again {
			if !bytes.Equal(before, whole) {
				w.trace.violate("%s was told in two ways:\n  %s\n  %s", key, before, whole)
			}
			continue
		}
		seen[key] = whole
		was := last[s.PayoutID]
		switch {
		case s.Sequence != was.Sequence+1:
			w.trace.violate("%s: sequence %d (%s) follows %d (%s)", s.PayoutID, s.Sequence, s.Status, was.Sequence, was.Status)
		case s.Previous != was.Status || !slices.Contains(strings.Fields(next[was.Status]), s.Status):
			w.trace.violate("%s: %s after %s, told as after %s", s.PayoutID, s.Status, was.Status, s.Previous)
		case s.Final != slices.Contains(final, s.Status):
			w.trace.violate("%s: %s is told as final %v", s.PayoutID, s.Status, s.Final)
		}
		last[s.PayoutID] = s
	}
	return last
}

// sources are the places of the requests in the dead letters.
func (w *world) sources() map[string]bool {
	aside := map[string]bool{}
	for _, m := range w.letters.messages {
		var source strings.Builder
		for _, h := range m.Headers {
			if h.Key == "toplu-source-partition" || h.Key == "toplu-source-offset" {
				fmt.Fprintf(&source, "%s/", h.Value)
			}
		}
		aside[source.String()] = true
	}
	return aside
}

// judgeLetters looks for the dead letter of every conflict.
func (w *world) judgeLetters(sh *shard) {
	aside := w.sources()
	first := map[string]int64{}
	chunk, _ := sh.plans.Read(context.Background(), 0)
	for _, e := range chunk.Entries {
		var p struct {
			Type  string
			Items []struct {
				ID     string
				Minor  int64
				Source struct{ Partition, Offset int64 }
			}
		}
		if err := json.Unmarshal(e.Value, &p); err != nil || p.Type != "planned" {
			continue
		}
		for _, it := range p.Items {
			minor, taken := first[it.ID]
			if !taken {
				first[it.ID] = it.Minor
			} else if minor != it.Minor && !aside[fmt.Sprintf("%d/%d/", it.Source.Partition, it.Source.Offset)] {
				w.trace.violate("the conflict of %s in plan %d is in no dead letter", it.ID, e.Offset)
			}
		}
	}
}

// judgeHolds asks of every payment whether its batch was completed while nothing
// held it: no hold and no pause stood before the first completing that could
// have let it go.
func (w *world) judgeHolds(sh *shard, paid map[string][]iyzicotest.Transfer) {
	free := map[string]bool{} // requestIds with a completing that nothing held
	held := map[string]map[int64]string{}
	pauses, obeyed := map[int64]bool{}, map[int64]bool{}
	chunk, _ := sh.journal.Read(context.Background(), 0)
	for _, e := range chunk.Entries {
		var r struct {
			Type, Batch, RequestID, Hold, Scope string
			Which                               []int64
			Command                             int64
		}
		if err := json.Unmarshal(e.Value, &r); err != nil {
			w.trace.violate("journal offset %d cannot be read: %v", e.Offset, err)
			continue
		}
		if obeyed[r.Command] && r.Command > 0 {
			continue // a command's second record counts for nothing
		}
		obeyed[r.Command] = true
		switch r.Type {
		case "paused":
			pauses[e.Offset] = r.Scope == "" || r.Scope == "default"
		case "held":
			if held[r.Batch] == nil {
				held[r.Batch] = map[int64]string{}
			}
			held[r.Batch][e.Offset] = r.Hold
		case "resumed":
			for _, at := range r.Which {
				delete(pauses, at)
				delete(held[r.Batch], at)
			}
		case "decided": // lifts a foreign hold, if it counts
			maps.DeleteFunc(held[r.Batch], func(_ int64, kind string) bool { return kind == "foreign" })
		case "completing":
			paused := slices.Contains(slices.Collect(maps.Values(pauses)), true)
			free[r.RequestID] = free[r.RequestID] || !paused && len(held[r.Batch]) == 0
		}
	}
	owned := w.ownership(sh)
	for _, plan := range slices.Sorted(maps.Keys(owned)) {
		for _, id := range owned[plan].ids {
			for _, t := range paid[id] {
				if !free[t.RequestID] {
					w.trace.violate("%s was paid by %s, which was never completed or only while it was held", id, t.RequestID)
				}
			}
		}
	}
}
