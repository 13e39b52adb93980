package iyzico

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// maxDepth is how deep an answer may nest. iyzico's answers need four levels;
// the limit keeps a hostile one from exhausting the stack.
const maxDepth = 64

// noBreakSpace is U+00A0 in UTF-8.
const noBreakSpace = "\u00A0"

// scanner reads one JSON text from front to back, without building a tree.
//
// encoding/json cannot do it: the sample of an answer on iyzico's page has the
// number 000000, and no-break spaces between its fields, which no strict reader
// takes. Here a number may begin with zeros, a no-break space is white space,
// and all else is as strict as the standard. The first mistake is kept in err
// and ends every loop, so that callers look at it once, at the end.
type scanner struct {
	data  []byte
	pos   int
	depth int
	err   error
}

// fail keeps the first mistake. It quotes nothing of the answer, which may hold
// anybody's account.
func (s *scanner) fail(want string) {
	if s.err == nil {
		s.err = fmt.Errorf("byte %d of the answer: want %s", s.pos, want)
	}
}

// peek skips white space and returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		case noBreakSpace[0]:
			if !bytes.HasPrefix(s.data[s.pos:], []byte(noBreakSpace)) {
				return c
			}
			s.pos += len(noBreakSpace)
		default:
			return c
		}
	}
	return 0
}

// accept takes the next byte if it is c.
func (s *scanner) accept(c byte) bool {
	if s.err != nil || s.peek() != c {
		return false
	}
	s.pos++
	return true
}

// end makes sure that nothing follows.
func (s *scanner) end() {
	if s.peek(); s.pos < len(s.data) {
		s.fail("the end")
	}
}

// object calls field for each key, to read the value behind it. A null reads
// like an object without fields.
func (s *scanner) object(field func(key []byte)) {
	if s.null() || !s.open('{', "an object") {
		return
	}
	for first := true; !s.closed('}', first); first = false {
		key := s.token()
		if !s.accept(':') {
			s.fail("a colon")
			return
		}
		field(key)
	}
}

// array calls element for each element, to read it. A null reads like an empty
// array.
func (s *scanner) array(element func()) {
	if s.null() || !s.open('[', "an array") {
		return
	}
	for first := true; !s.closed(']', first); first = false {
		element()
	}
}

// open takes the bracket that begins an object or an array.
func (s *scanner) open(bracket byte, want string) bool {
	if !s.accept(bracket) {
		s.fail(want)
		return false
	}
	if s.depth++; s.depth > maxDepth {
		s.fail("less nesting")
		return false
	}
	return true
}

// closed takes the bracket that ends an object or an array, or else the comma
// before the next element. It is also true after a mistake.
func (s *scanner) closed(bracket byte, first bool) bool {
	if s.accept(bracket) {
		s.depth--
		return true
	}
	if !first && !s.accept(',') {
		s.fail("a comma")
	}
	return s.err != nil
}

// null takes a null if one comes next.
func (s *scanner) null() bool {
	if s.err != nil || s.peek() != 'n' {
		return false
	}
	s.literal("null")
	return true
}

func (s *scanner) literal(word string) {
	if len(s.data)-s.pos < len(word) || string(s.data[s.pos:s.pos+len(word)]) != word {
		s.fail("a value")
		return
	}
	s.pos += len(word)
}

// token reads a string and returns its text, as a part of the answer where it
// can: only escapes and bytes that are not UTF-8 make a copy.
func (s *scanner) token() []byte {
	if !s.accept('"') {
		s.fail("a string")
		return nil
	}
	begin, plain := s.pos, true
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; {
		case c == '"':
			raw := s.data[begin:s.pos]
			s.pos++
			if plain || (utf8.Valid(raw) && bytes.IndexByte(raw, '\\') < 0) {
				return raw
			}
			return s.unquote(begin - 1)
		case c < ' ':
			s.fail("no control character in a string")
			return nil
		case c == '\\':
			plain = false
			s.pos++
		case c >= utf8.RuneSelf:
			plain = false
		}
		s.pos++
	}
	s.pos = len(s.data)
	s.fail("the end of a string")
	return nil
}

// unquote leaves the rare string that is not plain to encoding/json.
func (s *scanner) unquote(begin int) []byte {
	var text string
	if json.Unmarshal(s.data[begin:s.pos], &text) != nil {
		s.fail("a well-formed string before it")
		return nil
	}
	return []byte(text)
}

// number reads a number, leading zeros and all, and returns its text.
func (s *scanner) number() []byte {
	s.peek()
	begin := s.pos
	if s.pos < len(s.data) && s.data[s.pos] == '-' {
		s.pos++
	}
	ok := s.digits()
	if ok && s.pos < len(s.data) && s.data[s.pos] == '.' {
		s.pos++
		ok = s.digits()
	}
	if ok && s.pos < len(s.data) && (s.data[s.pos] == 'e' || s.data[s.pos] == 'E') {
		s.pos++
		if s.pos < len(s.data) && (s.data[s.pos] == '+' || s.data[s.pos] == '-') {
			s.pos++
		}
		ok = s.digits()
	}
	if !ok {
		s.fail("a number")
		return nil
	}
	return s.data[begin:s.pos]
}

// digits takes a run of digits and says whether there was one.
func (s *scanner) digits() bool {
	begin := s.pos
	for s.pos < len(s.data) && s.data[s.pos] >= '0' && s.data[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > begin
}

// skip reads past a value of any kind.
func (s *scanner) skip() {
	if s.err != nil {
		return
	}
	switch s.peek() {
	case '{':
		s.object(func([]byte) { s.skip() })
	case '[':
		s.array(s.skip)
	case '"':
		s.token()
	case 't':
		s.literal("true")
	case 'f':
		s.literal("false")
	case 'n':
		s.literal("null")
	default:
		s.number()
	}
}
