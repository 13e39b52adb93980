package simulation_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/toplu/toplu/iyzico/iyzicotest"
)

// judgeHolds asks of every payment whether its batch was completed while nothing
// held it: no hold and no pause stood before the first completing that could
// have let it go, and what is above the merchant's limits was held for that. No
// attempt is dead that nobody fenced, and no request planned while the shard was
// closed.
func (w *world) judgeHolds(sh *shard, paid map[string][]iyzicotest.Transfer) {
	free := map[string]bool{} // requestIds with a completing that nothing held
	opened := time.Time{}     // if it was closed
	held := map[string]map[int64]string{}
	pauses, obeyed := map[int64]bool{}, map[int64]bool{}
	fenced, weighed := map[string]bool{}, map[string]bool{} // by requestId, by batch
	chunk, _ := sh.journal.Read(context.Background(), 0)
	for _, e := range chunk.Entries {
		var r struct {
			Type, Batch, RequestID, Hold, Scope string
			Which                               []int64
			Command                             int64
			Reason                              struct{ Code string }
			At                                  time.Time
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
		case "genesis":
			pauses[e.Offset] = r.Reason.Code == "restored"
		case "paused":
			pauses[e.Offset] = r.Scope == "" || r.Scope == "default"
		case "held":
			if held[r.Batch] == nil {
				held[r.Batch] = map[int64]string{}
			}
			held[r.Batch][e.Offset] = r.Hold
			weighed[r.Batch] = weighed[r.Batch] || r.Hold == "limit"
		case "resumed":
			for _, at := range r.Which {
				if at == 0 {
					opened = r.At
				}
				delete(pauses, at)
				delete(held[r.Batch], at)
			}
		case "decided": // lifts a foreign hold, if it counts
			maps.DeleteFunc(held[r.Batch], func(_ int64, kind string) bool { return kind == "foreign" })
		case "fencing":
			fenced[r.RequestID] = true
		case "dead":
			if !fenced[r.RequestID] {
				w.trace.violate("%s is dead by the journal, and nobody fenced it", r.RequestID)
			}
		case "completing":
			paused := slices.Contains(slices.Collect(maps.Values(pauses)), true)
			free[r.RequestID] = free[r.RequestID] || !paused && len(held[r.Batch]) == 0
		}
	}
	owned := w.ownership(sh)
	limits := w.p.cfg.Merchants["default"]
	for _, plan := range slices.Sorted(maps.Keys(owned)) {
		if w.p.consumer && w.p.closed && owned[plan].at.Before(opened) {
			w.trace.violate("plan %d was made while the shard was closed", plan)
		}
		sums := map[string]int64{}
		for i, id := range owned[plan].ids {
			for _, t := range paid[id] {
				if !free[t.RequestID] {
					w.trace.violate("%s was paid by %s, which was never completed or only while it was held", id, t.RequestID)
				}
				sums[t.RequestID] += owned[plan].minor[i]
				above := limits.MaxPayout > 0 && owned[plan].minor[i] > limits.MaxPayout || limits.MaxBatch > 0 && sums[t.RequestID] > limits.MaxBatch
				if above && !weighed[owned[plan].batch] {
					w.trace.violate("%s was paid by %s above the merchant's limits, and nobody was asked", id, t.RequestID)
				}
			}
		}
	}
}
