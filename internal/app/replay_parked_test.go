package app_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/internal/seal"
	"github.com/toplu/toplu/schema"
)

// What was parked below the floor is paid from its letters, sealed or not, though
// the topic has none of it; a redrive leaves it alone.
func TestReplayOfParkedLetters(t *testing.T) {
	t.Parallel()
	s := newShift(t, 20*time.Millisecond)
	dir := filepath.Join(t.TempDir(), "keys")
	s.env = plus(s.env, "TOPLU_SEAL_KEYDIR="+dir)
	s.run(t, "keys", "create", "--months", "2").want(t, 0, "", "")
	keys, err := seal.Open(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	s.start(t)
	s.send(t, "known-1")
	s.says(t, ": paid", "explain", "known-1")
	park := func(code, id, amount string, sealed bool) {
		d := &schema.DeadLetter{Code: code, Text: "set back", PayoutID: id, At: time.Now(), Source: schema.Source{Topic: "payout.requests", Offset: 7}, Message: schema.Message{
			Key:     []byte(id),
			Value:   []byte(`{"payoutId":"` + id + `","recipient":{"type":"IBAN","value":"TR330006100519786457841326","name":"Ayşe Yılmaz"},"amount":{"value":"` + amount + `","currency":"TRY"}}`),
			Headers: []schema.Header{{Key: "ours", Value: []byte("kept")}},
		}}
		if sealed {
			if err := keys.SealLetter(d, "default"); err != nil {
				t.Fatal(err)
			}
		}
		partition := kafkaio.PartitionFor([]byte(id), 2)
		s.write(t, "payout.requests.dlq", &partition, d.Encode())
	}
	park("below_floor", "plain-1", "10.00", false)
	park("below_floor", "sealed-1", "10.00", true)
	park("below_floor", "sealed-1", "10.00", true)
	park("below_floor", "sealed-1", "11.00", true)
	park("below_floor", "known-1", "10.00", true)
	park("invalid", "other-1", "10.00", false)

	if v := loose[redriveJSON](t, s.run(t, "dlq", "redrive", "--code", "below_floor", "--yes", "--json")); v.Fates["parked"] != 5 || v.Sent != 0 {
		t.Errorf("redrive: %+v", v)
	}
	s.run(t, "replay", "plan").want(t, 2, "", "--parked")
	path := filepath.Join(t.TempDir(), "parked.plan")
	r := s.run(t, "replay", "plan", "--parked", "--out", path, "--json")
	v := loose[replayJSON](t, r)
	if v.Read != 5 || len(v.New) != 2 || v.Sums["TRY"] != "20.00" || v.Known["paid"] != 1 || v.Again != 1 || v.UsedUp != 1 {
		t.Fatalf("%+v", r)
	}
	s.run(t, "replay", "run", path, "--yes", "--by", "ayse").want(t, 0, "2 sent to payout.requests", "")
	s.says(t, ": paid", "explain", "plain-1")
	s.says(t, ": paid", "explain", "sealed-1")
	if v := loose[replayJSON](t, s.run(t, "replay", "run", path, "--yes", "--json")); v.Taken != 2 || v.Sent != 0 {
		t.Errorf("again: %+v", v)
	}
	if v := loose[replayJSON](t, s.run(t, "replay", "plan", "--parked", "--json")); len(v.New) != 0 || v.Known["paid"] != 4 || v.UsedUp != 1 {
		t.Errorf("afterwards: %+v", v)
	}
	for _, rec := range s.requests(t) {
		m := rec.Message()
		if _, replayed := m.Get("toplu-replayed-by"); !replayed {
			continue
		}
		if kept, _ := m.Get("ours"); kept != "kept" {
			t.Errorf("%s lost its header", m.Key)
		}
		for _, h := range []string{schema.HeaderReasonCode, schema.HeaderSealed, schema.HeaderPayoutID} {
			if _, there := m.Get(h); there {
				t.Errorf("%s carries %s", m.Key, h)
			}
		}
	}
}

// Offsets that were set back are told on the one screen.
func TestStatusShowsOffsetsSetBack(t *testing.T) {
	t.Parallel()
	s := newShift(t, 20*time.Millisecond)
	s.start(t)
	s.send(t, "known-1")
	s.says(t, ": paid", "explain", "known-1")
	partition := kafkaio.PartitionFor([]byte("known-1"), 2)
	s.until(t, func(r result) bool { return loose[statusJSON](t, r).Requests[partition].Lag == 0 }, "status", "--json")
	s.stop()
	cfg, client := kafkaOf(t, s.env)
	if err := client.SetOffsets(t.Context(), cfg.Kafka.Group, cfg.Kafka.Topics().Requests, map[int]int64{partition: 0}); err != nil {
		t.Fatal(err)
	}
	s.run(t, "status").want(t, 0, "SET BACK: ", "")
}
