package iyzico

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
)

// Money is an amount in minor units: kuruş or cents. Every currency iyzico
// pays out has two decimals, so 100.50 TRY is Money(10050). There is no float
// on its way in or out and it never rounds.
type Money int64

// errMoney names no text, for a caller may have handed over the wrong field.
var errMoney = errors.New("iyzico: not an exact amount of at most two decimals")

// ParseMoney reads an amount in lira as iyzico writes it: "100", "100.5",
// "201.00", "20.00000000". More than two decimals are fine only if the rest is
// zeros. Other text, an exponent, and what does not fit are errors. The one
// exponent it takes is that of zero: Java writes a zero of eight decimals as
// 0E-8.
func ParseMoney(text string) (Money, error) { return parseMoney(text) }

func parseMoney[T string | []byte](text T) (Money, error) {
	at, negative := 0, false
	if at < len(text) && text[at] == '-' {
		at, negative = at+1, true
	}

	units, digits, ok := addDigits(0, text[at:])
	if !ok || digits == 0 {
		return 0, errMoney
	}
	at += digits

	decimals := 0
	if at < len(text) && text[at] == '.' {
		at++
		fraction := text[at:]
		if units, decimals, ok = addDigits(units, fraction[:min(2, len(fraction))]); !ok || decimals == 0 {
			return 0, errMoney
		}
		at += decimals
		for at < len(text) && text[at] == '0' {
			at++
		}
	}
	for ; decimals < 2; decimals++ {
		if units > math.MaxInt64/10 {
			return 0, errMoney
		}
		units *= 10
	}

	if at < len(text) && (units != 0 || !isExponent(text[at:])) {
		return 0, errMoney
	}
	if negative {
		units = -units
	}
	return Money(units), nil
}

// addDigits appends the leading digits of text to n and says how many there
// were; ok is false when they do not fit.
func addDigits[T string | []byte](n int64, text T) (sum int64, digits int, ok bool) {
	for digits < len(text) && text[digits] >= '0' && text[digits] <= '9' {
		d := int64(text[digits] - '0')
		if n > (math.MaxInt64-d)/10 {
			return 0, 0, false
		}
		n = n*10 + d
		digits++
	}
	return n, digits, true
}

func isExponent[T string | []byte](text T) bool {
	if text[0] != 'e' && text[0] != 'E' {
		return false
	}
	at := 1
	if at < len(text) && (text[at] == '+' || text[at] == '-') {
		at++
	}
	if at == len(text) {
		return false
	}
	for ; at < len(text); at++ {
		if text[at] < '0' || text[at] > '9' {
			return false
		}
	}
	return true
}

// String returns the amount with two decimals: "100.50".
func (m Money) String() string {
	return string(m.append(make([]byte, 0, 24), 2))
}

// MarshalJSON writes a bare number in lira as iyzico's samples do: 100, 100.5,
// 100.05.
func (m Money) MarshalJSON() ([]byte, error) { return []byte(m.number()), nil }

func (m Money) number() json.Number {
	decimals := 2
	switch {
	case m%100 == 0:
		decimals = 0
	case m%10 == 0:
		decimals = 1
	}
	return json.Number(m.append(make([]byte, 0, 24), decimals))
}

// UnmarshalJSON reads a number or a string, by the rules of [ParseMoney]. As
// everywhere in JSON, null changes nothing.
func (m *Money) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		return nil
	}
	if len(text) >= 2 && text[0] == '"' {
		text = text[1 : len(text)-1]
	}
	parsed, err := parseMoney(text)
	if err != nil {
		return err
	}
	*m = parsed
	return nil
}

// append writes m with the first of its two decimals, both, or none.
func (m Money) append(to []byte, decimals int) []byte {
	units := uint64(m)
	if m < 0 {
		to = append(to, '-')
		units = -units
	}
	to = strconv.AppendUint(to, units/100, 10)
	if decimals == 0 {
		return to
	}
	cents := units % 100
	return append(to, '.', byte('0'+cents/10), byte('0'+cents%10))[:len(to)+1+decimals]
}
