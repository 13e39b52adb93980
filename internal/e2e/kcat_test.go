//go:build integration

package e2e_test

import (
	"bytes"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/e2e"
)

// kcat runs kcat with an input and returns what it writes.
func (w *world) kcat(input []byte, args ...string) []byte {
	w.t.Helper()
	if _, err := exec.LookPath("kcat"); err != nil {
		w.t.Fatal("these tests write requests with kcat, a foreign client: install it with `make setup`")
	}
	var out, problems bytes.Buffer
	cmd := exec.CommandContext(w.t.Context(), "kcat", append([]string{"-q", "-b", strings.Join(w.kafka.Brokers, ",")}, args...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &out, &problems
	if err := cmd.Run(); err != nil {
		w.t.Fatalf("kcat %s: %v\n%s", strings.Join(args, " "), err, problems.Bytes())
	}
	return out.Bytes()
}

// java makes kcat choose partitions as Java clients do.
var java = []string{"-X", "partitioner=murmur2_random", "-X", "linger.ms=5"}

// put writes one request with its headers, "name=value" each. A nil value is a
// tombstone.
func (w *world) put(key string, value []byte, headers ...string) {
	w.t.Helper()
	args := slices.Concat([]string{"-P", "-t", "payout.requests"}, java)
	if key != "" {
		args = append(args, "-k", key)
	}
	for _, h := range headers {
		args = append(args, "-H", h)
	}
	switch {
	case value == nil:
		args = append(args, "-Z")
	case len(value) == 0:
		args = append(args, w.file("empty", nil))
	default:
		args = append(args, w.file("value", value))
	}
	w.kcat(nil, args...)
}

// read returns all that a topic holds now, each partition in order.
func (w *world) read(topic string) []e2e.Record {
	w.t.Helper()
	out := e2e.NewReader(bytes.NewReader(w.kcat(nil, "-C", "-e", "-t", topic, "-o", "beginning", "-X", "fetch.wait.max.ms=20", "-f", e2e.KcatFormat)))
	var all []e2e.Record
	for {
		r, err := out.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, r)
	}
}

// A ledger follows payout.statuses with a kcat of its own and knows where every
// payout stands. It is for waiting; the judge reads the topic anew.
type ledger struct {
	mu     sync.Mutex
	status map[string]string    // guarded by mu: by payout id
	first  map[string]time.Time // guarded by mu: when a payout was first seen paid
	next   map[int]int64        // guarded by mu: by partition
}

// follow starts the ledger. A kcat that gives up, as it may when the broker
// goes, is started again.
func (w *world) follow() *ledger {
	l := &ledger{status: map[string]string{}, first: map[string]time.Time{}, next: map[int]int64{}}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			cmd := exec.Command("kcat", "-q", "-u", "-b", strings.Join(w.kafka.Brokers, ","), "-C", "-t", "payout.statuses",
				"-o", "beginning", "-X", "fetch.wait.max.ms=50", "-X", "reconnect.backoff.max.ms=500", "-f", e2e.KcatFormat)
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			if out, err := cmd.StdoutPipe(); err == nil && cmd.Start() == nil {
				ended := make(chan struct{})
				go func() {
					select {
					case <-stop:
						_ = cmd.Process.Kill()
					case <-ended:
					}
				}()
				l.take(e2e.NewReader(out))
				_ = cmd.Process.Kill() // it may have written what cannot be read
				_ = cmd.Wait()
				close(ended)
			}
			select {
			case <-stop:
				return
			case <-time.After(200 * time.Millisecond):
			}
		}
	}()
	w.t.Cleanup(func() {
		close(stop)
		<-done
	})
	return l
}

func (l *ledger) take(in *e2e.Reader) {
	for {
		r, err := in.Next()
		if err != nil {
			return
		}
		state := strings.TrimSuffix(strings.TrimPrefix(r.Header("ce_type"), "payout."), ".v1")
		l.mu.Lock()
		if r.Offset >= l.next[r.Partition] {
			l.next[r.Partition] = r.Offset + 1
			if id := string(r.Key); state != "request_refused" {
				l.status[id] = state
				if _, seen := l.first[id]; state == "paid" && !seen {
					l.first[id] = time.Now()
				}
			}
		}
		l.mu.Unlock()
	}
}

// count returns how many payouts have a status of those given.
func (l *ledger) count(states ...string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, s := range l.status {
		if slices.Contains(states, s) {
			n++
		}
	}
	return n
}

// statusOf returns a payout's status, "" if there has been no word.
func (l *ledger) statusOf(id string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.status[id]
}

// paidSince returns when the first payout that a filter takes was seen paid
// after a moment, and false if none was.
func (l *ledger) paidSince(since time.Time) (time.Time, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var first time.Time
	for _, at := range l.first {
		if at.After(since) && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first, !first.IsZero()
}

// awaitAnswers waits until n payouts have a final status.
func (l *ledger) awaitAnswers(t *testing.T, n int, atMost time.Duration) {
	t.Helper()
	eventually(t, atMost, func() string {
		final := l.count("paid", "failed", "returned", "return_failed", "rejected", "cancelled")
		if final >= n {
			return ""
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		by := map[string]int{}
		for _, s := range l.status {
			by[s]++
		}
		return "answered " + itoa(final) + " of " + itoa(n) + ", by status: " + sprint(by)
	})
}
