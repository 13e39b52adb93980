package worker

import (
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/toplu/toplu/schema"
)

// gaugesEvery is how often a shard counts what it has open. The readers of the
// logs come by more often than that, also when nothing happens.
const gaugesEvery = time.Second

// An openState is where unanswered money is. Each unanswered payout is in one.
type openState string

const (
	openPayable     openState = "payable"     // nothing but its turn, and money, stands before paying it
	openScheduled   openState = "scheduled"   // before it too, and the merchant's cut-off lets it wait
	openHeld        openState = "held"        // before the point of no return, and held or paused, or its merchant is not in the configuration
	openInFlight    openState = "in_flight"   // past the point of no return
	openUnknown     openState = "unknown"     // past it, and iyzico's answer is overdue
	openUnexplained openState = "unexplained" // iyzico shows what nobody of ours has done
)

var openStates = []openState{openPayable, openScheduled, openHeld, openInFlight, openUnknown, openUnexplained}

// A purse is a merchant's money in one currency.
type purse struct {
	merchant string
	currency schema.Currency
}

// A heap of payouts, and since when the oldest batch among them waits.
type heapOf struct {
	Tally
	oldest time.Time // zero: there are none
}

func (h *heapOf) join(t Tally, at time.Time) {
	if t.Items == 0 {
		return
	}
	h.Items += t.Items
	h.Minor += t.Minor
	if h.oldest.IsZero() || at.Before(h.oldest) {
		h.oldest = at
	}
}

// gauging is what a shard counts for people beside what it does. Nothing is
// decided by it.
type gauging struct {
	last       time.Time          // when it was counted
	backlogs   map[string]backlog // of plans that are not in memory, by merchant
	unread     map[int64]bool     // plans whose turn has come and that are being read
	purses     map[purse]bool     // seen in this session: an empty one is told as 0
	disputed   map[dispute]bool   // payouts whose final status iyzico contradicts
	disputes   map[purse]heapOf   // their sums
	checkpoint time.Time          // when the last one was written; zero: not known
	covered    int64              // journal records below are in it

	// Set by the folder of plans, beside the loop.
	planEnd atomic.Int64 // of the plan log, as last seen
	claimed atomic.Int64 // plans below stand in the claims
}

type dispute struct {
	plan int64
	item int
}

// A backlog is what the plans come to that have not been read for their turn.
// They are not remembered one by one, or memory would grow with what waits.
type backlog struct {
	sums  map[schema.Currency]Tally
	since time.Time // none of them waits for longer
}

func newGauging() gauging {
	return gauging{
		backlogs: map[string]backlog{}, unread: map[int64]bool{}, purses: map[purse]bool{},
		disputed: map[dispute]bool{}, disputes: map[purse]heapOf{},
	}
}

// waits counts a batch that has to wait for its turn.
func (g *gauging) waits(b *batch) {
	l := g.backlogs[b.merchant]
	if l.sums == nil {
		l = backlog{sums: map[schema.Currency]Tally{}, since: b.waitsSince()}
	}
	t, own := l.sums[b.plan.Currency], b.openSum()
	l.sums[b.plan.Currency] = Tally{t.Items + own.Items, t.Minor + own.Minor}
	g.backlogs[b.merchant] = l
}

// taken marks a plan that waited as being read; it is counted as waiting until
// it has been.
func (g *gauging) taken(offset int64) { g.unread[offset] = true }

// read moves a batch that waited from the backlog into memory. first tells
// whether it was sealed before all that still do.
func (g *gauging) read(b *batch, first bool) {
	if !g.unread[b.offset] {
		return
	}
	delete(g.unread, b.offset)
	l := g.backlogs[b.merchant]
	t, own := l.sums[b.plan.Currency], b.openSum()
	if t.Items -= own.Items; t.Items == 0 {
		delete(l.sums, b.plan.Currency)
	} else {
		l.sums[b.plan.Currency] = Tally{t.Items, t.Minor - own.Minor}
	}
	if len(l.sums) == 0 {
		delete(g.backlogs, b.merchant)
		return
	}
	if since := b.waitsSince(); first && since.After(l.since) {
		l.since = since
		g.backlogs[b.merchant] = l
	}
}

// contradicted counts a payout whose final status iyzico contradicts, once.
func (g *gauging) contradicted(b *batch, i int) {
	d := dispute{b.offset, i}
	if g.disputed[d] {
		return
	}
	g.disputed[d] = true
	p := purse{b.merchant, b.plan.Currency}
	h := g.disputes[p]
	h.join(Tally{1, b.plan.Items[i].Minor}, b.waitsSince())
	g.disputes[p] = h
}

// checkpointed notes a checkpoint in the journal.
func (g *gauging) checkpointed(r *schema.Record) {
	if r.Checkpoint != nil && r.Checkpoint.JournalOffset >= g.covered {
		g.checkpoint, g.covered = r.At, r.Checkpoint.JournalOffset
	}
}

// folded notes how far the plans stand in the claims.
func (g *gauging) folded(claimed, end int64) {
	g.claimed.Store(claimed)
	g.planEnd.Store(end)
}

// openSum is the number and the sum of the batch's unanswered payouts.
func (b *batch) openSum() Tally {
	var t Tally
	for i := range b.items {
		if b.open(i) {
			t.add(b.plan.Items[i].Minor)
		}
	}
	return t
}

// waitsSince is when the batch was sealed, or when its merchant's cut-off lets it
// go, which is later: a night behind a cut-off is no delay of ours.
func (b *batch) waitsSince() time.Time {
	if b.plan.NotBefore.After(b.plan.At) {
		return b.plan.NotBefore
	}
	return b.plan.At
}

// openState tells where the batch's unanswered payouts are.
func (b *batch) openState(paused bool, now time.Time) openState {
	switch {
	case b.foreign():
		return openUnexplained
	case b.unknown != nil:
		return openUnknown
	case b.phase >= completing:
		return openInFlight
	case paused || len(b.holds) > 0:
		return openHeld
	case b.plan.NotBefore.After(now):
		return openScheduled
	}
	return openPayable
}

// gauge counts what is open, now and then, and hands it to the metrics.
func (s *Shard) gauge() {
	if s.ports.Metrics == nil {
		return
	}
	g, now := &s.gauges, s.ports.Now()
	if now.Sub(g.last) < gaugesEvery {
		return
	}
	g.last = now
	r := &reading{
		session: s.session, now: s.ports.Now, open: map[purse]map[openState]heapOf{}, troubled: map[string]bool{},
		claimsLag: max(0, g.planEnd.Load()-g.claimed.Load()), claimsOK: s.claimsOK,
		checkpoint: g.checkpoint, unchecked: s.journalNext - g.covered,
	}
	if s.ready() { // before, the logs are half read and old plans look as if they were still to be paid
		s.gaugeOpen(r)
	}
	for name := range s.merchants {
		r.troubled[name] = s.standing(name) != Clear
	}
	s.ports.Metrics.read(s.number, r)
}

// gaugeOpen adds up what is open.
func (s *Shard) gaugeOpen(r *reading) {
	g := &s.gauges
	scopes, missing := s.scopes(), map[string]bool{}
	stopped := func(merchant string) bool {
		if !s.configured(merchant) {
			missing[merchant] = true
			return true
		}
		return PausedIn(scopes, merchant)
	}
	scheduled := map[string]bool{} // what waits behind such a batch was sealed later, and before the same opening
	for _, b := range s.batches {
		if b.plan != nil && b.plan.NotBefore.After(g.last) {
			scheduled[b.merchant] = true
		}
	}
	for merchant, l := range g.backlogs {
		state := openPayable
		switch {
		case stopped(merchant):
			state = openHeld
		case scheduled[merchant]:
			state = openScheduled
		}
		for currency, t := range l.sums {
			g.put(r, purse{merchant, currency}, state, t, l.since)
		}
	}
	for _, b := range s.batches {
		if b.plan != nil {
			state, at := b.openState(!b.settled() && stopped(b.merchant), g.last), b.waitsSince()
			if state == openScheduled {
				at = b.plan.At
			}
			g.put(r, purse{b.merchant, b.plan.Currency}, state, b.openSum(), at)
		}
	}
	r.missing = slices.Sorted(maps.Keys(missing))
	s.absent.Store(&r.missing)
	for p, h := range g.disputes {
		g.put(r, p, openUnexplained, h.Tally, h.oldest)
	}
	for p := range g.purses {
		if r.open[p] == nil {
			r.open[p] = map[openState]heapOf{}
		}
	}
}

func (g *gauging) put(r *reading, p purse, state openState, t Tally, at time.Time) {
	g.purses[p] = true
	if r.open[p] == nil {
		r.open[p] = map[openState]heapOf{}
	}
	h := r.open[p][state]
	h.join(t, at)
	r.open[p][state] = h
}
