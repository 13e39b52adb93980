package worker_test

import (
	"strings"
	"testing"
	"time"

	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// told folds records into a batch of two payouts, x and y, and returns the
// statuses of each as "accepted submitted paid", and why records did not count.
func told(t *testing.T, records ...schema.Record) (x, y, void string) {
	t.Helper()
	p := &schema.Plan{Merchant: "default", Purpose: "SETTLEMENT", Currency: schema.TRY, At: time.Unix(1, 0)}
	for _, id := range []string{"x", "y"} {
		p.Items = append(p.Items, schema.PlanItem{PayoutID: id, Minor: 100, Recipient: schema.Recipient{Type: schema.Phone, Value: "+905555555555"}})
	}
	p.ID = schema.PlanID(p)
	story := worker.NewStory(p, 7, []worker.Owner{{Offset: 7}, {Offset: 7}})
	var voids []string
	for i := range records {
		r := records[i]
		r.Batch, r.Plan, r.At = p.ID, 7, time.Unix(int64(i+2), 0)
		paused := r.Session == "while paused"
		if err := story.Add(int64(i), &r, paused); err != nil {
			t.Fatal(err)
		}
		if line := story.Lines()[i]; line.Void != "" {
			voids = append(voids, string(r.Type)+": "+line.Void)
		}
	}
	words := func(id string) string {
		var all []string
		for i, s := range story.Statuses(id) {
			if s.Sequence != i+1 {
				t.Errorf("%s: sequence %d at place %d", id, s.Sequence, i+1)
			}
			all = append(all, string(s.Status))
		}
		return strings.Join(all, " ")
	}
	return words("x"), words("y"), strings.Join(voids, "; ")
}

// The records, as sessions s1 and s2 write them.
var reason = &schema.Reason{Code: "test", Text: "test"}

func creating(attempt int) schema.Record {
	return schema.Record{Type: schema.RecCreating, Session: "s1", Attempt: attempt}
}

func created(attempt int, requestID string, invalid ...int) schema.Record {
	r := schema.Record{Type: schema.RecCreated, Session: "s1", Attempt: attempt, RequestID: requestID}
	for _, i := range invalid {
		r.Invalid = append(r.Invalid, schema.InvalidItem{Item: i, Code: "INVALID"})
	}
	return r
}

func about(kind schema.RecordType, attempt int, requestID string) schema.Record {
	return schema.Record{Type: kind, Session: "s1", Attempt: attempt, RequestID: requestID, Reason: reason}
}

func completing(attempt int, requestID string) schema.Record {
	return about(schema.RecCompleting, attempt, requestID)
}

func completed(attempt int, requestID string) schema.Record {
	return about(schema.RecCompleted, attempt, requestID)
}

func settled(attempt int, requestID string, x, y schema.PayoutStatus) schema.Record {
	r := about(schema.RecSettled, attempt, requestID)
	for i, s := range []schema.PayoutStatus{x, y} {
		if s != "" {
			r.Items = append(r.Items, schema.ItemChange{Item: i, Status: s})
		}
	}
	return r
}

func held() schema.Record {
	return schema.Record{Type: schema.RecHeld, Hold: schema.HoldPolicy, By: "ops", Reason: reason}
}

func foreign() schema.Record {
	return schema.Record{Type: schema.RecHeld, Hold: schema.HoldForeign, By: "toplu", Reason: reason}
}

func cancel(only ...int) schema.Record {
	return schema.Record{Type: schema.RecCancel, Only: only, By: "ops", Reason: reason}
}

func decided(v schema.Verdict, items ...schema.PayoutStatus) schema.Record {
	r := about(schema.RecDecided, 1, "r1")
	if len(items) == 2 {
		r.Items = settled(1, "r1", items[0], items[1]).Items
	}
	r.Verdict, r.By = v, "ops"
	return r
}

// upTo is a batch that has come to its point of no return.
func upTo(more ...schema.Record) []schema.Record {
	return append([]schema.Record{creating(1), created(1, "r1"), completing(1, "r1")}, more...)
}

// fenced is an attempt that was fenced and proven dead.
func fenced(more ...schema.Record) []schema.Record {
	return append(upTo(about(schema.RecFencing, 1, "r1"), about(schema.RecDead, 1, "r1")), more...)
}

func TestFold(t *testing.T) {
	t.Parallel()
	const paid = "accepted submitted paid"
	for _, tt := range []struct {
		name    string
		records []schema.Record
		x, y    string
		void    string
	}{
		{"paid", upTo(completed(1, "r1"), settled(1, "r1", "paid", "paid")), paid, paid, ""},
		{"a report without completed submits first", upTo(settled(1, "r1", "paid", "")), paid, "accepted submitted", ""},
		{
			"the second created is an orphan",
			[]schema.Record{creating(1), created(1, "r1"), created(1, "r2"), completing(1, "r2"), completing(1, "r1"), completed(1, "r2")},
			"accepted", "accepted", "created: an earlier one counted; completing: another requestId won; completed: another requestId won",
		},
		{
			"a requestId of an earlier attempt never wins",
			[]schema.Record{creating(1), created(1, "r1"), about(schema.RecAbandoned, 1, ""), creating(2), created(2, "r1"), completing(2, "r1")},
			"accepted", "accepted", "created: an earlier attempt named this requestId; completing: another requestId won",
		},
		{
			"only the first completing counts",
			upTo(completing(1, "r1")), "accepted", "accepted", "completing: an earlier one counted",
		},
		{
			"an invalid item is rejected, the other paid",
			[]schema.Record{creating(1), created(1, "r1", 0), completing(1, "r1"), settled(1, "r1", "", "paid")},
			"accepted rejected", paid, "",
		},
		{
			"refused rejects every item",
			[]schema.Record{creating(1), about(schema.RecRefused, 1, "")},
			"accepted rejected", "accepted rejected", "",
		},
		{
			"refused after created changes nothing",
			[]schema.Record{creating(1), created(1, "r1"), about(schema.RecRefused, 1, "")},
			"accepted", "accepted", "refused: an earlier one counted",
		},
		{
			"refused of an earlier attempt changes nothing",
			fenced(creating(2), about(schema.RecRefused, 1, "")),
			"accepted", "accepted", "refused: another attempt is current",
		},
		{
			"refused after an attempt that took is a hold",
			[]schema.Record{creating(1), created(1, "r1"), completing(1, "r1"), completed(1, "r1"), about(schema.RecFencing, 1, "r1"), about(schema.RecDead, 1, "r1"), creating(2), about(schema.RecRefused, 2, ""), created(2, "r2"), completing(2, "r2")},
			"accepted submitted unknown", "accepted submitted unknown", "completing: the batch is held",
		},
		{
			"invalid after an attempt that took is a hold until the item is cancelled",
			[]schema.Record{
				creating(1), created(1, "r1"), completing(1, "r1"), completed(1, "r1"), about(schema.RecFencing, 1, "r1"), about(schema.RecDead, 1, "r1"),
				creating(2), created(2, "r2", 0), completing(2, "r2"), cancel(0), creating(3), created(3, "r3"), completing(3, "r3"), settled(3, "r3", "", "paid"),
			},
			"accepted submitted unknown cancelled", "accepted submitted unknown submitted paid", "completing: the batch is held",
		},
		{
			"dead without fencing is no proof",
			upTo(about(schema.RecDead, 1, "r1")), "accepted", "accepted", "dead: no fencing came before it",
		},
		{
			"after a death the next attempt pays",
			fenced(creating(2), created(2, "r2"), completing(2, "r2"), settled(2, "r2", "paid", "paid")), paid, paid, "",
		},
		{
			"late records of a dead attempt change nothing",
			fenced(completed(1, "r1"), settled(1, "r1", "paid", "paid"), about(schema.RecUnknown, 1, "r1"), about(schema.RecDead, 1, "r1")),
			"accepted", "accepted", "completed: another attempt is current; settled: another attempt is current; unknown: another attempt is current; dead: another attempt is current",
		},
		{
			"dead after completed takes submitted back to unknown",
			upTo(completed(1, "r1"), about(schema.RecFencing, 1, "r1"), about(schema.RecDead, 1, "r1"), creating(2), created(2, "r2"), completing(2, "r2"), completed(2, "r2")),
			"accepted submitted unknown submitted", "accepted submitted unknown submitted", "",
		},
		{
			"dead after a payment is refused",
			upTo(settled(1, "r1", "paid", ""), about(schema.RecFencing, 1, "r1"), about(schema.RecDead, 1, "r1")),
			paid, "accepted submitted", "dead: a report showed that money moved",
		},
		{
			"the next attempt carries only what is unanswered",
			[]schema.Record{creating(1), created(1, "r1", 0), completing(1, "r1"), about(schema.RecFencing, 1, "r1"), about(schema.RecDead, 1, "r1"), creating(2), created(2, "r2"), completing(2, "r2"), completed(2, "r2")},
			"accepted rejected", "accepted submitted", "",
		},
		{
			"abandoned ends an attempt before the point of no return",
			[]schema.Record{creating(1), created(1, "r1"), about(schema.RecAbandoned, 1, ""), completing(1, "r1")},
			"accepted", "accepted", "completing: another attempt is current",
		},
		{"abandoned after it does not", upTo(about(schema.RecAbandoned, 1, "")), "accepted", "accepted", "abandoned: it came after the point of no return"},
		{
			"a hold voids completing until it is resumed",
			[]schema.Record{creating(1), created(1, "r1"), held(), completing(1, "r1"), {Type: schema.RecResumed, Which: []int64{2}}, completing(1, "r1"), completed(1, "r1")},
			"accepted submitted", "accepted submitted", "completing: the batch is held",
		},
		{
			"resumed lifts the hold it names and no other",
			[]schema.Record{creating(1), created(1, "r1"), held(), {Type: schema.RecResumed, Which: []int64{1}}, completing(1, "r1")},
			"accepted", "accepted", "resumed: it changes nothing; completing: the batch is held",
		},
		{
			"a pause voids completing",
			[]schema.Record{creating(1), created(1, "r1"), {Type: schema.RecCompleting, Attempt: 1, RequestID: "r1", Session: "while paused"}},
			"accepted", "accepted", "completing: payouts are paused",
		},
		{
			"cancel before the point of no return",
			[]schema.Record{creating(1), created(1, "r1"), cancel(0), completing(1, "r1"), creating(2), created(2, "r2"), completing(2, "r2"), settled(2, "r2", "", "paid")},
			"accepted cancelled", paid, "completing: another attempt is current",
		},
		{
			"cancel after it waits for the attempt's death",
			upTo(cancel(0), about(schema.RecFencing, 1, "r1"), about(schema.RecDead, 1, "r1")),
			"accepted cancelled", "accepted", "",
		},
		{"cancel after it does not stop a payment", upTo(cancel(0), settled(1, "r1", "paid", "paid")), paid, paid, ""},
		{"cancel of all", []schema.Record{creating(1), cancel()}, "accepted cancelled", "accepted cancelled", ""},
		{
			"unknown is published once and taken back",
			upTo(about(schema.RecUnknown, 1, "r1"), about(schema.RecUnknown, 1, "r1"), completed(1, "r1")),
			"accepted unknown submitted", "accepted unknown submitted", "unknown: an earlier one counted",
		},
		{
			"unknown, then a report",
			upTo(about(schema.RecUnknown, 1, "r1"), settled(1, "r1", "paid", "failed")),
			"accepted unknown submitted paid", "accepted unknown submitted failed", "",
		},
		{
			"unknown before the point of no return is no record",
			[]schema.Record{creating(1), created(1, "r1"), about(schema.RecUnknown, 1, "r1")},
			"accepted", "accepted", "unknown: nothing has been completed",
		},
		{
			"the money comes back",
			upTo(settled(1, "r1", "failed", "returned"), settled(1, "r1", "returned", "returned")),
			"accepted submitted failed returned", "accepted submitted failed returned", "",
		},
		{
			"an older report changes nothing",
			upTo(settled(1, "r1", "paid", "returned"), settled(1, "r1", "", "failed")),
			paid, "accepted submitted failed returned", "settled: it changes nothing",
		},
		{
			"a paid payout stays paid",
			upTo(settled(1, "r1", "paid", "paid"), settled(1, "r1", "failed", "")), paid, paid, "settled: it changes nothing",
		},
		{"a person's word is refused while nothing is unknown", upTo(decided(schema.VerdictDead)), "accepted", "accepted", "decided: the outcome is not unknown"},
		{
			"a person says it took",
			upTo(about(schema.RecUnknown, 1, "r1"), decided(schema.VerdictTook)), "accepted unknown submitted", "accepted unknown submitted", "",
		},
		{
			"a person says what became of each item",
			upTo(about(schema.RecUnknown, 1, "r1"), decided(schema.VerdictItems, "paid", "failed"), settled(1, "r1", "", "returned")),
			"accepted unknown submitted paid", "accepted unknown submitted failed returned", "",
		},
		{
			"a person says what became of one item; iyzico has the last word on the other, and none on the first",
			upTo(about(schema.RecUnknown, 1, "r1"), decided(schema.VerdictItems, "paid", ""), settled(1, "r1", "failed", "paid")),
			"accepted unknown submitted paid", "accepted unknown submitted paid", "",
		},
		{
			"nobody calls dead what a person called paid",
			upTo(about(schema.RecUnknown, 1, "r1"), decided(schema.VerdictItems, "paid", ""), about(schema.RecUnknown, 1, "r1"), decided(schema.VerdictDead)),
			"accepted unknown submitted paid", "accepted unknown submitted unknown", "decided: a report showed that money moved",
		},
		{
			"a person says it is dead",
			upTo(about(schema.RecUnknown, 1, "r1"), decided(schema.VerdictDead), creating(2), created(2, "r2"), completing(2, "r2"), settled(2, "r2", "paid", "paid")),
			"accepted unknown submitted paid", "accepted unknown submitted paid", "",
		},
		{
			"a person cannot call dead what was paid",
			upTo(settled(1, "r1", "paid", ""), about(schema.RecUnknown, 1, "r1"), decided(schema.VerdictDead)),
			paid, "accepted submitted unknown", "decided: a report showed that money moved",
		},
		{
			"a batch authorised by somebody else is never abandoned or cancelled",
			[]schema.Record{creating(1), created(1, "r1"), foreign(), about(schema.RecAbandoned, 1, ""), cancel(0), decided(schema.VerdictTook), settled(1, "r1", "paid", "paid")},
			paid, paid, "abandoned: the batch is held",
		},
		{
			"closed only when every item is answered",
			upTo(about(schema.RecClosed, 1, ""), settled(1, "r1", "paid", "failed"), about(schema.RecClosed, 1, ""), settled(1, "r1", "", "returned")),
			paid, "accepted submitted failed returned", "closed: it changes nothing",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x, y, void := told(t, tt.records...)
			if x != tt.x || y != tt.y {
				t.Errorf("x: %s\ny: %s\nwant\nx: %s\ny: %s", x, y, tt.x, tt.y)
			}
			if void != tt.void {
				t.Errorf("void: %q, want %q", void, tt.void)
			}
		})
	}
}
