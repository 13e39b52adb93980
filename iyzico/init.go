package iyzico

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// InitRequest is a batch of payouts to be.
type InitRequest struct {
	// ExternalID is the caller's name for the batch, by which [Client.Retrieve]
	// finds it. What iyzico does with one it has seen is not documented.
	ExternalID string
	// ConversationID comes back in the answer. Defaults to ExternalID.
	ConversationID string
	// Purpose may be left out.
	Purpose Purpose
	// Items must not be empty. How many iyzico takes is not documented.
	Items []InitItem
}

// InitItem is one payout of a batch.
type InitItem struct {
	ExternalID    string // the caller's name for the payout
	RecipientType RecipientType
	Recipient     Private // an IBAN, a member, identity or phone number
	RecipientName Private // needed for an IBAN
	Amount        Money   // more than 0, commission not included
	Currency      Currency
	Description   Private // free text that the recipient may see; may be left out
}

// InitAnswer is what iyzico made of a batch.
type InitAnswer struct {
	// RequestID is iyzico's name for the batch, never "".
	RequestID string
	// ConversationID is the request's. iyzico's samples do not always echo it.
	ConversationID string
	// Invalid are the items iyzico refused. The others stand.
	Invalid []InvalidItem
}

// InvalidItem is an item that init refused.
type InvalidItem struct {
	ExternalID string
	Code       string
	Message    string // made fit for logs, at most 200 runes
}

type wireInit struct {
	ExternalID     string         `json:"externalId"`
	ConversationID string         `json:"conversationId"`
	Purpose        string         `json:"purpose,omitempty"`
	Items          []wireInitItem `json:"items"`
}

type wireInitItem struct {
	ExternalID    string     `json:"itemExternalId"`
	RecipientType string     `json:"recipientType"`
	RecipientInfo string     `json:"recipientInfo"`
	Amount        wireAmount `json:"amount"`
	Description   string     `json:"description,omitempty"`
	RecipientName string     `json:"recipientName,omitempty"`
}

type wireAmount struct {
	Value    json.Number `json:"value"`
	Currency string      `json:"currency"`
}

// Init makes a batch known to iyzico. No money moves until [Client.Auth].
//
// A success may have refused items, listed in [InitAnswer.Invalid]. A success
// without a requestId is an unknown outcome. A request that cannot be right (no
// items, an amount of 0, …) is not sent.
//
//iyzico:operation POST /v1/mass/payout/init
func (c *Client) Init(ctx context.Context, r InitRequest) (InitAnswer, error) {
	body, err := r.encode()
	if err != nil {
		return InitAnswer{}, c.reject(OpInit, err)
	}

	var answer InitAnswer
	err = c.do(ctx, call{
		op: OpInit, method: http.MethodPost, path: "/v1/mass/payout/init", body: body,
		read:  answer.read,
		needs: "requestId", has: func() bool { return answer.RequestID != "" },
		private: r.privateWords,
	})
	if err != nil {
		return InitAnswer{}, err
	}
	answer.sanitise(r)
	return answer, nil
}

func (r InitRequest) encode() ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	wire := wireInit{
		ExternalID:     r.ExternalID,
		ConversationID: r.ConversationID,
		Purpose:        string(r.Purpose),
		Items:          make([]wireInitItem, len(r.Items)),
	}
	if wire.ConversationID == "" {
		wire.ConversationID = r.ExternalID
	}
	for i, item := range r.Items {
		wire.Items[i] = wireInitItem{
			ExternalID:    item.ExternalID,
			RecipientType: string(item.RecipientType),
			RecipientInfo: item.Recipient.Reveal(),
			Amount:        wireAmount{Value: item.Amount.number(), Currency: string(item.Currency)},
			Description:   item.Description.Reveal(),
			RecipientName: item.RecipientName.Reveal(),
		}
	}
	return encode(wire, len(wire.Items)*300)
}

// check finds what iyzico's documentation says can never be right. The rest is
// for iyzico to judge, item by item.
func (r InitRequest) check() error {
	switch {
	case r.ExternalID == "":
		return errors.New("externalId is missing")
	case len(r.Items) == 0:
		return errors.New("no items")
	}
	for i, item := range r.Items {
		switch {
		case item.ExternalID == "":
			return fmt.Errorf("item %d: itemExternalId is missing", i)
		case item.RecipientType == "" || item.Recipient == "":
			return fmt.Errorf("item %d: the recipient is missing", i)
		case item.Amount <= 0:
			return fmt.Errorf("item %d: the amount is not above 0", i)
		case item.Currency == "":
			return fmt.Errorf("item %d: the currency is missing", i)
		}
	}
	return nil
}

func (r InitRequest) privateWords() privateWords {
	words := privateWords{}
	for _, item := range r.Items {
		words.add(item.Recipient, item.RecipientName)
	}
	return words
}

func (a *InitAnswer) read(s *scanner, key []byte) {
	switch string(key) {
	case "requestId":
		a.RequestID = s.text()
	case "conversationId":
		a.ConversationID = s.text()
	case "invalidItems":
		a.Invalid = nil
		s.array(func() { a.Invalid = append(a.Invalid, readInvalidItem(s)) })
	default:
		s.skip()
	}
}

func readInvalidItem(s *scanner) InvalidItem {
	var item InvalidItem
	s.object(func(key []byte) {
		switch string(key) {
		case "externalId", "itemExternalId": // documented the first way, expected the second
			if id := s.text(); id != "" {
				item.ExternalID = id
			}
		case "errorCode":
			item.Code = s.text()
		case "errorMessage":
			item.Message = s.text()
		default:
			s.skip()
		}
	})
	return item
}

func (a *InitAnswer) sanitise(r InitRequest) {
	if len(a.Invalid) == 0 {
		return
	}
	private := r.privateWords()
	for i, item := range a.Invalid {
		a.Invalid[i].Code = sanitise(item.Code, private)
		a.Invalid[i].Message = sanitise(item.Message, private)
	}
}
