package iyzicotest

// Cancel stops a batch that was not authorised. What it does to one that was,
// the settings say.
func (p *Provider) Cancel(apiKey, requestID string) Answer {
	return p.call(OpCancel, apiKey, func(acct *account) Answer {
		return p.cancel(acct, requestID)
	})
}

func (p *Provider) cancel(acct *account, requestID string) Answer {
	b := p.find(acct, requestID)
	tooLate := failure("SIM1005", "batch can no longer be cancelled")
	switch {
	case b == nil:
		return p.unknown("SIM1002", "requestId is unknown")
	case p.expired(b):
		return failure("SIM1006", "requestId has expired")
	}
	switch b.status {
	case BatchInit: // also one whose auth does not show yet, which is void then
		p.cancelItems(b)
		return Answer{}
	case BatchInsufficientBalance:
		if p.settings.CancelUnfunded == CancelUnfundedRefuse {
			return tooLate
		}
		p.cancelItems(b)
		return Answer{}
	case BatchCanceled:
		return failure("SIM1003", "batch is cancelled")
	case BatchInProgress, BatchPublishedToQueue, BatchCompleted, BatchFail:
	}
	switch p.settings.CancelAfterAuth {
	case CancelAfterAuthFailure:
	case CancelAfterAuthNoop:
		return Answer{}
	case CancelAfterAuthPartial:
		if b.counts[ItemInit] > 0 {
			p.cancelItems(b)
			return Answer{}
		}
	}
	return tooLate
}

// Withdraw cancels a batch whose requestId has expired, as only iyzico's own people
// can, and reports whether it was one.
func (p *Provider) Withdraw(requestID string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advance(p.clock())
	b := p.byRequestID[requestID]
	if b == nil || b.status != BatchInit || !p.expired(b) {
		return false
	}
	p.cancelItems(b)
	return true
}

// cancelItems cancels the items that are still INIT, and the batch.
func (p *Provider) cancelItems(b *batch) {
	if b.debited {
		p.credit(b.account, b.sum(ItemInit))
	}
	for i := range b.items {
		if b.items[i].status != ItemInit {
			continue
		}
		p.set(b, i, ItemCanceled)
		if p.settings.RepeatedItem == RepeatedItemUnlessCancelled {
			b.account.seen[b.items[i].id]--
		}
	}
	p.setBatch(b, BatchCanceled)
	p.resume()
}
