package schema

import (
	"crypto/sha256"
	"encoding/json"
	"strconv"
)

// The types of public events. The version is part of the name.
const (
	TypeRequested = "payout.requested.v1"
	TypeRefused   = "payout.request_refused.v1"
)

// A RecipientType says what a recipient's value is. The words are iyzico's.
type RecipientType string

// The recipient types of iyzico's init call.
const (
	IBAN           RecipientType = "IBAN"
	MemberID       RecipientType = "MEMBER_ID"
	IdentityNumber RecipientType = "IDENTITY_NUMBER"
	Phone          RecipientType = "PHONE"
)

// A Recipient is who gets the money. Value is normalised: no blanks, an IBAN
// in upper case.
type Recipient struct {
	Type  RecipientType
	Value Private
	Name  Private
}

// A Request is a valid payout request: data of a payout.requested.v1 event
// with defaults filled in and the recipient normalised.
type Request struct {
	PayoutID    string
	Merchant    string
	Purpose     string
	Recipient   Recipient
	Amount      Amount
	Description Private
	Metadata    json.RawMessage // an object, or nil
}

// A Digest stands for the content of a request in a claim.
type Digest [12]byte

// Content is the digest of what makes two requests for one payout id "the
// same": merchant, recipient type, normalised recipient value, minor units and
// currency. Name, purpose, description and metadata may differ.
func (r *Request) Content() Digest {
	sum := sha256.Sum256(r.AppendContent(make([]byte, 0, 128)))
	return Digest(sum[:len(Digest{})])
}

// AppendContent appends what [Request.Content] is the digest of.
func (r *Request) AppendContent(b []byte) []byte {
	b = appendPart(b, r.Merchant)
	b = appendPart(b, string(r.Recipient.Type))
	b = appendPart(b, r.Recipient.Value.Reveal())
	b = appendPart(b, strconv.FormatInt(r.Amount.Minor, 10))
	return appendPart(b, string(r.Amount.Currency))
}
