package iyzico

import (
	"context"
	"errors"
	"net/http"
)

// RetrieveRequest asks for one page of a batch's items.
type RetrieveRequest struct {
	// RequestID and ExternalID name the batch; one of them is enough. What
	// iyzico does with two that differ is not documented.
	RequestID, ExternalID string
	// ItemType chooses the list: [ItemsValid] or [ItemsInvalid].
	ItemType ItemType
	// Page counts from 0.
	Page int
	// Size is how many items a page has, at least 1. The most iyzico allows is
	// not documented.
	Size int
}

// Report is one page of a batch.
type Report struct {
	// Found says that the answer has a batch. A success without one is no
	// error, and Batch is then empty.
	Found bool
	Batch Batch
	Items []Item
	// Page and Size are iyzico's, and Total its count of items over all pages.
	// Each is -1 if the answer does not say.
	Page, Size, Total int
}

// Batch is what a report says about a batch as a whole. It names no requestId.
type Batch struct {
	ExternalID string
	Status     BatchStatus
	Currency   Currency
	// Total is the sum of the items without commission. TotalSuccessful and
	// TotalCommission seem to grow as items are paid.
	Total, TotalSuccessful Money
	TotalCommission        Money
	// OddCommission is iyzico's text of a total commission that is no whole
	// number of minor units; TotalCommission is then 0. It is "" otherwise.
	OddCommission string
}

type wireRetrieve struct {
	RequestID  string `json:"requestId,omitempty"`
	ExternalID string `json:"externalMassPayoutId,omitempty"`
	ItemType   string `json:"itemType,omitempty"`
	Page       int    `json:"page"`
	Size       int    `json:"size"`
}

// Retrieve asks how a batch stands. It changes nothing.
//
// How iyzico answers about a batch it does not know is not documented: it may
// be a refusal, or a success with [Report.Found] false.
//
//iyzico:operation POST /v1/mass/payout/retrieve
func (c *Client) Retrieve(ctx context.Context, r RetrieveRequest) (Report, error) {
	body, err := r.encode()
	if err != nil {
		return Report{}, c.reject(OpRetrieve, err)
	}
	report := Report{Page: -1, Size: -1, Total: -1}
	err = c.do(ctx, call{
		op: OpRetrieve, method: http.MethodPost, path: "/v1/mass/payout/retrieve", body: body,
		read: func(s *scanner, key []byte) { report.read(s, key, r.Size) },
	})
	if err != nil {
		return Report{}, err
	}
	return report, nil
}

func (r RetrieveRequest) encode() ([]byte, error) {
	switch {
	case r.RequestID == "" && r.ExternalID == "":
		return nil, errors.New("requestId and externalMassPayoutId are both missing")
	case r.Page < 0:
		return nil, errors.New("the page is negative")
	case r.Size < 1:
		return nil, errors.New("the size is below 1")
	}
	return encode(wireRetrieve{
		RequestID:  r.RequestID,
		ExternalID: r.ExternalID,
		ItemType:   string(r.ItemType),
		Page:       r.Page,
		Size:       r.Size,
	}, 256)
}

// read takes the paging from where it is found: iyzico's samples have it
// inside massPayoutItems, its schema beside. A page has hardly more than most
// items.
func (r *Report) read(s *scanner, key []byte, most int) {
	switch string(key) {
	case "massPayout":
		if s.null() {
			return
		}
		r.Found = true
		s.object(func(key []byte) { r.Batch.read(s, key) })
	case "massPayoutItems":
		if s.peek() == '[' {
			r.readItems(s, most)
			return
		}
		s.object(func(key []byte) {
			if string(key) == "items" {
				r.readItems(s, most)
				return
			}
			r.readPaging(s, key)
		})
	default:
		r.readPaging(s, key)
	}
}

func (r *Report) readItems(s *scanner, most int) {
	r.Items = nil
	s.array(func() {
		begin := s.pos
		item := readItem(s)
		if r.Items == nil {
			rest := (len(s.data) - s.pos) / (s.pos - begin + 1) // items as long as the first one
			r.Items = make([]Item, 0, min(rest+2, most))
		}
		r.Items = append(r.Items, item)
	})
}

func (r *Report) readPaging(s *scanner, key []byte) {
	switch string(key) {
	case "page":
		r.Page = s.integer()
	case "size":
		r.Size = s.integer()
	case "total":
		r.Total = s.integer()
	default:
		s.skip()
	}
}

func (b *Batch) read(s *scanner, key []byte) {
	switch string(key) {
	case "externalId":
		b.ExternalID = s.text()
	case "massPayoutStatus":
		b.Status = word(s, batchStatuses)
	case "currency", "currencyCode":
		b.Currency = word(s, currencies)
	case "totalAmount":
		b.Total = s.money()
	case "totalSuccessfulAmount":
		b.TotalSuccessful = s.money()
	case "totalCommissionAmount":
		b.TotalCommission, b.OddCommission = s.commission()
	default:
		s.skip()
	}
}
