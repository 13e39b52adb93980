package iyzicotest

import (
	"strings"
	"time"
)

// Op names one of the six calls, as the books count them.
type Op string

// The six calls.
const (
	OpInit     Op = "init"
	OpAuth     Op = "auth"
	OpRetrieve Op = "retrieve"
	OpItem     Op = "item"
	OpCancel   Op = "cancel"
	OpBalance  Op = "balance"
)

// ops is the order in which calls are shown.
var ops = [...]Op{OpInit, OpAuth, OpRetrieve, OpItem, OpCancel, OpBalance}

func (op Op) index() int {
	for i, known := range ops {
		if op == known {
			return i
		}
	}
	return -1
}

func opNames() string {
	names := make([]string, len(ops))
	for i, op := range ops {
		names[i] = string(op)
	}
	return strings.Join(names, ", ")
}

// Delivery is how an answer travels back.
type Delivery uint8

// Ways of an answer.
const (
	Whole     Delivery = iota // it arrives
	Lost                      // the connection is cut, no answer arrives
	Page                      // an HTML page arrives instead
	Redirect                  // a redirect to the same address arrives instead
	Truncated                 // the connection is cut amid the body
)

// Answer is what the provider answers to a call. Code is empty on success.
// When Delivery is not [Whole], the caller must not look at anything but
// HTTPStatus and Delay: the call may have had its effect or not.
type Answer struct {
	Delivery   Delivery
	Delay      time.Duration // how long the answer is on its way
	HTTPStatus int
	SystemTime time.Time

	// Of a failure; see the package comment for the codes.
	Code, Message string

	// Of Init.
	RequestID      string
	ConversationID string
	InvalidItems   []InvalidItem

	// Of Retrieve. Of Item too, with one item and nothing else.
	Batch             Batch
	Items             []Item
	Page, Size, Total int

	// Of Balance.
	Balance Money
}

// OK reports whether the call arrived at its caller with status success.
func (a *Answer) OK() bool { return a.Code == "" && a.Delivery == Whole }

// InvalidItem is a line that init refused.
type InvalidItem struct {
	ExternalID   string // the itemExternalId, as the API names it here
	ErrorCode    string
	ErrorMessage string
}

// Batch is the massPayout of a report.
type Batch struct {
	ExternalID            string
	MerchantID            int
	Status                BatchStatus
	TotalAmount           Money // of the valid lines, without commission
	TotalSuccessfulAmount Money // of the lines paid
	TotalCommissionAmount Money // of the lines paid
	Currency              string
}

// Item is a line of a report.
type Item struct {
	ItemExternalID string
	ReferenceCode  string
	RequestID      string // empty where the settings leave it out
	RecipientType  string
	RecipientInfo  string
	RecipientName  string
	Description    string
	Status         ItemStatus
	ErrorMessage   string // empty for none; the API has a list
	Amount         Money
	Commission     Money
	Currency       string
}

// InitRequest is the body of init.
type InitRequest struct {
	ExternalID     string     `json:"externalId"`
	ConversationID string     `json:"conversationId"`
	Purpose        string     `json:"purpose"`
	Items          []InitItem `json:"items"`
}

// InitItem is a line of init.
type InitItem struct {
	ItemExternalID  string `json:"itemExternalId"`
	RecipientType   string `json:"recipientType"`
	RecipientInfo   string `json:"recipientInfo"`
	Amount          Amount `json:"amount"`
	Description     string `json:"description"`
	RecipientName   string `json:"recipientName"`
	NonWithdrawable bool   `json:"nonWithdrawable"`
}

// Amount is the amount of a line.
type Amount struct {
	Value    Money  `json:"value"`
	Currency string `json:"currency"`
}

// RetrieveRequest is the body of retrieve.
type RetrieveRequest struct {
	RequestID  string `json:"requestId"`
	ExternalID string `json:"externalMassPayoutId"`
	ItemType   string `json:"itemType"` // VALID, INVALID, or empty for every line
	Page       int    `json:"page"`     // from 0
	Size       int    `json:"size"`
}
