//go:build integration

package e2e_test

import (
	"testing"
	"time"

	"github.com/toplu/toplu/internal/realparts"
)

// paidOnce has 500 payouts paid by two runs.
func paidOnce(t *testing.T) (*world, *ledger) {
	t.Helper()
	w := newWorld(t, realparts.Kafka42)
	l := w.follow()
	w.runTwo()
	w.send(w.shop.make("", 250))
	w.send(w.shop.make("market", 250))
	w.judge(l, 40*time.Second)
	return w, l
}

// oneMore sends the 501st, and checks that it is the only one that is paid, with
// no call for the others.
func (w *world) oneMore(l *ledger) {
	w.t.Helper()
	before := w.books().Calls["init"]
	began := time.Now()
	w.send(w.shop.make("", 1))
	w.judge(l, 60*time.Second)
	if calls := w.books().Calls["init"] - before; calls != 1 {
		w.t.Errorf("%d calls of init for one payout", calls)
	}
	w.t.Logf("paid again %.1f s after it was asked for", time.Since(began).Seconds())
}

func (w *world) stopAll() {
	w.t.Helper()
	for _, p := range w.up() {
		if status, took := p.end(w.t); status != 0 || took > 20*time.Second {
			w.t.Errorf("%s ends with exit status %d after %s:\n%s", p.name, status, took, tail(p.output()))
		}
	}
}

// TestWiped takes away what Redis and the consumer groups remember, in every
// way, and shows that nobody is paid again.
func TestWiped(t *testing.T) {
	w, l := paidOnce(t)
	for _, step := range []struct {
		name  string
		wreck func()
	}{
		{"FLUSHALL while running", func() { w.redisDo("FLUSHALL") }},
		{"FLUSHALL and offsets deleted", func() {
			w.stopAll()
			w.redisDo("FLUSHALL")
			w.deleteOffsets()
			w.runTwo()
		}},
		{"offsets set to 0", func() {
			w.stopAll()
			w.rewind()
			w.runTwo()
		}},
		{"Redis killed, and its file gone", func() {
			w.must(w.redis.Kill())
			w.restoreRedis("")
		}},
	} {
		t.Log(step.name)
		step.wreck()
		w.oneMore(l)
	}
	if n := len(w.books().Transfers); n != 504 {
		t.Errorf("%d transfers for 504 payouts", n)
	}
}

// TestOldRedis restores a copy of Redis's file that is older than what has been
// paid since, while the program runs.
func TestOldRedis(t *testing.T) {
	w, l := paidOnce(t)
	old := w.copyRedis()
	w.send(w.shop.make("", 300))
	w.judge(l, 60*time.Second)
	w.restoreRedis(old)
	w.oneMore(l)

	t.Log("and with all requests read again")
	w.restoreRedis(old)
	w.stopAll()
	w.rewind()
	w.runTwo()
	w.oneMore(l)
}

// TestDuplicates writes every request again, under other keys and into other
// partitions, and some with other content.
func TestDuplicates(t *testing.T) {
	w := newWorld(t, realparts.Kafka42)
	l := w.follow()
	w.runTwo()
	requests := w.shop.make("", 300)
	w.send(requests)
	for _, partition := range []string{"0", "1", "2", "3"} {
		w.sendAs(requests, func(i int) string { return "key-" + requests[len(requests)-1-i].PayoutID }, "-p", partition)
	}
	w.judge(l, 60*time.Second)

	var conflicts []*request
	for _, r := range requests[:20] {
		other := *r
		other.Amount.Value = "77777.77"
		conflicts = append(conflicts, &other)
	}
	w.sendAs(conflicts, func(int) string { return "conflict" })
	w.sendAs(requests[20:40], nil) // the same content once more, which is no conflict
	eventually(t, 30*time.Second, func() string {
		if n := len(w.read("payout.requests.dlq")); n < 20 {
			return "dead letters are missing"
		}
		return ""
	})
	w.send(w.shop.make("", 10))
	v := w.judge(l, 30*time.Second)
	if v.ByStatus["paid"] != 310 || v.Refused != 0 {
		t.Errorf("got %s", v)
	}
	letters := w.read("payout.requests.dlq")
	for _, letter := range letters {
		if letter.Header("toplu-reason-code") != "conflict" || string(letter.Key) != "conflict" || letter.Header("toplu-payout-id") == "" {
			t.Errorf("got %q", letter.Headers)
		}
	}
	if len(letters) != 20 {
		t.Errorf("%d dead letters for 20 conflicts", len(letters))
	}
}
