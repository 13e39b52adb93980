package schema

import (
	"slices"
	"strings"
	"time"
)

// CheckDigits says how seriously the check digits of IBANs and identity numbers
// are taken. Their structure is always checked.
type CheckDigits string

// The modes. The zero value is CheckWarn: two IBANs of iyzico's own samples
// fail mod-97, so it cannot be said that iyzico refuses such.
const (
	CheckStrict CheckDigits = "strict" // wrong ones are refused
	CheckWarn   CheckDigits = "warn"   // wrong ones are in Event.Warnings
	CheckOff    CheckDigits = "off"    // nobody looks
)

// Rules are an installation's own rules for requests. They must not change
// while they are used.
type Rules struct {
	// Merchant tells whether a merchant is configured, and its defaults. Nil:
	// every merchant is.
	Merchant    func(name string) (MerchantRules, bool)
	CheckDigits CheckDigits
}

// MerchantRules are one merchant's defaults.
type MerchantRules struct {
	Purpose string // of requests that name none
	// Topics are those that its requests are taken from; nil: from any.
	Topics []string
}

// Misplaced returns why a valid request that stands in topic is refused, nil if
// its merchant takes requests from there: only who may write to a merchant's topic
// may ask for payouts in its name.
func (r *Rules) Misplaced(topic string, req *Request) *Invalid {
	if r == nil || r.Merchant == nil {
		return nil
	}
	own, known := r.Merchant(req.Merchant)
	if !known || own.Topics == nil || slices.Contains(own.Topics, topic) {
		return nil
	}
	return &Invalid{
		Code: CodeWrongTopic, Problems: []Problem{{"merchant", "takes no requests from the topic " + topic + ": this installation's configuration names others for it"}},
		PayoutID: req.PayoutID, Merchant: req.Merchant, Metadata: req.Metadata,
	}
}

// An Event is a request that was read, with what stood around it.
type Event struct {
	Request     Request
	ID          string    // the CloudEvents id; "" if there was none
	Time        time.Time // zero if there was none
	TraceParent string    // "" unless it is a W3C traceparent
	Warnings    []string  // what is odd and yet accepted; nothing about persons
}

// DefaultMerchant is the merchant of requests that name none.
const DefaultMerchant = "default"

// DecodeRequest reads a payout request in either mode of the CloudEvents Kafka
// binding, or bare data without any ce_ header. The error is an [*Invalid] and
// lists every mistake. Safe for concurrent use. The texts of an Event may share
// one piece of memory of at most a few KiB.
func DecodeRequest(m Message, rules *Rules) (Event, error) {
	var d draft
	e, bad := openEnvelope(m, d.read)
	if bad != nil {
		return Event{}, bad
	}
	if p := e.problems(func(t string) bool { return t == TypeRequested }, TypeRequested); p != nil {
		return Event{}, &Invalid{Code: CodeNotCloudEvent, Problems: p}
	}
	if e.plain && d.envelope && d.payoutID.absent() {
		return Event{}, invalid(CodeNotCloudEvent, contentType, "must be application/cloudevents+json for an event whose attributes stand in the value")
	}
	ev := Event{ID: e.id, TraceParent: e.traceParent()}
	var ok bool
	if ev.Time, ok = e.moment(); !ok {
		ev.Warnings = append(ev.Warnings, "time is not RFC 3339 and is ignored")
	}
	c := checker{rules: rules, ev: &ev, problems: d.problems}
	c.request(&d)
	if c.problems != nil {
		return Event{}, c.invalid()
	}
	// A large value must not live as long as the few bytes that were read of it.
	if len(m.Value) > 4<<10 {
		ev.Request.own()
	}
	return ev, nil
}

// own gives the request's texts a memory of their own.
func (r *Request) own() {
	r.PayoutID = strings.Clone(r.PayoutID)
	r.Merchant = strings.Clone(r.Merchant)
	r.Purpose = strings.Clone(r.Purpose)
	r.Recipient.Type = RecipientType(strings.Clone(string(r.Recipient.Type)))
	r.Recipient.Value = Private(strings.Clone(r.Recipient.Value.Reveal()))
	r.Recipient.Name = Private(strings.Clone(r.Recipient.Name.Reveal()))
	r.Amount.Currency = Currency(strings.Clone(string(r.Amount.Currency)))
	r.Description = Private(strings.Clone(r.Description.Reveal()))
}

// EncodeRequest writes a payout.requested.v1 event in binary mode, its key the
// payout id. It checks nothing: what it is given is a Request, which is valid.
func EncodeRequest(r *Request, eventID string, at time.Time) Message {
	b := make([]byte, 0, 512)
	b = append(b, `{"payoutId":`...)
	b = appendText(b, r.PayoutID)
	b = appendField(b, "merchant", r.Merchant)
	b = appendField(b, "purpose", r.Purpose)
	b = append(b, `,"recipient":{"type":`...)
	b = appendText(b, string(r.Recipient.Type))
	b = appendField(b, "value", r.Recipient.Value.Reveal())
	b = appendField(b, "name", r.Recipient.Name.Reveal())
	b = append(b, '}')
	b = appendMoney(b, "amount", r.Amount)
	b = appendField(b, "description", r.Description.Reveal())
	b = appendMetadata(b, r.Metadata)
	b = append(b, '}')
	e := event{kind: TypeRequested, id: []byte(eventID), subject: r.PayoutID, at: appendTime(nil, at)}
	return e.message(new(pieces), b)
}

func appendMetadata(b, metadata []byte) []byte {
	if metadata == nil {
		return b
	}
	b = append(b, `,"metadata":`...)
	return append(b, metadata...)
}
