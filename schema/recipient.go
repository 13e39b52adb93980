package schema

import (
	"math"
	"strings"
	"unicode"
)

// Known reports whether iyzico's init call documents t.
func (t RecipientType) Known() bool {
	switch t {
	case IBAN, MemberID, IdentityNumber, Phone:
		return true
	default:
		return false
	}
}

// recipient checks and normalises who gets the money.
func (c *checker) recipient(d *draft) {
	if !d.recipient && d.kind.absent() {
		c.problem("recipient", "is missing: an object with type, value and, for an IBAN, name")
		return
	}
	to := &c.ev.Request.Recipient
	switch g := d.kind; {
	case g.absent():
		c.problem("recipient.type", "is missing: IBAN, MEMBER_ID, IDENTITY_NUMBER or PHONE")
	case g.usable():
		if to.Type = RecipientType(g.text); !to.Type.Known() {
			c.problem("recipient.type", "must be IBAN, MEMBER_ID, IDENTITY_NUMBER or PHONE")
		}
	}
	switch g := d.value; {
	case g.absent():
		c.problem("recipient.value", "is missing")
	case g.usable():
		c.recipientValue(to, g.text)
	}
	if c.line("recipient.name", d.name) {
		to.Name = Private(d.name.text)
	}
	// iyzico requires the name for an IBAN and for no other type.
	if to.Type == IBAN && (d.name.absent() || d.name.usable() && strings.TrimSpace(d.name.text) == "") {
		c.problem("recipient.name", "is missing: an IBAN is paid with its owner's name")
	}
}

// recipientValue normalises a value and checks that it is one of its type.
func (c *checker) recipientValue(to *Recipient, value string) {
	text, checksum := "", true
	switch to.Type {
	case IBAN:
		value = upper(without(value, ""))
		if text = ibanProblem(value); text == "" {
			checksum = mod97(value)
		}
	case IdentityNumber:
		value = without(value, "")
		if len(value) != 11 || !allDigits(value) || value[0] == '0' {
			text = "must be 11 digits, the first of them not 0"
		} else {
			checksum = tckn(value)
		}
	case Phone:
		value = without(value, "-()")
		if digits, ok := strings.CutPrefix(value, "+90"); !ok || len(digits) != 10 || !allDigits(digits) {
			text = "must be +90 and ten digits"
		}
	case MemberID:
		value = without(value, "")
		if len(value) == 0 || len(value) > 19 || !allDigits(value) {
			text = "must be 1 to 19 digits"
		}
	}
	switch {
	case text != "":
		c.problem("recipient.value", text)
		return
	case !checksum:
		c.badCheckDigits()
	}
	to.Value = Private(value)
}

func (c *checker) badCheckDigits() {
	const text = "has wrong check digits: a digit was mistyped"
	mode := CheckWarn
	if c.rules != nil && c.rules.CheckDigits != "" {
		mode = c.rules.CheckDigits
	}
	switch mode {
	case CheckOff:
	case CheckWarn:
		c.ev.Warnings = append(c.ev.Warnings, "recipient.value "+text)
	case CheckStrict:
		c.problem("recipient.value", text)
	default: // a mode nobody knows must not be the laxest one
		c.problem("recipient.value", text)
	}
}

// ibanProblem checks the structure of ISO 13616: two letters, two digits, and
// letters or digits up to 34. A Turkish one has 26 characters, all but the
// country digits (TCMB's communiqué on IBAN allows letters in the account
// number; no bank uses them, and O for 0 is the commonest mistake).
func ibanProblem(s string) string {
	if strings.HasPrefix(s, "TR") {
		if len(s) != 26 || !allDigits(s[2:]) {
			return "must be TR and 24 digits for a Turkish IBAN"
		}
		return ""
	}
	if len(s) < 15 || len(s) > 34 || !allLetters(s[:2]) || !allDigits(s[2:4]) {
		return "must be an IBAN: a country's two letters, two digits, and 15 to 34 characters in all"
	}
	for i := 4; i < len(s); i++ {
		if !allDigits(s[i:i+1]) && !allLetters(s[i:i+1]) {
			return "must be an IBAN: letters and digits only"
		}
	}
	return ""
}

// mod97 checks an IBAN's check digits by ISO 7064: moved to the end, letters
// read as 10 to 35, the number leaves 1 when divided by 97.
func mod97(iban string) bool {
	n := int64(0)
	for i := range len(iban) {
		c := iban[(i+4)%len(iban)]
		if c >= 'A' {
			n = n*100 + int64(c-'A') + 10
		} else {
			n = n*10 + int64(c-'0')
		}
		if n > math.MaxInt32 {
			n %= 97
		}
	}
	return n%97 == 1
}

// tckn checks the last two digits of a Turkish identity number.
func tckn(s string) bool {
	d := func(i int) int { return int(s[i-1] - '0') }
	odd := d(1) + d(3) + d(5) + d(7) + d(9)
	even := d(2) + d(4) + d(6) + d(8)
	tenth := (7*odd - even + 10*even) % 10 // 10*even keeps it above zero
	return tenth == d(10) && (odd+even+d(10))%10 == d(11)
}

// without removes blanks of every kind, and the characters in marks.
func without(s, marks string) string {
	if allPlain(s) {
		return s
	}
	drop := func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(marks, r) }
	return strings.Map(func(r rune) rune {
		if drop(r) {
			return -1
		}
		return r
	}, s)
}

// allPlain reports whether s has nothing but letters and digits of ASCII, as
// nearly all have.
func allPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

// upper raises a to z alone. Unicode's mapping would make an I of a Turkish
// dotless ı, and so an IBAN of what is none.
func upper(s string) string {
	lower := func(r rune) bool { return r >= 'a' && r <= 'z' }
	if strings.IndexFunc(s, lower) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if lower(r) {
			return r - 'a' + 'A'
		}
		return r
	}, s)
}

func allLetters(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < 'A' || r > 'Z' }) < 0
}
