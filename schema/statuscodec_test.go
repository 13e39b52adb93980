package schema_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/schema/schematest"
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
	s := &schema.Status{PayoutID: "a", Merchant: "default", Sequence: 1, Status: schema.Accepted, Amount: schema.Amount{Minor: 5, Currency: schema.EUR}, OccurredAt: at, Source: schema.Source{Topic: "payout.requests"}}
	m := schema.EncodeStatus(s)
	got, err := schema.DecodeStatus(parseMessage(t, checkGolden(t, "status-short.txt", message(m))))
	if err := schematest.Validator(t)("payout.accepted.v1", m.Value); err != nil {
		t.Error(err)
	}
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
		s.Status, s.Final = status, false // the statuses known here need not be told
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

// Whether a status of a later version is final is told by the event alone. Of
// those known here nothing else is believed.
func TestFinalOfALaterStatus(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status          schema.PayoutStatus
		written, wanted bool
	}{
		{"teleported", true, true},
		{"teleported", false, false},
		{schema.Paid, false, true},
		{schema.Unknown, true, false},
	} {
		s := goldenStatus()
		s.Status, s.Final = tt.status, tt.written
		m := schema.EncodeStatus(s)
		if got, err := schema.DecodeStatus(m); got.Final != tt.wanted || err != nil {
			t.Errorf("%s, final %v: read as %v, %v", tt.status, tt.written, got.Final, err)
		}
		if err := schematest.Validator(t)("payout.x.v1", m.Value); err != nil {
			t.Errorf("%s, final %v: %v", tt.status, tt.written, err)
		}
		m.Value = bytes.Replace(m.Value, fmt.Appendf(nil, `"final":%v`, tt.wanted), fmt.Appendf(nil, `"final":%v`, !tt.wanted), 1)
		known := tt.status != "teleported"
		if got, err := schema.DecodeStatus(m); (got.Final == tt.wanted) != known || err != nil {
			t.Errorf("%s, final %v: read as %v, %v", tt.status, !tt.wanted, got.Final, err)
		}
		if err := schematest.Validator(t)("payout.x.v1", m.Value); (err != nil) != known {
			t.Errorf("%s with final %v against the schema: %v", tt.status, !tt.wanted, err)
		}
	}
}

// An event of a type that a later version adds is told from a broken one, so
// that readers can skip it, whatever its data looks like.
func TestOtherTypes(t *testing.T) {
	t.Parallel()
	const like = `{"payoutId":"a","merchant":"m","sequence":9,"status":"paid","final":true,"amount":{"value":"1.00","currency":"TRY"}}`
	for _, tt := range []struct {
		kind, data string
		other      bool
	}{
		{"payout.annotated.v1", like, true},
		{"payout.annotated.v1", `{"payoutId":"a","amount":5,"status":{"of":"it"},"sequence":"x"}`, true},
		{"payout.annotated.v1", `["a"]`, true},
		{"payout.annotated.v2", like, true},
		{"payout.paid.v2", like, true},
		{"payout.annotated.v2", `"text"`, true},
		{schema.TypeRequested, `{"payoutId":"a"}`, true},
		{"payout.paid.v1", `{"payoutId":"a","sequence":1,"status":"failed"}`, false},
		{"payout.paid.v1", `{"payoutId":"a","sequence":1}`, false},
		{"payout.paid.v1", `{"payoutId":"a","sequence":"1","status":"paid"}`, false},
		{"payout.annotated.v1", `{"payoutId":"a","sequence":"1","status":"annotated"}`, false},
		{"payout.annotated.v1", `{"payoutId":`, false},
		{"payout.request_refused.v1", `{"payoutId":"a","sequence":1,"status":"paid"}`, false},
	} {
		for mode, m := range map[string]schema.Message{
			"binary":     binary(tt.data, "ce_type", tt.kind),
			"structured": structured(`{"specversion":"1.0","id":"x","source":"toplu","type":"` + tt.kind + `","data":` + tt.data + `}`),
		} {
			_, err := schema.DecodeStatus(m)
			if !errors.Is(err, schema.ErrEvent) || errors.Is(err, schema.ErrOtherType) != tt.other {
				t.Errorf("%s, %s, %s: other %v: %v", mode, tt.kind, tt.data, !tt.other, err)
			}
		}
	}
	m := binary("\x08\x96", "ce_type", "payout.paid.v2", "content-type", "application/protobuf")
	if _, err := schema.DecodeStatus(m); !errors.Is(err, schema.ErrOtherType) {
		t.Errorf("a later version in another format: %v", err)
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
// that do not, and stay so until the memory is used again.
func TestStatusEncoder(t *testing.T) {
	var e schema.StatusEncoder
	for range 3 {
		testStatusEncoder(t, &e)
		e.Reset()
	}
	one := goldenStatus()
	few := func() {
		for range 1000 {
			e.Encode(one)
		}
		e.Reset()
	}
	few() // what the large events took is freed here, and this is kept
	if n := testing.AllocsPerRun(10, few); n > 1 {
		t.Errorf("%v allocations for events in memory that was used before", n)
	}
}

// TestClone: a clone stays as it is when the memory of what it was made of is used
// again, and tells nil from empty.
func TestClone(t *testing.T) {
	m := schema.EncodeStatus(goldenStatus())
	m.Headers = append(m.Headers, schema.Header{Key: "nil"}, schema.Header{Key: "empty", Value: []byte{}})
	c, want := m.Clone(), message(m)
	for _, b := range append([][]byte{m.Key, m.Value}, m.Headers[1].Value) {
		clear(b)
	}
	m.Headers[0] = schema.Header{}
	if got := message(c); !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if last := c.Headers[len(c.Headers)-2:]; last[0].Value != nil || last[1].Value == nil {
		t.Errorf("nil and empty: %v", last)
	}
	if none := (schema.Message{}).Clone(); none.Key != nil || none.Value != nil {
		t.Errorf("a tombstone: %v", none)
	}
}

func testStatusEncoder(t *testing.T, e *schema.StatusEncoder) {
	t.Helper()
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
