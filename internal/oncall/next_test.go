package oncall_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/oncall"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker/workertest"
)

// What comes next is what really does: what keeps a batch back is said wherever the
// batch is told of, and who can lift it.
func TestNextSaysWhatKeepsABatchBack(t *testing.T) {
	t.Parallel()
	command := func(text string) *schema.Reason { return &schema.Reason{Code: "command", Text: text} }
	pause := schema.Record{Type: schema.RecPaused, By: "ayse", Command: 1, Reason: command("a drill")}
	ofMerchant := pause
	ofMerchant.Scope = "default"
	ofAnother := pause
	ofAnother.Scope = "market"
	pulse := func(m oncall.MerchantPulse) func(context.Context) (map[string]string, error) {
		m.Merchant = "default"
		note, err := json.Marshal(oncall.Pulse{At: time.Now(), Merchants: []oncall.MerchantPulse{m}})
		return func(context.Context) (map[string]string, error) { return map[string]string{"p": string(note)}, err }
	}
	now := time.Now()
	const readBack = "it is read back and compared"
	for name, tt := range map[string]struct {
		planned bool // and no more
		records []schema.Record
		harm    func(r *room)
		want    []string
		not     string
	}{
		"nothing":          {want: []string{readBack}, not: "nothing"},
		"a pause":          {records: []schema.Record{pause}, want: []string{"nothing for now: payouts are paused since ", " by ayse (a drill), until toplu resume. Then: " + readBack}},
		"its merchant's":   {records: []schema.Record{ofMerchant}, want: []string{"merchant default is paused", "toplu resume --merchant default"}},
		"another's":        {records: []schema.Record{ofAnother}, want: []string{readBack}, not: "paused"},
		"before it is due": {planned: true, records: []schema.Record{pause}, want: []string{"it waits for its turn; then iyzico's init is called; it is not completed: payouts are paused"}},
		"lifted": {
			records: []schema.Record{pause, {Type: schema.RecResumed, Which: []int64{3}, By: "ayse", Command: 2, Reason: command("over")}},
			want:    []string{readBack}, not: "paused",
		},
		"too late": {records: []schema.Record{{Type: schema.RecCompleting, Attempt: 1, RequestID: "R1"}, pause}, want: []string{"auth was called or is about to be"}, not: "paused"},
		"a hold and a pause": {
			records: []schema.Record{{Type: schema.RecHeld, Hold: schema.HoldPolicy, By: "ali", Command: 1, Reason: command("looks odd")}, {Type: schema.RecPaused, By: "ayse", Command: 2, Reason: command("a drill")}},
			want:    []string{"nothing until a person acts: held (policy: looks odd) by ali; beside that payouts are paused"},
		},
		"closed": {
			records: []schema.Record{{Type: schema.RecPaused, By: "ayse", Command: 1, Reason: &schema.Reason{Code: schema.ReasonRestored, Text: "Kafka was lost"}}},
			want:    []string{"the installation is closed since Kafka was lost or restored: toplu claims import FILE --open. Then: "},
		},
		"no merchant": {harm: func(r *room) { r.desk.Configured = func(m string) bool { return m != "default" } }, want: []string{"nothing for now: merchant default is not in the configuration. Then: "}},
		"claims lost": {harm: func(r *room) { r.desk.Claims = workertest.NewClaims() }, want: []string{"nothing for now: its shard pays nothing new before the claims are filled again"}},
		"breaker": {harm: func(r *room) {
			r.desk.Notes = pulse(oncall.MerchantPulse{Breaker: oncall.BreakerOpen, LastFailure: &oncall.CallFailure{At: now, Op: "init", Outcome: "refused", Code: "1001"}})
		}, want: []string{"its circuit breaker is open (init refused at ", " 1001). Then: "}},
		"breaker, gone": {records: []schema.Record{{Type: schema.RecCompleting, Attempt: 1, RequestID: "R1"}}, harm: func(r *room) { r.desk.Notes = pulse(oncall.MerchantPulse{Breaker: oncall.BreakerOpen}) }, want: []string{"auth was called"}, not: "breaker"},
		"balance":       {harm: func(r *room) { r.desk.Notes = pulse(oncall.MerchantPulse{BalanceTooLowAt: &now}) }, want: []string{"nothing for now: the merchant's balance at iyzico was too low for a batch at "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			r.write(t, schema.Record{Type: schema.RecEpoch, Epoch: "e-1"})
			p := r.plan(t, "a")
			if !tt.planned {
				r.write(t, schema.Record{Type: schema.RecCreating, Batch: p.ID, Plan: 1, Attempt: 1})
				r.write(t, schema.Record{Type: schema.RecCreated, Batch: p.ID, Plan: 1, Attempt: 1, ExternalID: p.ID + "-1", RequestID: "R1"})
			}
			for _, rec := range tt.records {
				if rec.Type == schema.RecHeld || rec.Type == schema.RecCompleting {
					rec.Batch, rec.Plan = p.ID, 1
				}
				r.write(t, rec)
			}
			if tt.harm != nil {
				tt.harm(r)
			}
			story, err := r.desk.Explain(t.Context(), "a")
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				if !strings.Contains(story.Next, want) {
					t.Errorf("next: %q, want %q", story.Next, want)
				}
			}
			if tt.not != "" && strings.Contains(story.Next, tt.not) {
				t.Errorf("next: %q", story.Next)
			}
			batch, err := r.desk.Show(t.Context(), oncall.Place{Plan: 1})
			if err != nil || batch.Next != story.Next {
				t.Errorf("the batch says %q, the payout %q; %v", batch.Next, story.Next, err)
			}
			if all, _, err := r.desk.Batches(t.Context()); err != nil || len(all) != 1 || all[0].Next != story.Next {
				t.Errorf("the list says %+v, the payout %q; %v", all, story.Next, err)
			}
		})
	}
}
