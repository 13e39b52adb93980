package schema

import (
	"fmt"
	"io"
)

// hidden is what a [Private] shows to everything but [Private.Reveal].
const hidden = "***"

// Private is a text about a person (an IBAN, a name, a phone or identity
// number, a description) that cannot print itself: fmt, JSON, logs and errors
// show "***". Encoders that must carry it call [Private.Reveal].
//
// Three ways around are Go's own and stay open: fmt prints an unexported field
// of a struct without asking its methods, encoding/json the keys of a map, and
// the verbs %p and %w (which vet refuses) what they were wrongly given. So a
// Private belongs into exported fields, and is no key.
type Private string

// Reveal returns the text itself. Each call is a place to look at.
func (p Private) Reveal() string { return string(p) }

// String hides the text.
func (Private) String() string { return hidden }

// GoString hides the text.
func (Private) GoString() string { return hidden }

// Format hides the text from every verb of fmt.
func (Private) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText hides the text from JSON, YAML and log encoders.
func (Private) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// Mask shows as much as helps a person to recognise the text: the first four
// and the last four characters of a long one, nothing of a short one.
func (p Private) Mask() string {
	r := []rune(string(p))
	if len(r) < 12 {
		return hidden
	}
	return string(r[:4]) + hidden + string(r[len(r)-4:])
}
