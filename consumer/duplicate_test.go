package consumer_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/toplu/toplu/consumer"
	"github.com/toplu/toplu/schema"
)

// TestDuplicates has a payout id come again, in every position.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	a, other := request("a", 10), request("a", 11)
	tests := map[string]struct {
		cfg     consumer.Config
		first   []schema.Message // one chunk
		second  []schema.Message // two seconds later
		plans   [][]string
		letters []string
	}{
		"same chunk, open batch": {
			cfg: consumer.Config{MaxWait: 10 * time.Second}, first: []schema.Message{a, request("b", 1), a},
			plans: [][]string{{"a", "b"}},
		},
		"same chunk, sealed batch": {
			cfg: consumer.Config{MaxItems: 2, MaxWait: 10 * time.Second}, first: []schema.Message{a, request("b", 1), a, request("c", 1), a},
			plans: [][]string{{"a", "b"}, {"c"}},
		},
		"next chunk, open batch": {
			cfg: consumer.Config{MaxWait: 10 * time.Second}, first: []schema.Message{a}, second: []schema.Message{a, request("b", 1)},
			plans: [][]string{{"a", "b"}},
		},
		"next chunk, in the log": {
			first: []schema.Message{a}, second: []schema.Message{request("b", 1), a},
			plans: [][]string{{"a"}, {"b"}},
		},
		"nothing else": {
			first: []schema.Message{a}, second: []schema.Message{a},
			plans: [][]string{{"a"}},
		},
		"other content, same chunk, open batch": {
			cfg: consumer.Config{MaxWait: 10 * time.Second}, first: []schema.Message{a, request("b", 1), other, request("c", 1)},
			plans: [][]string{{"a", "b"}, {"c"}}, letters: []string{"conflict 0/2"},
		},
		"other content, same chunk, sealed batch": {
			cfg: consumer.Config{MaxItems: 1}, first: []schema.Message{a, other, request("b", 1)},
			plans: [][]string{{"a"}, {"b"}}, letters: []string{"conflict 0/1"},
		},
		"other content, next chunk, open batch": {
			cfg: consumer.Config{MaxWait: 10 * time.Second}, first: []schema.Message{a}, second: []schema.Message{other},
			plans: [][]string{{"a"}}, letters: []string{"conflict 0/1"},
		},
		"other content, next chunk, in the log": {
			first: []schema.Message{a}, second: []schema.Message{request("b", 1), other},
			plans: [][]string{{"a"}, {"b"}}, letters: []string{"conflict 0/2"},
		},
		"other content, then the same again": {
			cfg: consumer.Config{MaxWait: 10 * time.Second}, first: []schema.Message{a, other, a, other, request("b", 1)},
			plans: [][]string{{"a"}, {"b"}}, letters: []string{"conflict 0/1", "conflict 0/3"},
		},
		"other merchant": {
			first: []schema.Message{a, requestOf("a", "m", 10)},
			plans: [][]string{{"a"}}, letters: []string{"conflict 0/1"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(1, 1)
				w.write(0, tt.first...)
				go w.run(t, tt.cfg, time.Minute)
				time.Sleep(2 * time.Second)
				w.write(0, tt.second...)
				time.Sleep(2 * time.Minute)
				if diff := cmp.Diff(tt.plans, w.planned()); diff != "" {
					t.Errorf("plans (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(tt.letters, w.letters()); diff != "" {
					t.Errorf("dead letters (-want +got):\n%s", diff)
				}
				if events := w.events(); len(events) != 0 {
					t.Errorf("a conflict made %d events: it goes to the dead letters alone", len(events))
				}
				if n := int64(len(tt.first) + len(tt.second)); w.offsets()[0] != n {
					t.Errorf("committed %d, want %d", w.offsets()[0], n)
				}
			})
		})
	}
}

// TestDuplicateOfWhatARivalPlanned: while a request and its duplicate wait for
// their batch to be full, another process's plan takes their id with other content.
// Both are conflicts: the first is put aside by the worker that folds its plan, the
// duplicate stands in no plan and is put aside here.
func TestDuplicateOfWhatARivalPlanned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1, 1)
		w.write(0, request("a", 10), request("a", 10))
		go w.run(t, consumer.Config{MaxWait: 10 * time.Second}, time.Minute)
		time.Sleep(2 * time.Second)
		rival := &schema.Plan{Merchant: "default", Currency: schema.TRY, Items: []schema.PlanItem{planItem(t, request("a", 11))}}
		rival.ID = schema.PlanID(rival)
		if err := w.Append(t.Context(), 0, rival); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		if diff := cmp.Diff([]string{"conflict 0/1"}, w.letters()); diff != "" {
			t.Errorf("dead letters (-want +got):\n%s", diff)
		}
		if w.offsets()[0] != 2 {
			t.Errorf("committed %d, want 2", w.offsets()[0])
		}
	})
}

// planItem is a request as an item of a plan.
func planItem(t *testing.T, m schema.Message) schema.PlanItem {
	t.Helper()
	e, err := schema.DecodeRequest(m, &schema.Rules{})
	if err != nil {
		t.Fatal(err)
	}
	return schema.PlanItem{PayoutID: e.Request.PayoutID, Recipient: e.Request.Recipient, Minor: e.Request.Amount.Minor}
}

// TestDuplicateIsNotCommittedBeforeTheFirst: the two stand in different
// partitions, and the plan is not in the log yet.
func TestDuplicateIsNotCommittedBeforeTheFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(2, 1)
		w.write(0, request("a", 1))
		go w.run(t, consumer.Config{MaxWait: 10 * time.Second}, time.Minute)
		time.Sleep(2 * time.Second)
		w.write(1, request("a", 1), request("b", 1))
		time.Sleep(4 * time.Second)
		if offsets := w.offsets(); len(offsets) != 0 {
			t.Errorf("committed %v while nothing is planned", offsets)
		}
		time.Sleep(10 * time.Second)
		if diff := cmp.Diff(map[int]int64{0: 1, 1: 2}, w.offsets()); diff != "" {
			t.Errorf("committed (-want +got):\n%s", diff)
		}
		time.Sleep(time.Minute)
	})
}

// TestTheLogDecidesRivals: between the first request and its rival, another
// process has planned the id with the rival's content.
func TestTheLogDecidesRivals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1, 1)
		w.write(0, request("a", 10))
		go w.run(t, consumer.Config{MaxWait: 10 * time.Second}, time.Minute)
		time.Sleep(time.Second)
		elsewhere := newWorld(1, 1)
		elsewhere.write(0, request("a", 20))
		elsewhere.run(t, consumer.Config{}, time.Second)
		w.mu.Lock()
		w.plans[0] = append(w.plans[0], elsewhere.plans[0]...)
		w.mu.Unlock()
		w.write(0, request("a", 20))
		time.Sleep(2 * time.Minute)
		// The plan of ours owns nothing, which is the worker's to say.
		if diff := cmp.Diff([][]string{{"a"}, {"a"}}, w.planned()); diff != "" {
			t.Errorf("plans (-want +got):\n%s", diff)
		}
		if len(w.letters()) != 0 || w.offsets()[0] != 2 {
			t.Errorf("the rival is the owner's duplicate, but: dead letters %v, committed %d", w.letters(), w.offsets()[0])
		}
	})
}

// TestGarbage stands beside a good request, which is planned.
func TestGarbage(t *testing.T) {
	t.Parallel()
	data := func(s string) []byte {
		return []byte(`{"payoutId":"p-1","merchant":"m","recipient":{"type":"MEMBER_ID","value":"1001","name":"A"},"amount":{"value":` + s + `,"currency":"TRY"}}`)
	}
	tests := map[string]struct {
		value   []byte
		code    string
		refused bool // the payout id could be read
	}{
		"tombstone":         {value: nil, code: schema.CodeEmpty},
		"empty":             {value: []byte{}, code: schema.CodeEmpty},
		"null":              {value: []byte("null"), code: schema.CodeInvalid},
		"not JSON":          {value: []byte("hello"), code: schema.CodeNotJSON},
		"binary":            {value: []byte{0, 0xff, 0xfe, 1, 2, 3}, code: schema.CodeNotJSON},
		"900 kB":            {value: append(data(`"1.00"`), bytes.Repeat([]byte(" "), 900_000)...), code: schema.CodeTooLarge},
		"negative":          {value: data("-5"), code: schema.CodeInvalid, refused: true},
		"too large":         {value: data("1e400"), code: schema.CodeInvalid, refused: true},
		"three decimals":    {value: data(`"1.001"`), code: schema.CodeInvalid, refused: true},
		"unknown merchant":  {value: bytes.Replace(data(`"1.00"`), []byte(`"m"`), []byte(`"nobody"`), 1), code: schema.CodeUnknownMerchant, refused: true},
		"unknown recipient": {value: bytes.Replace(data(`"1.00"`), []byte("MEMBER_ID"), []byte("PIGEON"), 1), code: schema.CodeInvalid, refused: true},
		"no payout id":      {value: []byte("{}"), code: schema.CodeInvalid},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(1, 4)
				bad := schema.Message{Key: []byte("k\x00"), Value: tt.value, Headers: []schema.Header{{Key: "x", Value: []byte{0xff}}, {Key: "x"}}}
				w.write(0, request("good", 1), bad, request("better", 1))
				var log bytes.Buffer
				rules := &schema.Rules{Merchant: func(name string) (schema.MerchantRules, bool) {
					return schema.MerchantRules{Purpose: "SETTLEMENT"}, name == "m" || name == "default"
				}}
				w.run(t, consumer.Config{Rules: rules, Log: zerolog.New(&log)}, time.Second)

				got := slices.Concat(w.planned()...)
				slices.Sort(got)
				if diff := cmp.Diff([]string{"better", "good"}, got); diff != "" || w.offsets()[0] != 3 {
					t.Errorf("planned (-want +got):\n%s; committed %d", diff, w.offsets()[0])
				}
				if len(w.dead) != 1 {
					t.Fatalf("%d dead letters", len(w.dead))
				}
				letter := w.dead[0]
				if !bytes.Equal(letter.Key, bad.Key) || !bytes.Equal(letter.Value, bad.Value) || (letter.Value == nil) != (bad.Value == nil) {
					t.Errorf("key %q and a value of %d bytes are not what came", letter.Key, len(letter.Value))
				}
				if diff := cmp.Diff(bad.Headers, letter.Headers[:2]); diff != "" {
					t.Errorf("headers (-want +got):\n%s", diff)
				}
				reason, _ := letter.Get(schema.HeaderReason)
				if diff := cmp.Diff([]string{tt.code + " 0/1"}, w.letters()); diff != "" || reason == "" {
					t.Errorf("reason %q (-want +got):\n%s", reason, diff)
				}
				if !strings.Contains(log.String(), `"code":"`+tt.code+`"`) {
					t.Errorf("the log says nothing of it: %s", &log)
				}
				checkRefusal(t, w.statuses, tt.refused, tt.code)
			})
		})
	}
}

func checkRefusal(t *testing.T, statuses []schema.Message, want bool, code string) {
	t.Helper()
	if !want {
		if len(statuses) != 0 {
			t.Errorf("%d events about nobody's payout", len(statuses))
		}
		return
	}
	if len(statuses) != 1 {
		t.Fatalf("%d refusal events", len(statuses))
	}
	s, err := schema.DecodeStatus(statuses[0])
	if err != nil || s.Sequence != 0 || s.Status != "request_refused" || s.PayoutID != "p-1" || s.Reason == nil || s.Reason.Code != code ||
		s.Source != (schema.Source{Topic: requestsTopic, Partition: 0, Offset: 1}) {
		t.Errorf("refusal %+v, %v", s, err)
	}
}

// TestNothingPersonal: what a request says about people is in no log line.
func TestNothingPersonal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1, 1)
		w.write(0,
			request("a", 1), request("a", 2),
			schema.Message{Value: []byte(`{"payoutId":"b","recipient":{"type":"IBAN","value":"TR000006100519786457841326","name":"Ayşe Yılmaz"},"amount":{"value":"-1","currency":"TRY"}}`)},
			schema.Message{Value: []byte(`{"payoutId":"c","recipient":{"type":"IBAN","value":"TR000006100519786457841326","name":"Ayşe Yılmaz"},"amount":{"value":"1","currency":"TRY"}}`)},
		)
		var log bytes.Buffer
		w.run(t, consumer.Config{Log: zerolog.New(&log)}, time.Second)
		for _, word := range []string{"Yılmaz", "TR00", "1326", "1001"} {
			if strings.Contains(log.String(), word) {
				t.Errorf("%q is in the log: %s", word, &log)
			}
		}
		for _, word := range []string{`"payout":"a"`, "invalid_request", "odd"} {
			if !strings.Contains(log.String(), word) {
				t.Errorf("%q is not in the log: %s", word, &log)
			}
		}
	})
}

// TestMetrics counts one of each.
func TestMetrics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewRegistry()
		w := newWorld(1, 1)
		w.write(0, request("a", 1), request("b", 1), request("a", 1), request("b", 2), schema.Message{})
		w.run(t, consumer.Config{Metrics: consumer.NewMetrics(registry)}, time.Second)
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		got, zero := make(map[string]int), 0
		for _, f := range families {
			for _, m := range f.GetMetric() {
				words := []string{f.GetName()}
				for _, l := range m.GetLabel() {
					words = append(words, l.GetValue())
				}
				if value := int(m.GetCounter().GetValue() + m.GetGauge().GetValue()); value > 0 || len(words) == 1 {
					got[strings.Join(words, " ")] = value
				} else {
					zero++
				}
			}
		}
		want := map[string]int{
			"toplu_requests_unasked_total": 0, "toplu_requests_read_total": 5, "toplu_requests_refused_total empty": 1, "toplu_requests_odd_total": 0,
			"toplu_requests_duplicate_total": 1, "toplu_requests_cancelled_total": 0, "toplu_requests_parked_total": 0, "toplu_requests_passed_total": 0,
			"toplu_requests_conflict_total":     1,
			"toplu_plans_sealed_total conflict": 1, "toplu_plan_items_total": 2,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if zero < 6 {
			t.Errorf("%d codes are told before the first such request: Prometheus would not see it come", zero)
		}
	})
}
