package schema_test

import (
	"bytes"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/schema/schematest"
)

func valid(t *testing.T, s *jsonschema.Schema, value []byte) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(value))
	if err != nil {
		t.Fatalf("%v: %s", err, value)
	}
	return s.Validate(doc)
}

// What the examples show is true for the schemas and for the decoders.
func TestExamples(t *testing.T) {
	t.Parallel()
	schemas := map[string]*jsonschema.Schema{
		"request": schematest.Compile(t, "request.schema.json"),
		"status":  schematest.Compile(t, "status.schema.json"),
		"refused": schematest.Compile(t, "refused.schema.json"),
		"cancel":  schematest.Compile(t, "cancel.schema.json"),
	}
	names, err := fs.Glob(schema.Files, "examples/*.json")
	if err != nil || len(names) < 15 {
		t.Fatalf("%d examples, %v", len(names), err)
	}
	for from := range schema.Arrows { // every status there is has one
		for _, status := range from.Next() {
			if name := "examples/status-" + string(status) + ".json"; !slices.Contains(names, name) {
				t.Errorf("there is no %s", name)
			}
		}
	}
	for _, name := range names {
		b, err := schema.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(name, "examples/"), ".json"), "-")
		for other, s := range schemas {
			if other == "cancel" && kind != other {
				continue // it asks for a payout id alone, which all of them have
			}
			if err := valid(t, s, b); (err == nil) != (other == kind) {
				t.Errorf("%s against the schema of %s: %v", name, other, err)
			}
		}
		m := schema.Message{Value: b}
		if kind == "cancel" {
			m.Headers = []schema.Header{{Key: "ce_specversion", Value: []byte("1.0")}, {Key: "ce_type", Value: []byte(schema.TypeCancel)}}
			if _, err := schema.DecodeCancel(m); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if kind == "request" {
			if ev, err := schema.DecodeRequest(m, rules(schema.CheckStrict)); err != nil || ev.Warnings != nil {
				t.Errorf("%s: %v, %v", name, err, ev.Warnings)
			}
			continue
		}
		s, err := schema.DecodeStatus(m)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if name != "examples/status-"+string(s.Status)+".json" && kind == "status" {
			t.Errorf("%s is of %s", name, s.Status)
		}
		if kind == "status" && valid(t, schemas[kind], schema.EncodeStatus(&s).Value) != nil {
			t.Errorf("%s: written again it is not valid", name)
		}
	}
}

// What is written agrees with the schemas.
func TestEncodedEventsAreValid(t *testing.T) {
	t.Parallel()
	s := schematest.Compile(t, "status.schema.json")
	for from := range schema.Arrows {
		for _, to := range from.Next() {
			st := goldenStatus()
			st.PreviousStatus, st.Status, st.Sequence = from, to, 2
			if from == "" {
				st.Sequence = 1
			}
			if err := valid(t, s, schema.EncodeStatus(st).Value); err != nil {
				t.Errorf("%s to %s: %v", from, to, err)
			}
		}
	}
	if err := valid(t, schematest.Compile(t, "refused.schema.json"), schema.EncodeRefusal(goldenRefusal()).Value); err != nil {
		t.Error(err)
	}
	if err := valid(t, schematest.Compile(t, "request.schema.json"), schema.EncodeRequest(goldenRequest(), "e", at).Value); err != nil {
		t.Error(err)
	}
}

// The schema and DecodeRequest draw the same line, as far as a schema can.
func TestSchemaAndDecoderAgree(t *testing.T) {
	t.Parallel()
	s := schematest.Compile(t, "request.schema.json")
	swap := func(old, with string) string {
		if !strings.Contains(usual, old) {
			t.Fatalf("no %s in the usual request", old)
		}
		return strings.Replace(usual, old, with, 1)
	}
	const iban = "TR330006100519786457841326"
	to := func(typ, value string) string {
		return `{"payoutId":"a","recipient":{"type":"` + typ + `","value":"` + value + `"},"amount":{"value":"1","currency":"TRY"}}`
	}
	long := strings.Repeat("ş", 256)
	for _, tt := range []struct {
		ok    bool
		value string
	}{
		{true, usual},
		{true, swap(`"100.50"`, `100.50`)},
		{true, swap(`"100.50"`, `"100.5000"`)},
		{true, swap(`"merchant":"default",`, ``)},
		{true, swap(`"default"`, `null`)},
		{true, swap(`"SETTLEMENT"`, `null`)},
		{true, swap(`"Order 1042"`, `null`)},
		{true, swap(`{"orderId":"1042"}`, `null`)},
		{true, swap(`{`, `{"unknown":1,`)},
		{true, swap(iban, "tr33 0006 1005 1978 6457 8413 26")},
		{true, swap(iban, "GB29 NWBK 6016 1331 9268 19")},
		{true, to("PHONE", "+90 (555) 555-55-55")},
		{true, to("MEMBER_ID", "22 28853")},
		{true, to("IDENTITY_NUMBER", "100 000 001 46")},
		{false, `[]`},
		{false, `null`},
		{false, `{}`},
		{false, swap(`"payoutId":"order-1042-seller-77",`, ``)},
		{false, swap(`order-1042-seller-77`, `a b`)},
		{false, swap(`order-1042-seller-77`, ``)},
		{false, swap(`"order-1042-seller-77"`, `1042`)},
		{false, swap(`"order-1042-seller-77"`, `null`)},
		{false, swap(`"default"`, `""`)},
		{false, swap(`"default"`, `1`)},
		{false, swap(`"default"`, `"a\tb"`)},
		{false, swap(`SETTLEMENT`, `PARTY`)},
		{false, swap(`"100.50"`, `"100,50"`)},
		{false, swap(`"100.50"`, `"1.234"`)},
		{false, swap(`"100.50"`, `"-5"`)},
		{false, swap(`"100.50"`, `-5`)},
		{false, swap(`"100.50"`, `0`)},
		{false, swap(`"100.50"`, `"0.00"`)},
		{false, swap(`"100.50"`, `"1e2"`)},
		{false, swap(`"100.50"`, `1e400`)},
		{false, swap(`"100.50"`, `1000000000000.01`)},
		{false, swap(`"100.50"`, `true`)},
		{false, swap(`"value":"100.50",`, ``)},
		{false, swap(`,"currency":"TRY"`, ``)},
		{false, swap(`"TRY"`, `"XAU"`)},
		{false, swap(`{"value":"100.50","currency":"TRY"}`, `"100.50"`)},
		{false, swap(`"IBAN"`, `"PIGEON"`)},
		{false, swap(`"type":"IBAN",`, ``)},
		{false, swap(iban, "TR33")},
		{false, swap(iban, iban+"0")},
		{false, swap(iban, "TR33OOO6100519786457841326")},
		{false, swap(iban, "NO938601111794")},
		{false, swap(`,"name":"Ayşe Yılmaz"`, ``)},
		{false, swap(`Ayşe Yılmaz`, `  `)},
		{false, swap(`"Ayşe Yılmaz"`, `null`)},
		{false, swap(`Ayşe Yılmaz`, long)},
		{false, swap(`Ayşe Yılmaz`, `a\nb`)},
		{false, swap(`Order 1042`, long)},
		{false, swap(`Order 1042`, `a\u007fb`)},
		{false, swap(`"Order 1042"`, `1042`)},
		{false, swap(`{"orderId":"1042"}`, `"1042"`)},
		{false, swap(`{"orderId":"1042"}`, `[]`)},
		{false, to("PHONE", "+4915112345678")},
		{false, to("PHONE", "905555555555")},
		{false, to("MEMBER_ID", "12345678901234567890")},
		{false, to("MEMBER_ID", "")},
		{false, to("IDENTITY_NUMBER", "2222222817")},
		{false, to("IDENTITY_NUMBER", "01234567890")},
	} {
		if err := valid(t, s, []byte(tt.value)); (err == nil) != tt.ok {
			t.Errorf("the schema says %v, want ok %v: %s", err, tt.ok, tt.value)
		}
		if _, err := schema.DecodeRequest(binary(tt.value), nil); (err == nil) != tt.ok {
			t.Errorf("the decoder says %v, want ok %v: %s", err, tt.ok, tt.value)
		}
	}
}
