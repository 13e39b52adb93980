package schema

import (
	"strconv"
	"time"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// plainText are the bytes that stand for themselves in a JSON text.
var plainText = func() (plain [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		plain[c] = c != '"' && c != '\\'
	}
	return plain
}()

// appendText appends s as a JSON text. What is not UTF-8 becomes U+FFFD, as
// encoding/json does. The form of a text is part of a plan's id: it must never
// change within a version.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if plainText[c] {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			u, size := utf8.DecodeRuneInString(s[i:])
			if u == utf8.RuneError && size == 1 {
				b = append(b, s[start:i]...)
				b = append(b, "\ufffd"...)
				start = i + 1
			}
			i += size
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

// appendField appends ,"name":"text", and nothing for an empty text.
func appendField(b []byte, name, text string) []byte {
	if text == "" {
		return b
	}
	b = append(b, ',', '"')
	b = append(b, name...)
	b = append(b, '"', ':')
	return appendText(b, text)
}

// appendTime appends a moment as RFC 3339 in UTC, as fine as it is known.
func appendTime(b []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(b, time.RFC3339Nano)
}

// appendMoney appends ,"name":{"value":"100.50","currency":"TRY"}.
func appendMoney(b []byte, name string, a Amount) []byte {
	b = append(b, ',', '"')
	b = append(b, name...)
	b = append(b, `":{"value":"`...)
	b = appendMinor(b, a.Minor)
	b = append(b, `","currency":`...)
	b = appendText(b, string(a.Currency))
	return append(b, '}')
}

// appendMinor appends minor units as a decimal with two places.
func appendMinor(b []byte, n int64) []byte {
	u := uint64(n)
	if n < 0 {
		b = append(b, '-')
		u = -u
	}
	b = strconv.AppendUint(b, u/100, 10)
	return append(b, '.', '0'+byte(u/10%10), '0'+byte(u%10))
}

// appendSource appends ,"source":{…}, and nothing for no topic.
func appendSource(b []byte, s Source) []byte {
	if s.Topic == "" {
		return b
	}
	b = append(b, `,"source":{"topic":`...)
	b = appendText(b, s.Topic)
	b = append(b, `,"partition":`...)
	b = strconv.AppendInt(b, int64(s.Partition), 10)
	b = append(b, `,"offset":`...)
	b = strconv.AppendInt(b, s.Offset, 10)
	return append(b, '}')
}

// source reads what appendSource wrote.
func (r *reader) source(strict bool) Source {
	var s Source
	var seen names
	for r.enter('{'); r.more('}'); {
		switch r.name(&seen) {
		case "topic":
			s.Topic = r.text()
		case "partition":
			s.Partition = int(r.int())
		case "offset":
			s.Offset = r.int()
		default:
			r.unknown(strict)
		}
	}
	return s
}

// unknown reads a field that this version does not know away, or refuses it.
func (r *reader) unknown(strict bool) {
	if strict {
		r.fail("a field that this version does not know")
		return
	}
	r.skip()
}

// time reads a moment.
func (r *reader) time() time.Time {
	s := r.text()
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		r.fail("a time such as 2026-01-31T10:00:00Z was expected")
		return time.Time{}
	}
	return t.UTC()
}
