package app_test

import (
	"bytes"
	"path/filepath"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/internal/seal"
	"github.com/toplu/toplu/schema"
)

// With everything sealed, letters are sent back and lost requests are found, and
// nothing else is paid: not what was planned under a key that is destroyed by now,
// nor after Redis has lost the claims and they are folded anew from sealed plans.
func TestSealedHistory(t *testing.T) {
	t.Parallel()
	s := newShift(t, 20*time.Millisecond)
	dir := filepath.Join(t.TempDir(), "keys")
	s.env = plus(withMarket(t, s.env), "TOPLU_SEAL_KEYDIR="+dir)
	s.run(t, "keys", "create", "--months", "2").want(t, 0, "", "")
	old := seal.ID{Merchant: "default", Month: "2025-01"}
	if _, err := seal.Create(dir, old); err != nil {
		t.Fatal(err)
	}
	keys, err := seal.Open(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	s.send(t, "lost-1", "old-1") // before the group begins
	without := plus(s.env, "TOPLU_CONFIG=", "TOPLU_KAFKA_STARTAT=now")
	with := s.env
	s.env = without
	s.start(t)
	s.until(t, func(result) bool { return s.began(t) }, "status")
	s.planned(t, keys, "old-1", time.Date(2025, 1, 31, 9, 0, 0, 0, time.UTC))
	s.send(t, "new-1", "new-1")
	for _, id := range []string{"old-1", "new-1"} {
		s.says(t, ": paid", "explain", id)
	}
	request := func(id, merchant, amount string) {
		s.poison(t, `{"payoutId":"`+id+`","merchant":"`+merchant+`","recipient":{"type":"IBAN","value":"TR330006100519786457841326","name":"Ayşe Yılmaz"},"amount":{"value":"`+amount+`","currency":"TRY"}}`)
	}
	request("market-1", "market", "10.00")
	request("market-2", "market", "10.00")
	request("market-2", "market", "12.00")
	request("new-1", "default", "11.00")
	request("old-1", "default", "11.00")
	s.says(t, "unknown_merchant  3", "dlq", "list")
	s.says(t, "conflict          2", "dlq", "list")
	for _, topic := range []string{"payout.batches", "payout.journal", "payout.requests.dlq", "payout.statuses"} {
		for _, r := range s.records(t, topic) {
			all := bytes.Join([][]byte{r.Key, r.Value}, nil)
			for _, h := range r.Headers {
				all = append(all, h.Value...)
			}
			if bytes.Contains(all, []byte("Yılmaz")) || bytes.Contains(all, []byte("TR3300")) {
				t.Errorf("%s has a recipient in clear: %q", topic, all)
			}
		}
	}
	s.stop()

	// Who has no keys reads nothing, and sends nothing back.
	blind := &shift{env: plus(with, "TOPLU_SEAL_KEYDIR=")}
	if v := loose[redriveJSON](t, blind.run(t, "dlq", "redrive", "--code", "unknown_merchant", "--dry-run", "--json")); v.Fates["still_invalid"] != 3 {
		t.Errorf("redrive without keys: %+v", v)
	}
	s.env = with
	s.start(t)
	redriven := s.until(t, func(r result) bool { return r.code == 0 }, "dlq", "redrive", "--all", "--yes", "--json")
	if v := loose[redriveJSON](t, redriven); v.Sent != 2 || v.Fates["would_be_paid"] != 2 || v.Fates["used_up"] != 3 {
		t.Errorf("redrive: %+v", v)
	}
	s.says(t, ": paid", "explain", "market-1")
	s.says(t, ": paid", "explain", "market-2")

	s.run(t, "keys", "destroy", old.String(), "--yes", "--reason", "retention is over").want(t, 0, "is destroyed here", "")
	rdb := s.redis(t)
	if err := rdb.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	s.send(t, "old-1", "new-1", "late-1") // known by their digests alone
	s.says(t, ": paid", "explain", "late-1")
	path := filepath.Join(t.TempDir(), "lost.plan")
	r := s.until(t, func(r result) bool { return r.code == 0 }, "replay", "plan", "--from", "0", "--out", path, "--json")
	if v := loose[replayJSON](t, r); len(v.New) != 1 || v.New[0].PayoutID != "lost-1" {
		t.Fatalf("replay plan: %s", r.out)
	}
	s.run(t, "replay", "run", path, "--yes", "--by", "ayse").want(t, 0, "1 sent to payout.requests", "")
	s.says(t, ": paid", "explain", "lost-1")
	if v, r := s.audit(t, "--iyzico"); !v.Agrees || len(v.Sums) != 2 || v.Sums[0].Count != 4 || v.Sums[1].Count != 2 {
		t.Errorf("%s", r.out)
	}
}

// planned writes a sealed plan of one payout of 10.00 TRY, made at a time.
func (s *shift) planned(t *testing.T, keys *seal.Keys, id string, at time.Time) {
	t.Helper()
	p := &schema.Plan{Merchant: "default", Purpose: "SETTLEMENT", Currency: schema.TRY, At: at, Items: []schema.PlanItem{{
		PayoutID: id, Minor: 1000, Recipient: schema.Recipient{Type: schema.IBAN, Value: "TR330006100519786457841326", Name: "Ayşe Yılmaz"},
		Source: schema.Source{Topic: "payout.requests"},
	}}}
	p.ID = schema.PlanID(p)
	if err := keys.SealPlan(p); err != nil {
		t.Fatal(err)
	}
	value, err := schema.EncodePlan(p)
	if err != nil {
		t.Fatal(err)
	}
	shard := schema.Shard(id, 2)
	s.write(t, "payout.batches", &shard, schema.Message{Key: []byte(p.ID), Value: value})
}

// records reads a topic.
func (s *shift) records(t *testing.T, topic string) []kafkaio.Record {
	t.Helper()
	_, client := kafkaOf(t, s.env)
	return recordsOf(t, client, topic)
}

// recordsOf reads a topic from its start to where it ends now.
func recordsOf(t *testing.T, client *kafkaio.Client, topic string) []kafkaio.Record {
	t.Helper()
	ends, err := client.Offsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	var all []kafkaio.Record
	for partition, o := range ends {
		r := client.NewReader(topic, partition, o.Start, kafkaio.ReaderOptions{})
		for r.Offset() < o.End {
			b, err := r.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, b.Records...)
		}
	}
	return all
}
