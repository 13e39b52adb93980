package producer

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/toplu/toplu/schema"
)

// A Request asks for one payout. PayoutID, Recipient, Amount and Currency are
// needed. What is about a person is a [schema.Private], which does not print
// itself.
type Request struct {
	// PayoutID is unique in the installation, for ever: 1 to 64 characters out of
	// A-Z a-z 0-9 . _ : -
	PayoutID string
	// Merchant is whose account at iyzico pays. Defaults to "default".
	Merchant string
	// Purpose is one of [schema.Purposes]. Defaults to the merchant's.
	Purpose string
	// Recipient is who gets the money. An IBAN needs its owner's name.
	Recipient schema.Recipient
	// Amount is a plain decimal such as "100.50", greater than zero, with at most
	// the currency's two decimals.
	Amount   string
	Currency schema.Currency
	// Description may appear on the recipient's statement. At most 255 characters.
	Description schema.Private
	// Metadata comes back with every status. At most 2 KiB as JSON; nothing about
	// persons.
	Metadata map[string]string
	// TraceParent is the trace that the request belongs to, as W3C Trace Context
	// writes it: 00-…-…-01. It comes back with every status. Defaults to the span of
	// OpenTelemetry in Publish's context, if there is one.
	TraceParent string
	// EventID is the CloudEvents id. Defaults to a hash of the rest, so that the
	// same request is always the same event.
	EventID string
}

// Where an event has its trace, and who made it.
const (
	traceHeader  = "ce_traceparent"
	sourceHeader = "ce_source"
)

// An origin is what the events of a call have in common.
type origin struct {
	at     time.Time
	source string // "": as [schema.EncodeRequest] has it
	trace  string // of those that have none of their own; "": none
}

// wire is a request as it is written by hand in JSON, to be read by the rules
// that hold for everybody.
type wire struct {
	PayoutID    string            `json:"payoutId,omitempty"`
	Merchant    string            `json:"merchant,omitempty"`
	Purpose     string            `json:"purpose,omitempty"`
	Recipient   wireRecipient     `json:"recipient"`
	Amount      wireAmount        `json:"amount"`
	Description string            `json:"description,omitempty"`
	Metadata    map[string]string `json:"metadata,omitempty"`
}

type wireRecipient struct {
	Type  string `json:"type,omitempty"`
	Value string `json:"value,omitempty"`
	Name  string `json:"name,omitempty"`
}

type wireAmount struct {
	Value    string `json:"value,omitempty"`
	Currency string `json:"currency,omitempty"`
}

// encoding names the texts that are not UTF-8: [json.Marshal] would mend them,
// and somebody would be paid under a name that is not theirs.
func (r *Request) encoding() (broken []schema.Problem) {
	look := func(field, text string) {
		if !utf8.ValidString(text) {
			broken = append(broken, schema.Problem{Field: field, Text: "is not UTF-8: it may be Windows-1254 or ISO 8859-9, and must be converted"})
		}
	}
	look("payoutId", r.PayoutID)
	look("merchant", r.Merchant)
	look("purpose", r.Purpose)
	look("recipient.type", string(r.Recipient.Type))
	look("recipient.value", r.Recipient.Value.Reveal())
	look("recipient.name", r.Recipient.Name.Reveal())
	look("amount.value", r.Amount)
	look("amount.currency", string(r.Currency))
	look("description", r.Description.Reveal())
	var metadata strings.Builder
	for name, value := range r.Metadata {
		metadata.WriteString(name + " " + value + " ")
	}
	look("metadata", metadata.String())
	return broken
}

// check reads the request as toplu will.
func (r *Request) check(rules *schema.Rules) (schema.Request, *schema.Invalid) {
	if broken := r.encoding(); broken != nil {
		return schema.Request{}, &schema.Invalid{Code: schema.CodeInvalid, Problems: broken}
	}
	data, err := json.Marshal(wire{
		PayoutID: r.PayoutID, Merchant: r.Merchant, Purpose: r.Purpose, Metadata: r.Metadata, Description: r.Description.Reveal(),
		Recipient: wireRecipient{string(r.Recipient.Type), r.Recipient.Value.Reveal(), r.Recipient.Name.Reveal()},
		Amount:    wireAmount{r.Amount, string(r.Currency)},
	})
	if err != nil { // strings alone can always be written
		return schema.Request{}, &schema.Invalid{Code: schema.CodeInvalid, Problems: []schema.Problem{{Text: err.Error()}}}
	}
	event, err := schema.DecodeRequest(schema.Message{
		Value: data,
		Headers: []schema.Header{
			{Key: "ce_specversion", Value: []byte("1.0")},
			{Key: "ce_type", Value: []byte(schema.TypeRequested)},
			{Key: "ce_id", Value: []byte(r.EventID)},
			{Key: traceHeader, Value: []byte(r.TraceParent)},
		},
	}, rules)
	if invalid, bad := errors.AsType[*schema.Invalid](err); bad {
		return schema.Request{}, invalid
	}
	if event.TraceParent != r.TraceParent { // readers take what is no trace for none
		return schema.Request{}, &schema.Invalid{Code: schema.CodeInvalid, Problems: []schema.Problem{
			{Field: "traceparent", Text: "must be a W3C trace context, 00-…-…-01, or left out"},
		}}
	}
	return event.Request, nil
}

// encode makes the events of requests, or an [InvalidError] about all of those
// that cannot be sent.
func encode(requests []Request, rules *schema.Rules, o origin) ([]schema.Message, error) {
	messages := make([]schema.Message, 0, len(requests))
	contents := make(map[string]schema.Digest, len(requests))
	var bad []InvalidRequest
	for i := range requests {
		r := &requests[i]
		q, invalid := r.check(rules)
		if invalid == nil {
			if first, again := contents[q.PayoutID]; again && first != q.Content() {
				invalid = &schema.Invalid{Code: schema.CodeConflict, Problems: []schema.Problem{
					{Field: "payoutId", Text: "is used by an earlier request of this call, with another merchant, recipient or amount"},
				}}
			}
		}
		if invalid != nil {
			id := r.PayoutID
			if !schema.ValidPayoutID(id) {
				id = "" // it may be anything, also an IBAN in the wrong field
			}
			bad = append(bad, InvalidRequest{Index: i, PayoutID: id, Code: invalid.Code, Problems: invalid.Problems})
			continue
		}
		contents[q.PayoutID] = q.Content()
		m := schema.EncodeRequest(&q, r.eventID(&q), o.at)
		for i := range m.Headers {
			if m.Headers[i].Key == sourceHeader && o.source != "" {
				m.Headers[i].Value = []byte(o.source)
			}
		}
		if trace := cmp.Or(r.TraceParent, o.trace); trace != "" {
			m.Headers = append(m.Headers, schema.Header{Key: traceHeader, Value: []byte(trace)})
		}
		messages = append(messages, m)
	}
	if bad != nil {
		return nil, &InvalidError{Requests: bad}
	}
	return messages, nil
}

func (r *Request) eventID(q *schema.Request) string {
	if r.EventID != "" {
		return r.EventID
	}
	sum := sha256.Sum256(schema.EncodeRequest(q, "", time.Time{}).Value)
	return hex.EncodeToString(sum[:16])
}

// An InvalidError says which requests of a call cannot be sent, and why. None
// of the call was sent.
type InvalidError struct {
	Requests []InvalidRequest // never empty
}

// An InvalidRequest is one of them, with every mistake in it.
type InvalidRequest struct {
	Index    int    // among the arguments of Publish
	PayoutID string // "" if that is wrong itself
	Code     string // see [schema.Invalid]
	Problems []schema.Problem
}

// shown is how many requests an error's text tells of.
const shown = 10

// Error names the first requests, each with its mistakes. It repeats nothing of
// them but the payout id.
func (e *InvalidError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "nothing was sent: %d invalid", len(e.Requests))
	for _, r := range e.Requests[:min(shown, len(e.Requests))] {
		fmt.Fprintf(&b, "; request %d", r.Index)
		if r.PayoutID != "" {
			fmt.Fprintf(&b, " (%s)", r.PayoutID)
		}
		for i, p := range r.Problems {
			b.WriteString([...]string{": ", ", "}[min(i, 1)])
			b.WriteString(strings.TrimSpace(p.Field + " " + p.Text))
		}
	}
	if more := len(e.Requests) - shown; more > 0 {
		fmt.Fprintf(&b, "; and %d more", more)
	}
	return b.String()
}
