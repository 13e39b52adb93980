package schema

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// text reads a text. Without escapes in it, it is a part of the input: no copy.
func (r *reader) text() string {
	if r.peek() != '"' {
		r.unexpected("a text in quotes was expected")
		return ""
	}
	start, ascii := r.i+1, true
	for j := start; j < len(r.s); j++ {
		switch c := r.s[j]; {
		case plainText[c]:
		case c == '"':
			return r.whole(r.s[start:j], j+1, ascii)
		case c == '\\':
			return r.escaped(start, j)
		case c < ' ':
			r.i = j
			r.fail("a control character stands in a text")
			return ""
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	r.i = len(r.s)
	r.fail("it ends inside a text")
	return ""
}

// whole returns a text that ends at byte next, if it is UTF-8.
func (r *reader) whole(s string, next int, ascii bool) string {
	if !ascii && !utf8.ValidString(s) {
		r.fail("a text is not valid UTF-8")
		return ""
	}
	r.i = next
	return s
}

// escaped reads on from the first backslash, at byte j, of a text that began at start.
func (r *reader) escaped(start, j int) string {
	b := append(make([]byte, 0, 64), r.s[start:j]...)
	for j < len(r.s) {
		c := r.s[j]
		switch {
		case c == '"':
			return r.whole(string(b), j+1, false)
		case c < ' ':
			r.i = j
			r.fail("a control character stands in a text")
			return ""
		case c != '\\':
			b = append(b, c)
			j++
			continue
		}
		u, size := unescape(r.s[j:])
		if size == 0 {
			r.i = j
			r.fail("a backslash in a text begins nothing that JSON knows")
			return ""
		}
		b = utf8.AppendRune(b, u)
		j += size
	}
	r.i = len(r.s)
	r.fail("it ends inside a text")
	return ""
}

// unescape returns the character that the escape at the beginning of s stands
// for, and the escape's length; length 0 if it is none. Half a surrogate pair
// is none: encoders that write one have cut a name in the middle.
func unescape(s string) (rune, int) {
	if len(s) < 2 {
		return 0, 0
	}
	if i := strings.IndexByte(`"\/bfnrt`, s[1]); i >= 0 {
		return rune("\"\\/\b\f\n\r\t"[i]), 2
	}
	u := hex4(s)
	if !utf16.IsSurrogate(u) {
		if u < 0 {
			return 0, 0
		}
		return u, 6
	}
	if u = utf16.DecodeRune(u, hex4(s[6:])); u == utf8.RuneError {
		return 0, 0
	}
	return u, 12
}

// hex4 reads the \uXXXX at the beginning of s; -1 if there is none.
func hex4(s string) rune {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return -1
	}
	n, err := strconv.ParseUint(s[2:6], 16, 16)
	if err != nil {
		return -1
	}
	return rune(n)
}
