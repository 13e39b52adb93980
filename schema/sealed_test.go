package schema_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/schema"
)

// A sealing for tests: not secret, but a box opens only with what it was sealed
// about. Package seal's own tests have the real one.
func testSeal(about, text []byte) []byte {
	return bytes.Join([][]byte{[]byte("twenty-eight bytes are least"), about, text}, []byte{0})
}

var errOtherBox = errors.New("the box is about something else")

func testOpen(about, box []byte) ([]byte, error) {
	text, ok := bytes.CutPrefix(box, testSeal(about, nil))
	if !ok {
		return nil, errOtherBox
	}
	return text, nil
}

func testContent(r *schema.Request) schema.Digest {
	d := r.Content()
	d[0] ^= 0xff // a keyed digest is another than the plain one
	return d
}

func sealedPlan() *schema.Plan {
	p := goldenPlan()
	p.Seal("2026-01", testContent, testSeal)
	return p
}

// A sealed plan shows nothing of a person, is read without any key, and once
// opened is the plan it was.
func TestSealedPlanGolden(t *testing.T) {
	t.Parallel()
	p := sealedPlan()
	b, err := schema.EncodePlan(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, personal := range []string{"TR33", "Ayşe", "Order 1042", "orderId", "+9055"} {
		if bytes.Contains(b, []byte(personal)) {
			t.Errorf("the record shows %q", personal)
		}
	}
	rec, err := schema.DecodePlan(checkGolden(t, "plan-sealed.json", b))
	if err != nil {
		t.Fatal(err)
	}
	got := rec.Plan
	if !got.Closed() || goldenPlan().Closed() {
		t.Error("a sealed plan is closed until it is opened, and no other")
	}
	if err := got.Open(testOpen); err != nil || got.Closed() {
		t.Fatalf("not opened: %v", err)
	}
	if diff := cmp.Diff(p, got); diff != "" {
		t.Errorf("opened (-want +got):\n%s", diff)
	}
	again, err := schema.EncodePlan(got)
	if err != nil || !bytes.Equal(again, b) {
		t.Errorf("opened, it is another record; error %v", err)
	}
	for i := range got.Items {
		r := goldenPlan().Request(i)
		if got.Content(i) != testContent(&r) || goldenPlan().Items[i].Digest != (schema.Digest{}) {
			t.Errorf("item %d: content digest %x", i, got.Content(i))
		}
		if open := goldenPlan(); open.Content(i) != r.Content() {
			t.Errorf("item %d in clear: content digest %x", i, open.Content(i))
		}
	}
}

// A box opens for no other payout, amount, recipient type, merchant or currency.
func TestABoxIsBoundToItsPayout(t *testing.T) {
	t.Parallel()
	for name, move := range map[string]func(*schema.Plan){
		"other payout":   func(p *schema.Plan) { p.Items[0].PayoutID = "order-1" },
		"other amount":   func(p *schema.Plan) { p.Items[0].Minor++ },
		"other type":     func(p *schema.Plan) { p.Items[0].Recipient.Type = schema.Phone },
		"other merchant": func(p *schema.Plan) { p.Merchant = "market" },
		"other currency": func(p *schema.Plan) { p.Currency = "USD" },
		"other content":  func(p *schema.Plan) { p.Items[0].Digest[3]++ },
		"exchanged":      func(p *schema.Plan) { p.Items[0].Box, p.Items[1].Box = p.Items[1].Box, p.Items[0].Box },
	} {
		p := sealedPlan()
		move(p)
		p.ID = schema.PlanID(p)
		b, err := schema.EncodePlan(p)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		rec, err := schema.DecodePlan(b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := rec.Plan.Open(testOpen); !errors.Is(err, errOtherBox) || !rec.Plan.Closed() {
			t.Errorf("%s: error %v, closed %t: want it to stay closed", name, err, rec.Plan.Closed())
		}
	}
}

func TestDecodeSealedPlanRefuses(t *testing.T) {
	t.Parallel()
	good, err := schema.EncodePlan(sealedPlan())
	if err != nil {
		t.Fatal(err)
	}
	for name, swap := range map[string][2]string{
		"clear, it says": {`"v":2`, `"v":1`},
		"no key":         {`"key":"2026-01",`, ``},
		"no month":       {`"2026-01"`, `"2026-13"`},
		"a value beside": {`"minor":10050`, `"value":"1","minor":10050`},
		"no box":         {`"box"`, `"trace"`},
		"short box":      {`"box":"`, `"box":"AAAA","event":"`},
		"no base64":      {`"box":"`, `"box":"*`},
		"short digest":   {`"content":"`, `"content":"00","event":"`},
		"other digest":   {`"content":"`, `"content":"zz`},
	} {
		bad := strings.Replace(string(good), swap[0], swap[1], 1)
		if got, err := schema.DecodePlan([]byte(bad)); !errors.Is(err, schema.ErrRecord) || got.Plan != nil {
			t.Errorf("%s: error %v, want an ErrRecord", name, err)
		}
	}
}

func TestSealedLetter(t *testing.T) {
	t.Parallel()
	d := letter(schema.EncodeRequest(goldenRequest(), "e-1", at))
	d.Seal("default/2026-01", testSeal)
	checkGolden(t, "deadletter-sealed.txt", message(d.Encode()))
	for name, m := range map[string]schema.Message{
		"nothing":   {},
		"tombstone": {Key: []byte("k")},
		"empty":     {Key: []byte{}, Value: []byte{}},
		"bytes":     {Key: []byte{0, 0xff}, Value: []byte("\xff{"), Headers: []schema.Header{{"h", nil}, {"h", []byte{}}, {"", []byte("\xff")}, {"toplu-other", []byte("x")}}},
		"twice":     {Value: []byte("x"), Headers: []schema.Header{{schema.HeaderSealed, []byte("a forged one")}, {"h", []byte("y")}}},
	} {
		want := letter(m).Encode()
		d := letter(m)
		d.Seal("default/2026-01", testSeal)
		sealed := d.Encode()
		if schema.SealedWith(sealed) != "default/2026-01" || len(sealed.Headers) != 8 {
			t.Errorf("%s: sealed with %q, headers %v", name, schema.SealedWith(sealed), sealed.Headers)
		}
		got, err := schema.OpenLetter(sealed, testOpen)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got.Headers = got.Headers[:len(got.Headers)-1] // that it was sealed
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: opened (-want +got):\n%s", name, diff)
		}
		elsewhere := sealed
		elsewhere.Key = []byte("other")
		if _, err := schema.OpenLetter(elsewhere, testOpen); !errors.Is(err, errOtherBox) {
			t.Errorf("%s: it opens under another key: %v", name, err)
		}
	}
	plain := letter(schema.Message{Value: []byte("x")}).Encode()
	if got, err := schema.OpenLetter(plain, nil); err != nil || cmp.Diff(plain, got) != "" {
		t.Errorf("a letter in clear: %v", err)
	}
}

func FuzzOpenLetter(f *testing.F) {
	f.Add([]byte{0})
	f.Add([]byte{2, 'x', 2, 'h', 0})
	f.Fuzz(func(t *testing.T, text []byte) {
		sealed := letter(schema.Message{})
		sealed.Seal("default/2026-01", func(_, _ []byte) []byte { return text })
		_, err := schema.OpenLetter(sealed.Encode(), func(_, box []byte) ([]byte, error) { return box, nil })
		if err != nil && !errors.Is(err, schema.ErrRecord) {
			t.Fatal(err)
		}
	})
}
