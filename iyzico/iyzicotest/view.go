package iyzicotest

import (
	"slices"
	"time"
)

// view is a batch as an answer shows it, which may be as it was.
type view struct {
	of     *batch
	status BatchStatus
	items  []ItemStatus // nil: as they are
	unseen []bool       // items too young to show; nil: none
	order  []int        // of the items; nil: as they were sent
}

// view undoes the changes that the answer must not know of.
func (p *Provider) view(b *batch, asOf time.Time) view {
	v := view{of: b, status: b.status}
	if !p.remembers() {
		return v
	}
	v.items = make([]ItemStatus, len(b.items))
	times := make([]time.Time, len(b.items))
	if p.settings.RetrieveLagMode == LagPerItem {
		v.unseen = make([]bool, len(b.items))
	}
	for i := range b.items {
		v.items[i], times[i] = b.items[i].status, asOf
		if v.unseen != nil {
			times[i] = p.now.Add(-p.age())
			v.unseen[i] = b.created.After(times[i])
		}
	}
	for _, c := range slices.Backward(b.history) {
		switch {
		case c.item < 0 && c.at.After(asOf):
			v.status = BatchStatus(c.from)
		case c.item >= 0 && c.at.After(times[c.item]):
			v.items[c.item] = ItemStatus(c.from)
		case c.item >= 0 && p.settings.ItemOrder == ItemOrderLastChanged && !slices.Contains(v.order, c.item):
			v.order = append(v.order, c.item)
		}
	}
	for i := 0; p.settings.ItemOrder == ItemOrderLastChanged && i < len(b.items); i++ {
		if !slices.Contains(v.order, i) {
			v.order = append(v.order, i) // it has not moved since init
		}
	}
	return v
}

// at is the item that stands at a place of the report.
func (v *view) at(place int) int {
	if v.order == nil {
		return place
	}
	return v.order[place]
}

// shows says whether an item is old enough to be in a list.
func (v *view) shows(i int) bool { return v.unseen == nil || !v.unseen[i] }

func (v *view) item(i int) ItemStatus {
	if v.items == nil {
		return v.of.items[i].status
	}
	return v.items[i]
}

// report adds up the batch. The totals of success grow with the items, as the
// published sample suggests.
func (v *view) report() Batch {
	r := Batch{
		ExternalID: v.of.externalID,
		MerchantID: v.of.account.merchantID,
		Status:     v.status,
	}
	for i := range v.of.items {
		it := &v.of.items[i]
		switch v.item(i) { //nolint:exhaustive // the others are valid and not paid
		case ItemInvalid:
			continue
		case ItemSuccess:
			r.TotalSuccessfulAmount += it.amount
			r.TotalCommissionAmount += it.commission
		}
		r.TotalAmount += it.amount
		if r.Currency == "" { // nobody says what a batch of several is called
			r.Currency = currencies[it.currency]
		}
	}
	return r
}

// line is an item of a report.
func (p *Provider) line(v *view, i int, withRequestID bool) Item {
	it := &v.of.items[i]
	line := Item{
		ItemExternalID: it.id,
		ReferenceCode:  v.of.referenceCode(i),
		RecipientType:  recipientTypes[it.recipient],
		RecipientInfo:  it.info,
		RecipientName:  it.name,
		Description:    it.description,
		Status:         v.item(i),
		Amount:         it.amount,
		Commission:     it.commission,
		Currency:       currencies[it.currency],
	}
	if withRequestID {
		line.RequestID = v.of.requestID
	}
	if p.settings.MaskRecipients {
		line.RecipientInfo = masked(it.info)
	}
	switch line.Status {
	case ItemInvalid:
		code, message := it.fault.text()
		line.ErrorMessage = code + " " + message
	case ItemFailed, ItemDepositSuccess, ItemDepositFail:
		line.ErrorMessage = bankRefusal
	case ItemInit, ItemQueued, ItemProcessing, ItemSuccess, ItemCanceled:
	}
	return line
}

// masked leaves the first and the last four bytes of a value, and of a short
// one nothing.
func masked(value string) string {
	if len(value) < 10 {
		return "****"
	}
	return value[:4] + "****" + value[len(value)-4:]
}
