package app_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A send that ended early says how many were certain; --skip goes on from there.
func TestSendGoesOn(t *testing.T) {
	t.Parallel()
	env := fakeKafka(t)
	run(t, env, "", "topics", "create").want(t, 0, "created topic payout.requests", "")
	path := file(t, "payouts.csv", "payoutId,amount,currency,recipientType,recipientValue\n"+
		"order-1,1.00,TRY,PHONE,+905350000000\norder-2,2.00,TRY,PHONE,+905350000000\norder-3,3.00,TRY,PHONE,+905350000000\n")
	run(t, env, "", "send", path, "--skip", "2").want(t, 0, "sent to payout.requests", "")
	_, events := sent(t, env)
	if len(events) != 1 || events[0].Request.PayoutID != "order-3" {
		t.Errorf("%d events were sent", len(events))
	}
	run(t, env, "", "send", path, "--skip", "4").want(t, 2, "", "has 3 requests")
}

// A send that is interrupted says how far it is for certain, for people and for
// programs, and from there on the rest is sent once.
func TestSendInterrupted(t *testing.T) {
	t.Parallel()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	env := map[string]string{"TOPLU_KAFKA_BROKERS": cluster.ListenAddrs()[0]}
	run(t, env, "", "topics", "create", "--partitions", "1").want(t, 0, "created topic payout.requests", "")
	const many = 2500
	var text strings.Builder
	for i := range many {
		text.WriteString(goodLine(fmt.Sprintf("order-%d", i)))
	}
	path := file(t, "payouts.jsonl", text.String())
	var written atomic.Int32
	var interrupt atomic.Pointer[context.CancelFunc] // nil: nobody interrupts
	cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		if f := interrupt.Load(); f != nil && written.Add(1) > 1 {
			(*f)()
			return nil, errors.New("cut"), true
		}
		return nil, nil, false
	})
	// interrupted sends, and is interrupted while the second thousand is written.
	interrupted := func(flags ...string) result {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		written.Store(0)
		interrupt.Store(&cancel)
		defer interrupt.Store(nil)
		return runWith(ctx, env, "", append([]string{"send", path}, flags...)...)
	}
	r := interrupted()
	r.want(t, 1, "", "1000 of 2500 requests were sent for certain; go on with --skip 1000")
	r.want(t, 1, "", "toplu: interrupted")
	r = interrupted("--json")
	if v := decode[sendReport](t, r); v.Sent != 1000 || v.Requests != many || r.code != 1 {
		t.Errorf("exit status %d: %s", r.code, r.out)
	}
	run(t, env, "", "send", path, "--skip", "1000").want(t, 0, "sent to payout.requests", "")
	seen := map[string]int{}
	_, events := sent(t, env)
	for _, e := range events {
		seen[e.ID]++
	}
	if len(seen) != many || len(events) != many+1000 {
		t.Errorf("%d events of %d requests; the first thousand was sent twice, so %d are needed", len(events), len(seen), many+1000)
	}
}

// A quote that is not closed is named at its line, and swallows no other: every
// bad line behind it is reported too. A cell of two lines is no mistake.
func TestSendOpenQuote(t *testing.T) {
	t.Parallel()
	env := fakeKafka(t)
	path := file(t, "payouts.csv", "payoutId,amount,currency,recipientType,recipientValue,metadata.note\n"+
		"order-1,1.00,TRY,PHONE,+905350000000,\"two\nlines\"\n"+
		"order-2,2.00,TRY,PHONE,+905350000000,\"open\n"+
		"order-3,-3.00,TRY,PHONE,+905350000000,fine\n"+
		"order-4,4.00,TRY,PHONE,+905350000000,\"open again\n"+
		"order-5,5.00,TRY,PHONE\n")
	v := decode[sendReport](t, run(t, env, "", "send", path, "--json", "--dry-run"))
	got := map[int]string{}
	for _, b := range v.Bad {
		got[b.Line] = strings.Join(b.Problems, "; ")
	}
	for line, want := range map[int]string{4: "a quote", 5: "amount.value", 6: "a quote", 7: "has 4 columns"} {
		if !strings.Contains(got[line], want) {
			t.Errorf("line %d: %q, want %q", line, got[line], want)
		}
	}
	if len(got) != 4 {
		t.Errorf("got %v", got)
	}
}
