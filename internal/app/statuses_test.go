package app_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/internal/kafkaio"
)

// events reads a topic: event id → value, and how often each stands there.
func (s *shift) events(t *testing.T, topic string) (values map[string]string, times map[string]int) {
	t.Helper()
	_, client := kafkaOf(t, s.env)
	ends, err := client.Offsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	values, times = map[string]string{}, map[string]int{}
	for partition, o := range ends {
		r := client.NewReader(topic, partition, o.Start, kafkaio.ReaderOptions{})
		for r.Offset() < o.End {
			b, err := r.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, rec := range b.Records {
				for _, h := range rec.Headers {
					if h.Key == "ce_id" {
						values[string(h.Value)] = string(rec.Value)
						times[string(h.Value)]++
					}
				}
			}
		}
	}
	return values, times
}

func TestReemit(t *testing.T) {
	t.Parallel()
	s := newShift(t, 20*time.Millisecond)
	s.start(t)
	s.send(t, "a-1", "a-2", "a-3", "a-4")
	for _, id := range []string{"a-1", "a-2", "a-3", "a-4"} {
		s.says(t, ": paid", "explain", id)
	}
	s.until(t, func(result) bool { v, _ := s.events(t, "payout.statuses"); return len(v) == 12 }, "status")
	original, _ := s.events(t, "payout.statuses")

	s.run(t, "statuses", "reemit", "--yes").want(t, 2, "", "say which statuses")
	s.run(t, "statuses", "reemit", "--ids", "a-1").want(t, 2, "", "add --yes")
	s.run(t, "statuses", "reemit", "--ids", "a-1,never", "--yes").want(t, 1, "", "never: not seen")
	s.run(t, "statuses", "reemit", "--ids", "a-1", "--topic", "payout.requests", "--yes").want(t, 2, "", "no place there")
	s.run(t, "statuses", "reemit", "--from", "2020-01-01T00:00:00Z", "--dry-run").want(t, 0, "12 events would be published", "")
	s.run(t, "statuses", "reemit", "--ids", "a-1,a-3", "--yes", "--by", "ayse", "--reason", "ledger restored").want(t, 0, "6 of 6 events published", "")
	s.says(t, "statuses published again by ayse: those of a-1, a-3 to payout.statuses: ledger restored", "explain", "a-1")
	values, times := s.events(t, "payout.statuses")
	if diff := cmp.Diff(original, values); diff != "" {
		t.Errorf("not the same events:\n%s", diff)
	}
	for id, value := range values {
		want := 1
		if strings.Contains(value, `"a-1"`) || strings.Contains(value, `"a-3"`) {
			want = 2
		}
		if times[id] != want {
			t.Errorf("%s stands there %d times, want %d", value, times[id], want)
		}
	}

	// All of them, to a topic of its own.
	_, client := kafkaOf(t, s.env)
	if err := client.CreateTopics(t.Context(), kafkaio.TopicSpec{Name: "ledger.repair", Partitions: 1}); err != nil {
		t.Fatal(err)
	}
	s.run(t, "statuses", "reemit", "--from", "2020-01-01T00:00:00Z", "--topic", "ledger.repair", "--yes").want(t, 0, "12 of 12 events published to ledger.repair", "")
	if repaired, _ := s.events(t, "ledger.repair"); cmp.Diff(original, repaired) != "" {
		t.Errorf("not the same events:\n%s", cmp.Diff(original, repaired))
	}

	// Those of a batch: of its payouts, and of no others.
	batch := s.batchOf(t, "a-1")
	items := loose[batchJSON](t, s.run(t, "batch", "show", batch, "--items", "--json")).Items
	events := strconv.Itoa(3 * len(items))
	if r := s.run(t, "statuses", "reemit", "--batch", batch, "--dry-run"); len(items) == 0 || !strings.HasPrefix(r.out, events+" events would be published") {
		t.Errorf("%d payouts: %+v", len(items), r)
	}
	_, before := s.events(t, "payout.statuses")
	s.run(t, "statuses", "reemit", "--batch", batch, "--yes").want(t, 0, events+" of "+events+" events published", "")
	values, times = s.events(t, "payout.statuses")
	for id, value := range values {
		want := before[id]
		for _, it := range items {
			if strings.Contains(value, `"`+it.PayoutID+`"`) {
				want++
			}
		}
		if times[id] != want {
			t.Errorf("%s stands there %d times, want %d", value, times[id], want)
		}
	}
	s.run(t, "statuses", "reemit", "--from", "2020-01-01T00:00:00Z", "--to", "2020-01-02T00:00:00Z", "--yes").want(t, 0, "0 of 0", "")
}
