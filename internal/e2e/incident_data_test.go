//go:build integration && slow

package e2e_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

func TestSlowIncidentDlqFills(t *testing.T) {
	i := newIncident(t, "dlq-fills")
	run := i.run("run")
	good := i.shop.make("", 10)
	i.send(good)
	i.ledger.awaitAnswers(t, 10, time.Minute)
	strange := i.shop.make("bazaar", 20) // a merchant that nobody has configured
	i.send(strange)
	conflict := *good[0]
	conflict.Amount.Value = "77777.77"
	i.sendAs([]*request{&conflict}, nil)
	i.metric(run, i.shows("toplu_requests_refused_total"))
	i.play(0, []string{`unknown_merchant +20 `, `conflict +1 `}, "dlq list")
	text, _ := i.toplu("dlq", "list", "--letters", "--code", "unknown_merchant", "--json", "--config", "toplu.yaml")
	var list struct {
		Letters []struct {
			Partition int
			Offset    int64
		}
	}
	i.must(json.Unmarshal([]byte(text), &list))
	place := fmt.Sprintf("%d/%d", list.Letters[0].Partition, list.Letters[0].Offset)
	shown := i.play(0, []string{`unknown_merchant: merchant is not one of`}, "dlq show", "PARTITION/OFFSET", place)
	if err := i.shop.personal.In("dlq show", shown); err != nil {
		t.Error(err)
	}

	run.end(t)
	i.reconfigure("merchants:\n", "merchants:\n  bazaar: {apiKey: sandbox-market, secretKey: sandbox-market-secret}\n")
	i.run("run")
	i.play(0, []string{`20 sent back`}, "dlq redrive")
	i.ledger.awaitAnswers(t, 30, time.Minute)
	if out, _ := i.try("dlq redrive"); strings.Contains(out, "20 sent back") {
		t.Errorf("sent back twice:\n%s", out)
	}
	i.over()
	if n := i.ledger.count("paid"); n != 30 {
		t.Errorf("%d of 30 are paid", n)
	}
}

// Requests are skipped, and then the group is set back to before them.
func TestSlowIncidentOffsetsSetBack(t *testing.T) {
	i := newIncident(t, "offsets-set-back")
	i.run("run")
	before := i.shop.make("", 20)
	i.send(before)
	i.paid(before)
	i.stopAll()
	skipped := i.shop.make("", 6)
	i.send(skipped)
	i.skip()
	i.run("skipped")
	after := i.shop.make("market", 40)
	i.send(after)
	i.paid(before, after)
	i.says(0, "audit")
	i.stopAll()

	i.rewind()
	i.play(0, []string{i.shows("SET BACK") + `: \S+/\d to offset 0, it was answered up to`}, "status")
	run := i.run("back")
	i.metric(run, i.shows("toplu_requests_parked_total"))
	i.says(0, "dlq list", i.shows("below_floor")+` +6 `)
	i.play(0, []string{`below_floor +6 `}, "status")
	i.says(0, "dlq redrive --code below_floor --reason try --yes", `0 sent back`)
	i.paid(before, after)
	i.play(0, []string{`NEW, would be paid: 6 \(`, `(?m)^60 +paid$`, `(?m)^66 +read$`}, "replay plan")
	i.play(0, []string{`6 listed, 0 taken by now, 0 on their way, 6 to be sent`, `6 sent to payout\.requests`}, "replay run")
	i.paid(before, after, skipped)
	i.over()
}

func TestSlowIncidentPoisonEvent(t *testing.T) {
	i := newIncident(t, "poison-event")
	run := i.run("run")
	i.send(i.shop.make("", 40))
	i.ledger.awaitAnswers(t, 40, time.Minute)
	i.put("pay-poison", []byte("not a request"))
	i.kcat([]byte("x|not a plan\n"), "-P", "-t", "payout.batches", "-p", "2", "-K", "|")
	eventually(t, time.Minute, func() string {
		if answer := run.admin(t, "/readyz"); !strings.Contains(answer, i.shows("cannot be read")) {
			return "/readyz says " + answer
		}
		return ""
	})
	shop := i.shop.make("market", 40)
	i.send(shop)
	out := i.play(1, []string{`payout\.batches offset \d+ cannot be read`}, "status")
	for _, moved := range i.books().Transfers {
		for _, r := range shop {
			if moved.ItemExternalID == r.PayoutID && shardOf(r.PayoutID) == 2 {
				t.Errorf("%s is paid in a shard that is stuck", r.PayoutID)
			}
		}
	}
	offset := regexp.MustCompile(`payout\.batches offset (\d+) cannot be read`).FindStringSubmatch(out)[1]
	i.play(0, []string{`counted: the plan owns nothing`}, "quarantine", "--plan 1042", "--plan "+offset)
	i.over()
	if n := i.ledger.count("paid"); n != 80 {
		t.Errorf("%d of 80 are paid", n)
	}
}

// shardOf is the shard of a payout in a world with four.
func shardOf(payoutID string) int {
	return (&kafka.Murmur2Balancer{}).Balance(kafka.Message{Key: []byte(payoutID)}, 0, 1, 2, 3)
}

func TestSlowIncidentWasXPaid(t *testing.T) {
	i := newIncident(t, "was-x-paid")
	i.run("run")
	paid := i.shop.make("", 1)[0]
	i.send([]*request{paid})
	i.ledger.awaitAnswers(t, 1, time.Minute)
	i.faults(`{"failItems":1}`)
	failed := i.shop.make("", 1)[0]
	i.send([]*request{failed})
	i.ledger.awaitAnswers(t, 2, time.Minute)
	i.faults(`{}`)
	refused := request{PayoutID: "refused-1", Merchant: "nobody", Recipient: paid.Recipient, Amount: amount{"1.00", "TRY"}}
	i.put(refused.PayoutID, refused.data(), refused.binary()...)
	for id, want := range map[string][]string{
		paid.PayoutID:      {`: paid\n`, `payout\.requests/\d offset \d+`, `event ev-pay`, `batch \S+ of`, `\d submitted +event`, `created`, `next: `},
		failed.PayoutID:    {`: failed\n`, `\d failed +event \S+  \S+`},
		"refused-1":        {i.shows("not seen"), `unknown_merchant`},
		"nobody-has-asked": {i.shows("not seen"), `is answered to offset \d+ of \d+`},
	} {
		out := i.play(0, want, "explain", "PAYOUT_ID", id)
		if err := i.shop.personal.In("explain", out); err != nil {
			t.Error(err)
		}
	}
	i.over()
}

func TestSlowIncidentLedgerLostADay(t *testing.T) {
	i := newIncident(t, "ledger-lost-a-day")
	i.run("run")
	from := time.Now().UTC().Add(-time.Minute)
	i.send(i.shop.make("", 100))
	i.ledger.awaitAnswers(t, 100, time.Minute)
	to := time.Now().UTC().Add(time.Minute)
	before := len(i.read("payout.statuses"))
	dates := []string{"2026-01-31T00:00:00Z", from.Format(time.RFC3339), "2026-02-01T00:00:00Z", to.Format(time.RFC3339)}
	i.play(0, []string{fmt.Sprintf(`%d events would be published`, before)}, "statuses reemit --dry-run", dates...)
	i.play(0, []string{fmt.Sprintf(`%d of %d events published`, before, before)}, "statuses reemit --from", dates...)
	// Every event stands there twice, byte for byte the same.
	told := map[string][]string{}
	for _, r := range i.read("payout.statuses") {
		told[r.Header("ce_id")] = append(told[r.Header("ce_id")], string(r.Value))
	}
	for id, values := range told {
		if len(values) != 2 || values[0] != values[1] {
			t.Errorf("event %s: %q", id, values)
		}
	}
	if len(told) != before {
		t.Errorf("%d events, want %d", len(told), before)
	}
	v := i.judge(i.ledger, time.Minute)
	if v.Repeated != before {
		t.Errorf("%d repeated, want %d", v.Repeated, before)
	}
	i.over()
}

func TestSlowIncidentBadDeploy(t *testing.T) {
	i := newIncident(t, "bad-deploy")
	_, b := i.runTwo()
	i.send(i.shop.make("", 40))
	i.ledger.awaitAnswers(t, 40, time.Minute)
	// The new version comes with a configuration that it cannot mean.
	b.end(t)
	i.reconfigure("maxItems: 50", "maxItemz: 50")
	bad := i.launch("bad")
	if status := bad.wait(t, time.Minute); status != 1 {
		t.Errorf("exit status %d", status)
	}
	bad.says(t, "maxItemz", time.Second)
	i.shows("end at once")
	i.reconfigure("maxItemz: 50", "maxItems: 50") // commands read it too
	i.play(0, []string{`shard 3: counted`}, "pause")
	i.play(0, []string{`PAUSED: everything`}, "status")
	i.send(i.shop.make("", 40))
	i.run("run-b")
	i.play(0, []string{`counted: batches are completed again`}, "resume")
	i.over()

	// And what if it had written what only it can read? The version before stops
	// that shard, and no other.
	i.kcat([]byte(`x|{"v":99,"type":"teleported"}`+"\n"), "-P", "-t", "payout.journal", "-p", "1", "-K", "|")
	back := i.run("back")
	eventually(t, time.Minute, func() string {
		if answer := back.admin(t, "/readyz"); !strings.Contains(answer, "shard 1 "+i.shows("has stopped")) {
			return "/readyz says " + answer
		}
		return ""
	})
	more := i.shop.make("market", 40)
	i.send(more)
	others := 0
	for _, r := range more {
		if shardOf(r.PayoutID) != 1 {
			others++
		}
	}
	i.ledger.awaitAnswers(t, 80+others, time.Minute)
	out, status := i.toplu("status", "--config", "toplu.yaml")
	if status != 1 || !strings.Contains(out, "shard 1 cannot be read") {
		t.Errorf("%d: %s", status, out)
	}
	if n := len(i.books().Transfers); n != 80+others {
		t.Errorf("%d transfers, want %d", n, 80+others)
	}
	back.end(t)
}
