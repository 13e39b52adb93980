package schema

import (
	"errors"
	"math"
	"strings"
)

// A Currency is an ISO 4217 code.
type Currency string

// The currencies iyzico's mass payout documents. All have two decimals.
const (
	TRY Currency = "TRY"
	USD Currency = "USD"
	EUR Currency = "EUR"
)

// Known reports whether toplu pays in c.
func (c Currency) Known() bool { return c == TRY || c == USD || c == EUR }

// minorDigits is the number of decimals of every known currency.
const minorDigits = 2

// An Amount is a sum of money in minor units (kuruş, cents). It is never a
// float: what cannot be said in minor units is refused, not rounded.
type Amount struct {
	Minor    int64
	Currency Currency
}

// MaxMinor is the largest amount of one payout: a million millions. It is more
// than anybody pays at once, and the sum of a batch that fits into a record
// stays far from the end of an int64.
const MaxMinor int64 = 100_000_000_000_000

// Errors of [ParseMinor].
var (
	ErrNotDecimal  = errors.New("not a decimal number such as 100.50")
	ErrTooPrecise  = errors.New("more decimals than the currency has (2)")
	ErrTooLarge    = errors.New("too large")
	ErrNotPositive = errors.New("must be greater than zero")
)

// ParseMinor reads a plain decimal ("100", "100.5", "100.50") as minor units.
// Signs, exponents, blanks and digits below one minor unit are refused.
func ParseMinor(s string) (int64, error) {
	whole, frac, _ := strings.Cut(s, ".")
	if whole == "" || strings.HasSuffix(s, ".") {
		return 0, ErrNotDecimal
	}
	frac = strings.TrimRight(frac, "0")
	if len(frac) > minorDigits {
		if !allDigits(frac) {
			return 0, ErrNotDecimal
		}
		return 0, ErrTooPrecise
	}
	digits := whole + frac + "00"[:minorDigits-len(frac)]
	var n int64
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' {
			return 0, ErrNotDecimal
		}
		d := int64(c - '0')
		if n > (math.MaxInt64-d)/10 {
			return 0, ErrTooLarge
		}
		n = n*10 + d
	}
	return n, nil
}

func allDigits(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// FormatMinor writes minor units as a decimal with two places: 10050 is "100.50".
func FormatMinor(n int64) string {
	var b [24]byte
	return string(appendMinor(b[:0], n))
}

// Value is the amount as the decimal string that events carry, always with the
// currency's decimals: "100.50".
func (a Amount) Value() string { return FormatMinor(a.Minor) }

// String is the amount with its currency, for people: "100.50 TRY".
func (a Amount) String() string { return a.Value() + " " + string(a.Currency) }
