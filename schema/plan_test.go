package schema_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/schema"
)

func TestPlanGolden(t *testing.T) {
	t.Parallel()
	p := goldenPlan()
	b, err := schema.EncodePlan(p)
	if err != nil {
		t.Fatal(err)
	}
	got, err := schema.DecodePlan(checkGolden(t, "plan.json", b))
	if diff := cmp.Diff(schema.PlanRecord{Plan: p}, got); diff != "" || err != nil {
		t.Errorf("error %v, plan (-want +got):\n%s", err, diff)
	}
	if !json.Valid(b) {
		t.Error("not what encoding/json takes for JSON")
	}
}

// A plan that waits for the clock says so; one that does not is as it ever was.
func TestPlanNotBeforeGolden(t *testing.T) {
	t.Parallel()
	p := goldenPlan()
	p.NotBefore = at.Add(23 * time.Hour)
	b, err := schema.EncodePlan(p)
	if err != nil {
		t.Fatal(err)
	}
	got, err := schema.DecodePlan(checkGolden(t, "plan-not-before.json", b))
	if diff := cmp.Diff(schema.PlanRecord{Plan: p}, got); diff != "" || err != nil {
		t.Errorf("error %v, plan (-want +got):\n%s", err, diff)
	}
	if p.ID != schema.PlanID(p) || p.ID != goldenPlan().ID {
		t.Error("the id depends on the clock")
	}
}

func TestPlanGenesisGolden(t *testing.T) {
	t.Parallel()
	im := goldenImport()
	value, err := schema.EncodeImported(im)
	if err != nil {
		t.Fatal(err)
	}
	again, err := schema.DecodePlan(checkGolden(t, "plan-imported.json", value))
	if diff := cmp.Diff(schema.PlanRecord{Imported: im}, again); diff != "" || err != nil {
		t.Errorf("import: error %v, (-want +got):\n%s", err, diff)
	}
	closed := &schema.Genesis{LogID: "log-2", Partitions: 4, At: at, Closed: "Redis knows log-1"}
	again, err = schema.DecodePlan(checkGolden(t, "plan-genesis-closed.json", schema.EncodePlanGenesis(closed)))
	if diff := cmp.Diff(schema.PlanRecord{Genesis: closed}, again); diff != "" || err != nil {
		t.Errorf("closed genesis: error %v, (-want +got):\n%s", err, diff)
	}
	genesis := &schema.Genesis{LogID: "log-1", Partitions: 4, At: at}
	got, err := schema.DecodePlan(checkGolden(t, "plan-genesis.json", schema.EncodePlanGenesis(genesis)))
	if diff := cmp.Diff(schema.PlanRecord{Genesis: genesis}, got); diff != "" || err != nil {
		t.Errorf("error %v, record (-want +got):\n%s", err, diff)
	}
}

// A batch's id must follow everything in it, and nothing else: not the clock.
func TestPlanID(t *testing.T) {
	t.Parallel()
	first := schema.PlanID(goldenPlan())
	if !regexp.MustCompile(`^[a-z2-7]{24}$`).MatchString(first) {
		t.Fatalf("PlanID = %s", first)
	}
	clock := goldenPlan()
	clock.At, clock.ID = at.Add(time.Hour), "another"
	if got := schema.PlanID(clock); got != first {
		t.Error("the id depends on the clock or on itself")
	}

	seen := map[string]string{first: "unchanged"}
	differs := func(what string, p *schema.Plan) {
		t.Helper()
		id := schema.PlanID(p)
		if was, same := seen[id]; same {
			t.Errorf("%s: the id is that of %s", what, was)
		}
		seen[id] = what
	}
	for _, name := range []string{"Merchant", "Purpose", "Currency", "Key"} {
		p := goldenPlan()
		change(t, reflect.ValueOf(p).Elem().FieldByName(name))
		differs(name, p)
	}
	for i := range goldenPlan().Items {
		walk(t, reflect.ValueOf(schema.PlanItem{}), func(path string, index []int) {
			p := goldenPlan()
			if path == "Box" || path == "Digest" {
				return // of sealed plans
			}
			change(t, reflect.ValueOf(&p.Items[i]).Elem().FieldByIndex(index))
			differs(fmt.Sprintf("item %d %s", i, path), p)
		})
	}
	p := goldenPlan()
	p.Items = p.Items[:1]
	differs("fewer items", p)
	p = goldenPlan()
	p.Items[0], p.Items[1] = p.Items[1], p.Items[0]
	differs("another order", p)
}

// walk calls f for every field of v that holds no other fields.
func walk(t *testing.T, v reflect.Value, f func(path string, index []int)) {
	t.Helper()
	for _, field := range reflect.VisibleFields(v.Type()) {
		if field.Type.Kind() != reflect.Struct {
			f(field.Name, field.Index)
			continue
		}
		walk(t, v.FieldByIndex(field.Index), func(path string, index []int) {
			f(field.Name+"."+path, append(append([]int{}, field.Index...), index...))
		})
	}
}

// change gives a field another value.
func change(t *testing.T, v reflect.Value) {
	t.Helper()
	switch {
	case v.Kind() == reflect.String:
		v.SetString(v.String() + "x")
	case v.CanInt():
		v.SetInt(v.Int() + 1)
	case v.Kind() == reflect.Slice:
		v.Set(reflect.ValueOf([]byte(`{"other":1}`)))
	default:
		t.Fatalf("a field of kind %s: teach this test", v.Kind())
	}
}

func TestEncodePlanRefuses(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*schema.Plan){
		"merchant":   func(p *schema.Plan) { p.Merchant = "" },
		"currency":   func(p *schema.Plan) { p.Currency = "XAU" },
		"no items":   func(p *schema.Plan) { p.Items = nil },
		"payout id":  func(p *schema.Plan) { p.Items[0].PayoutID = "a b" },
		"twice":      func(p *schema.Plan) { p.Items[1].PayoutID = p.Items[0].PayoutID },
		"zero":       func(p *schema.Plan) { p.Items[0].Minor = 0 },
		"negative":   func(p *schema.Plan) { p.Items[0].Minor = -1 },
		"too much":   func(p *schema.Plan) { p.Items[0].Minor = schema.MaxMinor + 1 },
		"type":       func(p *schema.Plan) { p.Items[0].Recipient.Type = "PIGEON" },
		"recipient":  func(p *schema.Plan) { p.Items[0].Recipient.Value = "" },
		"metadata":   func(p *schema.Plan) { p.Items[0].Metadata = []byte(`[1]`) },
		"metadata 2": func(p *schema.Plan) { p.Items[0].Metadata = []byte(`{},"minor":1`) },
		"metadata 3": func(p *schema.Plan) { p.Items[0].Metadata = []byte{} },
	} {
		p := goldenPlan()
		spoil(p)
		p.ID = schema.PlanID(p)
		if _, err := schema.EncodePlan(p); !errors.Is(err, schema.ErrRecord) {
			t.Errorf("%s: error %v, want an ErrRecord", name, err)
		}
	}
	p := goldenPlan()
	p.Items[0].Minor++
	if _, err := schema.EncodePlan(p); !errors.Is(err, schema.ErrRecord) {
		t.Errorf("a plan whose id is another's: error %v, want an ErrRecord", err)
	}
}

func TestDecodePlanRefuses(t *testing.T) {
	t.Parallel()
	good, err := schema.EncodePlan(goldenPlan())
	if err != nil {
		t.Fatal(err)
	}
	swap := func(old, with string) []byte {
		if !bytes.Contains(good, []byte(old)) {
			t.Fatalf("no %s in the plan", old)
		}
		return bytes.Replace(good, []byte(old), []byte(with), 1)
	}
	tests := []struct {
		name  string
		value []byte
		want  error
	}{
		{"tombstone", nil, schema.ErrRecord},
		{"not JSON", []byte("hello"), schema.ErrRecord},
		{"array", []byte("[]"), schema.ErrRecord},
		{"no version", []byte(`{"type":"planned"}`), schema.ErrRecord},
		{"no type", []byte(`{"v":1}`), schema.ErrRecord},
		{"next version", swap(`"v":1`, `"v":3`), schema.ErrVersion},
		{"sealed, it says", swap(`"v":1`, `"v":2`), schema.ErrRecord},
		{"genesis of the next version", []byte(`{"v":2,"type":"genesis","logId":"l","partitions":1,"at":"2026-01-31T10:00:00Z"}`), schema.ErrVersion},
		{"a key", swap(`"items"`, `"key":"2026-01","items"`), schema.ErrRecord},
		{"a box", swap(`"event"`, `"box":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","event"`), schema.ErrRecord},
		{"version 0", swap(`"v":1`, `"v":0`), schema.ErrVersion},
		{"other type", swap(`planned`, `split`), schema.ErrVersion},
		{"other amount", swap(`"minor":10050`, `"minor":100500`), schema.ErrRecord},
		{"decimal", swap(`"minor":10050`, `"minor":10050.0`), schema.ErrRecord},
		{"exponent", swap(`"minor":10050`, `"minor":10050e0`), schema.ErrRecord},
		{"null", swap(`"minor":10050`, `"minor":null`), schema.ErrRecord},
		{"huge", swap(`"minor":10050`, `"minor":99999999999999999999`), schema.ErrRecord},
		{"unknown field", swap(`"minor":`, `"fee":1,"minor":`), schema.ErrRecord},
		{"upper case", swap(`"minor":`, `"Minor":`), schema.ErrRecord},
		{"said twice", swap(`"minor":10050`, `"minor":10050,"minor":10050`), schema.ErrRecord},
		{"merchant twice", swap(`"merchant":"default"`, `"merchant":"default","merchant":"default"`), schema.ErrRecord},
		{"cut off", good[:len(good)-1], schema.ErrRecord},
		{"more after", append(append([]byte{}, good...), '{', '}'), schema.ErrRecord},
		{"a logId too", swap(`"merchant"`, `"logId":"l","merchant"`), schema.ErrRecord},
		{"genesis with items", swap(`planned`, `genesis`), schema.ErrRecord},
		{"a wait for no time", swap(`"at":`, `"notBefore":"tomorrow","at":`), schema.ErrRecord},
		{"genesis that waits", []byte(`{"v":1,"type":"genesis","logId":"l","partitions":1,"at":"2026-01-31T10:00:00Z","notBefore":"2026-01-31T10:00:00Z"}`), schema.ErrRecord},
		{"genesis of nothing", []byte(`{"v":1,"type":"genesis","at":"2026-01-31T10:00:00Z"}`), schema.ErrRecord},
		{"broken UTF-8", swap(`Order`, "\xff"), schema.ErrRecord},
	}
	for _, tt := range tests {
		got, err := schema.DecodePlan(tt.value)
		if !errors.Is(err, tt.want) || got.Plan != nil || got.Genesis != nil {
			t.Errorf("%s: error %v, want %v", tt.name, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), "1326") {
			t.Errorf("%s: the error shows an IBAN", tt.name)
		}
	}
}

// Blanks change nothing: a plan is what it says, not how it is laid out.
func TestDecodePlanTakesOtherLayouts(t *testing.T) {
	t.Parallel()
	good, err := schema.EncodePlan(goldenPlan())
	if err != nil {
		t.Fatal(err)
	}
	var wide bytes.Buffer
	if err := json.Indent(&wide, good, "", " "); err != nil {
		t.Fatal(err)
	}
	// Metadata is kept as it is written, so it stays as it was.
	value := regexp.MustCompile(`\{\s*"orderId": "1042"\s*\}`).ReplaceAll(wide.Bytes(), []byte(`{"orderId":"1042"}`))
	if _, err := schema.DecodePlan(value); err != nil {
		t.Error(err)
	}
}

func FuzzDecodePlan(f *testing.F) {
	good, err := schema.EncodePlan(goldenPlan())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(schema.EncodePlanGenesis(&schema.Genesis{LogID: "log-1", Partitions: 4, At: at}))
	im, err := schema.EncodeImported(goldenImport())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(im)
	f.Add([]byte(`{"v":1,"type":"planned","items":[{"id":"\ud83d\ude00"}]}`))
	f.Fuzz(func(t *testing.T, value []byte) {
		r, err := schema.DecodePlan(value)
		if err != nil {
			if !errors.Is(err, schema.ErrRecord) && !errors.Is(err, schema.ErrVersion) {
				t.Fatalf("error %v is neither", err)
			}
			return
		}
		if r.Imported != nil {
			again, err := schema.EncodeImported(r.Imported)
			if err != nil {
				t.Fatalf("what was read cannot be written: %v", err)
			}
			if r2, err := schema.DecodePlan(again); err != nil || !cmp.Equal(r, r2) {
				t.Fatalf("error %v, not the same after another turn", err)
			}
			return
		}
		if r.Plan == nil {
			if r.Genesis == nil {
				t.Fatal("neither a plan, an import nor a genesis")
			}
			return
		}
		again, err := schema.EncodePlan(r.Plan)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		r2, err := schema.DecodePlan(again)
		if diff := cmp.Diff(r, r2); diff != "" || err != nil {
			t.Fatalf("error %v, not the same after another turn:\n%s", err, diff)
		}
	})
}

func bigPlan(n int) *schema.Plan {
	p := goldenPlan()
	one := p.Items[0]
	p.Items = make([]schema.PlanItem, n)
	for i := range p.Items {
		p.Items[i] = one
		p.Items[i].PayoutID = fmt.Sprintf("order-%06d", i)
	}
	p.ID = schema.PlanID(p)
	return p
}

func BenchmarkEncodePlan1000(b *testing.B) {
	p := bigPlan(1000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := schema.EncodePlan(p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodePlan1000(b *testing.B) {
	value, err := schema.EncodePlan(bigPlan(1000))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := schema.DecodePlan(value); err != nil {
			b.Fatal(err)
		}
	}
}
