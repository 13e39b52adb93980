package schema_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/schema/schematest"
)

// archivedStatuses are the statuses in testdata/archive with the one before.
var archivedStatuses = map[schema.PayoutStatus]schema.PayoutStatus{
	schema.Accepted: "", schema.Submitted: schema.Accepted, schema.Paid: schema.Submitted, schema.Failed: schema.Submitted,
	schema.Returned: schema.Failed, schema.ReturnFailed: schema.Failed, schema.Rejected: schema.Accepted,
	schema.Cancelled: schema.Accepted, schema.Unknown: schema.Submitted,
}

// archived is what the events in testdata/archive must be read as, by the first
// part of their names.
func archived() map[string]any {
	all := map[string]any{
		"requested": schema.Event{
			Request: *goldenRequest(), ID: "e-1", Time: at, TraceParent: goldenStatus().TraceParent,
		},
		"cancel": *goldenCancel(),
		"request_refused": schema.Status{
			PayoutID: "order-1044", Merchant: "default", Status: "request_refused",
			Reason: &schema.Reason{Code: schema.CodeInvalid, Text: "recipient is missing"}, OccurredAt: at,
			Source: schema.Source{Topic: "payout.requests", Partition: 1, Offset: 12}, Metadata: []byte(`{"a":1}`),
		},
	}
	for status, before := range archivedStatuses {
		s := goldenStatus()
		s.Status, s.PreviousStatus, s.Final = status, before, status.Final()
		if before == "" {
			s.Sequence = 1
		}
		all[string(status)] = *s
	}
	return all
}

// TestArchive: the events in testdata/archive were written by the first version
// of their kind, binary and structured. No test writes there, nor does -rewrite;
// they must be read for ever, as what they were.
func TestArchive(t *testing.T) {
	t.Parallel()
	want, seen := archived(), []string{}
	validate, headers := schematest.Validator(t), schematest.Headers(t)
	files, err := filepath.Glob("testdata/archive/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		m := parseMessage(t, []byte(strings.TrimSuffix(string(text), "\n")))
		kind, mode, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".txt"), "-")
		seen = append(seen, kind+"-"+mode)
		var got any
		switch kind {
		case "requested":
			got, err = schema.DecodeRequest(m, nil)
		case "cancel":
			got, err = schema.DecodeCancel(m)
		default:
			got, err = schema.DecodeStatus(m)
		}
		if diff := cmp.Diff(want[kind], got); diff != "" || err != nil {
			t.Errorf("%s: error %v (-want +got):\n%s", file, err, diff)
		}
		if mode == "v1-binary" {
			if err := validate("payout."+kind+".v1", m.Value); err != nil {
				t.Errorf("%s: %v", file, err)
			}
			if err := headers(schematest.HeadersOf("payout."+kind+".v1"), m.Headers); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		} else if kind == "requested" || kind == "cancel" {
			if err := headers(kind+"Structured", m.Headers); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
	for kind := range want {
		for _, mode := range []string{"v1-binary", "v1-structured"} {
			if !slices.Contains(seen, kind+"-"+mode) {
				t.Errorf("the archive has no %s-%s", kind, mode)
			}
		}
	}
	for _, status := range schema.Statuses {
		if _, ok := archivedStatuses[status]; !ok {
			t.Errorf("the archive has no %s", status)
		}
	}
}

// What toplu writes has the headers that the AsyncAPI document describes, and no
// others of its own.
func TestHeadersAreDescribed(t *testing.T) {
	t.Parallel()
	headers := schematest.Headers(t)
	sealed := letter(schema.EncodeRequest(goldenRequest(), "e-1", at))
	sealed.Key = "default/2026-01"
	for message, m := range map[string]schema.Message{
		"requested":  schema.EncodeRequest(goldenRequest(), "e-1", at),
		"cancel":     schema.EncodeCancel(goldenCancel(), at),
		"status":     schema.EncodeStatus(goldenStatus()),
		"refused":    schema.EncodeRefusal(goldenRefusal()),
		"deadLetter": sealed.Encode(),
	} {
		if err := headers(message, m.Headers); err != nil {
			t.Errorf("%s: %v", message, err)
		}
		more := append(slices.Clone(m.Headers), schema.Header{Key: "toplu-invented", Value: []byte("x")})
		if err := headers(message, more); err == nil {
			t.Errorf("%s: a header that nobody describes is let pass", message)
		}
		if err := headers(message, m.Headers[1:2]); err == nil {
			t.Errorf("%s: headers may be missing", message)
		}
	}
}
