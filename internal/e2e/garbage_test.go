//go:build integration

package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/internal/e2e"
	"github.com/toplu/toplu/internal/realparts"
)

// A bad request, and what is to become of it.
type bad struct {
	key     string
	value   []byte
	headers []string
	code    string // toplu-reason-code
	reason  string // what toplu-reason must say, for a person to act on
	refused bool   // a payout id can be read, so whoever waits for it is told
}

func garbage() map[string]bad {
	// with is a request like any other, but for one thing.
	with := func(id, what, instead string) []byte {
		r := request{PayoutID: id, Recipient: recipient{"MEMBER_ID", "8199999999", ""}, Amount: amount{"10.50", "TRY"}}
		changed := bytes.Replace(r.data(), []byte(what), []byte(instead), 1)
		if bytes.Equal(changed, r.data()) {
			panic("nothing changed in " + id)
		}
		return changed
	}
	event := func(id string) []string { return (&request{PayoutID: id}).binary() }
	huge := bytes.Repeat([]byte("toplu "), 150_000) // 900 kB
	return map[string]bad{
		"empty":                  {"g-empty", []byte{}, event("g-empty"), "empty", "", false},
		"null":                   {"g-null", nil, event("g-null"), "empty", "", false},
		"neither key nor value":  {"", nil, []string{"x-trace=none"}, "empty", "", false},
		"not JSON":               {"g-text", []byte("pay 100 TRY, please"), event("g-text"), "not_json", "JSON", false},
		"cut off":                {"g-cut", with("g-cut", `"TRY"}}`, `"TR`), event("g-cut"), "not_json", "JSON", false},
		"binary":                 {"g-bin\xff\xfe", []byte("\x00\x01\xff\xfe\r\n\x80"), []string{"x-raw=\xff\xfe", "x-raw=again"}, "not_json", "JSON", false},
		"900 kB":                 {"g-huge", huge, event("g-huge"), "request_too_large", "64 KiB", false},
		"900 kB of request":      {"g-long", with("g-long", `"value":"10.50"`, `"note":"`+string(huge)+`","value":"10.50"`), event("g-long"), "request_too_large", "64 KiB", false},
		"negative":               {"g-minus", with("g-minus", `"10.50"`, `"-10.50"`), event("g-minus"), "invalid_request", "amount.value must be greater than zero", true},
		"1e400":                  {"g-1e400", with("g-1e400", `"10.50"`, `1e400`), event("g-1e400"), "invalid_request", "amount.value", true},
		"three decimals":         {"g-three", with("g-three", `"10.50"`, `"10.505"`), event("g-three"), "invalid_request", "amount.value", true},
		"unknown merchant":       {"g-who", with("g-who", `{"payoutId"`, `{"merchant":"nobody","payoutId"`), event("g-who"), "unknown_merchant", "merchant", true},
		"unknown recipient type": {"g-coin", with("g-coin", "MEMBER_ID", "WALLET"), event("g-coin"), "invalid_request", "recipient.type must be IBAN", true},
		"bad payout id":          {"g bad", with("g bad", `"10.50"`, `"10.51"`), event("g-bad"), "invalid_request", "payoutId must be", false},
		"another event":          {"g-other", with("g-other", `"10.50"`, `"10.51"`), append(event("g-other")[:3:3], "ce_type=payout.paid.v1"), "not_cloudevent", "payout.requested.v1", false},
	}
}

// TestGarbage writes what cannot be paid around what can. The good are paid, and
// each bad one is found again as it came, with a reason that a person can act on.
func TestGarbage(t *testing.T) {
	for _, version := range []string{realparts.Kafka42, realparts.Kafka39} {
		t.Run(version, func(t *testing.T) {
			w := newWorld(t, version)
			l := w.follow()
			run := w.run("run")
			w.shop.personal.Add("MEMBER_ID", "8199999999")

			cases := garbage()
			for name, b := range cases {
				good := w.shop.make("", 1)[0]
				good.Metadata = map[string]string{"beside": name}
				w.put(good.PayoutID, good.data(), good.binary()...)
				w.put(b.key, b.value, b.headers...)
			}
			v := w.judge(l, 30*time.Second)
			if v.ByStatus["paid"] != len(cases) {
				t.Errorf("%d of the good are paid", v.ByStatus["paid"])
			}
			eventually(t, 10*time.Second, func() string {
				if n := len(w.read("payout.requests.dlq")); n < len(cases) {
					return fmt.Sprintf("%d dead letters of %d", n, len(cases))
				}
				return ""
			})
			refused := w.refusals()
			letters := w.read("payout.requests.dlq")
			requests := w.read("payout.requests")
			for name, b := range cases {
				t.Run(name, func(t *testing.T) { b.check(t, letters, requests, refused) })
			}
			if len(letters) != len(cases) {
				t.Errorf("%d dead letters for %d bad requests", len(letters), len(cases))
			}
			if run.running() && strings.Contains(run.output(), "panic") {
				t.Error("a panic in the log")
			}
		})
	}
}

// check looks for the bad request among the dead letters and the refusals.
func (b *bad) check(t *testing.T, letters, requests []e2e.Record, refused map[string]string) {
	same := func(r e2e.Record) bool {
		return string(r.Key) == b.key && bytes.Equal(r.Value, b.value) && (r.Value == nil) == (b.value == nil)
	}
	var letter, original *e2e.Record
	for i := range letters {
		if same(letters[i]) {
			letter = &letters[i]
		}
	}
	for i := range requests {
		if same(requests[i]) {
			original = &requests[i]
		}
	}
	if letter == nil || original == nil {
		t.Fatalf("no dead letter with its bytes (written as it should be: %t)", original != nil)
	}
	if (letter.Key == nil) != (b.key == "") {
		t.Errorf("a key that was not there is to stay so, got %q", letter.Key)
	}
	if n := len(b.headers); len(letter.Headers) < n || !cmp.Equal(letter.Headers[:n], original.Headers) || !cmp.Equal(original.Headers, b.headers) {
		t.Errorf("headers %q, of the original %q, written %q", letter.Headers, original.Headers, b.headers)
	}
	want := map[string]string{
		"toplu-reason-code": b.code, "toplu-source-topic": "payout.requests",
		"toplu-source-partition": strconv.Itoa(original.Partition), "toplu-source-offset": strconv.FormatInt(original.Offset, 10),
	}
	for name, value := range want {
		if got := letter.Header(name); got != value {
			t.Errorf("%s: %q, want %q", name, got, value)
		}
	}
	reason := letter.Header("toplu-reason")
	if reason == "" || !strings.Contains(reason, b.reason) {
		t.Errorf("toplu-reason: %q, want something with %q", reason, b.reason)
	}
	if _, err := time.Parse(time.RFC3339, letter.Header("toplu-time")); err != nil {
		t.Errorf("toplu-time: %v", err)
	}
	code, told := refused[b.key]
	if told != b.refused || told && code != b.code {
		t.Errorf("refused: %t with %q, want %t", told, code, b.refused)
	}
	t.Log(reason)
}

// refusals returns the reason codes of payout.request_refused.v1 by payout id.
func (w *world) refusals() map[string]string {
	w.t.Helper()
	codes := map[string]string{}
	for _, r := range w.read("payout.statuses") {
		var d struct {
			PayoutID string `json:"payoutId"`
			Reason   struct {
				Code string `json:"code"`
			} `json:"reason"`
		}
		if r.Header("ce_type") != "payout.request_refused.v1" {
			continue
		}
		if err := json.Unmarshal(r.Value, &d); err != nil {
			w.t.Error(err)
		}
		codes[d.PayoutID] = d.Reason.Code
	}
	return codes
}
