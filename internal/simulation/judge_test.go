package simulation_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/toplu/toplu/iyzico/iyzicotest"
)

// The judge reads what everybody can see, with code of its own.

// owned is a plan that owns payouts, by the rule: the first plan with an id.
type owned struct {
	plan  int64
	at    time.Time // when it was sealed
	batch string
	items []int
	ids   []string
	minor []int64
}

// A planned is a plan record as the judge reads it.
type planned struct {
	Type  string
	ID    string
	At    time.Time
	Items []struct {
		ID    string
		Minor int64
	}
	IDs []struct{ ID string } // of an import
}

// planned reads a shard's plan log: every record, and its offset.
func (sh *shard) planned() iter.Seq2[int64, *planned] {
	return func(yield func(int64, *planned) bool) {
		chunk, _ := sh.plans.Read(context.Background(), 0)
		for _, e := range chunk.Entries {
			var p planned
			if err := json.Unmarshal(e.Value, &p); err != nil {
				panic(err)
			}
			if !yield(e.Offset, &p) {
				return
			}
		}
	}
}

// ownership tells which plan of a shard owns what.
func (w *world) ownership(sh *shard) map[int64]owned {
	taken := map[string]bool{}
	all := map[int64]owned{}
	for offset, p := range sh.planned() {
		for _, im := range p.IDs {
			taken[im.ID] = true
		}
		if p.Type != "planned" {
			continue
		}
		o := owned{plan: offset, at: p.At, batch: p.ID}
		for i, it := range p.Items {
			if !taken[it.ID] {
				taken[it.ID] = true
				o.items, o.ids, o.minor = append(o.items, i), append(o.ids, it.ID), append(o.minor, it.Minor)
			}
		}
		if len(o.items) > 0 {
			all[offset] = o
		}
	}
	return all
}

// imported are the ids that people said were paid elsewhere.
func (w *world) imported() map[string]bool {
	all := map[string]bool{}
	for _, sh := range w.shards {
		for _, p := range sh.planned() {
			for _, im := range p.IDs {
				all[im.ID] = true
			}
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
	for _, m := range w.statuses.messages[w.heard:] {
		var s told
		if err := json.Unmarshal(m.Value, &s); err == nil && slices.Contains(final, s.Status) {
			w.finals[s.PayoutID] = true
		}
	}
	w.heard = len(w.statuses.messages)
	return w.finals
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
	taken := map[string]bool{}
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
		case s.Status == "rejected" && taken[s.PayoutID]:
			w.trace.violate("%s is rejected, and iyzico had taken it in an earlier attempt", s.PayoutID)
		}
		taken[s.PayoutID] = taken[s.PayoutID] || s.Status == "submitted"
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

// anything is the amount of an import: only the id is known.
const anything = -1

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
			IDs []struct{ ID string }
		}
		if err := json.Unmarshal(e.Value, &p); err != nil {
			continue
		}
		for _, im := range p.IDs {
			if _, taken := first[im.ID]; !taken {
				first[im.ID] = anything
			}
		}
		for _, it := range p.Items {
			minor, taken := first[it.ID]
			if !taken {
				first[it.ID] = it.Minor
			} else if minor != it.Minor && minor != anything && !aside[fmt.Sprintf("%d/%d/", it.Source.Partition, it.Source.Offset)] {
				w.trace.violate("the conflict of %s in plan %d is in no dead letter", it.ID, e.Offset)
			}
		}
	}
}
