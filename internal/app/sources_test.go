package app_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/toplu/toplu/schema"
)

const theirs = "payout.requests.market"

// TestTopicsOfMerchants gives one merchant a topic of its own: both are paid from
// theirs, each is refused in the other's, and no command takes a refused request to
// where it would be paid.
func TestTopicsOfMerchants(t *testing.T) {
	t.Parallel()
	s := newShift(t, 20*time.Millisecond)
	common := s.env
	named := func(topics string) map[string]string {
		return plus(common, "TOPLU_CONFIG="+file(t, "toplu.yaml", "merchants: {market: {apiKey: sandbox-demo-key, secretKey: sandbox-demo-secret, topics: ["+topics+"]}, default: {}}\n"))
	}
	s.env = named(theirs)
	s.run(t, "topics", "check").want(t, 1, "", "topic "+theirs+" is missing")
	s.run(t, "run").want(t, 1, "", "topic "+theirs+" is missing")
	s.run(t, "topics", "create").want(t, 0, "created topic "+theirs, "")
	s.start(t)

	ask := func(id, merchant string) schema.Message {
		return schema.EncodeRequest(&schema.Request{
			PayoutID: id, Merchant: merchant, Purpose: "SETTLEMENT", Recipient: schema.Recipient{Type: schema.MemberID, Value: "1001", Name: "Ayşe Yılmaz"},
			Amount: schema.Amount{Minor: 1000, Currency: schema.TRY},
		}, "event-of-"+id, time.Now())
	}
	run(t, s.env, `{"payoutId":"ours-1","recipient":{"type":"MEMBER_ID","value":"1001"},"amount":{"value":"10.00","currency":"TRY"}}`+"\n"+
		`{"payoutId":"theirs-1","merchant":"market","recipient":{"type":"MEMBER_ID","value":"1001"},"amount":{"value":"10.00","currency":"TRY"}}`+"\n",
		"send", "-").want(t, 0, "sent to payout.requests, "+theirs, "")
	s.says(t, ": paid", "explain", "ours-1")
	s.says(t, "asked for by event", "explain", "theirs-1")
	s.says(t, theirs+"/", "explain", "theirs-1")
	s.says(t, ": paid", "explain", "theirs-1")

	// In the other's name, the other way round, and a cancel of the other's payout.
	s.write(t, "payout.requests", nil, ask("forged-1", "market"))
	s.write(t, theirs, nil, ask("forged-2", "default"))
	s.write(t, theirs, nil, ask("ours-1", "default"))
	s.until(t, func(r result) bool { return regexp.MustCompile(`wrong_topic +2 `).MatchString(r.out) }, "dlq", "list")
	s.says(t, "not seen. No batch has it", "explain", "forged-1")
	s.says(t, "dead letter", "explain", "forged-2")
	events, _ := s.events(t, "payout.statuses")
	refused := 0
	for _, value := range events {
		if loose[struct{ Status string }](t, result{out: value}).Status == "request_refused" {
			refused++
		}
	}
	if refused != 2 {
		t.Errorf("%d refusals, want one for each of forged-1 and forged-2", refused)
	}
	s.run(t, "dlq", "redrive", "--all", "--yes").want(t, 0, "0 sent back", "")
	s.until(t, func(r result) bool {
		lag, topics := int64(0), map[string]bool{}
		for _, l := range loose[statusTopics](t, r).Requests {
			lag += l.Lag
			topics[l.Topic] = true
		}
		return lag == 0 && len(topics) == 2
	}, "status", "--json")
	s.run(t, "replay", "plan", "--from", "0").want(t, 2, "", "say which topic of requests is meant, --topic: there are payout.requests, "+theirs)
	s.run(t, "replay", "plan", "--from", "0", "--topic", "payout.statuses").want(t, 2, "", "is no topic of requests")
	s.run(t, "replay", "plan", "--from", "0", "--topic", "payout.requests").want(t, 0, "refused: wrong_topic", "")
	path := filepath.Join(t.TempDir(), "plan")
	s.run(t, "replay", "plan", "--from", "0", "--topic", theirs, "--out", path).want(t, 0, "NEW, would be paid: 0", "")
	s.run(t, "offsets", "accept", "--floor", "end", "--dry-run").want(t, 2, "", "say which topic")
	s.run(t, "offsets", "accept", "--floor", "end", "--dry-run", "--topic", theirs).want(t, 0, "FLOOR WAS", "")
	s.stop()

	// The topic is named no more, with a request in it.
	s.write(t, theirs, nil, ask("waits-1", "market"))
	s.env = named("payout.requests")
	s.run(t, "status").want(t, 0, "NOT READ: "+theirs+" has up to 1 requests without an answer", "")
	s.start(t)
	s.send(t, "ours-2")
	s.says(t, ": paid", "explain", "ours-2")
	s.run(t, "explain", "waits-1").want(t, 0, "not seen", "")
	if logs := s.logs.String(); !strings.Contains(logs, "requests are not read: no merchant names this topic any more") {
		t.Errorf("no word of it in the log:\n%s", logs)
	}
	s.stop()

	// Named again, what waited is paid, from where the group had come to. What was
	// refused since its merchant had not named the topic goes back to it.
	s.env = named("payout.requests, " + theirs)
	s.start(t)
	s.says(t, ": paid", "explain", "waits-1")
	s.until(t, func(r result) bool { return r.code == 0 }, "dlq", "redrive", "--all", "--yes")
	s.says(t, ": paid", "explain", "forged-1")
	s.run(t, "explain", "forged-2").want(t, 0, "not seen", "")
	if v, r := s.audit(t, "--iyzico"); !v.Agrees {
		t.Errorf("%s", r.out)
	}
}

type statusTopics struct {
	Requests []struct {
		Topic string
		Lag   int64
	}
}
