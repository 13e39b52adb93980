package schema_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/schema"
)

func letter(m schema.Message) *schema.DeadLetter {
	return &schema.DeadLetter{
		Message: m, Code: schema.CodeConflict, Text: "the id is used up", At: at, PayoutID: "a",
		Source: schema.Source{Topic: "payout.requests", Partition: 3, Offset: 1042},
	}
}

func TestDeadLetterGolden(t *testing.T) {
	t.Parallel()
	checkGolden(t, "deadletter.txt", message(letter(schema.EncodeRequest(goldenRequest(), "e-1", at)).Encode()))
}

func TestDeadLetterKeepsTheOriginal(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]schema.Message{
		"nothing":   {},
		"tombstone": {Key: []byte("k")},
		"empty":     {Key: []byte{}, Value: []byte{}},
		"bytes":     {Key: []byte{0, 0xff}, Value: []byte("\xff{"), Headers: []schema.Header{{"h", nil}, {"h", []byte{}}, {"", []byte("\xff")}, {"toplu-other", []byte("x")}}},
	} {
		got := letter(m).Encode()
		n := len(got.Headers) - 7
		if diff := cmp.Diff(m.Headers, got.Headers[:n:n], cmp.Transformer("none", func(h []schema.Header) []schema.Header {
			return append([]schema.Header{}, h...) // how many, not whether nil
		})); diff != "" {
			t.Errorf("%s: headers (-want +got):\n%s", name, diff)
		}
		got.Headers, m.Headers = nil, nil
		if diff := cmp.Diff(m, got); diff != "" { // cmp tells nil from empty
			t.Errorf("%s: key and value (-want +got):\n%s", name, diff)
		}
	}
}

// A letter that was sent back and refused again tells the latest story, once.
func TestDeadLetterReplacesAnEarlierDeath(t *testing.T) {
	t.Parallel()
	first := letter(schema.EncodeRequest(goldenRequest(), "e-1", at)).Encode()
	second := letter(first)
	second.Code, second.PayoutID = schema.CodeInvalid, ""
	got := second.Encode()
	seen := map[string]int{}
	for _, h := range got.Headers {
		seen[h.Key]++
	}
	for key, n := range seen {
		if n != 1 {
			t.Errorf("%s stands there %d times", key, n)
		}
	}
	if code, _ := got.Get(schema.HeaderReasonCode); code != schema.CodeInvalid {
		t.Errorf("code %s", code)
	}
	if _, stale := got.Get(schema.HeaderPayoutID); stale {
		t.Error("the payout id of the first death is still there")
	}
	if len(first.Headers) != len(got.Headers)+1 {
		t.Errorf("%d headers became %d", len(first.Headers), len(got.Headers))
	}
	if id, _ := got.Get("ce_id"); id != "e-1" {
		t.Errorf("ce_id %q", id)
	}
}

func TestGetTakesTheLastHeader(t *testing.T) {
	t.Parallel()
	m := binary("", "a", "1", "b", "2", "a", "3")
	if v, ok := m.Get("a"); v != "3" || !ok {
		t.Errorf("a is %q, %v", v, ok)
	}
	if v, ok := m.Get("A"); v != "" || ok {
		t.Errorf("A is %q, %v", v, ok)
	}
}
