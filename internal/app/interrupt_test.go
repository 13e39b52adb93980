package app_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/toplu/toplu/internal/app"
)

// interrupted runs toplu and interrupts it as soon as reached holds.
func (s *shift) interrupted(t *testing.T, reached func() bool, args ...string) {
	t.Helper()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	done := make(chan result)
	go func() { done <- runWith(ctx, s.env, "", args...) }()
	for deadline := time.Now().Add(30 * time.Second); !reached(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("toplu %s does not get that far", strings.Join(args, " "))
		}
	}
	interrupt()
	r := <-done
	r.want(t, 1, "", "interrupted")
}

// marked counts the requests that carry a header.
func (s *shift) marked(t *testing.T, header string) int {
	t.Helper()
	n := 0
	for _, rec := range s.requests(t) {
		m := rec.Message()
		if _, ok := m.Get(header); ok {
			n++
		}
	}
	return n
}

// numbered are n payout ids.
func numbered(prefix string, n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("%s-%05d", prefix, i)
	}
	return ids
}

// paidOnce waits until these are paid, and fails unless all that was ever asked
// for is, each once, by iyzico's books too.
func (s *shift) paidOnce(t *testing.T, ids []string) {
	t.Helper()
	for _, id := range ids {
		s.says(t, ": paid", "explain", id)
	}
	if v, r := s.audit(t, "--iyzico"); !v.Agrees || len(v.Sums) != 1 || v.Sums[0].Status != "paid" || v.Sums[0].Count != len(ids) {
		t.Errorf("want %d paid: %s", len(ids), r.out)
	}
}

func TestReplayRunInterrupted(t *testing.T) {
	t.Parallel()
	s := newShift(t, 20*time.Millisecond)
	ids := numbered("lost", 12)
	s.send(t, ids...)
	s.env = plus(s.env, "TOPLU_KAFKA_STARTAT=now")
	s.start(t)
	s.until(t, func(result) bool { return s.began(t) }, "status")
	path := filepath.Join(t.TempDir(), "lost.plan")
	s.until(t, func(r result) bool { return r.code == 0 && len(loose[replayJSON](t, r).New) == 12 }, "replay", "plan", "--from", "0", "--out", path, "--json")
	s.interrupted(t, func() bool { return s.marked(t, "toplu-replayed-by") >= 3 }, "replay", "run", path, "--rate", "2", "--yes")
	if n := s.marked(t, "toplu-replayed-by"); n < 3 || n == 12 {
		t.Fatalf("%d of 12 are sent", n)
	}
	// It goes on from there: what was sent is not sent again.
	v := loose[replayJSON](t, s.run(t, "replay", "run", path, "--yes", "--json"))
	if v.Listed != 12 || v.Sent == 0 || v.Taken+v.OnTheirWay+v.Sent != 12 {
		t.Errorf("%+v", v)
	}
	s.paidOnce(t, ids)
	if n := s.marked(t, "toplu-replayed-by"); n != 12 {
		t.Errorf("%d requests are sent, want 12", n)
	}
}

func TestRedriveInterrupted(t *testing.T) {
	t.Parallel()
	s := newShift(t, 20*time.Millisecond)
	s.start(t)
	ids := numbered("m", 12)
	for _, id := range ids {
		s.poison(t, `{"payoutId":"`+id+`","merchant":"market","recipient":{"type":"PHONE","value":"+905350000000"},"amount":{"value":"1.00","currency":"TRY"}}`)
	}
	s.says(t, "unknown_merchant  12", "dlq", "list")
	s.stop()
	s.env = withMarket(t, s.env)
	s.start(t)
	s.says(t, "0 open batches", "status")
	s.interrupted(t, func() bool { return s.marked(t, "toplu-redriven-by") >= 3 }, "dlq", "redrive", "--all", "--rate", "2", "--yes")
	n := s.marked(t, "toplu-redriven-by")
	if n < 3 || n == 12 {
		t.Fatalf("%d of 12 are sent", n)
	}
	if v := loose[redriveJSON](t, s.run(t, "dlq", "redrive", "--all", "--yes", "--json")); v.Sent != 12-n {
		t.Errorf("%d were sent already: %+v", n, v)
	}
	s.paidOnce(t, ids)
	if n := s.marked(t, "toplu-redriven-by"); n != 12 {
		t.Errorf("%d requests are sent, want 12", n)
	}
}

func TestReemitInterrupted(t *testing.T) {
	t.Parallel()
	s := newShift(t, 20*time.Millisecond)
	s.start(t)
	ids := numbered("a", 6)
	s.send(t, ids...)
	s.paidOnce(t, ids)
	original, _ := s.events(t, "payout.statuses")
	reemit := []string{"statuses", "reemit", "--from", "2020-01-01T00:00:00Z", "--yes"}
	s.interrupted(t, func() bool { return len(s.records(t, "payout.statuses")) >= 20 }, append(reemit, "--rate", "2")...)
	s.run(t, reemit...).want(t, 0, "18 of 18 events published", "")
	values, times := s.events(t, "payout.statuses")
	if diff := cmp.Diff(original, values); diff != "" {
		t.Errorf("not the same events:\n%s", diff)
	}
	for id, n := range times {
		if n < 2 || n > 3 {
			t.Errorf("%s stands there %d times", values[id], n)
		}
	}
	if v, r := s.audit(t); !v.Agrees {
		t.Errorf("%s", r.out)
	}
}

func TestImportInterrupted(t *testing.T) {
	t.Parallel()
	s := newShift(t, 20*time.Millisecond)
	s.start(t)
	s.until(t, func(r result) bool { return r.code == 0 }, "claims", "import", "--none", "--open", "--reason", "nothing yet", "--yes")
	asked := len(s.records(t, "payout.commands"))
	s.stop()
	list := file(t, "paid.csv", strings.Join(numbered("old", 12_000), "\n"))
	imported := []string{"claims", "import", list, "--reason", "from the panel", "--yes", "--json"}
	// Nobody takes the first of its commands, so it waits.
	s.interrupted(t, func() bool { return len(s.records(t, "payout.commands")) > asked }, imported...)
	type importJSON struct{ Listed, KnownBefore, New, Imported int }
	s.start(t)
	s.until(t, func(r result) bool { return r.code == 0 && loose[importJSON](t, r).KnownBefore == 5000 }, append(imported, "--dry-run")...)
	if v := loose[importJSON](t, s.run(t, imported...)); v != (importJSON{12_000, 5000, 7000, 7000}) {
		t.Errorf("%+v", v)
	}
	if v := loose[importJSON](t, s.run(t, imported...)); v != (importJSON{12_000, 12_000, 0, 0}) {
		t.Errorf("again: %+v", v)
	}
	s.send(t, "old-00000", "new-1", "old-11999")
	s.says(t, ": paid", "explain", "new-1")
	s.run(t, "explain", "old-00000").want(t, 0, "paid elsewhere", "")
	if v, r := s.audit(t, "--iyzico"); len(v.Sums) != 1 || v.Sums[0].Count != 1 || v.Iyzico.Items != 1 {
		t.Errorf("want one payout: %s", r.out)
	}
}

// redis is a connection to the Redis of the installation.
func (s *shift) redis(t *testing.T) *redis.Client {
	t.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: s.env["TOPLU_REDIS_ADDRS"]})
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

// claimsOf is all that Redis holds of a shard.
func claimsOf(t *testing.T, rdb *redis.Client, shard int) map[string]map[string]string {
	t.Helper()
	keys, err := rdb.Keys(t.Context(), fmt.Sprintf("*-%d}*", shard)).Result()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]map[string]string{}
	for _, key := range keys {
		if fields, err := rdb.HGetAll(t.Context(), key).Result(); err == nil {
			all[key] = fields
		} else if bucket, err := rdb.Get(t.Context(), key).Result(); err == nil && !strings.Contains(key, ":lease:") {
			all[key] = map[string]string{"bucket": bucket}
		}
	}
	return all
}

// epochOf is under which epoch the claims of a shard stand.
func epochOf(t *testing.T, rdb *redis.Client, shard int) string {
	t.Helper()
	for _, fields := range claimsOf(t, rdb, shard) {
		if epoch := fields["epoch"]; epoch != "" {
			return epoch
		}
	}
	return ""
}

func TestRebuildOfSomeShards(t *testing.T) {
	t.Parallel()
	s := newShift(t, 20*time.Millisecond)
	s.start(t)
	ids := numbered("a", 6)
	s.send(t, ids...)
	s.paidOnce(t, ids)
	rdb := s.redis(t)
	left, before := claimsOf(t, rdb, 0), epochOf(t, rdb, 1)
	if len(left) < 2 || before == "" {
		t.Fatalf("%v, epoch %q", left, before)
	}
	r := s.run(t, "rebuild", "--shard", "1", "--reason", "a drill", "--yes", "--json")
	if v := decode[rebuildJSON](t, r); r.code != 0 || len(v.Shards) != 1 || v.Shards[0].Shard != 1 || !v.Shards[0].Finished || v.Shards[0].Claims == 0 {
		t.Errorf("%+v", r)
	}
	if diff := cmp.Diff(left, claimsOf(t, rdb, 0)); diff != "" {
		t.Errorf("shard 0 was touched:\n%s", diff)
	}
	if epochOf(t, rdb, 1) == before {
		t.Error("shard 1 stands under the epoch of before")
	}
	if notes := s.notesOf(t, 0); len(notes) > 0 {
		t.Errorf("the journal of shard 0 tells of a rebuild: %q", notes)
	}
	s.paidOnce(t, ids)
}

// A rebuild that is interrupted, wherever, leaves claims that are right or are
// being filled again, and can be run again.
func TestRebuildInterrupted(t *testing.T) {
	t.Parallel()
	s := newShift(t, 20*time.Millisecond)
	s.start(t)
	ids := numbered("a", 6)
	s.send(t, ids...)
	s.paidOnce(t, ids)
	rdb := s.redis(t)

	// While no worker takes the command: nothing is emptied.
	s.stop()
	before, asked := claimsOf(t, rdb, 0), len(s.records(t, "payout.commands"))
	s.interrupted(t, func() bool { return len(s.records(t, "payout.commands")) > asked }, "rebuild", "--yes")
	if diff := cmp.Diff(before, claimsOf(t, rdb, 0)); len(before) == 0 || diff != "" {
		t.Errorf("something was emptied:\n%s", diff)
	}
	s.start(t)

	// Between two shards: the first is refilled, the second as it was.
	s.until(t, func(r result) bool { return r.code == 0 }, "rebuild", "--shard", "1", "--yes")
	epoch := epochOf(t, rdb, 1)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	out := &onText{text: "shard 0: ", then: interrupt}
	var errs lockedBuffer
	if code := app.Run(ctx, []string{"rebuild", "--yes"}, func(name string) string { return s.env[name] }, strings.NewReader(""), out, &errs); code != 1 || !strings.Contains(errs.String(), "interrupted") {
		t.Errorf("exit status %d: %s", code, errs.String())
	}
	if now := epochOf(t, rdb, 1); now != epoch {
		t.Errorf("shard 1 was emptied after the interrupt: epoch %q, before %q", now, epoch)
	}

	// Right after a shard was emptied: its worker fills it again.
	epoch = epochOf(t, rdb, 0)
	ctx, interrupt = context.WithCancel(t.Context())
	defer interrupt()
	done := make(chan result)
	go func() { done <- runWith(ctx, s.env, "", "rebuild", "--shard", "0", "--yes") }()
	for deadline := time.Now().Add(30 * time.Second); epochOf(t, rdb, 0) == epoch; {
		if time.Now().After(deadline) {
			t.Fatal("shard 0 is not emptied")
		}
	}
	interrupt()
	<-done // whether it saw the end of the refill, does not matter
	s.until(t, func(r result) bool { return loose[auditJSON](t, r).Agrees }, "audit", "--json", "--settle", "50ms")
	s.run(t, "rebuild", "--yes").want(t, 0, "shard 1: ", "")
	s.send(t, append(ids, "b-1")...)
	s.paidOnce(t, append(ids, "b-1"))
}

// Claims that another version wrote, or that were left half written, are given up and
// filled again from the log by whoever starts next, and nobody is paid twice by it.
func TestClaimsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for field, text := range map[string]string{"v": "1", "wm": "writing"} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			s := newShift(t, 20*time.Millisecond)
			s.start(t)
			ids := numbered("a", 6)
			s.send(t, ids...)
			s.paidOnce(t, ids)
			s.stop()
			rdb := s.redis(t)
			var before [2]string
			for shard := range before {
				before[shard] = epochOf(t, rdb, shard)
				for key, fields := range claimsOf(t, rdb, shard) {
					if fields["epoch"] != "" {
						rdb.HSet(t.Context(), key, field, text)
					}
				}
			}
			s.start(t)
			// Before anything is planned: the consumer waits for claims that it can believe.
			s.until(t, func(r result) bool { return loose[auditJSON](t, r).Agrees }, "audit", "--json", "--settle", "50ms")
			for shard, epoch := range before {
				if now := epochOf(t, rdb, shard); now == epoch {
					t.Errorf("shard %d still stands under epoch %q", shard, now)
				}
			}
			ids = append(ids, numbered("b", 6)...)
			s.send(t, ids...)
			s.paidOnce(t, ids)
		})
	}
}

// onText does something as soon as a text is written.
type onText struct {
	text string
	then func()
}

func (o *onText) Write(p []byte) (int, error) {
	if strings.Contains(string(p), o.text) {
		o.then()
	}
	return len(p), nil
}
