//go:build integration

package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
	out, err := w.tryKcat(w.t.Context(), input, args...)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// tryKcat is kcat for when the broker may be away.
func (w *world) tryKcat(ctx context.Context, input []byte, args ...string) ([]byte, error) {
	var out, problems bytes.Buffer
	cmd := exec.CommandContext(ctx, "kcat", append([]string{"-q", "-b", strings.Join(w.kafka.Brokers, ",")}, args...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &out, &problems
	err := cmd.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("these tests write requests with kcat, a foreign client: `make setup` installs it")
	case err != nil:
		return nil, fmt.Errorf("kcat %s: %w\n%s", strings.Join(args, " "), err, problems.Bytes())
	}
	return out.Bytes(), nil
}

// java makes kcat choose partitions as Java clients do.
var java = []string{"-X", "partitioner=murmur2_random", "-X", "linger.ms=5"}

// put writes one request with its headers, "name=value" each. A nil value is a
// tombstone.
func (w *world) put(key string, value []byte, headers ...string) {
	w.t.Helper()
	args := slices.Concat([]string{"-P", "-t", "payout.requests"}, java)
	for _, h := range headers {
		args = append(args, "-H", h)
	}
	switch {
	case value == nil:
		w.kcat([]byte(key+"|\n"), append(args, "-K", "|", "-Z")...)
	case len(value) == 0:
		w.kcat([]byte(key+"|\n"), append(args, "-K", "|")...)
	default:
		w.kcat(nil, append(args, "-k", key, w.file("value", value))...)
	}
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
	status map[string]string // guarded by mu: by payout id
	paid   []sighting        // guarded by mu: as they came
	next   map[int]int64     // guarded by mu: by partition
}

// follow starts the ledger. A kcat that gives up, as it may when the broker
// goes, is started again.
func (w *world) follow() *ledger {
	l := &ledger{status: map[string]string{}, next: map[int]int64{}}
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
				if state == "paid" {
					l.paid = append(l.paid, sighting{time.Now(), r.Partition})
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

// A sighting is a payout seen paid. As payout.statuses has as many partitions as
// there are shards, and is keyed by payout id, its partition is the shard.
type sighting struct {
	at    time.Time
	shard int
}

// awaitPaid waits until a payout of some shards is seen paid after a moment, and
// returns how long after it that was.
func (l *ledger) awaitPaid(t *testing.T, since time.Time, shards []int, atMost time.Duration) time.Duration {
	t.Helper()
	var took time.Duration
	eventually(t, atMost, func() string {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, s := range l.paid {
			if s.at.After(since) && slices.Contains(shards, s.shard) {
				took = s.at.Sub(since)
				return ""
			}
		}
		return fmt.Sprintf("no payout of the shards %v has been paid", shards)
	})
	return took
}

// awaitAnswers waits until n payouts have a final status.
func (l *ledger) awaitAnswers(t *testing.T, n int, atMost time.Duration) {
	t.Helper()
	if err := l.answers(t, n, atMost); err != nil {
		t.Fatal(err)
	}
}

// answers is awaitAnswers for a test that goes on.
func (l *ledger) answers(t *testing.T, n int, atMost time.Duration) error {
	return within(t, atMost, func() string {
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
		return fmt.Sprintf("answered %d of %d, by status: %v", final, n, by)
	})
}
