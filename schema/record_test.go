package schema_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/schema"
)

func TestRecordGolden(t *testing.T) {
	t.Parallel()
	seen := map[schema.RecordType]bool{}
	for _, r := range goldenRecords() {
		t.Run(string(r.Type), func(t *testing.T) {
			t.Parallel()
			b, err := schema.EncodeRecord(&r)
			if err != nil {
				t.Fatal(err)
			}
			got, err := schema.DecodeRecord(checkGolden(t, "records/"+string(r.Type)+".json", b))
			if diff := cmp.Diff(r, got); diff != "" || err != nil {
				t.Errorf("error %v, record (-want +got):\n%s", err, diff)
			}
		})
		seen[r.Type] = true
	}
	for name, r := range laterRecords() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := schema.EncodeRecord(&r)
			if err != nil {
				t.Fatal(err)
			}
			got, err := schema.DecodeRecord(checkGolden(t, "records/"+name+".json", b))
			if diff := cmp.Diff(r, got); diff != "" || err != nil {
				t.Errorf("error %v, record (-want +got):\n%s", err, diff)
			}
		})
	}
	for _, typ := range schema.RecordTypes() {
		if !seen[typ] {
			t.Errorf("no golden %s record", typ)
		}
	}
}

// The golden records use every field there is, so that a field added to the
// types and forgotten in DecodeRecord is found out by the test above.
func TestGoldenRecordsUseEveryField(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	var mark func(v reflect.Value)
	mark = func(v reflect.Value) {
		switch k := v.Kind(); {
		case k == reflect.Pointer && !v.IsNil():
			mark(v.Elem())
		case k == reflect.Slice:
			for i := range v.Len() {
				mark(v.Index(i))
			}
		case k == reflect.Struct:
			for i := range v.NumField() {
				name := v.Type().Name() + "." + v.Type().Field(i).Name
				used[name] = used[name] || !v.Field(i).IsZero()
				if v.Type().Field(i).IsExported() {
					mark(v.Field(i))
				}
			}
		}
	}
	for _, r := range goldenRecords() {
		mark(reflect.ValueOf(r))
	}
	for _, r := range laterRecords() {
		mark(reflect.ValueOf(r))
	}
	for name, ok := range used {
		if !ok && !strings.HasPrefix(name, "Time.") {
			t.Errorf("no golden record sets %s", name)
		}
	}
}

// Taking any field of its type away makes a record one that decides nothing,
// or says the same without it: but it never reads back as another.
func TestRecordsLackingAField(t *testing.T) {
	t.Parallel()
	optional := map[string]bool{
		"created.Invalid": true, "abandoned.Reason": true, "resumed.By": true, "resumed.Command": true, "resumed.Batch": true,
		"resumed.Plan": true, "cancel.Only": true, "cancel.Command": true, "decided.Reason": true, "paused.Scope": true, "epoch.Previous": true,
		"noted.By": true,
	}
	for _, whole := range goldenRecords() {
		for i := range reflect.TypeFor[schema.Record]().NumField() {
			name := reflect.TypeFor[schema.Record]().Field(i).Name
			r := whole
			v := reflect.ValueOf(&r).Elem().Field(i)
			if v.IsZero() || name == "Type" || name == "At" {
				continue
			}
			v.SetZero()
			_, err := schema.EncodeRecord(&r)
			if may := optional[string(whole.Type)+"."+name]; may != (err == nil) || !may && !errors.Is(err, schema.ErrRecord) {
				t.Errorf("%s without %s: error %v, may be missing: %v", whole.Type, name, err, may)
			}
		}
	}
}

func TestEncodeRecordRefuses(t *testing.T) {
	t.Parallel()
	if _, err := schema.EncodeRecord(&schema.Record{Type: "split", Session: "s"}); !errors.Is(err, schema.ErrVersion) {
		t.Errorf("unknown type: error %v, want an ErrVersion", err)
	}
	settled := func(c schema.ItemChange) *schema.Record {
		return &schema.Record{Type: schema.RecSettled, Batch: "b", Plan: 1, Session: "s", Attempt: 1, RequestID: "r", Items: []schema.ItemChange{c}}
	}
	for _, s := range append([]schema.PayoutStatus{"", "lost"}, schema.Statuses...) {
		_, err := schema.EncodeRecord(settled(schema.ItemChange{Status: s}))
		proven := s == schema.Paid || s == schema.Failed || s == schema.Returned || s == schema.ReturnFailed
		if proven != (err == nil) {
			t.Errorf("settled with an item %q: error %v", s, err)
		}
	}
	if _, err := schema.EncodeRecord(settled(schema.ItemChange{Item: -1, Status: schema.Paid})); !errors.Is(err, schema.ErrRecord) {
		t.Errorf("item -1: error %v, want an ErrRecord", err)
	}
	// Written with only left out, it would cancel every item.
	none := &schema.Record{Type: schema.RecCancel, Batch: "b", Plan: 1, Session: "s", By: "x", Only: []int{}}
	if _, err := schema.EncodeRecord(none); !errors.Is(err, schema.ErrRecord) {
		t.Errorf("cancel of no items: error %v, want an ErrRecord", err)
	}
}

func TestDecodeRecordRefuses(t *testing.T) {
	t.Parallel()
	const good = `{"v":1,"type":"completing","batch":"b","plan":1,"session":"s","at":"2026-01-31T10:00:00Z","attempt":1,"requestId":"r"}`
	if _, err := schema.DecodeRecord([]byte(good)); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, old, with string
		want            error
	}{
		{"next version", `"v":1`, `"v":2`, schema.ErrVersion},
		{"version as text", `"v":1`, `"v":"1"`, schema.ErrRecord},
		{"no version", `"v":1,`, ``, schema.ErrRecord},
		{"unknown type", `completing`, `hurrying`, schema.ErrVersion},
		{"empty type", `completing`, ``, schema.ErrVersion},
		{"no type", `"type":"completing",`, ``, schema.ErrRecord},
		{"unknown field", `"batch"`, `"colour":"red","batch"`, schema.ErrRecord},
		{"another case", `"requestId"`, `"requestID"`, schema.ErrRecord},
		{"field twice", `"attempt":1`, `"attempt":2,"attempt":1`, schema.ErrRecord},
		{"type twice", `"batch"`, `"type":"fencing","batch"`, schema.ErrRecord},
		{"no requestId", `,"requestId":"r"`, ``, schema.ErrRecord},
		{"null", `"r"`, `null`, schema.ErrRecord},
		{"attempt 0", `"attempt":1`, `"attempt":0`, schema.ErrRecord},
		{"attempt as decimal", `"attempt":1`, `"attempt":1.0`, schema.ErrRecord},
		{"the genesis as plan", `"plan":1`, `"plan":0`, schema.ErrRecord},
		{"bad time", `2026-01-31`, `2026-02-31`, schema.ErrRecord},
		{"cut off", `"r"}`, `"r"`, schema.ErrRecord},
		{"more after", `"r"}`, `"r"} 1`, schema.ErrRecord},
		{"comma", `"r"}`, `"r",}`, schema.ErrRecord},
		{"half a surrogate", `"r"`, `"\ud800"`, schema.ErrRecord},
		{"empty list", `"requestId"`, `"only":[],"requestId"`, schema.ErrRecord},
		{"unknown field in items", `"requestId"`, `"items":[{"i":0,"s":"paid","x":1}],"requestId"`, schema.ErrRecord},
		{"unknown field in reason", `"requestId"`, `"reason":{"code":"c","x":1},"requestId"`, schema.ErrRecord},
		{"unknown field in checkpoint", `"requestId"`, `"checkpoint":{"x":1},"requestId"`, schema.ErrRecord},
	}
	for _, tt := range tests {
		if !strings.Contains(good, tt.old) {
			t.Fatalf("%s: nothing to spoil", tt.name)
		}
		_, err := schema.DecodeRecord([]byte(strings.Replace(good, tt.old, tt.with, 1)))
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: error %v, want %v", tt.name, err, tt.want)
		}
	}
	for _, value := range []string{"", "null", "[]", "{}", "\x00", strings.Repeat(`{"v":`, 100)} {
		if _, err := schema.DecodeRecord([]byte(value)); !errors.Is(err, schema.ErrRecord) {
			t.Errorf("%.10q: error %v, want an ErrRecord", value, err)
		}
	}
}

func FuzzDecodeRecord(f *testing.F) {
	for _, r := range goldenRecords() {
		b, err := schema.EncodeRecord(&r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		r, err := schema.DecodeRecord(value)
		if err != nil {
			if !errors.Is(err, schema.ErrRecord) && !errors.Is(err, schema.ErrVersion) {
				t.Fatalf("error %v is neither", err)
			}
			return
		}
		if !json.Valid(value) {
			t.Fatal("read what encoding/json does not take for JSON")
		}
		again, err := schema.EncodeRecord(&r)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		r2, err := schema.DecodeRecord(again)
		if diff := cmp.Diff(r, r2); diff != "" || err != nil {
			t.Fatalf("error %v, not the same after another turn:\n%s", err, diff)
		}
		if third, err := schema.EncodeRecord(&r2); err != nil || !bytes.Equal(third, again) {
			t.Fatalf("error %v, other bytes for the same record:\n%s\n%s", err, again, third)
		}
	})
}
