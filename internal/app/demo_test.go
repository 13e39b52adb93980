package app_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/toplu/toplu/internal/app"
)

func TestDemoBalances(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	none := func(string) string { return "" }
	if code := app.Run(t.Context(), []string{"demo", "--payouts", "200", "--settle", "50ms", "--json"}, none, nil, &out, &errs); code != 0 {
		t.Fatalf("exit status %d\n%s%s", code, out.String(), errs.String())
	}
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("not one JSON object: %v\n%s", err, out.String())
	}
	want := map[string]string{
		"requested": "200", "paid": "173", "failed": "4", "returned": "4", "rejected": "4",
		"refused": "4", "duplicates": "9", "conflicts": "2", "paidTwice": "0", "unanswered": "0",
	}
	for key, n := range want {
		value, _ := json.Marshal(got[key]) //nolint:errchkjson // a number
		if string(value) != n {
			t.Errorf("%s is %s, want %s", key, value, n)
		}
	}
	if got["paidAmount"] != got["booksTotal"] || got["balanced"] != true {
		t.Errorf("ledger %v, books %v, balanced %v", got["paidAmount"], got["booksTotal"], got["balanced"])
	}
}
