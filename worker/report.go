package worker

import (
	"context"
	"fmt"
	"time"

	"github.com/toplu/toplu/iyzico"
	"github.com/toplu/toplu/schema"
)

// reporting is how a session watches a batch that iyzico works on.
type reporting struct {
	interval time.Duration
	looks    int
	whole    bool // the next look reads every page
	last     glance
}

// A glance is what shows, without its items, that a batch has moved.
type glance struct {
	status                 iyzico.BatchStatus
	successful, commission iyzico.Money
}

func (v *view) glance() glance {
	return glance{v.batch.Status, v.batch.TotalSuccessful, v.batch.TotalCommission}
}

// fullEvery is how many glances pass before every page is read anyway: an item
// may come back without a trace in the totals.
const fullEvery = 6

// look asks iyzico what became of an attempt past its point of no return. A
// batch that stands still is asked for one item; all pages are read when its
// totals or status have moved, and now and then.
func (s *Shard) look(b *batch) {
	p, ok := s.ports.Merchant(b.merchant)
	if !ok {
		return
	}
	rep := &b.drive.report
	whole := rep.looks == 0 || rep.whole || rep.looks%fullEvery == 0 || b.phase == completing
	rep.looks++
	requestID := b.winner
	s.call(b, "report", func(ctx context.Context) func() {
		v, err := s.sight(ctx, p, requestID, whole)
		if err == nil && !whole && v.found && v.glance() != rep.last {
			v, err = s.sight(ctx, p, requestID, true)
		}
		return func() {
			if err == nil && v.found {
				if v.glance() != rep.last {
					rep.interval = 0
				}
				rep.last = v.glance()
			}
			s.judge(b, requestID, v, err)
		}
	})
}

// judge decides what a look shows. What it writes counts only as long as the
// requestId is the live attempt's.
func (s *Shard) judge(b *batch, requestID string, v view, err error) {
	if b.winner != requestID {
		return // the attempt has ended meanwhile
	}
	live := schema.Record{RequestID: requestID}
	if err != nil {
		if s.asking(b, "unreadable "+requestID) >= s.cfg.Alarm && s.unknown(b, "unreadable", "iyzico cannot be asked: "+err.Error()) {
			return
		}
		s.lookAgain(b)
		return
	}
	delete(b.drive.asked, "unreadable "+requestID)
	switch see(v.batch.Status) {
	case sawTaken:
		if !b.drive.debited && v.batch.Status != iyzico.BatchInProgress {
			b.drive.debited = true
			s.release(b) // also what an earlier session has set aside
		}
		if !s.settle(b, &v, nil) && (b.phase == completing || b.unknown != nil) {
			live.Type = schema.RecCompleted
			s.write(b, live)
		}
	case sawCanceled:
		s.judgeCanceled(b, &v)
	case sawUnfunded:
		if !s.unknown(b, "insufficient_balance", "iyzico shows "+string(v.batch.Status)+": it goes on when the balance is filled") {
			s.waitReport(b)
		}
	case sawInit:
		s.judgeInit(b, live)
	case sawNothing:
		if s.asking(b, "no status "+requestID) >= s.cfg.Alarm && s.unknown(b, "no_status", fmt.Sprintf("iyzico shows no status that is known: %q", v.batch.Status)) {
			return
		}
		s.lookAgain(b)
	}
}

// lookAgain has a look that showed nothing repeated: soon, unless every item is
// answered. What is looked for then is money that may come back within weeks, and
// whoever hurries takes from others what iyzico allows in calls.
func (s *Shard) lookAgain(b *batch) {
	if b.settled() {
		s.waitReport(b)
		return
	}
	s.again(b, s.cfg.Grace)
}

// judgeInit decides about an attempt that still shows INIT.
func (s *Shard) judgeInit(b *batch, live schema.Record) {
	switch {
	case b.fenced && s.asking(b, "fenced "+b.winner) >= s.cfg.Alarm && s.unknown(b, "not_cancelled", "iyzico neither takes the batch nor cancels it: a person must ask, and decide"):
	case b.fenced:
		b.drive.report.whole = true
		s.again(b, s.cfg.Grace)
	case b.phase == completing && s.asking(b, "init "+b.winner) >= s.cfg.Grace:
		// Auth is not there, and may still come. Only a cancelled batch is safe
		// from it: the provider itself is the fence.
		live.Type = schema.RecFencing
		s.write(b, live)
	case b.phase == completing:
		s.again(b, s.cfg.Grace/4)
	case s.asking(b, "init "+b.winner) >= s.cfg.Alarm && s.unknown(b, "init_after_success", "auth answered success and iyzico still shows INIT"):
	default:
		s.waitReport(b)
	}
}

// judgeCanceled seeks proof of death: every valid item MASS_PAYOUT_CANCELED, all
// pages, their number right. Anything else that moved says that it took.
func (s *Shard) judgeCanceled(b *batch, v *view) {
	var cancelled []int
	took := false
	seen := make(map[int]bool, len(v.valid))
	for _, it := range v.valid {
		i := b.index(it.ExternalID)
		// Pages that move while they are read show a line twice, and another not
		// at all: each counts once.
		if i >= 0 && b.valid(i) && it.Status == iyzico.ItemCanceled && !seen[i] {
			seen[i] = true
			cancelled = append(cancelled, i)
		}
		took = took || moved(it.Status)
	}
	switch {
	case took:
		if !s.settle(b, v, cancelled) {
			s.waitReport(b)
		}
	case !v.whole || len(cancelled) != b.count(b.valid) || len(v.valid) != len(cancelled):
		s.lookAgain(b)
		b.drive.report.whole = true
	case b.fenced:
		s.write(b, schema.Record{Type: schema.RecDead, RequestID: b.winner, Reason: &schema.Reason{
			Code: "cancelled", Text: fmt.Sprintf("read back CANCELED with all %d items MASS_PAYOUT_CANCELED", len(cancelled)),
		}})
	default:
		if !s.unknown(b, "cancelled_elsewhere", "iyzico shows CANCELED and nobody of ours asked for it") {
			s.waitReport(b)
		}
	}
}

// settle writes what a report changed, and reports whether there was anything.
// cancelled are the items that a cancel stopped although the attempt took.
func (s *Shard) settle(b *batch, v *view, cancelled []int) bool {
	changes, fees := make([]schema.ItemChange, 0, len(v.valid)+len(cancelled)), make([]int64, len(v.valid))
	for k := range v.valid {
		it := &v.valid[k]
		i := b.index(it.ExternalID)
		to := answer(it.Status)
		if i < 0 || to == "" {
			s.strange(it.Status)
			continue
		}
		if !b.valid(i) || !b.joins(i, to) {
			s.contradiction(b, i, it.Status, to)
			continue
		}
		if b.items[i].status == to {
			continue
		}
		c := schema.ItemChange{Item: i, Status: to, Reference: it.ReferenceCode}
		if it.OddCommission == "" {
			fees[k] = int64(it.Commission)
			c.Commission = &fees[k]
		}
		if to != schema.Paid {
			c.Code, c.Text = string(it.Status), firstOf(it.Errors)
		}
		changes = append(changes, c)
	}
	for _, i := range cancelled {
		if b.open(i) {
			changes = append(changes, schema.ItemChange{Item: i, Status: schema.Failed, Code: string(iyzico.ItemCanceled), Text: "cancelled while the rest of the batch was paid"})
		}
	}
	if len(changes) == 0 {
		if b.phase == completed && b.unknown == nil {
			s.waitReport(b)
		}
		return false
	}
	b.drive.report.interval = 0
	if b.count(b.open) > len(changes) {
		s.wakeAt(b, s.ports.Now().Add(s.cfg.ReportInterval))
	}
	s.write(b, settledRecords(b.winner, changes)...)
	return true
}

// settledRecords splits a long list of changes, so that a record stays small.
func settledRecords(requestID string, changes []schema.ItemChange) []schema.Record {
	const most = 1000
	var all []schema.Record
	for len(changes) > 0 {
		n := min(most, len(changes))
		all = append(all, schema.Record{Type: schema.RecSettled, RequestID: requestID, Items: changes[:n]})
		changes = changes[n:]
	}
	return all
}

// joins reports whether what a report shows is where the item is or may go.
func (b *batch) joins(i int, to schema.PayoutStatus) bool {
	from := b.items[i].status
	switch {
	case from == to, b.open(i), from.CanBecome(to):
		return true
	case to == schema.Failed:
		return from == schema.Returned || from == schema.ReturnFailed // an older report
	}
	return false
}

// contradiction says that iyzico shows what cannot be. Nothing is changed.
func (s *Shard) contradiction(b *batch, i int, status iyzico.ItemStatus, to schema.PayoutStatus) {
	s.ports.Metrics.unexplained("contradiction")
	s.gauges.contradicted(b, i)
	s.log.Error().Str("batch", b.plan.ID).Str("payout", b.plan.Items[i].PayoutID).Str("itemStatus", string(status)).
		Str("have", string(b.items[i].status)).Str("shown", string(to)).Msg("iyzico contradicts a final status: a person must look")
}

// strange logs an item status that iyzico has added, once.
func (s *Shard) strange(status iyzico.ItemStatus) {
	switch status {
	case iyzico.ItemInit, iyzico.ItemQueued, iyzico.ItemProcessing, iyzico.ItemCanceled, iyzico.ItemInvalid, iyzico.ItemSuccess, iyzico.ItemFailed, iyzico.ItemDepositSuccess, iyzico.ItemDepositFail:
		return
	}
	if !s.seenWords[string(status)] {
		s.seenWords[string(status)] = true
		s.log.Warn().Str("itemStatus", string(status)).Msg("iyzico shows an item status that is not known; it is kept as not final")
	}
}

// unknown writes that an answer is being sought, unless that stands already.
func (s *Shard) unknown(b *batch, code, text string) bool {
	if b.unknown != nil && b.unknown.Code == code {
		return false
	}
	s.ports.Metrics.unknown()
	s.write(b, schema.Record{Type: schema.RecUnknown, RequestID: b.winner, Reason: &schema.Reason{Code: code, Text: text}})
	return true
}

// waitReport has the batch looked at again, later each time nothing changes.
func (s *Shard) waitReport(b *batch) {
	rep := &b.drive.report
	if rep.interval == 0 {
		rep.interval = s.cfg.ReportInterval
	} else {
		rep.interval = min(rep.interval*3/2, s.cfg.ReportMaxInterval)
	}
	rep.whole = false
	if age := s.ports.Now().Sub(b.plan.At); age > s.cfg.ReportGiveUp && !b.settled() {
		s.log.Error().Str("batch", b.plan.ID).Dur("age", age).Msg("a batch has had no answer for too long: a person must ask iyzico")
		s.ports.Metrics.overdue()
	}
	s.wakeAt(b, s.ports.Now().Add(rep.interval))
}
