package schema_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/schema"
)

func TestStatusGolden(t *testing.T) {
	t.Parallel()
	s := goldenStatus()
	m := schema.EncodeStatus(s)
	got, err := schema.DecodeStatus(parseMessage(t, checkGolden(t, "status.txt", message(m))))
	if diff := cmp.Diff(*s, got); diff != "" || err != nil {
		t.Errorf("error %v, status (-want +got):\n%s", err, diff)
	}
}

// A first status has little to say; what it leaves out must not come back as
// something. Sequence, status and final are never left out.
func TestShortStatusGolden(t *testing.T) {
	t.Parallel()
	s := &schema.Status{PayoutID: "a", Merchant: "default", Sequence: 1, Status: schema.Accepted, Amount: schema.Amount{Minor: 5, Currency: schema.EUR}, OccurredAt: at}
	got, err := schema.DecodeStatus(parseMessage(t, checkGolden(t, "status-short.txt", message(schema.EncodeStatus(s)))))
	if diff := cmp.Diff(*s, got); diff != "" || err != nil {
		t.Errorf("error %v, status (-want +got):\n%s", err, diff)
	}
}

func TestRefusalGolden(t *testing.T) {
	t.Parallel()
	r := goldenRefusal()
	got, err := schema.DecodeStatus(parseMessage(t, checkGolden(t, "refusal.txt", message(schema.EncodeRefusal(r)))))
	want := schema.Status{
		PayoutID: r.PayoutID, Merchant: r.Merchant, Status: "request_refused", Reason: &r.Reason,
		OccurredAt: r.OccurredAt, Source: r.Source, Metadata: r.Metadata,
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v, refusal (-want +got):\n%s", err, diff)
	}
	// The same place is the same event; another place is another.
	again, _ := schema.EncodeRefusal(goldenRefusal()).Get("ce_id")
	r.Source.Offset++
	other, _ := schema.EncodeRefusal(r).Get("ce_id")
	first, _ := schema.EncodeRefusal(goldenRefusal()).Get("ce_id")
	if first != again || first == other || len(first) != 32 {
		t.Errorf("ids %s, %s, and of the next record %s", first, again, other)
	}
}

func TestStatusID(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, payout := range []string{"a", "a1", "b"} {
		for _, sequence := range []int{1, 2, 11, 12} {
			for _, status := range schema.Statuses {
				id := schema.StatusID(payout, sequence, status)
				what := fmt.Sprint(payout, " ", sequence, " ", status)
				if was, same := seen[id]; same || len(id) != 32 {
					t.Errorf("%s and %s have the id %s", what, was, id)
				}
				seen[id] = what
				if schema.StatusID(payout, sequence, status) != id {
					t.Error("not the same twice")
				}
			}
		}
	}
}

func TestEveryStatusSaysWhetherItIsFinal(t *testing.T) {
	t.Parallel()
	for _, status := range append([]schema.PayoutStatus{"teleported"}, schema.Statuses...) {
		s := goldenStatus()
		s.Status = status
		m := schema.EncodeStatus(s)
		var data struct {
			Sequence *int                 `json:"sequence"`
			Status   *schema.PayoutStatus `json:"status"`
			Final    *bool                `json:"final"`
		}
		if err := json.Unmarshal(m.Value, &data); err != nil {
			t.Fatal(err)
		}
		if *data.Final != status.Final() || *data.Status != status || *data.Sequence != 3 {
			t.Errorf("%s: %s", status, m.Value)
		}
		if typ, _ := m.Get("ce_type"); typ != "payout."+string(status)+".v1" {
			t.Errorf("%s: type %s", status, typ)
		}
		if string(m.Key) != s.PayoutID {
			t.Errorf("key %s", m.Key)
		}
		// A status that only a later version knows is kept as text.
		if got, err := schema.DecodeStatus(m); got.Status != status || err != nil {
			t.Errorf("%s is read as %s, %v", status, got.Status, err)
		}
	}
}

func TestDecodeStatusStructured(t *testing.T) {
	t.Parallel()
	m := schema.EncodeStatus(goldenStatus())
	value := fmt.Sprintf(`{"specversion":"1.0","id":"x","source":"toplu","type":"payout.paid.v1","traceparent":%q,"data":%s}`,
		goldenStatus().TraceParent, strings.Replace(string(m.Value), "{", `{"later":{"a":1},`, 1))
	got, err := schema.DecodeStatus(structured(value))
	if diff := cmp.Diff(*goldenStatus(), got); diff != "" || err != nil {
		t.Errorf("error %v, status (-want +got):\n%s", err, diff)
	}
}

func TestDecodeStatusRefuses(t *testing.T) {
	t.Parallel()
	good := schema.EncodeStatus(goldenStatus())
	for name, tt := range map[string]struct{ old, with string }{
		"not JSON":           {`{`, ``},
		"no payout id":       {`"payoutId":"order-1042-seller-77",`, ``},
		"no status":          {`"status":"paid",`, ``},
		"another status":     {`"status":"paid"`, `"status":"failed"`},
		"no sequence":        {`"sequence":3,`, ``},
		"sequence below 0":   {`"sequence":3`, `"sequence":-3`},
		"amount of a number": {`"value":"100.50"`, `"value":100.50`},
		"amount of letters":  {`"value":"100.50"`, `"value":"abc"`},
		"twice":              {`"final"`, `"sequence":4,"final"`},
	} {
		m := good
		m.Value = []byte(strings.Replace(string(good.Value), tt.old, tt.with, 1))
		if s, err := schema.DecodeStatus(m); !errors.Is(err, schema.ErrEvent) || s.PayoutID != "" {
			t.Errorf("%s: error %v, want an ErrEvent", name, err)
		}
	}
	if _, err := schema.DecodeStatus(schema.Message{}); !errors.Is(err, schema.ErrEvent) {
		t.Errorf("tombstone: error %v, want an ErrEvent", err)
	}
	other := schema.EncodeRequest(goldenRequest(), "e", at)
	if _, err := schema.DecodeStatus(other); !errors.Is(err, schema.ErrEvent) {
		t.Errorf("a request: error %v, want an ErrEvent", err)
	}
}

// The values of one message share memory: appending to one must not write into
// the next.
func TestMessageValuesDoNotOverlap(t *testing.T) {
	t.Parallel()
	m := schema.EncodeStatus(goldenStatus())
	before := string(message(m))
	_ = append(m.Key, "xxxxxxxx"...)
	for _, h := range m.Headers {
		_ = append(h.Value, "xxxxxxxx"...)
	}
	if diff := cmp.Diff(before, string(message(m))); diff != "" {
		t.Error(diff)
	}
}

func FuzzDecodeStatus(f *testing.F) {
	m := schema.EncodeStatus(goldenStatus())
	f.Add(m.Value)
	f.Add(schema.EncodeRefusal(goldenRefusal()).Value)
	f.Fuzz(func(t *testing.T, value []byte) {
		s, err := schema.DecodeStatus(schema.Message{Value: value})
		if err != nil {
			return
		}
		again, err := schema.DecodeStatus(schema.EncodeStatus(&s))
		if s.Amount.Currency == "" {
			s.Amount = schema.Amount{} // an amount without currency is none
		}
		if s.Source.Topic == "" {
			s.Source = schema.Source{}
		}
		if diff := cmp.Diff(s, again); diff != "" || err != nil {
			t.Fatalf("error %v, not the same after another turn:\n%s", err, diff)
		}
	})
}

// TestStatusEncoder: events that share memory are the same to the byte as those
// that do not, and stay so.
func TestStatusEncoder(t *testing.T) {
	var e schema.StatusEncoder
	var got, want []schema.Message
	for i := range 2000 {
		s := goldenStatus()
		s.PayoutID = fmt.Sprintf("p-%d", i)
		s.Metadata = json.RawMessage(`{"n":"` + strings.Repeat("x", i%700) + `"}`)
		if i%3 == 0 {
			s.TraceParent = ""
		}
		if i%100 == 0 {
			s.Metadata = json.RawMessage(`{"n":"` + strings.Repeat("y", 100_000) + `"}`) // more than a piece
		}
		s.OccurredAt = s.OccurredAt.Add(time.Duration(i/10) * time.Second)
		want = append(want, schema.EncodeStatus(s))
		got = append(got, e.Encode(s))
	}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("event %d: got\n%s\nwant\n%s", i, message(got[i]), message(want[i]))
		}
	}
}

func BenchmarkStatusEncoder(b *testing.B) {
	var e schema.StatusEncoder
	s := goldenStatus()
	b.ReportAllocs()
	for b.Loop() {
		e.Encode(s)
	}
}

func BenchmarkEncodeStatus(b *testing.B) {
	s := goldenStatus()
	b.ReportAllocs()
	for b.Loop() {
		schema.EncodeStatus(s)
	}
}
