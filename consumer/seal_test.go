package consumer_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/consumer"
	"github.com/toplu/toplu/schema"
)

func TestSealing(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		cfg      consumer.Config
		requests []schema.Message
		early    [][]string // in the log at once
		late     [][]string // in the log after the age, too
	}{
		"by items": {
			cfg:      consumer.Config{MaxItems: 3, MaxWait: time.Minute},
			requests: requests(0, 7),
			early:    [][]string{ids(0, 3), ids(3, 3)},
			late:     [][]string{ids(0, 3), ids(3, 3), ids(6, 1)},
		},
		"by age, and not before": {
			cfg:      consumer.Config{MaxWait: time.Minute},
			requests: requests(0, 5),
			late:     [][]string{ids(0, 5)},
		},
		"after every chunk": {
			requests: requests(0, 5),
			early:    [][]string{ids(0, 5)},
			late:     [][]string{ids(0, 5)},
		},
		"by an amount that would be exceeded": {
			cfg:      consumer.Config{MaxAmount: 2500, MaxWait: time.Minute},
			requests: requests(0, 5),
			early:    [][]string{ids(0, 2), ids(2, 2)},
			late:     [][]string{ids(0, 2), ids(2, 2), ids(4, 1)},
		},
		"by an amount that is reached": {
			cfg:      consumer.Config{MaxAmount: 2000, MaxWait: time.Minute},
			requests: requests(0, 4),
			early:    [][]string{ids(0, 2), ids(2, 2)},
			late:     [][]string{ids(0, 2), ids(2, 2)},
		},
		"a payout above the amount stands alone": {
			cfg:      consumer.Config{MaxAmount: 2500, MaxWait: time.Minute},
			requests: []schema.Message{request("a", 10), request("large", 100), request("b", 10)},
			early:    [][]string{{"a"}, {"large"}},
			late:     [][]string{{"a"}, {"large"}, {"b"}},
		},
		"merchants apart, each in order of arrival": {
			cfg: consumer.Config{MaxItems: 2, MaxWait: time.Minute},
			requests: []schema.Message{
				requestOf("a1", "a", 1), requestOf("b1", "b", 1), requestOf("b2", "b", 1), requestOf("a2", "a", 1), requestOf("a3", "a", 1),
			},
			early: [][]string{{"b1", "b2"}, {"a1", "a2"}},
			late:  [][]string{{"b1", "b2"}, {"a1", "a2"}, {"a3"}},
		},
		"a merchant by its own policy": {
			cfg: consumer.Config{MaxItems: 2, MaxWait: time.Minute, Merchants: map[string]consumer.Policy{
				"a": {MaxItems: 3, MaxWait: 10 * time.Second}, "b": {MaxAmount: 15000, MaxWait: time.Minute},
			}},
			requests: []schema.Message{
				requestOf("a1", "a", 1), requestOf("a2", "a", 1), requestOf("a3", "a", 1), requestOf("a4", "a", 1), requestOf("b1", "b", 100), requestOf("b2", "b", 100),
			},
			early: [][]string{{"a1", "a2", "a3"}, {"b1"}, {"a4"}},
			late:  [][]string{{"a1", "a2", "a3"}, {"b1"}, {"a4"}, {"b2"}},
		},
		"the oldest makes room": {
			cfg:      consumer.Config{MaxOpen: 2, MaxWait: time.Minute},
			requests: []schema.Message{requestOf("a", "a", 1), requestOf("b", "b", 1), requestOf("c", "c", 1)},
			early:    [][]string{{"a"}},
			late:     [][]string{{"a"}, {"b"}, {"c"}},
		},
		"too many without an answer": {
			cfg:      consumer.Config{MaxUnanswered: 3, MaxWait: time.Minute},
			requests: []schema.Message{requestOf("a", "a", 1), requestOf("b", "b", 1), requestOf("a2", "a", 1), requestOf("b2", "b", 1)},
			early:    [][]string{{"a", "a2"}},
			late:     [][]string{{"a", "a2"}, {"b", "b2"}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(1, 1)
				w.write(0, tt.requests...)
				go w.run(t, tt.cfg, 2*time.Minute)
				time.Sleep(59 * time.Second)
				if diff := cmp.Diff(tt.early, w.planned()); diff != "" {
					t.Errorf("before the age (-want +got):\n%s", diff)
				}
				time.Sleep(2 * time.Second)
				if diff := cmp.Diff(tt.late, w.planned()); diff != "" {
					t.Errorf("after the age (-want +got):\n%s", diff)
				}
				if n := int64(len(tt.requests)); w.offsets()[0] != n {
					t.Errorf("committed %d, want %d", w.offsets()[0], n)
				}
				time.Sleep(2 * time.Minute)
			})
		})
	}
}

// TestCutOffSeals: what comes before the cut-off is sealed by then and does not
// wait; what comes after waits for the opening, in a batch of its own.
func TestCutOffSeals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1, 1)
		midnight := time.Now().UTC().Truncate(24 * time.Hour)
		cut := &consumer.CutOff{Opens: 0, Closes: 1, Zone: time.UTC, Days: []time.Weekday{0, 1, 2, 3, 4, 5, 6}}
		go w.run(t, consumer.Config{Merchants: map[string]consumer.Policy{"a": {MaxWait: 40 * time.Second, CutOff: cut}}}, 10*time.Minute)
		time.Sleep(30 * time.Second)
		w.write(0, requestOf("before", "a", 1))
		time.Sleep(31 * time.Second)
		w.write(0, requestOf("after", "a", 1))
		time.Sleep(time.Minute)
		if diff := cmp.Diff([][]string{{"before"}, {"after"}}, w.planned()); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
		plans := w.log()
		if !plans[0].NotBefore.IsZero() || plans[0].At.After(midnight.Add(61*time.Second)) {
			t.Errorf("what came before the cut-off was sealed at %v and waits until %v", plans[0].At, plans[0].NotBefore)
		}
		if want := midnight.Add(24 * time.Hour); !plans[1].NotBefore.Equal(want) {
			t.Errorf("what came after waits until %v, want %v", plans[1].NotBefore, want)
		}
		time.Sleep(10 * time.Minute)
	})
}

// TestAgeCountsFromTheFirstItem: later items do not make a batch younger.
func TestAgeCountsFromTheFirstItem(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1, 1)
		go w.run(t, consumer.Config{MaxWait: 10 * time.Second}, time.Minute)
		start := time.Now()
		w.write(0, request("a", 1))
		time.Sleep(8 * time.Second)
		w.write(0, request("b", 1))
		time.Sleep(4 * time.Second)
		if diff := cmp.Diff([][]string{{"a", "b"}}, w.planned()); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
		if at := w.log()[0].At.Sub(start); at < 10*time.Second || at > 10*time.Second+500*time.Millisecond {
			t.Errorf("sealed after %s", at)
		}
		time.Sleep(time.Minute)
	})
}

// TestBytes has texts of all kinds, and no record over the limit.
func TestBytes(t *testing.T) {
	t.Parallel()
	t.Run("in clear", func(t *testing.T) { testBytes(t, nil) })
	t.Run("sealed", func(t *testing.T) { testBytes(t, &testSeal{}) })
}

func testBytes(t *testing.T, seal *testSeal) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const limit = 70_000
		rng := rand.New(rand.NewPCG(1, 2))
		texts := []string{`"\"\"\"`, "Ödeme İçin", "plain", strings.Repeat(`\`, 255), strings.Repeat("ş", 255), ""}
		w := newWorld(1, 2)
		w.seal = seal
		for i := range 2000 {
			w.write(0, schema.EncodeRequest(&schema.Request{
				PayoutID: "id-" + strconv.Itoa(i), Merchant: `m"1"`, Purpose: "SETTLEMENT",
				Recipient:   schema.Recipient{Type: schema.MemberID, Value: "1001", Name: schema.Private(texts[rng.IntN(3)])},
				Amount:      schema.Amount{Minor: rng.Int64N(schema.MaxMinor) + 1, Currency: schema.TRY},
				Description: schema.Private(texts[rng.IntN(len(texts))]),
				Metadata:    []byte(`{"a":"` + strings.Repeat("x", rng.IntN(1500)) + `"}`),
			}, `e"`+strings.Repeat(`"`, rng.IntN(200)), time.Now()))
		}
		w.run(t, consumer.Config{MaxBytes: limit, MaxItems: 100_000, MaxWait: time.Minute}, 10*time.Second)
		items := 0
		for _, shard := range w.plans {
			for i, p := range shard {
				items += len(p.Items)
				value, err := schema.EncodePlan(p)
				if err != nil || len(value) > limit {
					t.Errorf("a record of %d bytes: %v", len(value), err)
				}
				if i < len(shard)-1 && len(value) < limit*3/4 {
					t.Errorf("sealed at %d bytes, far below the limit", len(value))
				}
			}
		}
		if items != 2000 {
			t.Errorf("%d items planned, %d refused", items, len(w.letters()))
		}
	})
}

// TestItem shows what of a request goes into a plan.
func TestItem(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(2, 1)
		trace := "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
		whole := schema.EncodeRequest(&schema.Request{
			PayoutID: "order-1", Merchant: "m", Purpose: "SALARY",
			Recipient:   schema.Recipient{Type: schema.IBAN, Value: "TR330006100519786457841326", Name: "Ayşe Yılmaz"},
			Amount:      schema.Amount{Minor: 10050, Currency: schema.USD},
			Description: "Order 1", Metadata: []byte(`{"orderId":"1"}`),
		}, "event-1", time.Now())
		whole.Headers = append(whole.Headers, schema.Header{Key: "traceparent", Value: []byte(trace)})
		w.write(1, request("other", 1), whole, schema.Message{Value: []byte(
			`{"payoutId":"bare","merchant":"m","purpose":"SALARY","recipient":{"type":"MEMBER_ID","value":"1001","name":"A"},"amount":{"value":"1","currency":"USD"}}`)})
		w.run(t, consumer.Config{}, time.Second)
		at := slices.IndexFunc(w.plans[0], func(p *schema.Plan) bool { return p.Merchant == "m" })
		if at < 0 {
			t.Fatalf("not planned: %v, refused: %v", w.planned(), w.letters())
		}
		got := w.plans[0][at]
		want := &schema.Plan{
			Merchant: "m", Purpose: "SALARY", Currency: schema.USD, At: got.At,
			Items: []schema.PlanItem{{
				PayoutID: "order-1", Recipient: schema.Recipient{Type: schema.IBAN, Value: "TR330006100519786457841326", Name: "Ayşe Yılmaz"},
				Minor: 10050, Description: "Order 1", Metadata: []byte(`{"orderId":"1"}`), EventID: "event-1", TraceParent: trace,
				Source: schema.Source{Topic: requestsTopic, Partition: 1, Offset: 1},
			}, {
				PayoutID: "bare", Recipient: schema.Recipient{Type: schema.MemberID, Value: "1001", Name: "A"}, Minor: 100,
				EventID: requestsTopic + "/1/2", Source: schema.Source{Topic: requestsTopic, Partition: 1, Offset: 2},
			}},
		}
		want.ID = schema.PlanID(want)
		if diff := cmp.Diff(want, got, revealed); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

var revealed = cmp.Comparer(func(a, b schema.Private) bool { return a.Reveal() == b.Reveal() })

// TestStopFlushes: what a run has read when it is told to stop is planned and
// committed, without waiting for the age.
func TestStopFlushes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(2, 4)
		w.write(0, requests(0, 30)...)
		w.write(1, requests(30, 30)...)
		start := time.Now()
		w.run(t, consumer.Config{MaxWait: time.Hour}, time.Second)
		if got := time.Since(start); got != time.Second {
			t.Errorf("stopping took until %s", got)
		}
		got := slices.Concat(w.planned()...)
		slices.Sort(got)
		want := ids(0, 60)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(map[int]int64{0: 30, 1: 30}, w.offsets()); diff != "" {
			t.Errorf("committed (-want +got):\n%s", diff)
		}
	})
}

// TestStopDoesNotWaitForEver: with a log that does not answer, a run ends in
// time and commits nothing that is not in it.
func TestStopDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"append", "known", "publish", "commit"} {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(1, 1)
				w.fault = func(o string) (bool, error) {
					if o == op {
						return false, errFault
					}
					return true, nil
				}
				w.write(0, schema.Message{Value: []byte("{}")}, request("a", 1))
				start := time.Now()
				w.run(t, consumer.Config{StopTimeout: 2 * time.Second}, time.Minute)
				if d := time.Since(start); d > time.Minute+5*time.Second {
					t.Errorf("stopping took until %s", d)
				}
				// The refusal of the first is certain before the second is asked for.
				want := map[string]int64{"append": 1, "known": 1, "publish": 0, "commit": 0}[op]
				if w.offsets()[0] != want {
					t.Errorf("committed %d, want %d", w.offsets()[0], want)
				}
			})
		})
	}
}

// TestCommitsAreFew: a steady trickle is committed now and then, not each time.
func TestCommitsAreFew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1, 1)
		w.batch = 1
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		go func() {
			for i := 0; ctx.Err() == nil; i++ {
				w.write(0, requests(i, 1)...)
				time.Sleep(10 * time.Millisecond)
			}
		}()
		w.run(t, consumer.Config{CommitEvery: time.Second}, 10*time.Second)
		time.Sleep(time.Second) // the writer ends
		if n := w.commits; n < 9 || n > 12 {
			t.Errorf("%d commits in 10 seconds", n)
		}
	})
}
