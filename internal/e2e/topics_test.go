//go:build integration

package e2e_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/realparts"
)

const marketTopic = "payout.requests.market"

// TestTopicsOfMerchants gives a merchant a topic of its own. Both merchants are
// paid, through a kill; what one asks for in the other's name is refused and told;
// and a restart goes on in both topics where they were answered to.
func TestTopicsOfMerchants(t *testing.T) {
	w := newWorld(t, realparts.Kafka42)
	text, err := os.ReadFile(w.config)
	if err != nil {
		t.Fatal(err)
	}
	w.file("toplu.yaml", []byte(strings.Replace(string(text), "secretKey: sandbox-market-secret", "secretKey: sandbox-market-secret, topics: ["+marketTopic+"]", 1)))
	w.createTopics()
	l := w.follow()
	sendTheirs := func(requests []*request) {
		to := slices.Clone(keyed)
		to[slices.Index(to, "payout.requests")] = marketTopic
		w.kcat(lines(requests, nil), to...)
	}
	var forged []*request
	for i := range 3 {
		forged = append(forged, &request{PayoutID: fmt.Sprintf("forged-%d", i), Recipient: recipient{"MEMBER_ID", "1001", ""}, Amount: amount{"1.00", "TRY"}})
	}
	first := w.run("first")
	w.send(w.shop.make("", 60))
	sendTheirs(w.shop.make("market", 60))
	sendTheirs(forged)
	eventually(t, time.Minute, func() string {
		if len(w.books().Transfers) < 20 {
			return "nothing is paid yet"
		}
		return ""
	})
	first.kill()
	w.send(w.shop.make("", 20))
	sendTheirs(w.shop.make("market", 20))
	w.run("second")
	w.judge(l, time.Minute)
	told := w.refusals()
	for _, r := range forged {
		if told[r.PayoutID] != "wrong_topic" {
			t.Errorf("%s: told %q, want that it is refused", r.PayoutID, told[r.PayoutID])
		}
	}
	for _, r := range w.read("payout.requests.dlq") {
		if code, from := r.Header("toplu-reason-code"), r.Header("toplu-source-topic"); code != "wrong_topic" || from != marketTopic {
			t.Errorf("a dead letter %s of %s", code, from)
		}
	}
	w.stopAll()

	third := w.run("third")
	for _, topic := range []string{"payout.requests", marketTopic} {
		third.says(t, regexp.QuoteMeta(`"topic":"`+topic+`"`)+`.*requests assigned`, time.Minute)
	}
	one := w.shop.make("market", 1)
	sendTheirs(one)
	if err := l.answers(t, len(w.shop.asked), time.Minute); err != nil {
		t.Error(err)
	}
	if metrics := third.admin(t, "/metrics"); !strings.Contains(metrics, "\ntoplu_requests_read_total 1\n") {
		t.Errorf("a restart reads again what was answered:\n%s", regexp.MustCompile(`(?m)^toplu_requests_.*$`).FindAllString(metrics, -1))
	}
	w.stopAll()
}
