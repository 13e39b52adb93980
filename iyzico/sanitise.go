package iyzico

import (
	"regexp"
	"strings"
	"unicode"
)

// maxMessage is how many runes of iyzico's own words are kept.
const maxMessage = 200

// iyzico's messages are for people, and may quote what they complain about.
// Two patterns find what looks like an account wherever it stands.
var (
	// ibanLike is two letters, two digits and groups that hold a digit, alone
	// or in blocks of four.
	ibanLike = regexp.MustCompile(`\b[A-Za-z]{2}[0-9]{2}[A-Za-z0-9]*(?:[ \x{00A0}-][A-Za-z0-9]*[0-9][A-Za-z0-9]*)*`)
	// digitRun is eight digits or more, however they are spaced.
	digitRun = regexp.MustCompile(`\+?\p{Nd}(?:[ \x{00A0}.()/_-]{0,2}\p{Nd}){7,}`)
)

// sanitise makes a message of iyzico's fit for a log: words that are known to
// be private and runs that look like an account become "***", control
// characters become spaces, and at most 200 runes stay.
func sanitise(message string, private privateWords) string {
	if message == "" {
		return ""
	}
	message = strings.ToValidUTF8(message, "\uFFFD")
	message = private.mask(message)
	if countDigits(message) >= 8 { // the patterns are slow, and most messages have none
		message = ibanLike.ReplaceAllStringFunc(message, func(found string) string {
			if len(found) < 15 { // no country's IBAN is shorter
				return found
			}
			return hidden
		})
		message = digitRun.ReplaceAllString(message, hidden)
	}
	message = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, message)
	return firstRunes(message, maxMessage)
}

func countDigits(text string) (n int) {
	for _, r := range text {
		if unicode.IsDigit(r) {
			n++
		}
	}
	return n
}

func firstRunes(text string, n int) string {
	for at := range text {
		if n == 0 {
			return text[:at]
		}
		n--
	}
	return text
}

// privateWords are the words of names and recipient values that a message
// must not repeat, folded.
type privateWords map[string]struct{}

func newPrivateWords(values ...Private) privateWords {
	words := privateWords{}
	words.add(values...)
	return words
}

func (w privateWords) add(values ...Private) {
	for _, value := range values {
		for word := range strings.FieldsFuncSeq(string(value), notWord) {
			if len(word) > 1 {
				w[fold(word)] = struct{}{}
			}
		}
	}
}

// mask replaces every word of text that is in w.
func (w privateWords) mask(text string) string {
	if len(w) == 0 {
		return text
	}
	var out strings.Builder
	for text != "" {
		end := strings.IndexFunc(text, notWord)
		if end < 0 {
			end = len(text)
		}
		if _, found := w[fold(text[:end])]; found {
			out.WriteString(hidden)
		} else {
			out.WriteString(text[:end])
		}
		text = text[end:]

		next := strings.IndexFunc(text, isWord)
		if next < 0 {
			next = len(text)
		}
		out.WriteString(text[:next])
		text = text[next:]
	}
	return out.String()
}

func isWord(r rune) bool  { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) }
func notWord(r rune) bool { return !isWord(r) }

// fold makes the ways to write a Turkish name equal: banks write Ayşe Yılmaz as
// AYSE YILMAZ.
func fold(word string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case 'ı', 'İ', 'I':
			return 'i'
		case 'ş', 'Ş':
			return 's'
		case 'ğ', 'Ğ':
			return 'g'
		case 'ç', 'Ç':
			return 'c'
		case 'ö', 'Ö':
			return 'o'
		case 'ü', 'Ü':
			return 'u'
		}
		return unicode.ToLower(r)
	}, word)
}
