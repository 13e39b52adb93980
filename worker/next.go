package worker

import (
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/toplu/toplu/schema"
)

// An action is what a session does next about a batch.
type action int

const (
	actWait action = iota
	actLoad
	actLimit
	actOrphans
	actCreating
	actSeek
	actInit
	actCreated
	actVerify
	actBalance
	actCompleting
	actAuth
	actLook
	actFence
	actClosed
)

// A drive is what this session remembers of a batch beside the fold. It is
// lost with the session, and nothing in it may be needed for safety but one
// thing: which requestIds this session has called auth with.
type drive struct {
	busy   bool  // a call or a write is under way
	awaits int64 // the offset of a record of ours that has not been read back, or None
	wake   time.Time
	note   string // what it waits for, for people
	reread []int64
	told   int64 // the statuses of the records below are published

	authorised map[string]bool // requestIds that auth was called with: never again

	attempt  int  // the attempt that the fields below speak of
	lost     bool // init may have been called and its answer is not known
	refusal  error
	answer   *schema.Record // what init answered, until it is read back
	verified bool
	funded   bool
	need     schema.Amount // amounts and commissions of the attempt
	reserved bool          // need is set aside for all workers to see
	debited  bool          // a report showed that iyzico has taken it from the balance

	asked map[string]time.Time // since when a question is being asked
	retry *backoff.ExponentialBackOff

	orphans   map[string]bool // requestIds that are dealt with
	report    reporting
	lastEvent int // number of the batch's last status in the outbox
}

// next decides what to do about a batch. It reads the fold and this session's
// memory and changes neither, so it is the same for a healthy run and for one
// that takes over after a crash. The reason is for people.
func (s *Shard) next(b *batch) (action, string) {
	d := &b.drive
	if b.plan == nil {
		return actLoad, "its plan is being read"
	}
	if b.settled() {
		return s.nextSettled(b)
	}
	if !s.configured(b.merchant) {
		return actWait, "merchant " + b.merchant + " is not in the configuration"
	}
	if b.phase < completing {
		if !s.claimsOK {
			return actWait, "the claims are being filled again from the log"
		}
		if h := b.heldBy(); h != nil {
			return actWait, fmt.Sprintf("held (%s): %s", h.kind, h.reason.Text)
		}
		if why := s.tooMuch(b); why != "" {
			return actLimit, why
		}
		if b.plan.NotBefore.After(s.ports.Now()) {
			return actWait, notBefore(b.plan)
		}
		if s.standing(b.merchant) == Stopped {
			return actWait, "iyzico refuses or does not answer this merchant's calls: its circuit breaker is open"
		}
	}
	switch b.phase {
	case planned:
		if s.hasOrphans(b) {
			return actOrphans, "cancelling what an earlier attempt left at iyzico"
		}
		return actCreating, "to be created"
	case creating:
		if d.answer != nil {
			return actCreated, "writing down what init answered"
		}
		if d.lost {
			return actSeek, "init was called and its answer is not known: asking iyzico"
		}
		return actInit, "calling init"
	case created:
		switch {
		case b.count(b.valid) == 0:
			return actWait, "iyzico refused every item that is left"
		case PausedIn(s.scopes(), b.merchant):
			return actWait, "payouts are paused"
		case !d.verified:
			return actVerify, "reading back what iyzico has"
		case !d.funded:
			return actBalance, "looking at the balance"
		}
		return actCompleting, "to be completed"
	case completing:
		switch {
		case b.fenced:
			return actFence, "auth's answer was lost: cancelling, and seeking proof that it is dead"
		case b.completer == s.session && !d.authorised[b.winner] && b.unknown == nil:
			return actAuth, "calling auth"
		}
		return actLook, "auth may have been called: asking iyzico"
	case completed:
		return actLook, "waiting for iyzico's report"
	}
	panic(&ImpossibleError{b.plan.ID, "no such phase"})
}

// nextSettled decides about a batch whose items are all answered.
func (s *Shard) nextSettled(b *batch) (action, string) {
	switch {
	case b.closed:
		return actWait, "closed"
	case s.hasOrphans(b):
		return actOrphans, "cancelling what an earlier attempt left at iyzico"
	case b.phase == completed && b.returnable() && s.ports.Now().Sub(b.plan.At) < s.cfg.ReportGiveUp:
		return actLook, "failed items may still come back"
	case b.drive.lastEvent > s.outbox.published:
		return actWait, "its statuses are being published"
	}
	return actClosed, "answered"
}

func (s *Shard) hasOrphans(b *batch) bool {
	for _, id := range b.orphans {
		if !b.drive.orphans[id] {
			return true
		}
	}
	return false
}

// advanceAll moves every batch on that can move.
func (s *Shard) advanceAll() {
	for _, b := range s.sorted() {
		s.advance(b)
	}
}

// advance does what comes next about a batch, unless something is under way,
// its time has not come, or the shard may not act.
func (s *Shard) advance(b *batch) {
	d := &b.drive
	if !d.busy && !s.stopping && d.wake.After(s.ports.Now()) && s.sleepy(b) {
		s.sleep(b)
		return
	}
	if d.busy || s.stopping || (b.plan != nil && !s.ready()) || d.wake.After(s.ports.Now()) || len(b.queue) > 0 && b.plan != nil {
		return
	}
	if b.plan != nil && d.attempt != b.attempt {
		d.attempt = b.attempt
		if d.reserved {
			s.release(b) // the attempt that it was for has ended
		}
		d.lost, d.refusal, d.answer, d.verified, d.funded, d.debited = false, nil, nil, false, false, false
		d.asked, d.retry = nil, nil
		// Whoever wrote creating may have called init before it vanished.
		d.lost = b.phase == creating && b.creator != s.session
		if b.attempt > 1 && b.phase == planned && !b.settled() {
			s.wakeAt(b, s.ports.Now().Add(attemptPause(s.cfg.Grace, b.attempt)))
			d.note = "the next attempt waits a little"
			return
		}
	}
	act, why := s.next(b)
	if act != actWait && act != actOrphans {
		if closed := s.unseal(b); closed != "" && !b.settled() {
			act, why = actWait, closed
		}
	}
	d.note = why
	switch act {
	case actWait:
		s.waits(b)
		if b.phase < completing && b.plan != nil && !b.settled() {
			wait := min(s.cfg.Grace, time.Second)
			if left := b.plan.NotBefore.Sub(s.ports.Now()); left > wait {
				wait = min(s.cfg.Grace, left)
			}
			s.wakeAt(b, s.ports.Now().Add(wait))
		}
	case actLoad:
		s.load(b)
	case actLimit:
		s.hold(b, schema.HoldLimit, "above_limit", why)
	case actOrphans:
		s.cancelOrphans(b)
	case actCreating:
		s.write(b, schema.Record{Type: schema.RecCreating})
	case actSeek:
		s.seek(b)
	case actInit:
		s.init(b)
	case actCreated:
		s.write(b, *d.answer)
	case actVerify:
		s.verify(b)
	case actBalance:
		s.balance(b)
	case actCompleting:
		s.write(b, schema.Record{Type: schema.RecCompleting, RequestID: b.winner})
	case actAuth:
		s.auth(b)
	case actLook:
		s.look(b)
	case actFence:
		s.fence(b)
	case actClosed:
		s.write(b, schema.Record{Type: schema.RecClosed})
	}
}

// attemptPause is how long attempt n waits after the one before it died: what
// killed that one may last, and each attempt is work for iyzico.
func attemptPause(grace time.Duration, n int) time.Duration {
	return min(grace/8<<min(n-2, 20), 10*time.Minute)
}

// asking returns for how long this session has been asking a question of the
// attempt, on its own clock from its own first look. Each question has its own
// time: an answer lost in between does not begin another's anew.
func (s *Shard) asking(b *batch, question string) time.Duration {
	d := &b.drive
	now := s.ports.Now()
	if d.asked == nil {
		d.asked = map[string]time.Time{}
	}
	first, ok := d.asked[question]
	if !ok {
		d.asked[question], d.retry = now, nil
		return 0
	}
	return now.Sub(first)
}

// again has the batch looked at again after a back-off of at most limit.
func (s *Shard) again(b *batch, limit time.Duration) {
	if b.drive.retry == nil {
		b.drive.retry = s.cfg.backOff(limit)
	}
	s.wakeAt(b, s.ports.Now().Add(b.drive.retry.NextBackOff()))
}
