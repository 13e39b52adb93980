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
)

// headSize is no less than what a plan takes without its items.
func headSize(k key) int {
	return headBytes + textSize(k.merchant) + textSize(k.purpose) + textSize(string(k.currency))
}

// itemSize is no less than what an item takes in a plan. To encode every item
// one time more, only to learn its size, would cost more than a few full bytes
// are worth.
func itemSize(it *schema.PlanItem) int {
	n := itemBytes + len(it.Metadata)
	for _, s := range [...]string{
		it.PayoutID, string(it.Recipient.Type), it.Recipient.Value.Reveal(), it.Recipient.Name.Reveal(),
		it.Description.Reveal(), it.EventID, it.TraceParent, it.Source.Topic,
	} {
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
