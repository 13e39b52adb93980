package iyzicotest

import "slices"

// Init takes a batch. Success means that there is one, not that its lines are
// valid: the refused ones are in InvalidItems.
func (p *Provider) Init(apiKey string, r InitRequest) Answer {
	return p.call(OpInit, apiKey, func(acct *account) Answer {
		a := p.init(acct, &r)
		a.ConversationID = r.ConversationID
		return a
	})
}

var purposes = []string{"", "SALARY", "BONUS", "SETTLEMENT", "GOODS", "SERVICES", "CASHBACK", "REBATES", "DONATIONS"}

func (p *Provider) init(acct *account, r *InitRequest) Answer {
	switch {
	case r.ExternalID == "":
		return failure(codeMandatory, "externalId is mandatory")
	case len(r.Items) == 0:
		return failure(codeMandatory, "items is mandatory")
	case !slices.Contains(purposes, r.Purpose):
		return failure(codeInvalid, "Invalid request: purpose")
	case p.settings.MaxItems > 0 && len(r.Items) > p.settings.MaxItems:
		return failure("SIM1007", "too many items")
	}
	if earlier := acct.externals[r.ExternalID]; len(earlier) > 0 {
		first, choice := earlier[0], p.settings.DuplicateExternalID
		refusal := failure("SIM1001", "externalId was used before")
		if !first.sameContent(r) {
			choice = p.settings.DuplicateOther
			refusal = failure("SIM1012", "externalId was used before, with other content")
		}
		switch choice {
		case DuplicateReject:
			return refusal
		case DuplicateReplay:
			return first.initAnswer()
		case DuplicateSecond:
		}
	}
	b, twice := p.newBatch(acct, r)
	if twice && p.settings.DuplicateItem == DuplicateItemReject {
		return failure("SIM1011", "itemExternalId stands twice in the request")
	}
	if b.valid() == 0 && p.settings.AllInvalid == AllInvalidReject {
		return failure("SIM1009", "no item is valid")
	}
	p.keep(b)
	return b.initAnswer()
}

// newBatch makes a batch of a request. It changes nothing else, so that the
// request can still be refused. It reports whether an id stands twice.
func (p *Provider) newBatch(acct *account, r *InitRequest) (b *batch, twice bool) {
	b = &batch{account: acct, externalID: r.ExternalID, purpose: r.Purpose, created: p.now}
	b.items = make([]item, len(r.Items))
	ids := make(map[string]struct{}, len(r.Items))
	for i := range r.Items {
		line := &r.Items[i]
		flaw := p.check(line)
		if flaw == sound && acct.seen[line.ItemExternalID] > 0 {
			flaw = faultSeen
		}
		before := len(ids)
		if ids[line.ItemExternalID] = struct{}{}; len(ids) == before {
			twice = true
			if flaw == sound && p.settings.DuplicateItem == DuplicateItemInvalid {
				flaw = faultTwice
			}
		}
		it := &b.items[i]
		*it = item{
			id: line.ItemExternalID, info: line.RecipientInfo, name: line.RecipientName, description: line.Description,
			amount:     max(line.Amount.Value, 0),
			commission: p.commission(max(line.Amount.Value, 0)),
			currency:   currency(place(currencies[:], line.Amount.Currency)),
			recipient:  recipientType(place(recipientTypes[:], line.RecipientType)),
			fault:      flaw,
		}
		if flaw != sound {
			it.status = ItemInvalid
		}
		b.counts[it.status]++
	}
	return b, twice
}

// keep gives a batch its ids and enters it.
func (p *Provider) keep(b *batch) {
	b.requestID = p.newUUID()
	b.reference = p.rnd.Uint64() >> 16
	for p.byReference[b.reference] != nil {
		b.reference = p.rnd.Uint64() >> 16
	}
	p.byRequestID[b.requestID] = b
	p.byReference[b.reference] = b
	p.batches = append(p.batches, b)
	b.account.externals[b.externalID] = append(b.account.externals[b.externalID], b)
	if p.settings.RepeatedItem != RepeatedItemAccept {
		for i := range b.items {
			if b.items[i].status == ItemInit {
				b.account.seen[b.items[i].id]++
			}
		}
	}
}

func (b *batch) initAnswer() Answer {
	a := Answer{RequestID: b.requestID}
	for i := range b.items {
		if it := &b.items[i]; it.status == ItemInvalid {
			code, message := it.fault.text()
			a.InvalidItems = append(a.InvalidItems, InvalidItem{it.id, code, message})
		}
	}
	return a
}

// sameContent says whether a request asks for what the batch was made of. The
// conversationId may differ.
func (b *batch) sameContent(r *InitRequest) bool {
	if b.purpose != r.Purpose || len(b.items) != len(r.Items) {
		return false
	}
	for i := range b.items {
		it, line := &b.items[i], &r.Items[i]
		if it.id != line.ItemExternalID || it.info != line.RecipientInfo ||
			it.name != line.RecipientName || it.description != line.Description ||
			it.amount != max(line.Amount.Value, 0) ||
			currencies[it.currency] != line.Amount.Currency && it.currency != 0 ||
			recipientTypes[it.recipient] != line.RecipientType && it.recipient != 0 {
			return false
		}
	}
	return true
}
