package app_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema"
)

func goodLine(id string) string {
	return fmt.Sprintf(`{"payoutId":%q,"recipient":{"type":"PHONE","value":"+90 535 000 00 00","name":"Ayşe"},"amount":{"value":100.5,"currency":"TRY"}}`+"\n", id)
}

type sendReport struct {
	File                 string
	Topics               map[string]int
	Requests, Duplicates int
	Totals               map[string]string
	DryRun               bool
	Sent                 int
	Bad, Warnings        []struct {
		Line     int
		Problems []string
	}
}

// sent reads all requests back from every partition.
func sent(t *testing.T, env map[string]string) (records []kafkaio.Record, events []schema.Event) {
	t.Helper()
	cfg, client := kafkaOf(t, env)
	records = recordsOf(t, client, cfg.Kafka.Topics().Requests)
	for _, r := range records {
		e, err := schema.DecodeRequest(r.Message(), cfg.Rules())
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	return records, events
}

func TestSendTwiceIsTheSameEvents(t *testing.T) {
	t.Parallel()
	env := fakeKafka(t)
	run(t, env, "", "topics", "create").want(t, 0, "created topic payout.requests", "")
	path := file(t, "payouts.csv", "\ufeffpayoutId;amount;currency;recipientType;recipientValue;recipientName;merchant;metadata.orderId;description\r\n"+
		"order-1;1.100,5;TRY;PHONE;+905350000000;;;;\r\n")
	run(t, env, "", "send", path).want(t, 1, "", "line 2: amount.value must be a plain decimal such as 100.50")

	path = file(t, "payouts.csv", "\ufeffpayoutId;amount;currency;recipientType;recipientValue;recipientName;merchant;metadata.orderId;description\r\n"+
		"order-1;100.5;TRY;PHONE;+905350000000;;;;\r\n"+
		"order-2;0.01;TRY;IBAN;tr33 0006 1005 1978 6457 8413 26;Ayşe Yılmaz;default;1042;\"a; \"\"b\"\"\"\r\n")
	// A sender that knows the merchants, and so their default purposes, sends
	// the same events as one that does not.
	for _, env := range []map[string]string{env, plus(env, "TOPLU_MERCHANTS_DEFAULT_APIKEYFILE=/not/read/by/send")} {
		r := run(t, env, "", "send", path)
		r.want(t, 0, "2 requests (100.51 TRY) sent to payout.requests", "")
		if r.errors != "" {
			t.Errorf("no progress may be shown in a pipe, got %q", r.errors)
		}
	}
	records, events := sent(t, env)
	if len(events) != 4 {
		t.Fatalf("%d events", len(events))
	}
	ids := map[string]string{}
	for i, e := range events {
		id := e.Request.PayoutID
		if known, again := ids[id]; again && known != e.ID || e.ID == "" {
			t.Errorf("%s was sent as events %q and %q", id, known, e.ID)
		}
		ids[id] = e.ID
		if string(records[i].Key) != id || records[i].Partition != kafkaio.PartitionFor([]byte(id), 4) {
			t.Errorf("%s has key %q in partition %d", id, records[i].Key, records[i].Partition)
		}
		if id != "order-2" {
			continue
		}
		want := schema.Request{
			PayoutID: id, Merchant: "default", Recipient: schema.Recipient{Type: schema.IBAN, Value: "TR330006100519786457841326", Name: "Ayşe Yılmaz"},
			Amount: schema.Amount{Minor: 1, Currency: schema.TRY}, Description: `a; "b"`, Metadata: []byte(`{"orderId":"1042"}`),
		}
		if diff := cmp.Diff(want, e.Request); diff != "" {
			t.Error(diff)
		}
	}
	if len(ids) != 2 || ids["order-1"] == ids["order-2"] {
		t.Errorf("ids %v", ids)
	}
}

func TestSendNamesEveryBadLineAndSendsNothing(t *testing.T) {
	t.Parallel()
	env := plus(fakeKafka(t), "TOPLU_MERCHANTS_DEFAULT_APIKEYFILE=/not/read/by/send")
	run(t, env, "", "topics", "create").want(t, 0, "", "")
	lines := strings.Join([]string{
		strings.TrimSpace(goodLine("a")),
		`{"payoutId":"no spaces please","recipient":{"type":"PHONE","value":"12 hush"},"amount":{"value":"1e400","currency":"GBP"}}`,
		``,
		`{"payoutId":`,
		strings.TrimSpace(goodLine("a")),
		strings.ReplaceAll(strings.TrimSpace(goodLine("a")), "100.5", "100.51"),
		strings.TrimSuffix(strings.TrimSpace(goodLine("b")), "}") + `,"merchant":"other"}`,
	}, "\n")
	r := run(t, env, lines, "send", "-", "--json")
	report := decode[sendReport](t, r)
	if r.code != 1 || report.Sent != 0 || report.Requests != 1 || report.Duplicates != 1 || len(report.Bad) != 4 {
		t.Fatalf("got %+v", r)
	}
	want := map[int]string{2: "amount.currency", 4: "not the JSON", 6: "payoutId is that of line 1", 7: "merchant is not one of this installation's merchants"}
	for _, bad := range report.Bad {
		if !strings.Contains(strings.Join(bad.Problems, "; "), want[bad.Line]) || want[bad.Line] == "" {
			t.Errorf("line %d: %v", bad.Line, bad.Problems)
		}
	}
	if len(report.Bad[0].Problems) != 4 {
		t.Errorf("line 2 has four mistakes, got %v", report.Bad[0].Problems)
	}
	if strings.Contains(r.out+r.errors, "hush") {
		t.Error("a recipient is shown")
	}
	text := run(t, env, lines, "send", "-")
	text.want(t, 1, "", "line 6: payoutId is that of line 1")
	text.want(t, 1, "", "-: 4 bad lines; nothing was sent")
	if _, events := sent(t, env); len(events) != 0 {
		t.Errorf("%d events were sent", len(events))
	}
}

func TestSendDryRunNeedsNoKafka(t *testing.T) {
	t.Parallel()
	env := map[string]string{"TOPLU_KAFKA_BROKERS": "127.0.0.1:1"}
	r := run(t, env, goodLine("a")+goodLine("a")+goodLine("b"), "send", "--dry-run", "-")
	r.want(t, 0, "-: 2 requests (201.00 TRY), 1 repeated in the file; all are fine, nothing was sent", "")
}

func TestSendWrongInput(t *testing.T) {
	t.Parallel()
	env := map[string]string{"TOPLU_KAFKA_BROKERS": "127.0.0.1:1"}
	tests := map[string]struct{ input, want string }{
		"nothing":       {"", "there is nothing in it"},
		"Windows-1254":  {"payoutId;recipientType;recipientValue;recipientName;amount;currency\na;IBAN;hush;Ay\xfee Y\xfdlmaz;1;TRY\nb;IBAN;hush;Ali;1;TRY\nc;IBAN;hush;\xd6zg\xfcr;1;TRY\n", "line 2 is not UTF-8 (2 of 4 lines are not): it may be Windows-1254"},
		"UTF-16":        {"\xff\xfep\x00a\x00y\x00", "it is UTF-16"},
		"only a header": {"payoutId,recipientType,recipientValue,amount,currency\n", "there are no requests in it"},
		"header":        {"payoutId,recipientTyp,amount,amount,currency\n", `there is no column recipientType; there is no column recipientValue; column "recipientTyp" is not known; column "amount" is there twice; the columns are payoutId, merchant`},
		"short row":     {"payoutId,recipientType,recipientValue,amount,currency\na,PHONE\n", "line 2: has 2 columns, and the header has 5"},
		"quotes":        {"payoutId,recipientType,recipientValue,amount,currency\na,PHO\"NE,hush,1,TRY\nb,IBAN,hush,x,TRY\n", "line 2: bare \""},
		"after quotes":  {"payoutId,recipientType,recipientValue,amount,currency\na,PHO\"NE,hush,1,TRY\nb,PHONE,+905350000000,x,TRY\n", "line 3: amount.value"},
		"second line of a cell": {
			"payoutId,recipientType,recipientValue,amount,currency,metadata.x\na,PHONE,+905350000000,1,TRY,\"1\n2\"\nb,PHONE,+905350000000,x,TRY,\n", "line 4: amount.value",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := run(t, env, tt.input, "send", "-", "--dry-run")
			r.want(t, 1, "", tt.want)
			if strings.Contains(r.errors, "hush") {
				t.Errorf("a recipient is shown: %s", r.errors)
			}
		})
	}
	run(t, env, "", "send", "/not/there.csv").want(t, 1, "", "toplu: open /not/there.csv")
}

func TestSendWithoutTopics(t *testing.T) {
	t.Parallel()
	env := plus(fakeKafka(t), "TOPLU_KAFKA_TIMEOUT=500ms")
	run(t, env, goodLine("a"), "send", "-").want(t, 1, "", "To create what is missing: toplu topics create")
}

func TestSendManyKeepsOrder(t *testing.T) {
	t.Parallel()
	env := fakeKafka(t)
	run(t, env, "", "topics", "create", "--partitions", "1").want(t, 0, "", "")
	var lines strings.Builder
	for i := range 2500 {
		lines.WriteString(goodLine(fmt.Sprintf("p-%04d", i)))
	}
	run(t, env, lines.String(), "send", "-").want(t, 0, "2500 requests (251250.00 TRY) sent", "")
	_, events := sent(t, env)
	for i, e := range events {
		if want := fmt.Sprintf("p-%04d", i); e.Request.PayoutID != want {
			t.Fatalf("event %d is %s, want %s", i, e.Request.PayoutID, want)
		}
	}
	if len(events) != 2500 {
		t.Errorf("%d events", len(events))
	}
}
