package schema

import (
	"encoding/json"
	"strings"
)

// The codes of an [Invalid]: words to group dead letters and refusals by.
const (
	CodeEmpty           = "empty"             // no value at all
	CodeNotJSON         = "not_json"          // JSON that strict readers do not agree on, or none
	CodeNotCloudEvent   = "not_cloudevent"    // an event of another kind, or a broken one
	CodeTooLarge        = "request_too_large" // data over 64 KiB
	CodeInvalid         = "invalid_request"   // fields that are missing or wrong
	CodeUnknownMerchant = "unknown_merchant"  // all is well but the merchant is not configured
	CodeWrongTopic      = "wrong_topic"       // all is well but the merchant takes no requests from this topic
	CodeConflict        = "conflict"          // the payout id is used up by a request with other content
	CodeBelowFloor      = "below_floor"       // from before what was once committed, and no batch has it
)

// A Problem is one mistake: where, and what to do about it. Text never repeats
// what stood there, for it may be about a person.
type Problem struct {
	Field string // as in recipient.value; "" for the whole
	Text  string
}

// Invalid is a request that is refused, with every mistake in it.
type Invalid struct { //nolint:errname // it is what a request is, as in invalid.Problems
	Code     string
	Problems []Problem
	// What could be read for a refusal event; empty unless it is valid itself.
	PayoutID string
	Merchant string
	Metadata json.RawMessage
}

// Error lists every problem on one line.
func (e *Invalid) Error() string {
	var b strings.Builder
	b.WriteString(e.Code)
	for i, p := range e.Problems {
		b.WriteString([...]string{": ", "; "}[min(i, 1)])
		if p.Field != "" {
			b.WriteString(p.Field)
			b.WriteByte(' ')
		}
		b.WriteString(p.Text)
	}
	return b.String()
}

// Reason is the refusal as a refusal event carries it.
func (e *Invalid) Reason() Reason {
	_, text, _ := strings.Cut(e.Error(), ": ")
	return Reason{Code: e.Code, Text: text}
}

func invalid(code, field, text string) *Invalid {
	return &Invalid{Code: code, Problems: []Problem{{field, text}}}
}

func tooLarge() *Invalid {
	return invalid(CodeTooLarge, "", "the data is over 64 KiB: leave out what is not the payout's")
}

func notJSON(r *reader) *Invalid {
	return invalid(CodeNotJSON, "", "this is not the JSON that was expected: "+r.err.Error())
}
