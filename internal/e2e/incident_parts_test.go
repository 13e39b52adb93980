//go:build integration && slow

package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestSlowIncidentLagGrows(t *testing.T) {
	i := newIncident(t, "lag-grows")
	run := i.run("run")
	i.send(i.shop.make("", 20))
	i.ledger.awaitAnswers(t, 20, time.Minute)
	run.kill()
	i.send(i.shop.make("", 100))
	i.send(i.shop.make("market", 100))
	out := i.play(0, []string{`(?m)^\S+ +\d +\d+ +\d+ +[1-9]\d* +\S+$`}, "status")
	if !strings.Contains(out, i.shows("LAG")) || !strings.Contains(out, i.shows("WORKER")) {
		t.Errorf("%s", out)
	}
	again := i.start("again", i.command("run")...)
	i.runs = append(i.runs, again)
	i.ledger.awaitAnswers(t, 220, time.Minute)
	i.play(0, []string{`no open batches`}, "batch list")
	i.over()
}

func TestSlowIncidentIyzicoDown(t *testing.T) {
	i := newIncident(t, "iyzico-down")
	run := i.run("run")
	i.send(i.shop.make("", 20))
	i.ledger.awaitAnswers(t, 20, time.Minute)
	i.cut(i.iyzicoWay)
	i.send(i.shop.make("", 50))
	i.metric(run, i.shows("toplu_iyzico_calls_total")+`{merchant="default",op="init",outcome="not_sent"}`)
	i.play(0, []string{i.shows("FAILED/MIN"), `default +\d+ +[1-9]\d* +\S+ +\S+ ago: `}, "status")
	i.play(0, []string{`shard 3: counted`}, "pause")
	i.mend(i.iyzicoWay)
	i.play(0, []string{`PAUSED: everything`}, "status")
	pause(t, 5*time.Second)
	if n := i.ledger.count("submitted", "paid", "rejected"); n != 20 {
		t.Errorf("%d are answered or submitted in a pause, want the 20 before", n)
	}
	i.play(0, []string{`counted: batches are completed again`}, "resume")
	i.over()
	if n := i.ledger.count("paid"); n != 70 {
		t.Errorf("%d of 70 are paid", n)
	}
}

func TestSlowIncidentAnswersLost(t *testing.T) {
	i := newIncident(t, "answers-lost")
	run := i.run("run")
	i.faults(`{"authLostAfter":1}`)
	i.send(i.shop.make("", 1))
	i.ledger.awaitAnswers(t, 1, time.Minute) // read back, it is no incident
	// An answer lost that nothing can be read back of: iyzico is asked before auth,
	// and gone after it.
	i.send(i.shop.make("", 3))
	for t.Context().Err() == nil && i.books().Calls["auth"] < 2 {
		pause(t, time.Millisecond)
	}
	i.faults(`{"authLostAfter":1,"retrieveLost":1}`)
	out := i.play(0, []string{`! unknown`}, "batch list")
	i.metric(run, i.shows("toplu_batches_unknown_total"))
	if !strings.Contains(out, i.shows("unknown")) {
		t.Errorf("%s", out)
	}
	batch := stuckBatch(t, out)
	i.play(0, []string{"completing", "unknown", "requestId"}, "batch show", "BATCH", batch)
	i.play(0, []string{`counted: taken as decided`}, "batch resolve", "BATCH", batch)
	// What is stuck besides is decided payout by payout, and never against iyzico.
	for {
		list, _ := i.toplu("batch", "list", "--stuck", "--config", "toplu.yaml")
		if !strings.Contains(list, "! unknown") {
			break
		}
		i.resolveItems(stuckBatch(t, list))
	}
	i.faults(`{}`)
	i.over()
	if n := i.ledger.count("paid"); n != 4 {
		t.Errorf("%d of 4 are paid", n)
	}
	if audit, _ := i.toplu("audit", "--config", "toplu.yaml"); !strings.Contains(audit, "a person's word: batch "+batch) {
		t.Errorf("the audit does not tell of the person's word:\n%s", audit)
	}
}

// resolveItems gives a person's word, which is true, on every payout of a batch.
func (i *incident) resolveItems(batch string) {
	i.t.Helper()
	show, _ := i.toplu("batch", "show", batch, "--json", "--config", "toplu.yaml")
	var b struct{ Items []struct{ PayoutID string } }
	i.must(json.Unmarshal([]byte(show), &b))
	var file strings.Builder
	file.WriteString("payoutId,status\n")
	for _, it := range b.Items {
		file.WriteString(it.PayoutID + ",paid\n")
	}
	i.file("words.csv", []byte(file.String()))
	if out, status := i.toplu("batch", "resolve", batch, "--items", "words.csv", "--evidence", "iyzico's statement", "--yes", "--config", "toplu.yaml"); status != 0 {
		i.t.Errorf("resolve --items: %s", out)
	}
}

// stuckBatch is the id of the first batch of a list, which is stuck.
func stuckBatch(t *testing.T, list string) string {
	t.Helper()
	for line := range strings.Lines(list) {
		if fields := strings.Fields(line); len(fields) > 2 && fields[0] == "!" {
			return fields[2]
		}
	}
	t.Fatalf("no batch is stuck:\n%s", list)
	return ""
}

func TestSlowIncidentBalanceEmpty(t *testing.T) {
	i := newIncident(t, "balance-empty", "--setting", "balance=0.00")
	run := i.run("run")
	i.send(i.shop.make("", 20))
	i.metric(run, i.shows("toplu_balance_too_low_total"))
	run.says(t, i.shows("the balance is too low"), time.Minute)
	i.play(0, []string{`MONEY UNDER WAY`, `default +\d+ +20 \(`, `created`}, "status")
	if n := len(i.books().Transfers); n > 0 {
		t.Errorf("%d transfers without money", n)
	}
	i.deposit("sandbox-default")
	i.over()
	if n := i.ledger.count("paid"); n != 20 {
		t.Errorf("%d of 20 are paid", n)
	}
}

// deposit puts a million onto a merchant's account at iyzico.
func (i *incident) deposit(apiKey string) {
	i.t.Helper()
	body := strings.NewReader(`{"apiKey":"` + apiKey + `","amount":"1000000.00"}`)
	res, err := http.Post(i.simulatorURL+"/_simulator/deposit", "application/json", body)
	i.must(err)
	_ = res.Body.Close()
}

func TestSlowIncidentRedisWiped(t *testing.T) {
	i := newIncident(t, "redis-wiped")
	run := i.run("run")
	stop := i.load(20, nil)
	i.ledger.awaitAnswers(t, 100, time.Minute)
	i.redisDo("FLUSHALL")
	i.metric(run, i.shows("toplu_claims_lost_total"))
	run.says(t, i.shows("filled again from the log"), time.Minute)
	i.ledger.awaitPaid(t, time.Now(), []int{0, 1, 2, 3}, time.Minute)
	stop()
	i.ledger.awaitAnswers(t, len(i.shop.asked), time.Minute)
	// Every shard has a worker, nothing waits, and the claims stand where the plans end.
	i.play(0, []string{`0 open batches, 0 stuck`, `SHARDS\n.*\n(\d +127\.0\.0\.1 \S+ +\d+ +\d+ +0 .*\n){4}`}, "status")
	i.play(0, []string{`Everything agrees`}, "audit")
	i.play(0, []string{`shard 3: \d+ claims, refilled`}, "rebuild")
	i.over()
}

func TestSlowIncidentWrongKeys(t *testing.T) {
	i := newIncident(t, "wrong-keys")
	right := i.file("market.key", []byte("wrong-for-now"))
	i.reconfigure("secretKey: sandbox-market-secret", "secretKeyFile: "+right)
	run := i.run("run")
	run.says(t, i.shows("iyzico refuses this merchant's keys"), time.Minute)
	i.send(i.shop.make("", 20))
	i.send(i.shop.make("market", 20))
	i.ledger.awaitAnswers(t, 20, time.Minute)
	i.play(0, []string{`market +\d+ +[1-9]\d* +- +\S+ ago: \S+ refused 100[01]`}, "status")
	i.metric(run, i.shows("toplu_iyzico_keys_refused_total")+`{merchant="market"}`)
	if n := i.ledger.count("rejected", "failed"); n > 0 {
		t.Errorf("%d are rejected for our keys", n)
	}
	i.file("market.key", []byte("sandbox-market-secret"))
	i.play(0, []string{`configuration: fine`}, "config check")
	i.ledger.awaitAnswers(t, 40, time.Minute) // without a restart
	i.over()
	if n := i.ledger.count("paid"); n != 40 {
		t.Errorf("%d of 40 are paid", n)
	}
}

func TestSlowIncidentKeysMissing(t *testing.T) {
	i := newIncident(t, "keys-missing")
	i.reconfigure("batch:\n", "seal: {keyDir: keys}\nbatch:\n")
	if out, status := i.toplu("keys", "create", "--months", "1", "--merchant", "default", "--config", "toplu.yaml"); status != 0 {
		t.Fatal(out)
	}
	run := i.run("run")
	run.says(t, i.shows("there is no key to seal with"), time.Minute)
	i.send(i.shop.make("market", 20))
	for range 3 {
		others := i.shop.make("", 20)
		i.send(others)
	}
	i.ledger.awaitAnswers(t, 60, time.Minute)
	i.metric(run, i.shows("toplu_seal_keys_missing")+`{month="this"}`)
	eventually(t, time.Minute, func() string {
		if answer := run.admin(t, i.shows("/readyz")); !regexp.MustCompile(`^ok\nno key to seal with in \S+ for market, _: `).MatchString(answer) {
			return "/readyz says " + answer
		}
		return ""
	})
	i.play(0, []string{`default +\S+ +there`}, "keys list")
	i.play(0, nil, "keys create")
	i.ledger.awaitAnswers(t, 80, time.Minute) // without a restart
	i.play(0, []string{`0 open batches`}, "status")
	i.over()
	if n := i.ledger.count("paid"); n != 80 {
		t.Errorf("%d of 80 are paid", n)
	}
}

func TestSlowIncidentMerchantMissing(t *testing.T) {
	i := newIncident(t, "merchant-missing", "--setting", "balance=0.00")
	run := i.run("run")
	i.send(i.shop.make("market", 8)) // in several shards
	i.play(0, []string{`market +\d+ +8 \(`}, "status")
	run.end(t)
	const market = "  market:  {apiKey: sandbox-market, secretKey: sandbox-market-secret}\n"
	i.reconfigure(market, "")
	run = i.run("without")
	i.metric(run, i.shows("toplu_merchant_missing"))
	eventually(t, time.Minute, func() string {
		if answer := run.admin(t, i.shows("/readyz")); !strings.Contains(answer, "ok\n") || !strings.Contains(answer, "merchant market has open batches and is not in the configuration") {
			return "/readyz says " + answer
		}
		return ""
	})
	i.play(0, []string{i.shows("NOT IN THE CONFIGURATION") + `: merchant market has \d+ open batches`}, "status")
	i.deposit("sandbox-default")
	others := i.shop.make("", 20)
	i.send(others)
	i.ledger.awaitAnswers(t, 20, time.Minute)

	text, _ := i.toplu("batch", "list", "--json", "--config", "toplu.yaml")
	var open struct {
		Batches []struct {
			BatchID string
			Payouts struct{ Count int }
		}
	}
	i.must(json.Unmarshal([]byte(text), &open))
	if len(open.Batches) < 2 {
		t.Fatalf("too few open batches: %s", text)
	}
	gone := open.Batches[0]
	i.play(0, []string{fmt.Sprintf(`%d payouts \(.*\) are cancelled`, gone.Payouts.Count)}, "batch cancel", "BATCH", gone.BatchID)
	i.ledger.awaitAnswers(t, 20+gone.Payouts.Count, time.Minute)

	run.end(t)
	i.reconfigure("merchants:\n", "merchants:\n"+market)
	i.play(0, []string{`configuration: fine`}, "config check")
	i.deposit("sandbox-market")
	i.run("back")
	i.over()
	if n := i.ledger.count("paid"); n != 28-gone.Payouts.Count {
		t.Errorf("%d are paid, want %d", n, 28-gone.Payouts.Count)
	}
}

func TestSlowIncidentStuckBatch(t *testing.T) {
	i := newIncident(t, "stuck-batch", "--setting", "maxItems=5")
	run := i.run("run")
	// More lines than iyzico takes at once: a refusal by a code that nobody listed.
	i.send(i.shop.make("", 40))
	i.metric(run, i.shows("toplu_batches_held_total"))
	i.shows("STUCK")
	if out, _ := i.toplu("status", "--config", "toplu.yaml"); !strings.Contains(out, "\nSTUCK\n") {
		t.Errorf("status shows no stuck batch:\n%s", out)
	}
	var stuck struct {
		Batches []struct {
			BatchID, State string
			Payouts        struct{ Count int }
		}
	}
	// The forty are in several batches, each refused in its own time.
	eventually(t, 2*time.Minute, func() string {
		text, _ := i.toplu("batch", "list", "--stuck", "--json", "--config", "toplu.yaml")
		i.must(json.Unmarshal([]byte(text), &stuck))
		payouts := i.ledger.count("paid") // of a batch that happened to be small enough
		for _, b := range stuck.Batches {
			payouts += b.Payouts.Count
		}
		if payouts != 40 {
			return fmt.Sprintf("%d of 40 payouts are in stuck batches or paid:\n%s", payouts, text)
		}
		return ""
	})
	// Resumed, it is refused again: only a cancel helps here.
	i.play(0, []string{`counted: the batch is no longer held`}, "batch resume", "BATCH", stuck.Batches[0].BatchID)
	cancelled := 0
	for _, b := range stuck.Batches {
		i.play(0, []string{`held since`, `nothing until a person acts`}, "batch show", "BATCH", b.BatchID)
		i.play(0, []string{fmt.Sprintf(`%d payouts \(.*\) are cancelled`, b.Payouts.Count)}, "batch cancel", "BATCH", b.BatchID)
		cancelled += b.Payouts.Count
	}
	i.over()
	if n := i.ledger.count("cancelled"); n != cancelled || n == 0 {
		t.Errorf("%d are cancelled, want %d", n, cancelled)
	}
}
