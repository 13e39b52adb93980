package iyzicotest

import "time"

// Retrieve answers with a batch and a page of its items.
func (p *Provider) Retrieve(apiKey string, r RetrieveRequest) Answer {
	return p.call(OpRetrieve, apiKey, func(acct *account) Answer {
		return p.retrieve(acct, &r)
	})
}

func (p *Provider) retrieve(acct *account, r *RetrieveRequest) Answer {
	switch {
	case r.RequestID == "" && r.ExternalID == "":
		return failure(codeMandatory, "requestId or externalMassPayoutId is mandatory")
	case r.ItemType != "" && r.ItemType != "VALID" && r.ItemType != "INVALID":
		return failure(codeInvalid, "Invalid request: itemType")
	case r.Page < 0 || r.Size < 1:
		return failure(codeInvalid, "Invalid request: page or size")
	}
	if most := p.settings.MaxPageSize; most > 0 && r.Size > most {
		if p.settings.PageOverflow == PageOverflowRefuse {
			return failure("SIM1008", "page is too large")
		}
		r.Size = most
	}
	asOf := p.asOf()
	b := p.pick(acct, r, asOf)
	if b == nil {
		return p.unknown("SIM1002", "requestId or externalMassPayoutId is unknown")
	}
	v := p.view(b, asOf)
	a := Answer{Batch: v.report(), Page: r.Page, Size: r.Size}
	// Compared by division, as page times size may be beyond any integer.
	first := len(b.items)
	if r.Page <= len(b.items)/r.Size {
		first = r.Page * r.Size
	}
	for place := range b.items {
		i := v.at(place)
		if invalid := b.items[i].status == ItemInvalid; r.ItemType != "" && invalid != (r.ItemType == "INVALID") || !v.shows(i) {
			continue
		}
		if a.Total >= first && len(a.Items) < r.Size {
			a.Items = append(a.Items, p.line(&v, i, p.settings.PageWithRequestID))
		}
		a.Total++
	}
	return a
}

// Item answers with the item of a reference code.
func (p *Provider) Item(apiKey, referenceCode string) Answer {
	return p.call(OpItem, apiKey, func(acct *account) Answer {
		asOf := p.asOf()
		b, i := p.byReferenceCode(referenceCode)
		if b == nil || b.account != acct || b.created.After(asOf) {
			return p.unknown("SIM1014", "referenceCode is unknown")
		}
		v := p.view(b, asOf)
		return Answer{Items: []Item{p.line(&v, i, !p.settings.ItemWithoutRequestID)}}
	})
}

// pick finds the batch that a report is asked of.
func (p *Provider) pick(acct *account, r *RetrieveRequest, asOf time.Time) *batch {
	if r.RequestID != "" {
		b := p.find(acct, r.RequestID)
		if b == nil || b.created.After(asOf) || (r.ExternalID != "" && r.ExternalID != b.externalID) {
			return nil
		}
		return b
	}
	made := acct.externals[r.ExternalID]
	for len(made) > 0 && made[len(made)-1].created.After(asOf) {
		made = made[:len(made)-1]
	}
	if len(made) == 0 {
		return nil
	}
	switch p.settings.RetrievePick {
	case RetrieveLast:
		return made[len(made)-1]
	case RetrieveAny:
		return made[p.rnd.IntN(len(made))]
	case RetrieveFirst:
	}
	return made[0]
}

// asOf is the time whose state an answer shows.
func (p *Provider) asOf() time.Time {
	lag := time.Duration(p.settings.RetrieveLag)
	switch {
	case lag == 0:
		return p.now
	case p.settings.RetrieveLagMode == LagFixed:
		return p.now.Add(-lag)
	default:
		return p.now.Add(-p.age())
	}
}

func (p *Provider) age() time.Duration {
	return time.Duration(p.rnd.Int64N(int64(p.settings.RetrieveLag) + 1))
}
