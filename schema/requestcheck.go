package schema

import (
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The limits of a request's texts.
const (
	maxRunes    = 255 // of a name and a description: what banks and iyzico's clients carry
	maxMetadata = 2 << 10
	maxMerchant = 64
)

// Purposes are the purposes that iyzico's init call documents.
var purposes = []string{"SALARY", "BONUS", "SETTLEMENT", "GOODS", "SERVICES", "CASHBACK", "REBATES", "DONATIONS"}

// Purposes lists the purposes that a request may have, as iyzico documents them.
func Purposes() []string { return slices.Clone(purposes) }

// ValidPayoutID reports whether id may be a payout's id: [A-Za-z0-9._:-]{1,64}.
func ValidPayoutID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= ':', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

// A checker turns a draft into a request, and collects what is wrong with it.
type checker struct {
	rules    *Rules
	ev       *Event
	problems []Problem
	stranger bool // the merchant is not configured
}

func (c *checker) problem(field, text string) {
	c.problems = append(c.problems, Problem{field, text})
}

// invalid is the refusal, with what a refusal event may repeat.
func (c *checker) invalid() *Invalid {
	code := CodeInvalid
	if c.stranger && len(c.problems) == 1 {
		code = CodeUnknownMerchant
	}
	r := &c.ev.Request
	r.own()
	return &Invalid{Code: code, Problems: c.problems, PayoutID: r.PayoutID, Merchant: r.Merchant, Metadata: r.Metadata}
}

func (c *checker) request(d *draft) {
	if d.none {
		return
	}
	c.payoutID(d.payoutID)
	c.merchant(d)
	c.recipient(d)
	c.amount(d)
	if c.line("description", d.description) {
		c.ev.Request.Description = Private(d.description.text)
	}
	c.metadata(d.metadata)
}

func (c *checker) payoutID(g given) {
	switch {
	case g.absent():
		c.problem("payoutId", "is missing: every payout has an id of its own")
	case g.usable() && !ValidPayoutID(g.text):
		c.problem("payoutId", "must be 1 to 64 characters out of A-Z a-z 0-9 . _ : -")
	default:
		c.ev.Request.PayoutID = g.text
	}
}

// merchant looks the merchant up, and fills in its purpose.
func (c *checker) merchant(d *draft) {
	req, g := &c.ev.Request, d.merchant
	var own MerchantRules
	switch {
	case g.absent():
		g = given{text: DefaultMerchant, set: true}
		fallthrough
	case g.usable():
		if g.text == "" || len(g.text) > maxMerchant || !printable(g.text) {
			c.problem("merchant", "must be 1 to 64 bytes of text, or left out")
			break
		}
		req.Merchant = g.text
		if c.rules == nil || c.rules.Merchant == nil {
			break
		}
		var known bool
		if own, known = c.rules.Merchant(g.text); !known {
			c.stranger = true
			c.problem("merchant", "is not one of this installation's merchants")
		}
	}
	switch p := d.purpose; {
	case p.absent():
		req.Purpose = own.Purpose
	case p.usable() && !slices.Contains(purposes, p.text):
		c.problem("purpose", "must be one of "+strings.Join(purposes, ", "))
	default:
		req.Purpose = p.text
	}
}

func (c *checker) amount(d *draft) {
	if !d.money && d.amount.absent() {
		c.problem("amount", `is missing: {"value":"100.50","currency":"TRY"}`)
		return
	}
	a := &c.ev.Request.Amount
	switch g := d.amount; {
	case g.absent():
		c.problem("amount.value", `is missing: a decimal such as "100.50"`)
	case g.usable():
		var err error
		if a.Minor, err = parseAmount(g.text); err != nil {
			c.problem("amount.value", err.Error())
		}
	}
	switch g := d.currency; {
	case g.absent():
		c.problem("amount.currency", "is missing: TRY, USD or EUR")
	case g.usable():
		if a.Currency = Currency(g.text); !a.Currency.Known() {
			c.problem("amount.currency", "must be TRY, USD or EUR")
		}
	}
}

// parseAmount reads the decimal of a request and says in the asker's words what
// is wrong with it.
func parseAmount(s string) (int64, error) {
	if strings.HasPrefix(s, "-") {
		return 0, errors.New("must be greater than zero")
	}
	if strings.ContainsAny(s, "eE") {
		return 0, errors.New("must be written out, without an exponent")
	}
	n, err := ParseMinor(s)
	switch {
	case errors.Is(err, ErrNotDecimal):
		return 0, errors.New("must be a plain decimal such as 100.50")
	case errors.Is(err, ErrTooPrecise):
		return 0, errors.New("has more decimals than the currency (2)")
	case err != nil || n > MaxMinor:
		return 0, errors.New("is too large: at most 1000000000000.00")
	case n == 0:
		return 0, errors.New("must be greater than zero")
	}
	return n, nil
}

func (c *checker) metadata(raw string) {
	if raw == "" {
		return
	}
	m := compact(raw)
	if len(m) > maxMetadata {
		c.problem("metadata", "is over 2 KiB: keep it where the order is, and its id here")
		return
	}
	c.ev.Request.Metadata = m
}

// line reports whether g is there and fit for a line of text in a bank's
// statement. What is not fit is a problem; what is not there is none.
func (c *checker) line(field string, g given) bool {
	switch {
	case !g.usable():
		return false
	case utf8.RuneCountInString(g.text) > maxRunes:
		c.problem(field, "is longer than 255 characters")
		return false
	case !printable(g.text):
		c.problem(field, "holds control characters: take out line breaks and tabs")
		return false
	}
	return true
}

// printable reports whether s is UTF-8 without control characters.
func printable(s string) bool {
	for len(s) > 0 && s[0] >= ' ' && s[0] <= '~' {
		s = s[1:]
	}
	return utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0
}
