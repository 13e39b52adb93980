package e2e_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/internal/e2e"
)

// status is an event as the program writes it, with what a test wants changed.
func status(id string, sequence int, previous, state string, change ...string) e2e.Record {
	value := fmt.Sprintf(`{"payoutId":%q,"sequence":%d,"previousStatus":%q,"status":%q,"final":%t,"amount":{"value":"10.50","currency":"TRY"},"occurredAt":"2026-01-31T09:00:00Z"}`,
		id, sequence, previous, state, state != "accepted" && state != "submitted" && state != "unknown")
	value = strings.NewReplacer(change...).Replace(value)
	return e2e.Record{
		Key: []byte(id), Value: []byte(value),
		Headers: []string{"ce_id=" + fmt.Sprint(id, sequence, state), "ce_type=payout." + state + ".v1", "ce_subject=" + id},
	}
}

func transfer(id string) e2e.Transfer {
	return e2e.Transfer{ItemExternalID: id, Amount: "10.5", Currency: "TRY"}
}

// good is a run in which a was paid and b was not, with an event told twice.
func good() e2e.Case {
	return e2e.Case{
		Asked: map[string]int64{"a": 1050, "b": 1050},
		Statuses: []e2e.Record{
			status("a", 1, "", "accepted"), status("b", 1, "", "accepted"), status("a", 2, "accepted", "unknown"),
			status("a", 1, "", "accepted"), status("a", 3, "unknown", "submitted"), status("a", 4, "submitted", "paid"),
			status("b", 2, "accepted", "submitted"), status("b", 3, "submitted", "failed"), status("b", 4, "failed", "returned"),
		},
		Books: e2e.Books{Transfers: []e2e.Transfer{transfer("a")}},
	}
}

// TestJudge plants every fault that the judge is there for.
func TestJudge(t *testing.T) {
	t.Parallel()
	v := e2e.Judge(good())
	if err := v.Err(); err != nil {
		t.Fatalf("a good run: %v", err)
	}
	if v.Requested != 2 || v.Answered != 2 || v.Paid != 1050 || v.Repeated != 1 || v.Events != 9 {
		t.Errorf("got %s", v)
	}
	for name, test := range map[string]struct {
		plant func(*e2e.Case)
		want  string
	}{
		"paid twice":          {func(c *e2e.Case) { c.Books.Transfers = append(c.Books.Transfers, transfer("a")) }, "a was paid twice"},
		"paid though failed":  {func(c *e2e.Case) { c.Books.Transfers = append(c.Books.Transfers, transfer("b")) }, "b: told returned, and money moved"},
		"told paid, not paid": {func(c *e2e.Case) { c.Books.Transfers = nil }, "a: told paid, and no money moved"},
		"paid a stranger":     {func(c *e2e.Case) { c.Books.Transfers = append(c.Books.Transfers, transfer("z")) }, "for z, asked for"},
		"paid too much":       {func(c *e2e.Case) { c.Books.Transfers[0].Amount = "1050" }, "books: 1050 TRY for a, asked for: 10.50 TRY"},
		"lost":                {func(c *e2e.Case) { c.Asked["c"] = 1 }, "c: asked for, and never a word"},
		"unanswered":          {func(c *e2e.Case) { c.Statuses = c.Statuses[:7] }, "b: ends as submitted, which is not final"},
		"gap":                 {func(c *e2e.Case) { c.Statuses = slices.Delete(c.Statuses, 2, 3) }, "a goes from sequence 1 to 3"},
		"no such arrow": {func(c *e2e.Case) {
			c.Statuses = append(c.Statuses, status("b", 5, "returned", "paid"))
		}, `b goes from "returned" to paid`},
		"wrong previous status": {func(c *e2e.Case) { c.Statuses[2] = status("a", 2, "submitted", "unknown") }, `says it was "submitted"`},
		"told differently":      {func(c *e2e.Case) { c.Statuses[3] = status("a", 1, "", "accepted", "T09", "T10") }, "a sequence 1 is told differently"},
		"another id":            {func(c *e2e.Case) { c.Statuses[3].Headers[0] = "ce_id=other" }, "a sequence 1 is told differently"},
		"final where it is not": {func(c *e2e.Case) {
			c.Statuses[1] = status("b", 1, "", "accepted", `"final":false`, `"final":true`)
		}, "accepted and final true do not go together"},
		"final left out": {func(c *e2e.Case) { c.Statuses[1] = status("b", 1, "", "accepted", `"final":false,`, "") }, "is missing"},
		"wrong amount":   {func(c *e2e.Case) { c.Statuses[1] = status("b", 1, "", "accepted", "10.50", "10.51") }, "b is of 10.50 TRY, told 10.51 TRY"},
		"wrong key":      {func(c *e2e.Case) { c.Statuses[0].Key = []byte("b") }, `key "b"`},
		"two partitions": {func(c *e2e.Case) { c.Statuses[4].Partition = 1 }, "a is told of in partition 0 too"},
		"nobody asked":   {func(c *e2e.Case) { c.Statuses = append(c.Statuses, status("z", 1, "", "accepted")) }, "nobody asked for z"},
		"not JSON":       {func(c *e2e.Case) { c.Statuses[0].Value = nil }, "unexpected end"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := good()
			test.plant(&c)
			if err := e2e.Judge(c).Err(); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// TestPersonal shows that whole words are found, wherever they stand, and that
// the finding does not repeat them.
func TestPersonal(t *testing.T) {
	t.Parallel()
	p := e2e.Personal{}
	p.Add("phone", "+905550000001")
	p.Add("name", "Ayşe Yılmaz")
	p.Add("member id", "2228853")
	for text, found := range map[string]bool{
		`{"to":"+905550000001"}`: true, "a\nfor Yılmaz.": true, "member=2228853": true,
		"12228853": false, "Yılmazlar": false, "Ayse": false, "": false,
	} {
		err := p.In("log", text)
		if (err != nil) != found {
			t.Errorf("%q: %v", text, err)
		}
		if err != nil && (strings.Contains(err.Error(), "905550000001") || strings.Contains(err.Error(), "Yılmaz") || strings.Contains(err.Error(), "2228853")) {
			t.Errorf("the error repeats it: %v", err)
		}
	}
}

// TestReader reads what kcat would write, bytes that look like its own included.
func TestReader(t *testing.T) {
	t.Parallel()
	r := e2e.NewReader(strings.NewReader("0 7 1 3 ce_id=a,toplu-reason=x, y, z=1,toplu-time=t\x1e\nk\n\x1e\n\n1 8 -1 -1 \x1e\n\n1 9 0 0 \x1e\n\n"))
	var got []e2e.Record
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, rec)
	}
	want := []e2e.Record{
		{Offset: 7, Key: []byte("k"), Value: []byte("\n\x1e\n"), Headers: []string{"ce_id=a", "toplu-reason=x, y, z=1", "toplu-time=t"}},
		{Partition: 1, Offset: 8},
		{Partition: 1, Offset: 9, Key: []byte{}, Value: []byte{}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
