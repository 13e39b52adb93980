package schema

import (
	"fmt"
	"strconv"
	"strings"
)

// maxDepth is how deep objects and arrays may nest. Nothing of ours nests
// deeper than four; metadata may a little.
const maxDepth = 32

// A reader takes JSON apart in one pass, field by field, and is stricter than
// encoding/json, which reads names without regard to case, lets the last of two
// equal names win and mends broken UTF-8: in a payment each of these is a way
// for two readers to see two different orders.
//
// The first mistake stays in err; from then on every method does nothing, so a
// caller need look only at the end.
type reader struct {
	s     string
	i     int
	depth int
	fresh bool // just past { or [: no comma is due
	err   error
}

func (r *reader) fail(text string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s (at byte %d)", text, r.i)
	}
}

// peek returns the first byte of what comes next, 0 at the end or after a mistake.
func (r *reader) peek() byte {
	if r.err != nil {
		return 0
	}
	for ; r.i < len(r.s); r.i++ {
		switch c := r.s[r.i]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// enter steps into an object or an array; what is in it is read by
//
//	for r.enter('{'); r.more('}'); {
//		switch r.key() { … }
//	}
func (r *reader) enter(open byte) {
	switch {
	case r.peek() != open:
		r.unexpected(map[byte]string{'{': "an object was expected", '[': "an array was expected"}[open])
	case r.depth == maxDepth:
		r.fail("nested too deeply")
	default:
		r.i++
		r.depth++
		r.fresh = true
	}
}

// more reports whether another member follows, and steps out at the end.
func (r *reader) more(closing byte) bool {
	c := r.peek()
	switch {
	case r.err != nil:
		return false
	case c == closing:
		r.i++
		r.depth--
		r.fresh = false
		return false
	case r.fresh:
		r.fresh = false
		return true
	case c != ',':
		r.unexpected("a comma or a closing bracket was expected")
		return false
	}
	r.i++
	if r.peek() == closing {
		r.fail("a comma stands before a closing bracket")
		return false
	}
	return true
}

// key reads a member's name and its colon.
func (r *reader) key() string {
	k := r.text()
	if r.peek() != ':' {
		r.unexpected("a colon was expected")
		return ""
	}
	r.i++
	return k
}

// end checks that nothing follows.
func (r *reader) end() {
	if r.peek(); r.err == nil && r.i < len(r.s) {
		r.fail("something follows after the end of the JSON")
	}
}

// unexpected fails with text, or says that the input is cut off.
func (r *reader) unexpected(text string) {
	if r.err == nil && r.i >= len(r.s) {
		text = "it ends too early"
	}
	r.fail(text)
}

// number reads a number and returns it as it is written: nothing is rounded.
func (r *reader) number() string {
	r.peek()
	start := r.i
	digits := func() bool {
		from := r.i
		for r.i < len(r.s) && r.s[r.i]-'0' <= 9 {
			r.i++
		}
		return r.i > from
	}
	one := func(set string) bool {
		if r.i < len(r.s) && strings.IndexByte(set, r.s[r.i]) >= 0 {
			r.i++
			return true
		}
		return false
	}
	if r.err != nil {
		return ""
	}
	one("-")
	ok := one("0") || digits()
	if ok && one(".") {
		ok = digits()
	}
	if ok && one("eE") {
		one("+-")
		ok = digits()
	}
	if !ok {
		r.unexpected("a value was expected")
		return ""
	}
	return r.s[start:r.i]
}

// int reads a whole number.
func (r *reader) int() int64 {
	n, err := strconv.ParseInt(r.number(), 10, 64)
	if err != nil {
		r.fail("a whole number was expected")
	}
	return n
}

func (r *reader) bool() bool {
	switch r.peek() {
	case 't':
		r.word("true")
		return true
	case 'f':
		r.word("false")
	default:
		r.fail("true or false was expected")
	}
	return false
}

// raw reads any value and returns it as it is written, checked throughout.
func (r *reader) raw() string {
	r.peek()
	start := r.i
	r.skip()
	if r.err != nil {
		return ""
	}
	return r.s[start:r.i]
}

// skip reads any value away. What is ignored is checked all the same.
func (r *reader) skip() {
	switch r.peek() {
	case '{':
		var seen names
		for r.enter('{'); r.more('}'); {
			r.name(&seen)
			r.skip()
		}
	case '[':
		for r.enter('['); r.more(']'); {
			r.skip()
		}
	case '"':
		r.text()
	case 't':
		r.word("true")
	case 'f':
		r.word("false")
	case 'n':
		r.word("null")
	default:
		r.number()
	}
}

func (r *reader) word(w string) {
	if !strings.HasPrefix(r.s[r.i:], w) {
		r.fail("a value was expected")
		return
	}
	r.i += len(w)
}

// name reads a member's name and refuses one that this object had already.
func (r *reader) name(seen *names) string {
	k := r.key()
	if r.err == nil && seen.repeated(k) {
		r.fail("the same name stands twice in one object")
	}
	return k
}

// names are the names that an object has had so far: a few by comparison, more
// by a map, so that an object of ten thousand names is no attack.
type names struct {
	few  [12]string
	n    int
	many map[string]struct{}
}

func (s *names) repeated(name string) bool {
	for i := range s.n {
		if s.few[i] == name {
			return true
		}
	}
	if s.n < len(s.few) {
		s.few[s.n] = name
		s.n++
		return false
	}
	if s.many == nil {
		s.many = make(map[string]struct{})
	}
	before := len(s.many)
	s.many[name] = struct{}{}
	return len(s.many) == before
}

// compact copies a checked value without the blanks between its parts.
func compact(raw string) []byte {
	b := make([]byte, 0, len(raw))
	quoted := false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case quoted && c == '\\':
			b = append(b, c, raw[i+1])
			i++
			continue
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ' ' || c == '\t' || c == '\n' || c == '\r'):
			continue
		}
		b = append(b, raw[i])
	}
	return b
}

// isObject reports whether b is one JSON object and nothing else.
func isObject(b []byte) bool {
	r := reader{s: string(b)}
	if r.peek() != '{' {
		return false
	}
	r.skip()
	r.end()
	return r.err == nil
}
