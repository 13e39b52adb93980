package schema_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/schema"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew: only before the first release of a version")

var at = time.Date(2026, 1, 31, 10, 0, 0, 250_000_000, time.UTC)

func goldenPlan() *schema.Plan {
	p := &schema.Plan{
		Merchant: "default", Purpose: "SETTLEMENT", Currency: schema.TRY, At: at,
		Items: []schema.PlanItem{
			{
				PayoutID: "order-1042-seller-77", Minor: 10050,
				Recipient:   schema.Recipient{Type: schema.IBAN, Value: "TR330006100519786457841326", Name: "Ayşe \"A.\" Yılmaz"},
				Description: "Order 1042 <& more>", Metadata: []byte(`{"orderId":"1042"}`), EventID: "e-1\t",
				TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
				Source:      schema.Source{Topic: "payout.requests", Partition: 3, Offset: 1042},
			},
			{
				PayoutID: "order-1043-seller-78", Minor: 1,
				Recipient: schema.Recipient{Type: schema.Phone, Value: "+905555555555"},
				Source:    schema.Source{Topic: "payout.requests", Partition: 0, Offset: 0},
			},
		},
	}
	p.ID = schema.PlanID(p)
	return p
}

// goldenRecords has every field of a [schema.Record] set in some record.
func goldenRecords() []schema.Record {
	const (
		batch   = "mfrggzdfmztwq2lknnwg23tp"
		request = "79cdefc1-3ce6-4f51-bdd9-0c050274db64"
	)
	fee := int64(2000)
	of := func(typ schema.RecordType, more schema.Record) schema.Record {
		more.Type, more.At = typ, at
		if typ != schema.RecGenesis && typ != schema.RecFloor {
			more.Session = "s7k2"
		}
		return more
	}
	attempt := func(typ schema.RecordType, more schema.Record) schema.Record {
		more.Batch, more.Plan, more.Attempt = batch, 12, 1
		return of(typ, more)
	}
	return []schema.Record{
		of(schema.RecGenesis, schema.Record{LogID: "log-1"}),
		of(schema.RecEpoch, schema.Record{Epoch: "e2", Previous: "e1"}),
		of(schema.RecCheckpoint, schema.Record{LogID: "log-1", Epoch: "e2", Checkpoint: &schema.Checkpoint{
			PlanOffset: 14, JournalOffset: 90, Commands: 11, Quarantined: []int64{6},
			Open:    []schema.OpenBatch{{Plan: 12, Records: []int64{70, 71}}, {Plan: 13}},
			Waiting: []schema.OffsetRange{{From: 9, To: 11}}, Pauses: []int64{60},
		}}),
		attempt(schema.RecCreating, schema.Record{}),
		attempt(schema.RecCreated, schema.Record{
			ExternalID: batch + "-1", RequestID: request,
			Invalid: []schema.InvalidItem{{Item: 0, Code: "2030", Text: "IBAN geçersiz"}, {Item: 3}},
		}),
		attempt(schema.RecRefused, schema.Record{Reason: &schema.Reason{Code: "11", Text: "Geçersiz istek"}}),
		attempt(schema.RecAbandoned, schema.Record{Reason: &schema.Reason{Code: "request_id_lost"}}),
		attempt(schema.RecCompleting, schema.Record{RequestID: request}),
		attempt(schema.RecCompleted, schema.Record{RequestID: request}),
		attempt(schema.RecFencing, schema.Record{RequestID: request}),
		attempt(schema.RecDead, schema.Record{RequestID: request}),
		attempt(schema.RecSettled, schema.Record{RequestID: request, Items: []schema.ItemChange{
			{Item: 0, Status: schema.Paid, Reference: "a97b142a", Commission: &fee},
			{Item: 1, Status: schema.Failed, Code: "bank", Text: "closed <account>"},
		}}),
		attempt(schema.RecUnknown, schema.Record{RequestID: request, Reason: &schema.Reason{Code: "auth", Text: "connection cut"}}),
		of(schema.RecHeld, schema.Record{Batch: batch, Plan: 12, Hold: schema.HoldMismatch, Reason: &schema.Reason{Code: "amount"}}),
		of(schema.RecResumed, schema.Record{Batch: batch, Plan: 12, Which: []int64{70}, By: "oncall", Command: 9}),
		of(schema.RecCancel, schema.Record{Batch: batch, Plan: 12, Only: []int{0, 2}, By: "oncall", Command: 10}),
		attempt(schema.RecDecided, schema.Record{RequestID: request, Verdict: schema.VerdictDead, By: "oncall", Reason: &schema.Reason{Code: "letter", Text: "ticket 7"}}),
		of(schema.RecPaused, schema.Record{Scope: "default", By: "oncall"}),
		of(schema.RecClosed, schema.Record{Batch: batch, Plan: 12}),
		of(schema.RecQuarantined, schema.Record{Plan: 12, By: "oncall", Command: 12, Reason: &schema.Reason{Code: "command", Text: "written by hand"}}),
		of(schema.RecFloor, schema.Record{Floors: []schema.Floor{{Topic: "payout.requests", Partition: 3, Offset: 1043, Era: 1}}}),
		of(schema.RecNoted, schema.Record{By: "oncall", Command: 11, Reason: &schema.Reason{Code: "not_held", Text: "the batch has no hold"}}),
	}
}

// laterRecords are records of a type that has a golden file already, with fields
// that came later: the older bytes must be read for ever.
func laterRecords() map[string]schema.Record {
	floor := schema.Floor{Topic: "payout.requests", Partition: 3, Offset: 1043, Answered: 1000, Era: 1}
	return map[string]schema.Record{
		"checkpoint-floors": {Type: schema.RecCheckpoint, At: at, Session: "s7k2", LogID: "log-1", Epoch: "e2", Checkpoint: &schema.Checkpoint{
			PlanOffset: 14, JournalOffset: 90, Floors: []schema.Floor{floor},
		}},
		"floor-accepted": {
			Type: schema.RecFloor, At: at, Session: "s7k2", By: "oncall", Command: 13, Reason: &schema.Reason{Code: "command", Text: "made anew"},
			Floors: []schema.Floor{{Topic: "payout.requests", Partition: 3, Offset: 7}},
		},
		"floor-skipped": {
			Type: schema.RecFloor, At: at, Floors: []schema.Floor{{Topic: "payout.requests", Partition: 3, Offset: 1043, Era: 1, Skipped: true}},
		},
		"genesis-closed": {Type: schema.RecGenesis, At: at, LogID: "log-2", Reason: &schema.Reason{Code: schema.ReasonRestored, Text: "Redis knows log-1"}},
	}
}

func goldenImport() *schema.Imported {
	return &schema.Imported{By: "oncall", Reason: "paid by hand", At: at, Items: []schema.Import{
		{PayoutID: "order-1042-seller-77", Content: "0102030405060708090a0b0c"}, {PayoutID: "order-1043-seller-78"},
	}}
}

func goldenStatus() *schema.Status {
	return &schema.Status{
		PayoutID: "order-1042-seller-77", Merchant: "default", Sequence: 3, PreviousStatus: schema.Submitted, Status: schema.Paid, Final: true,
		BatchID: "mfrggzdfmztwq2lknnwg23tp", RequestID: "79cdefc1-3ce6-4f51-bdd9-0c050274db64", ReferenceCode: "a97b142a",
		Amount: schema.Amount{Minor: 10050, Currency: schema.TRY}, Commission: &schema.Amount{Minor: 2000, Currency: schema.TRY},
		Reason: &schema.Reason{Code: "report", Text: "SUCCESS"}, OccurredAt: at,
		Source:      schema.Source{Topic: "payout.requests", Partition: 3, Offset: 1042},
		Metadata:    json.RawMessage(`{"orderId":"1042"}`),
		TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	}
}

func goldenRefusal() *schema.Refusal {
	return &schema.Refusal{
		PayoutID: "order-1044", Merchant: "default", Reason: schema.Reason{Code: schema.CodeInvalid, Text: "recipient is missing"},
		OccurredAt: at, Source: schema.Source{Topic: "payout.requests", Partition: 1, Offset: 12}, Metadata: json.RawMessage(`{"a":1}`),
	}
}

func goldenRequest() *schema.Request {
	return &schema.Request{
		PayoutID: "order-1042-seller-77", Merchant: "default", Purpose: "SETTLEMENT",
		Recipient: schema.Recipient{Type: schema.IBAN, Value: "TR330006100519786457841326", Name: "Ayşe Yılmaz"},
		Amount:    schema.Amount{Minor: 10050, Currency: schema.TRY}, Description: "Order 1042",
		Metadata: json.RawMessage(`{"orderId":"1042"}`),
	}
}

// checkGolden compares got with testdata/name, and returns the file.
func checkGolden(t *testing.T, name string, got []byte) []byte {
	t.Helper()
	path := filepath.Join("testdata", filepath.FromSlash(name))
	if *rewrite {
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(got, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want = bytes.TrimSuffix(want, []byte{'\n'})
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
	return want
}

// message writes a message as text: key, headers, an empty line, the value.
func message(m schema.Message) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n", m.Key)
	for _, h := range m.Headers {
		fmt.Fprintf(&b, "%s: %s\n", h.Key, h.Value)
	}
	fmt.Fprintf(&b, "\n%s", m.Value)
	return b.Bytes()
}

// parseMessage reads what message wrote.
func parseMessage(t *testing.T, text []byte) schema.Message {
	t.Helper()
	head, value, ok := strings.Cut(string(text), "\n\n")
	if !ok {
		t.Fatal("no empty line")
	}
	lines := strings.Split(head, "\n")
	m := schema.Message{Key: []byte(lines[0]), Value: []byte(value)}
	for _, l := range lines[1:] {
		k, v, _ := strings.Cut(l, ": ")
		m.Headers = append(m.Headers, schema.Header{Key: k, Value: []byte(v)})
	}
	return m
}
