package schema_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/toplu/toplu/schema"
)

func TestParseMinor(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in   string
		want int64
		err  error
	}{
		{in: "100", want: 10000},
		{in: "100.5", want: 10050},
		{in: "100.50", want: 10050},
		{in: "0.01", want: 1},
		{in: "0", want: 0},
		{in: "20.00000000", want: 2000}, // iyzico writes commissions so
		{in: "92233720368547758.07", want: math.MaxInt64},
		{in: "92233720368547758.08", err: schema.ErrTooLarge},
		{in: strings.Repeat("9", 400), err: schema.ErrTooLarge},
		{in: "1.234", err: schema.ErrTooPrecise},
		{in: "1.001000", err: schema.ErrTooPrecise},
		{in: "", err: schema.ErrNotDecimal},
		{in: ".5", err: schema.ErrNotDecimal},
		{in: "5.", err: schema.ErrNotDecimal},
		{in: "-5", err: schema.ErrNotDecimal},
		{in: "+5", err: schema.ErrNotDecimal},
		{in: "1e400", err: schema.ErrNotDecimal},
		{in: "1,50", err: schema.ErrNotDecimal},
		{in: "1.2.3", err: schema.ErrNotDecimal},
		{in: " 1", err: schema.ErrNotDecimal},
		{in: "0x10", err: schema.ErrNotDecimal},
		{in: "1_000", err: schema.ErrNotDecimal},
		{in: "١٠", err: schema.ErrNotDecimal}, // Arabic-Indic digits
	}
	for _, tt := range tests {
		got, err := schema.ParseMinor(tt.in)
		if got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("ParseMinor(%.30q) = %d, %v; want %d, %v", tt.in, got, err, tt.want, tt.err)
		}
	}
}

func TestFormatMinor(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{
		0: "0.00", 1: "0.01", 10: "0.10", 10050: "100.50", -5: "-0.05",
		math.MaxInt64: "92233720368547758.07", math.MinInt64: "-92233720368547758.08",
	} {
		if got := schema.FormatMinor(n); got != want {
			t.Errorf("FormatMinor(%d) = %s, want %s", n, got, want)
		}
	}
}

func FuzzParseMinor(f *testing.F) {
	for _, s := range []string{"100.50", "0", "1e400", "-5", "1.234", "00.10", "92233720368547758.07"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := schema.ParseMinor(s)
		if err != nil {
			return
		}
		if n < 0 {
			t.Fatalf("ParseMinor(%q) = %d: below zero", s, n)
		}
		again, err := schema.ParseMinor(schema.FormatMinor(n))
		if again != n || err != nil {
			t.Fatalf("%q is %d, but written out and read again %d, %v", s, n, again, err)
		}
	})
}
