package iyzico_test

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/toplu/toplu/iyzico"
)

func TestParseMoney(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]iyzico.Money{
		"0":                     0,
		"-0":                    0,
		"000000":                0,
		"0.00":                  0,
		"0E-8":                  0, // Java's zero of eight decimals
		"0.00e+7":               0,
		"0.01":                  1,
		"0.1":                   10,
		"100":                   100_00,
		"100.5":                 100_50,
		"201.00":                201_00,
		"20.00000000":           20_00,
		"25399393.5":            25399393_50,
		"-1.25":                 -1_25,
		"92233720368547758.07":  math.MaxInt64,
		"-92233720368547758.07": -math.MaxInt64,
	} {
		got, err := iyzico.ParseMoney(text)
		if err != nil || got != want {
			t.Errorf("ParseMoney(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
}

func TestParseMoneyNeverRounds(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "-", ".", ".5", "5.", "+1", " 1", "1 ", "1,5", "1.2.3", "abc", "NaN", "0x10", "١",
		"0.001", "0.009", "20.00000001", "1.005",
		"1e2", "1E2", "2E+1", "1e-2", "10e0", "0e", "0e+", "0ex",
		"92233720368547758.08", "92233720368547759", "922337203685477580700", "-92233720368547758.08",
		strings.Repeat("9", 100),
	} {
		if got, err := iyzico.ParseMoney(text); err == nil {
			t.Errorf("ParseMoney(%q) = %d, want an error", text, got)
		}
	}
}

func TestMoneyInJSON(t *testing.T) {
	t.Parallel()
	for money, want := range map[iyzico.Money]string{
		0: "0", 1: "0.01", 10: "0.1", 99: "0.99", 100: "1", 100_00: "100", 100_50: "100.5", 100_05: "100.05",
		20000_00: "20000", -1_25: "-1.25", -5: "-0.05", -100: "-1",
		math.MaxInt64: "92233720368547758.07", math.MinInt64: "-92233720368547758.08",
	} {
		got, err := json.Marshal(money)
		if err != nil || string(got) != want {
			t.Errorf("%d as JSON is %s, %v, want %s", money, got, err, want)
		}
	}

	var amounts []iyzico.Money
	if err := json.Unmarshal([]byte(`[100.50, "25399393.5", 0, null, 20.00000000]`), &amounts); err != nil {
		t.Fatal(err)
	}
	for i, want := range []iyzico.Money{100_50, 25399393_50, 0, 0, 20_00} {
		if amounts[i] != want {
			t.Errorf("amount %d is %d, want %d", i, amounts[i], want)
		}
	}
	for _, text := range []string{`1.001`, `"1e2"`, `true`, `""`, `{}`, `"\u0031"`} {
		if err := json.Unmarshal([]byte(text), new(iyzico.Money)); err == nil {
			t.Errorf("%s is taken for an amount", text)
		}
	}
}

func TestMoneyString(t *testing.T) {
	t.Parallel()
	for money, want := range map[iyzico.Money]string{0: "0.00", 5: "0.05", 100_50: "100.50", -1_25: "-1.25"} {
		if got := money.String(); got != want {
			t.Errorf("%d prints %s, want %s", int64(money), got, want)
		}
	}
}

// Whatever is read is the exact value, by arithmetic that knows no limits, and
// is read again from both ways to write it.
func FuzzMoney(f *testing.F) {
	for _, text := range []string{"0", "100", "100.50", "-1.25", "20.00000000", "0E-8", "1e2", "0.001", "92233720368547758.07", "007", "5."} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		money, err := iyzico.ParseMoney(text)
		if err != nil {
			return
		}
		exact, ok := new(big.Rat).SetString(text)
		if strings.ContainsAny(text, "eE") { // of zero alone, and big.Rat refuses large ones
			exact, ok = new(big.Rat), true
		}
		if want := big.NewRat(int64(money), 100); !ok || exact.Cmp(want) != 0 {
			t.Fatalf("%q is read as %s", text, money)
		}
		written, err := money.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		for _, again := range []string{money.String(), string(written)} {
			if got, err := iyzico.ParseMoney(again); err != nil || got != money {
				t.Fatalf("%s written as %s is read as %s, %v", text, again, got, err)
			}
		}
	})
}
