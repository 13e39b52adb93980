package simulation_test

import (
	"slices"
	"strings"
	"time"

	"github.com/toplu/toplu/iyzico/iyzicotest"
)

// What the books have to say about answers other than paid.

// atBank are the statuses of lines that went past the bank's door.
var atBank = []iyzicotest.ItemStatus{
	iyzicotest.ItemQueued, iyzicotest.ItemProcessing, iyzicotest.ItemSuccess,
	iyzicotest.ItemFailed, iyzicotest.ItemDepositSuccess, iyzicotest.ItemDepositFail,
}

// judgeAnswer looks for what bears an answer out: failed is what iyzico shows as
// such, or a line that was cancelled while another of its batch went to the bank;
// a refusal that means "seen before" rejects nobody, where the batch that was
// seen could be found.
func (w *world) judgeAnswer(o owned, s told) {
	seen := []iyzicotest.ItemStatus{}
	for _, b := range w.provider.Books().Batches {
		if !strings.HasPrefix(b.ExternalID, o.batch+"-") {
			continue
		}
		lines := w.provider.Lines(b.RequestID)
		line, there := lines[s.PayoutID]
		if there && line == iyzicotest.ItemCanceled {
			for _, other := range lines {
				if slices.Contains(atBank, other) {
					line = iyzicotest.ItemFailed
				}
			}
		}
		if there {
			seen = append(seen, line)
		}
	}
	borne := map[string][]iyzicotest.ItemStatus{
		"failed":        {iyzicotest.ItemFailed, iyzicotest.ItemDepositSuccess, iyzicotest.ItemDepositFail},
		"returned":      {iyzicotest.ItemDepositSuccess},
		"return_failed": {iyzicotest.ItemDepositFail},
	}[s.Status]
	if borne != nil && !slices.ContainsFunc(seen, func(st iyzicotest.ItemStatus) bool { return slices.Contains(borne, st) }) {
		w.trace.violate("%s is answered %s and iyzico has it as %v", s.PayoutID, s.Status, seen)
	}
	if s.Status == "rejected" && (slices.Contains(trafficCodes, s.Reason.Code) || s.Reason.Code == refusedForGood && !slices.Contains(w.p.cfg.RejectCodes, refusedForGood)) {
		w.trace.violate("%s is rejected for %s, which rejects nobody", s.PayoutID, s.Reason.Code)
	}
	lag := time.Duration(w.p.settings.RetrieveLag)
	if s.Status == "rejected" && s.Reason.Code == duplicateCode && lag < w.p.cfg.Grace/2 {
		w.trace.violate("%s is rejected since iyzico has seen its batch before", s.PayoutID)
	}
}

// judgeOrphans wants no batch twice at iyzico where one look would have shown
// the first: no two sessions at once, no init held up in the network, no lag.
func (w *world) judgeOrphans() {
	if w.loose || w.p.settings.RetrieveLag > 0 {
		return
	}
	made := map[string]bool{}
	for _, b := range w.provider.Books().Batches {
		if made[b.ExternalID] {
			w.trace.violate("%s was sent to iyzico twice, and nothing had hidden the first", b.ExternalID)
		}
		made[b.ExternalID] = true
	}
}
