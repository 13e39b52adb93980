package consumer

import (
	"github.com/toplu/toplu/schema"
)

// What a plan record takes beside its texts: names, numbers and punctuation of
// the record itself and of each item, at their longest. A test compares the
// sums with what is encoded.
const (
	headBytes = 210
	itemBytes = 210
	// What a sealed item takes more: the names inside its box, nonce and tag, and
	// outside the digest and "box".
	insideBytes  = 60 + 28
	outsideBytes = 60
	keyBytes     = 20
)

// headSize is no less than what a plan takes without its items.
func headSize(k key) int {
	return headBytes + keyBytes + textSize(k.merchant) + textSize(k.purpose) + textSize(string(k.currency))
}

// itemSize is no less than what an item takes in a plan. To encode every item
// one time more, only to learn its size, would cost more than a few full bytes
// are worth.
func itemSize(it *schema.PlanItem, sealed bool) int {
	n := len(it.Metadata) + textSize(it.Recipient.Value.Reveal()) + textSize(it.Recipient.Name.Reveal()) + textSize(it.Description.Reveal())
	if sealed {
		n = (n+insideBytes)*4/3 + outsideBytes
	}
	n += itemBytes
	for _, s := range [...]string{it.PayoutID, string(it.Recipient.Type), it.EventID, it.TraceParent, it.Source.Topic} {
		n += textSize(s)
	}
	return n
}

// textSize is no less than the size of a valid text in JSON, without quotes.
func textSize(s string) int {
	n := len(s)
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ':
			n += 5
		case c == '"', c == '\\':
			n++
		}
	}
	return n
}
