package simulation_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/toplu/toplu/iyzico/iyzicotest"
	"github.com/toplu/toplu/schema"
)

// TestStormReaches makes sure that the storms are storms: over a few hundred
// seeds every kind of record is written and every misfortune happens. Without it
// a change that calms the simulation down would look like success.
func TestStormReaches(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for seed := uint64(1); seed <= 400; seed++ {
		w := simulate(t, seed, false)
		for _, sh := range w.shards {
			plans, _ := sh.plans.Read(context.Background(), 0)
			planned := map[string]bool{}
			for _, e := range plans.Entries {
				rec, err := schema.DecodePlan(e.Value)
				if err != nil {
					t.Fatal(err)
				}
				if rec.Plan == nil {
					continue
				}
				for i := range rec.Plan.Items {
					if id := rec.Plan.Items[i].PayoutID; planned[id] {
						seen["planned twice"]++
					} else {
						planned[id] = true
					}
				}
				if bytes.Contains(e.Value, []byte(`"notBefore"`)) {
					seen["waits for the opening"]++
				}
			}
			chunk, _ := sh.journal.Read(context.Background(), 0)
			for _, e := range chunk.Entries {
				var r struct{ Type, Hold string }
				if err := json.Unmarshal(e.Value, &r); err != nil {
					t.Fatal(err)
				}
				seen[r.Type]++
				seen["held for "+r.Hold]++
			}
		}
		for _, m := range w.statuses.messages {
			var s told
			if err := json.Unmarshal(m.Value, &s); err != nil {
				t.Fatal(err)
			}
			seen["status "+s.Status]++
		}
		calm := false
		for _, e := range w.trace.events {
			op, _, _ := strings.Cut(e.what, " ")
			switch {
			case e.who == "network":
				seen[op+" arrives late"]++
			case e.who == "person" && strings.HasPrefix(e.what, "has iyzico cancel"):
				seen["expired"]++
			case calm && strings.Contains(e.how, "code 50000"):
				seen[op+" over the limit"]++
			case e.who == "storm":
				calm = true // and the dial of this refusal is at zero
			case e.who == "redis":
				seen["redis "+e.how]++
			case op == "crashes", op == "freezes", op == "starts":
				seen[op]++
			case strings.HasPrefix(e.how, "answer lost"), strings.HasPrefix(e.how, "lost before"):
				seen[op+" lost"]++
			}
		}
		for _, b := range w.provider.Books().Batches {
			seen["at iyzico "+b.Status.String()]++
			if b.Items[iyzicotest.ItemCanceled] > 0 && b.Items[iyzicotest.ItemSuccess] > 0 {
				seen["cancelled in part"]++
			}
		}
		seen["dead letters"] += len(w.letters.messages)
	}
	want := []string{
		"status submitted", "status paid", "status failed", "status returned", "status return_failed", "status rejected", "status cancelled", "status unknown",
		"init arrives late", "auth arrives late", "cancel arrives late", "journal.append arrives late", "claims.fold arrives late", "claims.begin arrives late", "statuses arrives late", "commit arrives late",
		"init lost", "auth lost", "cancel lost", "retrieve lost", "journal.append lost", "statuses lost", "claims.fold lost",
		"redis wiped", "redis rolled back", "redis exchanged", "redis robbed of a key", "crashes", "freezes", "starts",
		"at iyzico INIT", "at iyzico COMPLETED", "at iyzico CANCELED", "cancelled in part", "dead letters", "expired", "init over the limit", "retrieve over the limit",
		"held for limit", "held for policy", "held for mismatch", "waits for the opening", "planned twice",
	}
	for _, kind := range schema.RecordTypes() {
		if kind != schema.RecQuarantined { // every record here can be read
			want = append(want, string(kind))
		}
	}
	for _, what := range want {
		if seen[what] == 0 {
			t.Errorf("%s never happened", what)
		}
	}
	t.Log(seen)
}
