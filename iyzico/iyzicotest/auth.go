package iyzicotest

import "time"

// Auth authorises a batch: its items will be paid.
func (p *Provider) Auth(apiKey, requestID string) Answer {
	return p.call(OpAuth, apiKey, func(acct *account) Answer {
		return p.auth(acct, requestID)
	})
}

func (p *Provider) auth(acct *account, requestID string) Answer {
	b := p.find(acct, requestID)
	switch {
	case b == nil:
		return p.unknown("SIM1002", "requestId is unknown")
	case b.status == BatchCanceled:
		return p.unknown("SIM1003", "batch is cancelled")
	case b.auths > 0:
		return p.authAgain(b)
	case p.expired(b):
		return failure("SIM1006", "requestId has expired")
	case b.valid() == 0:
		return failure("SIM1009", "no item is valid")
	case p.settings.BalanceCheck == BalanceCheckAtAuth && (!p.affords(b) || p.chance(p.faults.LowBalance)):
		return failure("SIM1010", "balance is too small")
	}
	b.auths = 1
	// Commit point. From here the batch is on its way, unless a cancel comes
	// before the auth shows.
	if d := time.Duration(p.settings.AuthVisibleAfter); d > 0 {
		p.after(d, func() { p.start(b) })
	} else {
		p.start(b)
	}
	if p.settings.AuthAnswer == AuthAnswerFailure {
		return failure("SIM1013", "auth failed")
	}
	return Answer{}
}

func (p *Provider) authAgain(b *batch) Answer {
	switch p.settings.SecondAuth {
	case SecondAuthSuccess:
	case SecondAuthFailure:
		return failure("SIM1004", "batch is already authorised")
	case SecondAuthPaysAgain:
		p.payAgain(b)
	}
	return Answer{}
}

// find returns the merchant's batch with this requestId, or nil.
func (p *Provider) find(acct *account, requestID string) *batch {
	if b := p.byRequestID[requestID]; b != nil && b.account == acct {
		return b
	}
	return nil
}

func (p *Provider) unknown(code, message string) Answer {
	a := failure(code, message)
	if p.settings.UnknownRequest == UnknownRequestHTTP404 {
		a.HTTPStatus = 404
	}
	return a
}

// expired says whether nobody authorised or cancelled the batch in time.
func (p *Provider) expired(b *batch) bool {
	ttl := time.Duration(p.settings.RequestTTL)
	return ttl > 0 && b.auths == 0 && p.now.Sub(b.created) > ttl
}
