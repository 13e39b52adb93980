package worker_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

var rewrite = flag.Bool("rewrite", false, "write what the fold of the golden logs makes anew: only before the first release of a version")

// goldenLogs are batches whose records are kept as bytes. What a released
// version has folded, every later one must fold to the same events.
func goldenLogs() map[string][]schema.Record {
	unfunded := about(schema.RecUnknown, 1, "r1")
	unfunded.Reason = &schema.Reason{Code: "insufficient_balance", Text: "iyzico shows INSUFFICIENT_BALANCE"}
	return map[string][]schema.Record{
		"paid":            upTo(completed(1, "r1"), settled(1, "r1", "paid", "returned"), about(schema.RecClosed, 1, "")),
		"rejected":        {creating(1), created(1, "r1", 1), completing(1, "r1"), settled(1, "r1", "paid", "")},
		"fenced-and-paid": fenced(creating(2), created(2, "r2"), completing(2, "r2"), completed(2, "r2"), settled(2, "r2", "paid", "failed")),
		"cancelled":       {creating(1), held(), cancel(0), {Type: schema.RecResumed, Which: []int64{1}, By: "ops"}, creating(2), created(2, "r2"), completing(2, "r2"), settled(2, "r2", "", "paid")},
		"unknown":         upTo(unfunded, decided(schema.VerdictTook), settled(1, "r1", "paid", "paid")),
	}
}

// TestFoldGolden folds logs that are kept as bytes and compares every event they
// make, ids and times included, with the events kept beside them.
func TestFoldGolden(t *testing.T) {
	t.Parallel()
	for name, records := range goldenLogs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := filepath.Join("testdata", "fold", name+".log")
			events := filepath.Join("testdata", "fold", name+".events")
			if *rewrite {
				writeFile(t, log, goldenLog(t, records))
			}
			got := foldLog(t, readFile(t, log))
			if *rewrite {
				writeFile(t, events, got)
			}
			if diff := cmp.Diff(string(readFile(t, events)), string(got)); diff != "" {
				t.Errorf("the fold makes other events than it did (-then +now):\n%s", diff)
			}
		})
	}
}

// goldenLog is a plan and its records, a line each.
func goldenLog(t *testing.T, records []schema.Record) []byte {
	t.Helper()
	p := &schema.Plan{Merchant: "default", Purpose: "SETTLEMENT", Currency: schema.TRY, At: time.Unix(1_700_000_000, 0).UTC()}
	for i, id := range []string{"order-1", "order-2"} {
		p.Items = append(p.Items, schema.PlanItem{
			PayoutID: id, Minor: 10050, Recipient: schema.Recipient{Type: schema.Phone, Value: "+905555555555"}, EventID: "e-" + id,
			Metadata: []byte(`{"orderId":"` + id + `"}`), Source: schema.Source{Topic: "payout.requests", Partition: i, Offset: 7},
		})
	}
	p.ID = schema.PlanID(p)
	line, err := schema.EncodePlan(p)
	if err != nil {
		t.Fatal(err)
	}
	lines := [][]byte{line}
	for i := range records {
		r := records[i]
		r.Batch, r.Plan, r.Session, r.At = p.ID, 7, "s1", p.At.Add(time.Duration(i+1)*time.Second)
		if r.Type == schema.RecCreated {
			r.ExternalID = p.ID + "-1"
		}
		if line, err = schema.EncodeRecord(&r); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return append(bytes.Join(lines, []byte("\n")), '\n')
}

// foldLog is what a log's fold makes: the events of every payout, a line each.
func foldLog(t *testing.T, log []byte) []byte {
	t.Helper()
	lines := bytes.Split(bytes.TrimSpace(log), []byte("\n"))
	rec, err := schema.DecodePlan(lines[0])
	if err != nil {
		t.Fatal(err)
	}
	owners := make([]worker.Owner, len(rec.Plan.Items))
	for i := range owners {
		owners[i].Offset = 7
	}
	story := worker.NewStory(rec.Plan, 7, owners)
	for i, line := range lines[1:] {
		r, err := schema.DecodeRecord(line)
		if err != nil {
			t.Fatal(err)
		}
		if err := story.Add(int64(i), &r, false); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	for i := range rec.Plan.Items {
		for _, s := range story.Statuses(rec.Plan.Items[i].PayoutID) {
			m := schema.EncodeStatus(&s)
			id, _ := m.Get("ce_id")
			out.WriteString(id + " " + string(m.Value) + "\n")
		}
	}
	return out.Bytes()
}

func writeFile(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
