package iyzicotest

import "time"

// call is the way of every call: time passes, the call is counted, and the
// dials decide whether it has its effect and whether its answer arrives.
func (p *Provider) call(op Op, apiKey string, effect func(*account) Answer) Answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advance(p.clock())
	p.calls[op.index()]++

	acct := p.account(apiKey)
	a := p.deliver(op, acct, effect)
	a.SystemTime = p.now
	a.Delay = p.faultsOf(acct).Delay.duration()
	if a.HTTPStatus == 0 {
		a.HTTPStatus = p.httpStatus(op, a.Code)
	}
	return a
}

func (p *Provider) deliver(op Op, acct *account, effect func(*account) Answer) Answer {
	faults := p.faultsOf(acct)
	dials := faults.of(op)
	if p.overLimit(op, acct) || p.chance(faults.RateLimit) {
		return Answer{Code: codeRateLimit, Message: "Request Limit Exceeded", HTTPStatus: p.settings.HTTPRateLimit}
	}
	if p.chance(dials.lostBefore) {
		return Answer{Delivery: Lost}
	}
	if p.chance(dials.delayed) {
		p.after(dials.delay, func() { effect(acct) })
		return Answer{Delivery: Lost}
	}
	if p.chance(faults.ServerError) {
		p.perhaps(func() { effect(acct) })
		a := Answer{Code: codeSystem, Message: "System error", HTTPStatus: 500}
		p.perhaps(func() { a = Answer{Delivery: Page, HTTPStatus: 503} })
		return a
	}
	if p.chance(faults.NotJSON) {
		p.perhaps(func() { effect(acct) })
		return Answer{Delivery: Page, HTTPStatus: 200}
	}
	if p.chance(faults.Redirect) {
		p.perhaps(func() { effect(acct) })
		return Answer{Delivery: Redirect, HTTPStatus: 307}
	}
	a := effect(acct)
	if p.chance(dials.lostAfter) {
		return Answer{Delivery: Lost}
	}
	if p.chance(faults.Truncated) {
		a.Delivery = Truncated
	}
	return a
}

// faultsOf are the dials of a merchant's calls.
func (p *Provider) faultsOf(acct *account) *Faults {
	if acct.faults != nil {
		return acct.faults
	}
	return &p.faults
}

// chance is true with the given probability. It takes nothing from the source
// when the dial is at zero, so turning one dial leaves the others' chances be.
func (p *Provider) chance(dial Probability) bool {
	return dial > 0 && p.rnd.IntN(int(Always)) < int(dial)
}

// perhaps does it in one case of two. An answer that says nothing about the
// effect must not imply it.
func (p *Provider) perhaps(do func()) {
	if p.rnd.IntN(2) == 0 {
		do()
	}
}

// overLimit counts the call and says whether it is one too many this minute.
func (p *Provider) overLimit(op Op, acct *account) bool {
	limit, ok := p.settings.RateLimits[op]
	if !ok {
		return false
	}
	w := &acct.windows[op.index()]
	if minute := p.now.Truncate(time.Minute); !w.minute.Equal(minute) {
		*w = window{minute: minute}
	}
	w.calls++
	return w.calls > limit
}

// httpStatus of an answer that has none of its own.
func (p *Provider) httpStatus(op Op, code string) int {
	switch {
	case code == "":
		return 200
	case p.settings.HTTPFailure != 0:
		return p.settings.HTTPFailure
	case op == OpInit:
		return 400 // the only failure documented
	default:
		return 200
	}
}

// Codes that iyzico documents.
const (
	codeSystem       = "1"
	codeInvalid      = "11"
	codeMandatory    = "24"
	codeBadSignature = "1000"
	codeUnknownKey   = "1001"
	codeRateLimit    = "50000"
)

func failure(code, message string) Answer {
	return Answer{Code: code, Message: message}
}
