package schema_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/schema/schematest"
)

func goldenCancel() *schema.Cancel {
	return &schema.Cancel{PayoutID: "order-1042-seller-77", Reason: "the order was \"returned\"", Source: "/shop", ID: "c-1"}
}

func TestGoldenCancel(t *testing.T) {
	t.Parallel()
	m := schema.EncodeCancel(goldenCancel(), at)
	golden := checkGolden(t, "cancel.txt", message(m))
	got, err := schema.DecodeCancel(parseMessage(t, golden))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*goldenCancel(), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := valid(t, schematest.Compile(t, "cancel.schema.json"), m.Value); err != nil {
		t.Error(err)
	}
	if _, err := schema.DecodeRequest(m, nil); err == nil {
		t.Error("a cancel is taken for a request")
	}
}

func TestDecodeCancel(t *testing.T) {
	t.Parallel()
	event := func(value string) schema.Message {
		return binary(value, "ce_specversion", "1.0", "ce_id", "c-1", "ce_source", "/shop", "ce_type", schema.TypeCancel)
	}
	whole := func(data string) schema.Message {
		return structured(`{"specversion":"1.0","id":"c-1","source":"/shop","data":` + data + `,"type":"payout.cancel.v1"}`)
	}
	want := schema.Cancel{PayoutID: "a-1", Source: "/shop", ID: "c-1"}
	for name, m := range map[string]schema.Message{
		"binary":     event(`{"payoutId":"a-1","amount":{"value":1}}`),
		"structured": whole(`{"payoutId":"a-1","reason":null}`),
	} {
		got, err := schema.DecodeCancel(m)
		if err != nil || got != want || !schema.IsCancel(m) {
			t.Errorf("%s: %+v, %v, is a cancel: %v", name, got, err, schema.IsCancel(m))
		}
	}
	for problem, m := range map[string]schema.Message{
		"payoutId is missing":                   event(`{}`),
		"payoutId must be 1 to 64":              event(`{"payoutId":"a b"}`),
		"the data must be a JSON object":        event(`["a-1"]`),
		"there is no value":                     event(``),
		"this is not the JSON that was":         event(`{"payoutId":"a-1"`),
		"reason must be a text":                 event(`{"payoutId":"a-1","reason":7}`),
		"reason is longer than 255":             event(`{"payoutId":"a-1","reason":"` + strings.Repeat("x", 256) + `"}`),
		"reason holds control":                  event(`{"payoutId":"a-1","reason":"a\u0007"}`),
		`specversion must be "1.0"`:             binary(`{"payoutId":"a-1"}`, "ce_type", schema.TypeCancel),
		"id must be at most 255 bytes":          binary(`{"payoutId":"a-1"}`, "ce_specversion", "1.0", "ce_id", strings.Repeat("x", 256), "ce_type", schema.TypeCancel),
		"data a structured CloudEvent has":      structured(`{"specversion":"1.0","type":"payout.cancel.v1"}`),
		"content-type must be application/json": binary(`{"payoutId":"a-1"}`, "ce_specversion", "1.0", "ce_type", schema.TypeCancel, "content-type", "text/xml"),
	} {
		_, err := schema.DecodeCancel(m)
		var bad *schema.Invalid
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), problem) {
			t.Errorf("want %q, got %v", problem, err)
		}
		if !schema.IsCancel(m) {
			t.Errorf("%s: not known for a cancel", problem)
		}
	}
	// What only speaks of cancels is none.
	for _, m := range []schema.Message{
		binary(usual),
		binary(`{"payoutId":"payout.cancel.v1"}`),
		binary(`{"payoutId":"payout.cancel.v1"}`, "ce_specversion", "1.0", "ce_type", schema.TypeRequested),
		structured(`{"specversion":"1.0","type":"payout.requested.v1","data":{"description":"payout.cancel.v1"}}`),
	} {
		if schema.IsCancel(m) {
			t.Errorf("%s: taken for a cancel", m.Value)
		}
		if _, err := schema.DecodeCancel(m); err == nil {
			t.Errorf("%s: decoded as a cancel", m.Value)
		}
	}
}

func FuzzDecodeCancel(f *testing.F) {
	f.Add([]byte(`{"payoutId":"a-1","reason":"r"}`), false)
	f.Add([]byte(`{"specversion":"1.0","type":"payout.cancel.v1","data":{"payoutId":"a-1"}}`), true)
	f.Fuzz(func(t *testing.T, value []byte, whole bool) {
		m := binary(string(value), "ce_specversion", "1.0", "ce_type", schema.TypeCancel)
		if whole {
			m = structured(string(value))
		}
		c, err := schema.DecodeCancel(m)
		if err != nil {
			return
		}
		again, err := schema.DecodeCancel(schema.EncodeCancel(&c, at))
		if c.Source == "" {
			c.Source = "toplu" // every event has one
		}
		if err != nil || again != c {
			t.Errorf("%+v became %+v, %v", c, again, err)
		}
	})
}
