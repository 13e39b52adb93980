package app_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// sendFor sends payouts of 10.00 TRY of a merchant, later than all that is there.
func (s *shift) sendFor(t *testing.T, merchant string, ids ...string) time.Time {
	t.Helper()
	time.Sleep(5 * time.Millisecond) // Kafka's times are milliseconds
	now := time.Now().Truncate(time.Millisecond)
	var lines strings.Builder
	for _, id := range ids {
		lines.WriteString(`{"payoutId":"` + id + `","merchant":"` + merchant + `","recipient":{"type":"PHONE","value":"+905350000000"},"amount":{"value":"10.00","currency":"TRY"}}` + "\n")
	}
	run(t, s.env, lines.String(), "send", "-").want(t, 0, "", "")
	return now
}

// Only what is meant is planned: a stretch by times or offsets, a merchant, and
// no plan is run that is not of these logs or whose requests are gone.
func TestReplayStretch(t *testing.T) {
	t.Parallel()
	s := newShift(t, 20*time.Millisecond)
	s.env = withMarket(t, plus(s.env, "TOPLU_KAFKA_STARTAT=now"))
	first := s.sendFor(t, "default", "a-1", "a-2", "a-3")
	second := s.sendFor(t, "market", "m-1", "m-2")
	third := s.sendFor(t, "default", "b-1")
	s.start(t)
	s.until(t, func(result) bool { return s.began(t) }, "status")
	at := func(from, to int64) (ids []string) {
		for _, rec := range s.requests(t) {
			if from <= rec.Offset && rec.Offset < to {
				ids = append(ids, string(rec.Key))
			}
		}
		slices.Sort(ids)
		return ids
	}
	stamp := func(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }
	planned := func(args ...string) (ids []string, v replayJSON) {
		r := s.until(t, func(r result) bool { return r.code == 0 }, append([]string{"replay", "plan", "--json"}, args...)...)
		v = loose[replayJSON](t, r)
		for _, it := range v.New {
			ids = append(ids, it.PayoutID)
		}
		slices.Sort(ids)
		return ids, v
	}
	s.until(t, func(r result) bool { return r.code == 0 && loose[replayJSON](t, r).Read == 6 }, "replay", "plan", "--from", "0", "--json")
	for _, tt := range []struct {
		name string
		args []string
		want []string
	}{
		{"a merchant", []string{"--from", "0", "--merchant", "market"}, []string{"m-1", "m-2"}},
		{"before a time", []string{"--from", "0", "--to", stamp(third)}, []string{"a-1", "a-2", "a-3", "m-1", "m-2"}},
		{"from a time", []string{"--from", stamp(second)}, []string{"b-1", "m-1", "m-2"}},
		{"between two times", []string{"--from", stamp(second), "--to", stamp(third)}, []string{"m-1", "m-2"}},
		{"a merchant in a time", []string{"--from", stamp(first), "--to", stamp(third), "--merchant", "default"}, []string{"a-1", "a-2", "a-3"}},
		{"before an offset", []string{"--from", "0", "--to", "1"}, at(0, 1)},
		{"between two offsets", []string{"--from", "1", "--to", "2"}, at(1, 2)},
		{"to beyond the end", []string{"--from", "0", "--to", "1000"}, at(0, 1000)},
	} {
		if got, v := planned(tt.args...); !slices.Equal(got, tt.want) || v.Sums["TRY"] != strconv.Itoa(10*len(tt.want))+".00" {
			t.Errorf("%s: new are %q, in all %s, want %q", tt.name, got, v.Sums["TRY"], tt.want)
		}
	}
	if _, v := planned("--from", "0", "--merchant", "market"); v.Read != 6 {
		t.Errorf("%d read", v.Read)
	}
	s.run(t, "replay", "plan", "--from", "0", "--to", "0").want(t, 2, "", "no request stands before it")

	// The file is there whole, or not at all.
	dir := t.TempDir()
	path := filepath.Join(dir, "market.plan")
	for range 2 { // over an older one too
		planned("--from", "0", "--merchant", "market", "--out", path)
	}
	s.run(t, "replay", "run", path, "--dry-run").want(t, 0, "2 listed", "")
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.run(t, "replay", "plan", "--from", "0", "--out", filepath.Join(dir, "folder")).want(t, 1, "", "folder")
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("%v: %v", err, left)
	}

	// Another installation.
	other := newShift(t, 20*time.Millisecond)
	other.env = withMarket(t, other.env)
	other.run(t, "replay", "run", path, "--yes").want(t, 1, "", "it was made from other logs")

	// The requests are gone.
	s.stop()
	_, client := kafkaOf(t, s.env)
	if err := client.DeleteTopics(t.Context(), "payout.requests"); err != nil {
		t.Fatal(err)
	}
	s.run(t, "topics", "create", "--partitions", "2").want(t, 0, "", "")
	s.run(t, "replay", "run", path, "--yes").want(t, 1, "", "the plan no longer matches: requests that it lists are no longer there")
	if n := len(s.requests(t)); n != 0 {
		t.Errorf("%d requests are sent", n)
	}
}

// Only the letters that are meant are sent back.
func TestRedriveOfSome(t *testing.T) {
	t.Parallel()
	s := newShift(t, 20*time.Millisecond)
	s.start(t)
	for i, id := range []string{"m-1", "m-2", "m-3", "m-4"} {
		s.poison(t, `{"payoutId":"`+id+`","merchant":"market","recipient":{"type":"PHONE","value":"+905350000000"},"amount":{"value":"1.00","currency":"TRY"}}`)
		s.says(t, "unknown_merchant  "+strconv.Itoa(i+1), "dlq", "list")
		time.Sleep(5 * time.Millisecond) // letters are told apart by their times
	}
	s.stop()
	s.env = withMarket(t, s.env)
	s.start(t)
	type letter struct {
		Partition      int
		Offset         int64
		At             string
		PayoutID, Fate string
	}
	redrive := func(args ...string) (meant string, sent int) {
		r := s.until(t, func(r result) bool { return r.code == 0 }, append([]string{"dlq", "redrive", "--json"}, args...)...)
		v := loose[struct {
			Letters []letter
			Sent    int
		}](t, r)
		var ids []string
		for _, l := range v.Letters {
			ids = append(ids, l.PayoutID)
		}
		return strings.Join(ids, " "), v.Sent
	}
	all := loose[struct{ Letters []letter }](t, s.run(t, "dlq", "list", "--letters", "--json")).Letters
	if len(all) != 4 || all[2].PayoutID != "m-3" {
		t.Fatalf("%+v", all)
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--id", "m-2"}, "m-2"},
		{[]string{"--at", place(all[3].Partition, all[3].Offset)}, "m-4"},
		{[]string{"--since", all[2].At}, "m-3 m-4"},
		{[]string{"--until", all[2].At}, "m-1 m-2"},
		{[]string{"--since", all[1].At, "--until", all[3].At}, "m-2 m-3"},
		{[]string{"--since", all[1].At, "--id", "m-1"}, ""},
	} {
		if got, sent := redrive(append(tt.args, "--dry-run")...); got != tt.want || sent != 0 {
			t.Errorf("%q: %q are meant, want %q; %d sent", tt.args, got, tt.want, sent)
		}
	}
	s.run(t, "dlq", "redrive", "--id", "m-1", "--rate", "0", "--yes").want(t, 2, "", "--rate 0")
	s.run(t, "dlq", "redrive", "--at", "here", "--yes").want(t, 2, "", "--at")
	began := time.Now()
	if got, sent := redrive("--since", all[1].At, "--rate", "10", "--yes"); got != "m-2 m-3 m-4" || sent != 3 {
		t.Errorf("%q are sent, %d", got, sent)
	}
	if took := time.Since(began); took < 200*time.Millisecond {
		t.Errorf("3 at 10 a second took %s", took)
	}
	s.paidOnce(t, []string{"m-2", "m-3", "m-4"})
	s.run(t, "explain", "m-1").want(t, 0, "not seen", "")
}
