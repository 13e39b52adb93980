package producer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/goleak"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/producer"
	"github.com/toplu/toplu/schema"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

const partitions = 4

// cluster starts an in-process Kafka with the topic.
func cluster(t *testing.T) (brokers []string) {
	t.Helper()
	k, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(partitions, "payout.requests"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k.ListenAddrs()
}

func newProducer(t *testing.T, cfg producer.Config) *producer.Producer {
	t.Helper()
	p, err := producer.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// readAll reads the topic as toplu does.
func readAll(t *testing.T, brokers []string) (records []kafkaio.Record) {
	t.Helper()
	c, err := kafkaio.Dial(kafkaio.Config{Brokers: brokers})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	bounds, err := c.Offsets(t.Context(), "payout.requests")
	if err != nil {
		t.Fatal(err)
	}
	for p, b := range bounds {
		for r := c.NewReader("payout.requests", p, b.Start, kafkaio.ReaderOptions{}); r.Offset() < b.End; {
			batch, err := r.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			records = append(records, batch.Records...)
		}
	}
	return records
}

func decode(t *testing.T, r kafkaio.Record) schema.Event {
	t.Helper()
	e, err := schema.DecodeRequest(r.Message(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func good(id string) producer.Request {
	return producer.Request{
		PayoutID: id, Amount: "100.5", Currency: schema.TRY,
		Recipient: schema.Recipient{Type: schema.IBAN, Value: "TR33 0006 1005 1978 6457 8413 26", Name: "Ayşe Yılmaz"},
	}
}

func TestPublish(t *testing.T) {
	t.Parallel()
	brokers := cluster(t)
	p := newProducer(t, producer.Config{Brokers: brokers})
	whole := producer.Request{
		PayoutID: "whole", Merchant: "m", Purpose: "SALARY", Amount: "0.01", Currency: schema.EUR, Description: `A "line"`,
		Recipient: schema.Recipient{Type: schema.Phone, Value: "+905350000000"},
		Metadata:  map[string]string{"orderId": "1042"}, EventID: "event-1",
	}
	if err := p.Publish(t.Context(), good("plain"), whole); err != nil {
		t.Fatal(err)
	}
	if err := p.Publish(t.Context(), good("plain")); err != nil {
		t.Fatal(err)
	}
	var ids []string
	got := make(map[string]schema.Request)
	for _, r := range readAll(t, brokers) {
		e := decode(t, r)
		ids = append(ids, e.ID)
		got[e.Request.PayoutID] = e.Request
		if string(r.Key) != e.Request.PayoutID || r.Partition != schema.Shard(e.Request.PayoutID, partitions) {
			t.Errorf("%s has key %q and is in partition %d", e.Request.PayoutID, r.Key, r.Partition)
		}
		if e.Time.IsZero() {
			t.Errorf("%s has no time", e.Request.PayoutID)
		}
	}
	want := map[string]schema.Request{
		"plain": {
			PayoutID: "plain", Merchant: "default", Amount: schema.Amount{Minor: 10050, Currency: schema.TRY},
			Recipient: schema.Recipient{Type: schema.IBAN, Value: "TR330006100519786457841326", Name: "Ayşe Yılmaz"},
		},
		"whole": {
			PayoutID: "whole", Merchant: "m", Purpose: "SALARY", Amount: schema.Amount{Minor: 1, Currency: schema.EUR},
			Description: `A "line"`, Metadata: []byte(`{"orderId":"1042"}`),
			Recipient: schema.Recipient{Type: schema.Phone, Value: "+905350000000"},
		},
	}
	same := cmp.Comparer(func(a, b schema.Private) bool { return a.Reveal() == b.Reveal() })
	if diff := cmp.Diff(want, got, same); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	slices.Sort(ids)
	if len(ids) != 3 || ids[0] != ids[1] || ids[2] != "event-1" {
		t.Errorf("event ids %v: the same request must be the same event", ids)
	}
}

func TestPublishNothing(t *testing.T) {
	t.Parallel()
	p := newProducer(t, producer.Config{Brokers: []string{"127.0.0.1:1"}, Timeout: time.Second})
	if err := p.Publish(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestInvalid(t *testing.T) {
	t.Parallel()
	brokers := cluster(t)
	p := newProducer(t, producer.Config{Brokers: brokers, CheckDigits: schema.CheckStrict})
	negative, digits, other := good("negative"), good("digits"), good("twice")
	negative.Amount, negative.Currency, negative.Recipient.Name = "-1", "GBP", ""
	digits.Recipient.Value = "TR330006100519786457841327"
	other.Amount = "7"
	spaced, event := good("TR330006100519786457841326 "), good("event")
	event.EventID = "line\nbreak"
	err := p.Publish(t.Context(), good("fine"), negative, producer.Request{}, digits, good("twice"), other, good("twice"), spaced, event)
	invalid, ok := errors.AsType[*producer.InvalidError](err)
	if !ok {
		t.Fatalf("published with %v", err)
	}
	type line struct {
		Index    int
		PayoutID string
		Fields   string
	}
	var got []line
	for _, r := range invalid.Requests {
		var fields []string
		for _, problem := range r.Problems {
			fields = append(fields, problem.Field)
		}
		got = append(got, line{r.Index, r.PayoutID, strings.Join(fields, " ")})
	}
	want := []line{
		{1, "negative", "recipient.name amount.value amount.currency"},
		{2, "", "payoutId recipient.type recipient.value amount.value amount.currency"},
		{3, "digits", "recipient.value"},
		{5, "twice", "payoutId"},
		{7, "", "payoutId"},
		{8, "event", "id"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, private := range []string{"TR33", "Yılmaz", "8413"} {
		if strings.Contains(err.Error(), private) {
			t.Errorf("%q is in: %v", private, err)
		}
	}
	if !strings.Contains(err.Error(), "request 1 (negative): recipient.name") {
		t.Errorf("the text names nothing: %v", err)
	}
	if n := len(readAll(t, brokers)); n != 0 {
		t.Errorf("%d requests of the call were sent", n)
	}
}

// What is not UTF-8 is refused: mended, it would be another name.
func TestBrokenEncoding(t *testing.T) {
	t.Parallel()
	const ayse = "Ay\xfee" // Ayşe in Windows-1254
	for field, spoil := range map[string]func(*producer.Request){
		"payoutId":        func(r *producer.Request) { r.PayoutID = ayse },
		"merchant":        func(r *producer.Request) { r.Merchant = ayse },
		"purpose":         func(r *producer.Request) { r.Purpose = ayse },
		"recipient.type":  func(r *producer.Request) { r.Recipient.Type = ayse },
		"recipient.value": func(r *producer.Request) { r.Recipient.Value = ayse },
		"recipient.name":  func(r *producer.Request) { r.Recipient.Name = ayse },
		"amount.value":    func(r *producer.Request) { r.Amount = ayse },
		"amount.currency": func(r *producer.Request) { r.Currency = ayse },
		"description":     func(r *producer.Request) { r.Description = ayse },
		"metadata":        func(r *producer.Request) { r.Metadata = map[string]string{"a": "b", "name": ayse} },
		"id":              func(r *producer.Request) { r.EventID = ayse },
	} {
		brokers := cluster(t)
		r := good("a")
		spoil(&r)
		err := newProducer(t, producer.Config{Brokers: brokers}).Publish(t.Context(), r)
		invalid, ok := errors.AsType[*producer.InvalidError](err)
		if !ok || len(invalid.Requests[0].Problems) != 1 || invalid.Requests[0].Problems[0].Field != field || strings.Contains(err.Error(), "Ay") {
			t.Errorf("%s: %v", field, err)
		}
		if n := len(readAll(t, brokers)); n != 0 {
			t.Errorf("%s: %d were sent", field, n)
		}
	}
}

func TestManyInvalid(t *testing.T) {
	t.Parallel()
	p := newProducer(t, producer.Config{Brokers: []string{"127.0.0.1:1"}})
	err := p.Publish(t.Context(), make([]producer.Request, 500)...)
	if text := fmt.Sprint(err); !strings.Contains(text, "and 490 more") || len(text) > 5000 {
		t.Errorf("%d bytes: %v", len(text), err)
	}
}

func TestNothingPrivatePrints(t *testing.T) {
	t.Parallel()
	r := good("a")
	r.Description = "Rent of Ayşe"
	if text := fmt.Sprintf("%v %+v %#v", r, r, &r); strings.Contains(text, "TR33") || strings.Contains(text, "Ayşe") {
		t.Errorf("it prints %s", text)
	}
}

func TestTopicMissing(t *testing.T) {
	t.Parallel()
	p := newProducer(t, producer.Config{Brokers: cluster(t), Topic: "payout.requets", Timeout: time.Second})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := p.Publish(ctx, good("a")); !errors.Is(err, producer.ErrTopicMissing) || ctx.Err() != nil || !strings.Contains(err.Error(), "producer: a: ") {
		t.Errorf("published with %v", err)
	}
}

// TestClusterAway: it goes on trying until the context ends, and says what is
// in the way.
func TestClusterAway(t *testing.T) {
	t.Parallel()
	p := newProducer(t, producer.Config{Brokers: []string{"127.0.0.1:1"}, Timeout: 100 * time.Millisecond})
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	err := p.Publish(ctx, good("a"))
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "127.0.0.1:1") || !strings.Contains(err.Error(), "producer: a: ") || ctx.Err() == nil {
		t.Errorf("published with %v", err)
	}
}

// TestManyAtOnce: more than fit into a record batch of Kafka's arrive, each once,
// and the requests of one payout in the order of the call.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	brokers := cluster(t)
	p := newProducer(t, producer.Config{Brokers: brokers, Source: "/shop/orders"})
	var requests []producer.Request
	for i := range 6000 {
		r := good(fmt.Sprintf("payout-%d", i))
		if i%3 == 0 {
			r.PayoutID = "again"
		}
		r.EventID = fmt.Sprintf("event-%04d", i)
		r.Metadata = map[string]string{"large": strings.Repeat("x", 1800)}
		requests = append(requests, r)
	}
	if err := p.Publish(t.Context(), requests...); err != nil {
		t.Fatal(err)
	}
	seen, bytes, last := map[string]bool{}, map[int]int{}, ""
	for _, r := range readAll(t, brokers) {
		e := decode(t, r)
		seen[e.ID] = true
		bytes[r.Partition] += len(r.Value)
		if e.Request.PayoutID == "again" {
			if e.ID <= last {
				t.Errorf("%s came after %s", e.ID, last)
			}
			last = e.ID
		}
		if source, _ := r.Message().Get("ce_source"); source != "/shop/orders" {
			t.Fatalf("source %q", source)
		}
	}
	if len(seen) != len(requests) {
		t.Errorf("%d of %d arrived", len(seen), len(requests))
	}
	for partition, n := range bytes {
		if n <= 1<<20 {
			t.Errorf("partition %d got %d bytes: that is one batch", partition, n)
		}
	}
}

// What a closed producer and a request that is too large fail with can be told.
func TestErrors(t *testing.T) {
	t.Parallel()
	p := newProducer(t, producer.Config{Brokers: cluster(t)})
	p.Close()
	if err := p.Publish(t.Context(), good("a"), good("b")); !errors.Is(err, producer.ErrClosed) || !strings.Contains(err.Error(), "a, b") {
		t.Errorf("of a closed one: %v", err)
	}
	many := make([]producer.Request, 13)
	for i := range many {
		many[i] = good(fmt.Sprintf("p%d", i))
	}
	if err := p.Publish(t.Context(), many...); err == nil || !strings.Contains(err.Error(), "p9 and 3 more: ") {
		t.Errorf("of many: %v", err)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for _, brokers := range [][]string{nil, {"localhost"}} {
		if _, err := producer.New(producer.Config{Brokers: brokers}); err == nil {
			t.Errorf("brokers %v are fine", brokers)
		}
	}
	if _, err := producer.New(producer.Config{Brokers: []string{"127.0.0.1:1"}, Source: "my shop"}); err == nil {
		t.Error("a source with a blank is fine")
	}
}
