package schema

import (
	"slices"
	"strconv"
	"time"
)

// The headers that a dead letter has beside those it came with.
const (
	HeaderReasonCode = "toplu-reason-code"
	HeaderReason     = "toplu-reason"
	HeaderTopic      = "toplu-source-topic"
	HeaderPartition  = "toplu-source-partition"
	HeaderOffset     = "toplu-source-offset"
	HeaderTime       = "toplu-time" // RFC 3339
	HeaderPayoutID   = "toplu-payout-id"
	HeaderSealed     = "toplu-sealed" // MERCHANT/MONTH of the key, see [DeadLetter.Seal]
)

var deadLetterHeaders = []string{HeaderReasonCode, HeaderReason, HeaderTopic, HeaderPartition, HeaderOffset, HeaderTime, HeaderPayoutID, HeaderSealed}

// A DeadLetter is a record that could not be taken, as it came, and why.
type DeadLetter struct {
	Message  Message // the original
	Code     string  // see [Invalid]
	Text     string  // for people; nothing about persons
	Source   Source  // where the original stands
	At       time.Time
	PayoutID string // "" if none could be read
	Key      string // MERCHANT/MONTH of the key that Message is sealed with; "": it is as it came
}

// Encode writes the dead letter: key, value and headers of the original byte
// for byte (nil stays nil), or sealed, then the reason. Headers of an earlier death are
// replaced: a letter sent back and refused again tells the latest story once.
func (d *DeadLetter) Encode() Message {
	headers := make([]Header, 0, len(d.Message.Headers)+len(deadLetterHeaders))
	for _, h := range d.Message.Headers {
		if !slices.Contains(deadLetterHeaders, h.Key) {
			headers = append(headers, h)
		}
	}
	add := func(key, value string) { headers = append(headers, Header{key, []byte(value)}) }
	add(HeaderReasonCode, d.Code)
	add(HeaderReason, d.Text)
	add(HeaderTopic, d.Source.Topic)
	add(HeaderPartition, strconv.Itoa(d.Source.Partition))
	add(HeaderOffset, strconv.FormatInt(d.Source.Offset, 10))
	add(HeaderTime, d.At.UTC().Format(time.RFC3339Nano))
	if d.PayoutID != "" {
		add(HeaderPayoutID, d.PayoutID)
	}
	if d.Key != "" {
		add(HeaderSealed, d.Key)
	}
	return Message{Key: d.Message.Key, Value: d.Message.Value, Headers: headers}
}
