package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema/schematest"
)

type redriveJSON struct {
	Fates   map[string]int
	Totals  map[string]string
	Letters []struct {
		Partition           int
		Offset              int64
		Code, PayoutID, Why string
		Fate                string
	}
	Sent int
}

func TestDeadLetters(t *testing.T) {
	t.Parallel()
	s := newShift(t, 20*time.Millisecond)
	s.start(t)
	// The service knows one merchant; requests for another die. Then it is added.
	market := func(id, amount string) string {
		return `{"payoutId":"` + id + `","merchant":"market","recipient":{"type":"IBAN","value":"TR330006100519786457841326","name":"Ayşe Yılmaz"},"iban":"TR330006100519786457841326","amount":{"value":"` + amount + `","currency":"TRY"},"metadata":{"orderId":"77"}}`
	}
	s.send(t, "known-1")
	s.says(t, ": paid", "explain", "known-1")
	for _, value := range []string{market("m-1", "10.00"), market("m-2", "10.00"), market("m-2", "10.00"), market("m-2", "11.00"), market("known-1", "5.00"), "call Ayşe on +905350000000"} {
		s.poison(t, value)
	}
	r := s.until(t, func(r result) bool {
		return strings.Contains(r.out, `"count": 5`) && strings.Contains(r.out, `"not_json"`)
	}, "dlq", "list", "--json")
	if causes := loose[struct{ Causes []struct{ Code string } }](t, r).Causes; len(causes) != 2 || causes[1].Code != "not_json" {
		t.Errorf("%+v", r)
	}
	s.run(t, "dlq", "list").want(t, 0, "unknown_merchant  5", "")
	letters := loose[struct{ Letters []struct{ Offset int64 } }](t, s.run(t, "dlq", "list", "--letters", "--code", "not_json", "--json")).Letters
	if len(letters) != 1 {
		t.Fatalf("%+v", letters)
	}

	// Shown with the reason and the headers, and nothing about persons.
	partition := kafkaio.PartitionFor([]byte("poison"), 2)
	for offset := range int64(6) {
		show := s.run(t, "dlq", "show", place(partition, offset))
		show.want(t, 0, "toplu-reason-code", "")
		for _, secret := range []string{"Ayşe", "Yılmaz", "TR3300", "5350000000"} {
			if strings.Contains(show.out, secret) {
				t.Errorf("%q is shown: %s", secret, show.out)
			}
		}
		if offset == letters[0].Offset {
			show.want(t, 0, "xxxx xxxx xx +999999999999", "")
			continue
		}
		show.want(t, 0, `"orderId": "77"`, "")
		show.want(t, 0, "TR33***1326", "")
	}
	s.run(t, "dlq", "show", "0").want(t, 2, "", "is no place")
	s.run(t, "dlq", "show", place(partition, 99)).want(t, 1, "", "99")

	redrive := []string{"dlq", "redrive", "--code", "unknown_merchant", "--json"}
	s.run(t, "dlq", "redrive", "--yes").want(t, 2, "", "say which letters are meant")
	if v := loose[redriveJSON](t, s.run(t, append(redrive, "--dry-run")...)); v.Fates["still_invalid"] != 5 || v.Sent != 0 {
		t.Errorf("%+v", v)
	}
	s.stop()
	s.env = withMarket(t, s.env)
	s.start(t)
	want := map[string]int{"would_be_paid": 2, "repeated": 1, "used_up": 2}
	dry := loose[redriveJSON](t, s.run(t, append(redrive, "--dry-run")...))
	for fate, n := range want {
		if dry.Fates[fate] != n {
			t.Errorf("%d are %s, want %d", dry.Fates[fate], fate, n)
		}
	}
	if dry.Totals["TRY"] != "20.00" || dry.Sent != 0 {
		t.Errorf("%+v", dry)
	}
	s.run(t, redrive...).want(t, 2, "", "add --yes")
	if v := loose[redriveJSON](t, s.run(t, append(redrive, "--yes", "--by", "ayse")...)); v.Sent != 2 {
		t.Errorf("%+v", v)
	}
	// At once again: on their way or taken, but not sent twice.
	if v := loose[redriveJSON](t, s.run(t, append(redrive, "--yes")...)); v.Sent != 0 {
		t.Errorf("%+v", v)
	}
	s.says(t, ": paid", "explain", "m-1")
	s.says(t, ": paid", "explain", "m-2")
	s.run(t, "explain", "m-1").want(t, 0, ", redriven from "+place(partition, 0)+" by ayse: -", "")
	s.noted(t, "redrive", "ayse", "m-1")
	s.noted(t, "redrive", "ayse", "m-2")
	if v := loose[redriveJSON](t, s.run(t, append(redrive, "--yes")...)); v.Fates["already_taken"] != 3 || v.Sent != 0 {
		t.Errorf("%+v", v)
	}
	marked := 0
	for _, rec := range s.requests(t) {
		for _, h := range rec.Headers {
			if h.Key == "toplu-redriven-by" && string(h.Value) == "ayse" {
				marked++
				if err := schematest.Headers(t)("requested", rec.Message().Headers); err != nil {
					t.Error(err)
				}
			}
			if strings.HasPrefix(h.Key, "toplu-reason") {
				t.Error("a request carries the reason of its death")
			}
		}
	}
	if marked != 2 {
		t.Errorf("%d requests carry the mark", marked)
	}
}

// A letter that was sent back and refused again is not sent a second time; the
// new one tells the story.
func TestRedriveOfWhatComesBack(t *testing.T) {
	t.Parallel()
	s := newShift(t, 20*time.Millisecond)
	s.start(t)
	s.poison(t, `{"payoutId":"m-1","merchant":"market","recipient":{"type":"PHONE","value":"+905350000000"},"amount":{"value":"1.00","currency":"TRY"}}`)
	s.says(t, "unknown_merchant", "dlq", "list")
	// Whoever is on call has the merchant in their configuration, the service not yet.
	known := &shift{env: withMarket(t, s.env)}
	// Until the worker has begun its shards, nobody knows what is taken.
	sent := known.until(t, func(r result) bool { return r.code == 0 }, "dlq", "redrive", "--all", "--yes", "--json")
	if v := loose[redriveJSON](t, sent); v.Sent != 1 {
		t.Fatalf("%+v", v)
	}
	r := known.until(t, func(r result) bool { return loose[redriveJSON](t, r).Fates["would_be_paid"] == 1 }, "dlq", "redrive", "--all", "--dry-run", "--json")
	v := loose[redriveJSON](t, r)
	if v.Fates["sent_before"] != 1 || len(v.Letters) != 2 || v.Letters[0].Fate != "sent_before" || !strings.Contains(v.Letters[0].Why, "it came back as") {
		t.Errorf("%+v", v)
	}
}

func place(partition int, offset int64) string { return fmt.Sprintf("%d/%d", partition, offset) }

// requests reads every request.
func (s *shift) requests(t *testing.T) []kafkaio.Record {
	t.Helper()
	cfg, _ := kafkaOf(t, s.env)
	return s.records(t, cfg.Kafka.Topics().Requests)
}

// withMarket is the environment with another merchant in its configuration.
func withMarket(t *testing.T, env map[string]string) map[string]string {
	t.Helper()
	return plus(env, "TOPLU_CONFIG="+file(t, "toplu.yaml", "merchants: {market: {apiKey: sandbox-demo-key, secretKey: sandbox-demo-secret}, default: {}}\n"))
}
