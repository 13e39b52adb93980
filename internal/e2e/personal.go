package e2e

import (
	"fmt"
	"strings"
	"unicode"
)

// Personal is what must not be told of recipients, by its kind: values as whole
// words, without blanks and signs around them.
type Personal map[string]string

// Add remembers a value and its kind. A value of several words is each of them.
func (p Personal) Add(kind, value string) {
	for word := range strings.FieldsFuncSeq(value, notWord) {
		p[word] = kind
	}
}

// In returns an error if text, which comes from a place that is named, holds
// anything personal. The error does not repeat it.
func (p Personal) In(place, text string) error {
	for word := range strings.FieldsFuncSeq(text, notWord) {
		if kind, ok := p[word]; ok {
			begin := strings.Index(text, word)
			line := text[strings.LastIndexByte(text[:begin], '\n')+1 : begin]
			return fmt.Errorf("%s holds a recipient's %s, after %q", place, kind, line)
		}
	}
	return nil
}

func notWord(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }
