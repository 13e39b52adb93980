package seal_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/internal/seal"
	"github.com/toplu/toplu/schema"
)

var november = time.Date(2026, 11, 25, 5, 0, 0, 0, time.UTC)

// A ring is a directory of keys with a clock.
type ring struct {
	*seal.Keys
	dir string
	now time.Time
}

func newRing(t testing.TB, ids ...seal.ID) *ring {
	t.Helper()
	r := &ring{dir: t.TempDir(), now: november}
	for _, id := range ids {
		if made, err := seal.Create(r.dir, id); err != nil || !made {
			t.Fatalf("create %s: %t, %v", id, made, err)
		}
	}
	var err error
	if r.Keys, err = seal.Open(r.dir, func() time.Time { return r.now }); err != nil {
		t.Fatal(err)
	}
	return r
}

func plan(items int) *schema.Plan {
	p := &schema.Plan{Merchant: "default", Purpose: "SETTLEMENT", Currency: schema.TRY, At: november}
	for i := range items {
		p.Items = append(p.Items, schema.PlanItem{
			PayoutID: fmt.Sprintf("order-%05d", i), Minor: 10050 + int64(i), Description: "Order 1042", Metadata: []byte(`{"orderId":"1042"}`),
			Recipient: schema.Recipient{Type: schema.IBAN, Value: "TR330006100519786457841326", Name: "Ayşe Yılmaz"},
			Source:    schema.Source{Topic: "payout.requests", Partition: 3, Offset: int64(i)},
		})
	}
	p.ID = schema.PlanID(p)
	return p
}

// reread is the plan as a reader of the log has it.
func reread(t *testing.T, p *schema.Plan) *schema.Plan {
	t.Helper()
	b, err := schema.EncodePlan(p)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := schema.DecodePlan(b)
	if err != nil {
		t.Fatal(err)
	}
	return rec.Plan
}

var ours = seal.ID{Merchant: "default", Month: "2026-11"}

func TestSealAndOpen(t *testing.T) {
	t.Parallel()
	r := newRing(t, ours)
	p := plan(2)
	if err := r.SealPlan(p); err != nil {
		t.Fatal(err)
	}
	again := plan(2)
	again.At = november.Add(time.Hour)
	if err := r.SealPlan(again); err != nil || again.ID != p.ID {
		t.Errorf("sealed again an hour later it is %s, not %s; error %v", again.ID, p.ID, err)
	}
	got := reread(t, p)
	if !got.Closed() {
		t.Fatal("it is not sealed")
	}
	if err := r.OpenPlan(got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p, got); diff != "" {
		t.Errorf("opened (-want +got):\n%s", diff)
	}
	if err := r.OpenPlan(got); err != nil {
		t.Errorf("opened twice: %v", err)
	}
	open := plan(1)
	if err := r.OpenPlan(open); err != nil || cmp.Diff(plan(1), open) != "" {
		t.Errorf("a plan in clear: %v", err)
	}
	other := newRing(t, ours)
	if closed := reread(t, p); other.OpenPlan(closed) == nil || !closed.Closed() {
		t.Error("another installation's key opens it")
	}
}

// Digests are the same for the life of the installation, and what was planned in
// clear before there were keys is known again.
func TestContent(t *testing.T) {
	t.Parallel()
	r := newRing(t, ours)
	p := plan(1)
	q := p.Request(0)
	if err := r.SealPlan(p); err != nil {
		t.Fatal(err)
	}
	keyed, plain := r.Content(&q), q.Content()
	later, err := seal.Open(r.dir, func() time.Time { return november.AddDate(1, 0, 0) })
	if err != nil {
		t.Fatal(err)
	}
	var none *seal.Keys
	switch {
	case keyed == plain:
		t.Error("the digest needs no key")
	case p.Content(0) != keyed || later.Content(&q) != keyed:
		t.Error("plan, request and a year later do not agree")
	case !r.Same(keyed, &q) || !r.Same(plain, &q) || none.Content(&q) != plain || !none.Same(plain, &q):
		t.Error("the same content is not known again")
	case none.Same(keyed, &q):
		t.Error("the digest is known without the key")
	}
	q.Amount.Minor++
	if r.Same(keyed, &q) || r.Same(plain, &q) {
		t.Error("another amount is the same content")
	}
}

// Without its key nothing is sealed, and never in clear instead.
func TestWithoutKey(t *testing.T) {
	t.Parallel()
	r := newRing(t, ours)
	p := plan(1)
	p.At = november.AddDate(0, 1, 0)
	if err := r.SealPlan(p); !errors.Is(err, seal.ErrMissing) || !strings.Contains(err.Error(), "default.2026-12.key") || p.Key != "" {
		t.Errorf("error %v, want one that names the file", err)
	}
	var none *seal.Keys
	if err := none.SealPlan(p); err != nil || p.Key != "" {
		t.Errorf("without any keys: %v", err)
	}
	p.At = november
	if err := r.SealPlan(p); err != nil {
		t.Fatal(err)
	}
	if err := none.OpenPlan(reread(t, p)); !errors.Is(err, seal.ErrMissing) || !strings.Contains(err.Error(), "seal.keyDir is not set") {
		t.Errorf("error %v", err)
	}
	// A key that is brought is found.
	december := seal.ID{Merchant: "default", Month: "2026-12"}
	late := plan(1)
	late.At = november.AddDate(0, 1, 0)
	if _, err := seal.Create(r.dir, december); err != nil {
		t.Fatal(err)
	}
	r.now = r.now.Add(2 * time.Second)
	if err := r.SealPlan(late); err != nil || late.Key != "2026-12" {
		t.Errorf("sealed with %q: %v", late.Key, err)
	}
}

// A destroyed key opens nothing any more, in a running process too, and is never
// made again.
func TestDestroy(t *testing.T) {
	t.Parallel()
	r := newRing(t, ours)
	p := plan(1)
	if err := r.SealPlan(p); err != nil {
		t.Fatal(err)
	}
	content := p.Content(0)
	grave := seal.Grave{At: november, By: "Deniz", Reason: "asked for by the person"}
	if err := seal.Destroy(r.dir, ours, grave); err != nil {
		t.Fatal(err)
	}
	r.now = r.now.Add(11 * time.Second)
	closed := reread(t, p)
	if err := r.OpenPlan(closed); !errors.Is(err, seal.ErrErased) || !closed.Closed() {
		t.Errorf("error %v, want an ErrErased", err)
	}
	if closed.Content(0) != content {
		t.Error("the content digest is erased too: claims need it")
	}
	if made, err := seal.Create(r.dir, ours); made || err != nil {
		t.Errorf("made again: %t, %v", made, err)
	}
	if err := seal.Destroy(r.dir, ours, grave); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("destroyed twice: %v", err)
	}
	want := []seal.Listed{{Merchant: "default", Month: "2026-11", State: seal.Destroyed, Grave: &grave}}
	if got, err := seal.List(r.dir); err != nil || cmp.Diff(want, got) != "" {
		t.Errorf("list: %v\n%s", err, cmp.Diff(want, got))
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	file := func(r *ring) string { return filepath.Join(r.dir, "default.2026-11.key") }
	tests := []struct {
		name, want string
		spoil      func(r *ring) error
	}{
		{"others may read it", "chmod 600", func(r *ring) error { return os.Chmod(file(r), 0o644) }},
		{"a group may write it", "chmod 600", func(r *ring) error { return os.Chmod(file(r), 0o660) }},
		{"a group may read it", "", func(r *ring) error { return os.Chmod(file(r), 0o440) }},
		{"renamed", "default/2026-11: keys must not be renamed", func(r *ring) error { return os.Rename(file(r), filepath.Join(r.dir, "market.2026-11.key")) }},
		{"next version", "is no key of this version", func(r *ring) error { return os.WriteFile(file(r), []byte("toplu-key 2 default 2026-11 AAAA\n"), 0o600) }},
		{"cut off", "is no key of 32 bytes", func(r *ring) error { return os.WriteFile(file(r), []byte("toplu-key 1 default 2026-11 AAAA\n"), 0o600) }},
		{"a directory", "is no file", func(r *ring) error { return errors.Join(os.Remove(file(r)), os.Mkdir(file(r), 0o700)) }},
	}
	for _, tt := range tests {
		r := newRing(t, ours)
		if err := tt.spoil(r); err != nil {
			t.Fatal(err)
		}
		id := ours
		if tt.name == "renamed" {
			id.Merchant = "market"
		}
		err := r.Ready(id)
		if (err == nil) != (tt.want == "") || err != nil && (!errors.Is(err, seal.ErrMissing) || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.want)
		}
		list, err := seal.List(r.dir)
		if err != nil || len(list) != 1 || (list[0].State == seal.Unusable) != (tt.want != "") {
			t.Errorf("%s: list %v, %v", tt.name, list, err)
		}
	}
	if _, err := seal.Open(t.TempDir(), time.Now); !errors.Is(err, seal.ErrMissing) || !strings.Contains(err.Error(), "toplu keys create") {
		t.Errorf("an empty directory: %v", err)
	}
}

func TestLetters(t *testing.T) {
	t.Parallel()
	r := newRing(t, ours, seal.ID{Merchant: seal.NoMerchant, Month: "2026-11"})
	for merchant, key := range map[string]string{"default": "default/2026-11", "": "_/2026-11", "market": "_/2026-11"} {
		d := &schema.DeadLetter{Message: schema.Message{Key: []byte("k"), Value: []byte("TR33"), Headers: []schema.Header{{Key: "iban", Value: []byte("TR33")}}}, Code: "not_json", At: november}
		want := d.Encode()
		if err := r.SealLetter(d, merchant); err != nil {
			t.Fatal(err)
		}
		m := d.Encode()
		if got := schema.SealedWith(m); got != key || strings.Contains(fmt.Sprintf("%s", m), "TR33") {
			t.Errorf("merchant %q: sealed with %q: %s", merchant, got, m)
		}
		opened, err := r.OpenLetter(m)
		if err != nil || string(opened.Value) != string(want.Value) || cmp.Diff(want.Headers, opened.Headers[:len(want.Headers)]) != "" {
			t.Errorf("merchant %q: opened: %v", merchant, err)
		}
	}
	late := &schema.DeadLetter{At: november.AddDate(0, 1, 0)}
	if err := r.SealLetter(late, "default"); !errors.Is(err, seal.ErrMissing) || late.Key != "" {
		t.Errorf("without a key: %v", err)
	}
	forged := schema.Message{Headers: []schema.Header{{Key: schema.HeaderSealed, Value: []byte("../../etc/passwd")}}}
	if _, err := r.OpenLetter(forged); err == nil {
		t.Error("a key that has no name is looked for")
	}
}

// Whatever is spoilt in a box, it does not open.
func TestSpoiltBox(t *testing.T) {
	t.Parallel()
	r := newRing(t, ours)
	for i := range 60 {
		p := plan(1)
		if err := r.SealPlan(p); err != nil {
			t.Fatal(err)
		}
		p.Items[0].Box[i%len(p.Items[0].Box)] ^= 1
		p.ID = schema.PlanID(p)
		if closed := reread(t, p); r.OpenPlan(closed) == nil {
			t.Fatalf("byte %d is not looked at", i)
		}
	}
}

func TestMonths(t *testing.T) {
	t.Parallel()
	got := seal.Months(time.Date(2026, 12, 31, 23, 0, 0, 0, time.FixedZone("", -3*3600)), 3)
	if diff := cmp.Diff([]string{"2027-01", "2027-02", "2027-03"}, got); diff != "" {
		t.Error(diff)
	}
}

func BenchmarkSealPlan1000(b *testing.B) {
	r := newRing(b, ours)
	p := plan(1000)
	b.ReportAllocs()
	for b.Loop() {
		if err := r.SealPlan(p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpenPlan1000(b *testing.B) {
	r := newRing(b, ours)
	p := plan(1000)
	if err := r.SealPlan(p); err != nil {
		b.Fatal(err)
	}
	value, err := schema.EncodePlan(p)
	if err != nil {
		b.Fatal(err)
	}
	rec, err := schema.DecodePlan(value)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		closed := *rec.Plan
		if err := r.OpenPlan(&closed); err != nil {
			b.Fatal(err)
		}
	}
}

// What was sealed once must open for ever: a box and a digest of fixed keys.
func TestGolden(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"content.key":         "toplu-key 1 content - AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
		"default.2026-11.key": "toplu-key 1 default 2026-11 ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	keys, err := seal.Open(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	p := plan(1)
	if err := keys.SealPlan(p); err != nil {
		t.Fatal(err)
	}
	got, err := schema.EncodePlan(p)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/plan.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.TrimSpace(string(want)), string(got)); diff != "" {
		t.Errorf("sealed (-want +got):\n%s", diff)
	}
	rec, err := schema.DecodePlan([]byte(strings.TrimSpace(string(want))))
	if err != nil {
		t.Fatal(err)
	}
	if err := keys.OpenPlan(rec.Plan); err != nil || rec.Plan.Items[0].Recipient.Value.Reveal() != "TR330006100519786457841326" {
		t.Errorf("opened: %v", err)
	}
}
