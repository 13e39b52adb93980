//go:build integration

package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/e2e"
	"github.com/toplu/toplu/internal/realparts"
	"github.com/toplu/toplu/internal/seal"
)

// TestPrivacy greps everything that a whole run leaves behind or tells: all
// topics but the requests, Redis, logs at debug, the admin port, traces, and what
// commands print. Then the key is destroyed, and claims, sums and statuses live on.
func TestPrivacy(t *testing.T) {
	w := bareWorld(t)
	keys := filepath.Join(w.dir, "keys")
	w.env = []string{
		"TOPLU_SEAL_KEYDIR=" + keys, "TOPLU_LOG_LEVEL=debug", "TOPLU_TRACING_FILE=" + filepath.Join(w.dir, "traces.jsonl"),
		"TOPLU_MERCHANTS_DEFAULT_APIKEY=AkQ9Xq7W4zz", "TOPLU_MERCHANTS_DEFAULT_SECRETKEY=SkQ9Xq7W4zz",
	}
	w.startKafka(realparts.Kafka42)
	w.startRedis()
	w.startSimulator()
	w.createTopics()
	w.prints(0, "keys", "create", "--months", "2")
	l := w.follow()
	run := w.run("run")

	personal := w.shop.personal
	personal.Add("API key", "AkQ9Xq7W4zz")
	personal.Add("secret key", "SkQ9Xq7W4zz")
	w.faults(`{"initLostAfter": 0.2, "authLostAfter": 0.2, "invalidItems": 0.1, "failItems": 0.1, "serverError": 0.05}`)
	many := w.shop.make("", 60)
	for i, r := range many {
		r.Description = fmt.Sprintf("Kira Wq%dödemesi", i)
		personal.Add("description", r.Description[5:])
	}
	w.send(many)
	first := w.shop.make("", 1)[0]
	w.put(first.PayoutID, first.data(), first.binary()...)
	l.answers(t, 1, time.Minute)
	other := *first
	other.Recipient = w.shop.recipient(70_003)
	personal.Add("IBAN", other.Recipient.Value)
	personal.Add("name", other.Recipient.Name)
	w.put(first.PayoutID, first.data(), first.binary()...) // a duplicate
	w.put(first.PayoutID, other.data(), first.binary()...) // a conflict
	broken := w.shop.recipient(70_007).Value
	personal.Add("IBAN", broken)
	w.put("poison", []byte("pay "+broken+" please"), "x-iban="+broken)
	w.put("unknown-1", []byte(`{"payoutId":"unknown-1","merchant":"nobody","recipient":{"type":"IBAN","value":"`+broken+`","name":"Zeynep Qzzğlu"},"amount":{"value":"1","currency":"TRY"}}`))
	personal.Add("name", "Qzzğlu")

	w.faults(`{}`)
	v := w.judge(l, time.Minute)
	eventually(t, 20*time.Second, func() string {
		if n := len(w.read("payout.requests.dlq")); n != 3 {
			return fmt.Sprintf("%d dead letters of 3", n)
		}
		return ""
	})
	t.Log(v)

	seen := w.everything(run, first.PayoutID)
	for place, text := range seen {
		if err := personal.In(place, text); err != nil {
			t.Error(err)
		}
	}
	// The same grep sees what is there: the requests hold every kind but the keys.
	requests := text(w.read("payout.requests"))
	found := map[string]bool{}
	for word, kind := range personal {
		found[kind] = found[kind] || e2e.Personal{word: kind}.In("requests", requests) != nil
	}
	for kind, yes := range found {
		if !yes && !strings.HasSuffix(kind, " key") {
			t.Errorf("the grep is blind to a recipient's %s", kind)
		}
	}
	for _, place := range []string{"payout.batches", "payout.requests.dlq", "payout.journal", "payout.statuses", "redis", "traces", "log of run", "/metrics"} {
		if len(seen[place]) < 200 {
			t.Errorf("%s has only %q: the grep has nothing to see", place, seen[place])
		}
	}
	if n := strings.Count(seen["payout.batches"], `"v":2`); n == 0 || strings.Contains(seen["payout.batches"], `"v":1,"type":"planned"`) {
		t.Errorf("%d sealed plans, and one in clear", n)
	}
	if out := w.prints(0, "dlq", "show", w.poison()); !strings.Contains(out, "xxx xx99") {
		t.Errorf("a sealed letter is not opened for a person: %s", out)
	}
	w.erased(run, keys, first)
}

// erased destroys the key in use, which the command refuses, and shows what lives
// on.
func (w *world) erased(run *process, keys string, first *request) {
	t := w.t
	t.Helper()
	month := seal.MonthOf(time.Now())
	if out := w.prints(1, "keys", "destroy", "default/"+month, "--yes", "--reason", "a test"); !strings.Contains(out, "is in use") {
		t.Errorf("keys destroy of this month: %s", out)
	}
	run.end(t)
	if err := seal.Destroy(keys, seal.ID{Merchant: "default", Month: month}, seal.Grave{At: time.Now(), By: "Deniz", Reason: "a test"}); err != nil {
		t.Fatal(err)
	}
	w.redisDo("FLUSHALL")
	again := w.run("again")
	letters := len(w.read("payout.requests.dlq"))
	w.put(first.PayoutID, first.data(), first.binary()...) // a duplicate still
	eventually(t, time.Minute, func() string {
		if metrics := again.admin(t, "/metrics"); !strings.Contains(metrics, "toplu_requests_duplicate_total 1") {
			return "the duplicate is not known again"
		}
		return ""
	})
	eventually(t, time.Minute, func() string {
		if out := w.tries("audit"); !strings.Contains(out, "Everything agrees") {
			return out
		}
		return ""
	})
	v := e2e.Judge(e2e.Case{Asked: w.shop.asked, Statuses: w.read("payout.statuses"), Books: w.books()})
	if err := v.Err(); err != nil {
		t.Error(err)
	}
	if answer := again.admin(t, "/readyz"); !strings.Contains(answer, "no key to seal with in "+month+" for default") {
		t.Errorf("/readyz without this month's key: %s", answer)
	}
	if out := w.prints(0, "explain", first.PayoutID); !strings.Contains(out, "erased") || !strings.Contains(out, first.Amount.Value) {
		t.Errorf("explain after the key was destroyed: %s", out)
	}
	if out := w.prints(0, "keys", "list"); !strings.Contains(out, "destroyed") || !strings.Contains(out, "Deniz") {
		t.Errorf("keys list: %s", out)
	}
	if n := len(w.read("payout.requests.dlq")); n != letters {
		t.Errorf("%d dead letters more: the duplicate is taken for a conflict", n-letters)
	}
	if !again.running() {
		t.Error("the service has ended")
	}
}

// everything is all that the run tells, by its place.
func (w *world) everything(run *process, payoutID string) map[string]string {
	w.t.Helper()
	all := map[string]string{}
	for _, topic := range []string{"payout.batches", "payout.journal", "payout.statuses", "payout.requests.dlq", "payout.commands"} {
		all[topic] = text(w.read(topic))
	}
	all["redis"] = w.files("redis", "appendonly")
	all["traces"] = w.files(".", "traces.jsonl")
	for _, p := range append(w.runs, w.simulator) {
		all["log of "+p.name] = p.output()
	}
	for _, path := range []string{"/metrics", "/readyz", "/livez"} {
		all[path] = run.admin(w.t, path)
	}
	batch := w.prints(0, "explain", payoutID, "--json")
	_, batch, _ = strings.Cut(batch, `"batchId": "`)
	batch, _, _ = strings.Cut(batch, `"`)
	for _, command := range [][]string{
		{"status"},
		{"explain", payoutID},
		{"batch", "list"},
		{"batch", "show", batch},
		{"dlq", "list"},
		{"dlq", "list", "--letters"},
		{"dlq", "show", w.poison()},
		{"audit"},
		{"keys", "list"},
		{"config", "show"},
	} {
		name := "toplu " + strings.Join(command, " ")
		all[name] = w.prints(0, command...)
		all[name+" --json"] = w.prints(0, append(command, "--json")...)
	}
	return all
}

// poison is the place of the dead letter that is no JSON.
func (w *world) poison() string {
	w.t.Helper()
	for _, r := range w.read("payout.requests.dlq") {
		if r.Header("toplu-reason-code") == "not_json" {
			return fmt.Sprintf("%d/%d", r.Partition, r.Offset)
		}
	}
	w.t.Fatal("no dead letter of what is no JSON")
	return ""
}

// prints runs a command to its end and returns all that it prints.
func (w *world) prints(status int, args ...string) string {
	w.t.Helper()
	p := w.start("command", append(args, "--config", w.config)...)
	if got := p.wait(w.t, time.Minute); got != status {
		w.t.Errorf("toplu %s: exit status %d\n%s", strings.Join(args, " "), got, p.output())
	}
	return p.output()
}

// tries runs a command to its end and returns what it prints, whatever it is.
func (w *world) tries(args ...string) string {
	w.t.Helper()
	p := w.start("command", append(args, "--config", w.config)...)
	p.wait(w.t, time.Minute)
	return p.output()
}

// files is what the files under a directory hold whose paths have a text in them.
func (w *world) files(dir, with string) string {
	w.t.Helper()
	var all strings.Builder
	w.must(filepath.WalkDir(filepath.Join(w.dir, dir), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(path, with) {
			return err
		}
		content, err := os.ReadFile(path)
		all.Write(content)
		return err
	}))
	return all.String()
}

// text is all that records hold.
func text(records []e2e.Record) string {
	var all strings.Builder
	for _, r := range records {
		fmt.Fprintf(&all, "%s %s %s\n", r.Key, r.Value, strings.Join(r.Headers, " "))
	}
	return all.String()
}
