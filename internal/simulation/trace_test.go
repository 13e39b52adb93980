package simulation_test

import (
	"fmt"
	"hash/fnv"
	"strings"
	"time"
)

// A trace is what has happened in a run, in order.
type trace struct {
	began      time.Time
	verbose    bool
	events     []event
	violations []string
}

type event struct {
	at             time.Duration
	who, what, how string
	value          []byte
}

func newTrace(verbose bool) *trace { return &trace{verbose: verbose} }

func (t *trace) add(who, what, how string, value []byte) {
	t.events = append(t.events, event{time.Since(t.began), who, what, how, value})
}

func (t *trace) violate(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	t.violations = append(t.violations, text)
	t.add("judge", "VIOLATION "+text, "", nil)
}

// hash tells two runs apart.
func (t *trace) hash() uint64 {
	h := fnv.New64a()
	for _, e := range t.events {
		fmt.Fprintf(h, "%d|%s|%s|%s|%s\n", e.at, e.who, e.what, e.how, e.value)
	}
	return h.Sum64()
}

func (t *trace) String() string {
	var b strings.Builder
	for _, e := range t.events {
		fmt.Fprintf(&b, "%12v %-8s %s", e.at, e.who, e.what)
		if e.how != "" {
			fmt.Fprintf(&b, "  -> %s", e.how)
		}
		if len(e.value) > 0 {
			fmt.Fprintf(&b, "  %s", e.value)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// A logWriter puts a session's log beside its calls.
type logWriter struct {
	t *trace
	s *session
}

func (t *trace) writer(s *session) logWriter { return logWriter{t, s} }

// Write runs in the session's goroutines, of which only one is awake.
func (l logWriter) Write(line []byte) (int, error) {
	l.t.add(l.s.name(), "log", "", []byte(strings.TrimSpace(string(line))))
	return len(line), nil
}
