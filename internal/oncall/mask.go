package oncall

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode"

	"github.com/toplu/toplu/schema"
)

// shown are the fields of a request that are about no person.
var shown = map[string]bool{
	"payoutId": true, "merchant": true, "purpose": true, "type": true, "amount": true, "amount.value": true, "amount.currency": true,
	"recipient": true, "recipient.type": true, "recipient.value": false, "metadata": true,
	"specversion": true, "id": true, "source": true, "subject": true, "time": true, "datacontenttype": true, "data": true,
}

// Masked is a dead letter's value as people may see it: JSON with everything
// masked that may be about a person, anything else as its outline alone. Fields
// that nobody knows count as personal.
func (l *Letter) Masked() string {
	value := l.message.Value
	d := json.NewDecoder(bytes.NewReader(value))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil || d.More() {
		return outline(string(value))
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(masked("", v)); err != nil {
		return outline(string(value))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// masked is a JSON value at a path of a request, data of an envelope included.
func masked(path string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		all := make(map[string]any, len(v))
		for name, inner := range v {
			at := strings.TrimPrefix(path+"."+name, ".")
			all[name] = masked(strings.TrimPrefix(at, "data."), inner)
		}
		return all
	case []any:
		all := make([]any, len(v))
		for i, inner := range v {
			all[i] = masked(path, inner)
		}
		return all
	case string:
		if shown[path] || strings.HasPrefix(path, "metadata.") {
			return v
		}
		if path == "recipient.value" {
			return schema.Private(v).Mask()
		}
		return outline(v)
	case json.Number:
		if shown[path] || strings.HasPrefix(path, "metadata.") {
			return v
		}
		return outline(v.String())
	}
	return v
}

// outline shows what kind of characters a text is made of: enough to see what is
// broken, not who it is about.
func outline(s string) string {
	const most = 400
	var b strings.Builder
	for i, r := range s {
		if i > most {
			b.WriteString("…")
			break
		}
		switch {
		case unicode.IsLetter(r):
			r = 'x'
		case unicode.IsDigit(r):
			r = '9'
		case !unicode.IsPrint(r):
			r = '.'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// A HeaderLine is a header as people may see it.
type HeaderLine struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Headers are the letter's headers: those of CloudEvents and of toplu as they
// are, others as their outline.
func (l *Letter) Headers() []HeaderLine {
	lines := []HeaderLine{}
	for _, h := range l.message.Headers {
		value := string(h.Value)
		known := strings.HasPrefix(h.Key, "ce_") || strings.HasPrefix(h.Key, "toplu-") || strings.EqualFold(h.Key, "content-type")
		if !known {
			value = outline(value)
		}
		lines = append(lines, HeaderLine{h.Key, value})
	}
	return lines
}
