package iyzico

import (
	"context"
	"net/http"
)

// Item is a payout as iyzico has it.
type Item struct {
	ExternalID    string // the caller's name for it
	ReferenceCode string // iyzico's name for it
	// RequestID is iyzico's name for the batch, "" if the answer does not say.
	// It is the only way back to a requestId that was lost, and known from an
	// unmerged change to iyzico's Java SDK alone (iyzipay-java pull 184).
	RequestID string

	RecipientType RecipientType
	Recipient     Private // iyzico may mask it
	RecipientName Private
	Description   Private

	Status ItemStatus
	// Errors are iyzico's words, made fit for logs, at most 200 runes each.
	Errors []string

	Amount     Money // as requested, without commission
	Commission Money
	// OddCommission is iyzico's text of a commission that is no whole number of
	// minor units; Commission is then 0. It is "" otherwise.
	OddCommission string
	Currency      Currency
}

// Item asks for one item by its reference code. It changes nothing. A success
// without an item is an unknown outcome.
//
//iyzico:operation GET /v1/mass/payout/retrieve/items/{referenceCode}
func (c *Client) Item(ctx context.Context, referenceCode string) (Item, error) {
	if err := pathSegment("referenceCode", referenceCode); err != nil {
		return Item{}, c.reject(OpItem, err)
	}

	var item Item
	found := false
	err := c.do(ctx, call{
		op: OpItem, method: http.MethodGet, path: "/v1/mass/payout/retrieve/items/" + referenceCode,
		read: func(s *scanner, key []byte) {
			switch {
			case string(key) != "item":
				s.skip()
			case !s.null():
				item, found = readItem(s), true
			}
		},
		needs: "item", has: func() bool { return found },
	})
	if err != nil {
		return Item{}, err
	}
	return item, nil
}

// readItem reads an item of either call; they write the same fields. Its texts
// are copied together: there are a thousand items in a page.
func readItem(s *scanner) Item {
	var item Item
	var id, reference, request, recipient, name, description []byte
	s.object(func(key []byte) {
		switch string(key) {
		case "itemExternalId":
			id = s.scalar()
		case "referenceCode":
			reference = s.scalar()
		case "massPayoutRequestId":
			request = s.scalar()
		case "recipientType":
			item.RecipientType = word(s, recipientTypes)
		case "recipientInfo":
			recipient = s.scalar()
		case "recipientName":
			name = s.scalar()
		case "description":
			description = s.scalar()
		case "itemStatus":
			item.Status = word(s, itemStatuses)
		case "errorMessages", "errorMessage": // a list by the page, one by the Java SDK
			item.Errors = append(item.Errors, s.texts()...)
		case "totalAmount":
			item.Amount = s.money()
		case "commissionAmount":
			item.Commission, item.OddCommission = s.commission()
		case "currencyCode", "currency":
			item.Currency = word(s, currencies)
		default:
			s.skip()
		}
	})
	var room [512]byte
	all := room[:0]
	for _, part := range [...][]byte{id, reference, request, recipient, name, description} {
		all = append(all, part...)
	}
	texts := string(all)
	cut := func(part []byte) (text string) {
		text, texts = texts[:len(part)], texts[len(part):]
		return text
	}
	item.ExternalID, item.ReferenceCode, item.RequestID = cut(id), cut(reference), cut(request)
	item.Recipient, item.RecipientName, item.Description = Private(cut(recipient)), Private(cut(name)), Private(cut(description))
	if len(item.Errors) > 0 {
		private := newPrivateWords(item.Recipient, item.RecipientName)
		for i, text := range item.Errors {
			item.Errors[i] = sanitise(text, private)
		}
	}
	return item
}
