package iyzicotest

import (
	"fmt"
	"math"
	"strconv"
)

// Money is an exact amount in minor units (kuruş or cents). The currencies of
// the API, TRY, USD and EUR, all have two decimals.
type Money int64

// malformed stands for an amount in a request that is no amount: text where a
// bare JSON number belongs, an exponent, more than two decimals. The request
// goes on and the line is refused, as a provider that checks lines would do.
const malformed Money = math.MinInt64

// String returns the amount as a decimal with two decimals, such as "100.50".
func (m Money) String() string {
	return string(m.append(nil, 2))
}

// UnmarshalText reads a decimal such as "100.50". It refuses exponents, a
// leading plus, and digits below one minor unit that are not zero.
func (m *Money) UnmarshalText(text []byte) error {
	v, ok := parseMoney(text)
	if !ok {
		return fmt.Errorf("%q is not an amount such as 100.50", text)
	}
	*m = v
	return nil
}

// UnmarshalJSON reads a bare JSON number. It never fails: what is not an
// amount makes the line invalid and leaves the rest of the request readable.
func (m *Money) UnmarshalJSON(text []byte) error {
	v, ok := parseMoney(text)
	if !ok {
		v = malformed
	}
	*m = v
	return nil
}

func parseMoney(text []byte) (Money, bool) {
	negative := len(text) > 0 && text[0] == '-'
	if negative {
		text = text[1:]
	}
	// 16 digits of lira and 2 of kuruş stay below the largest int64.
	const maxWhole = 1e15
	var whole, fraction int64
	i := 0
	for ; i < len(text) && text[i] != '.'; i++ {
		if text[i] < '0' || text[i] > '9' || whole >= maxWhole {
			return 0, false
		}
		whole = whole*10 + int64(text[i]-'0')
	}
	if i == 0 {
		return 0, false
	}
	if i < len(text) {
		decimals := text[i+1:]
		if len(decimals) == 0 {
			return 0, false
		}
		for j, c := range decimals {
			if c < '0' || c > '9' || (j > 1 && c != '0') {
				return 0, false
			}
			if j < 2 {
				fraction = fraction*10 + int64(c-'0')
			}
		}
		if len(decimals) == 1 {
			fraction *= 10
		}
	}
	v := Money(whole*100 + fraction)
	if negative {
		v = -v
	}
	return v, true
}

// append writes the amount with at least two decimals, as many as asked for.
func (m Money) append(b []byte, decimals int) []byte {
	v := int64(m)
	if v < 0 {
		b = append(b, '-')
		v = -v
	}
	b = strconv.AppendInt(b, v/100, 10)
	b = append(b, '.', byte('0'+v%100/10), byte('0'+v%10))
	for range decimals - 2 {
		b = append(b, '0')
	}
	return b
}

// appendShort writes the amount without the zeros at its end: 100, 100.5.
func (m Money) appendShort(b []byte) []byte {
	b = m.append(b, 2)
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	if b[len(b)-1] == '.' {
		b = b[:len(b)-1]
	}
	return b
}
