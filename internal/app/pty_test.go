//go:build linux

package app_test

import (
	"context"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/toplu/toplu/internal/app"
)

// A terminal is what a person at one types and sees.
type terminal struct {
	screen lockedBuffer
	hand   *os.File // the person's end
	line   *os.File // the program's end
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	hand, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(hand.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(hand.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	line, err := os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	tty := &terminal{hand: hand, line: line}
	seen := make(chan struct{})
	go func() {
		defer close(seen)
		_, _ = io.Copy(&tty.screen, hand) // ends with an error when the line is closed
	}()
	t.Cleanup(func() {
		_ = line.Close()
		<-seen
		_ = hand.Close()
	})
	return tty
}

// shows waits for a text on the screen.
func (tty *terminal) shows(t *testing.T, text string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !strings.Contains(tty.screen.String(), text); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%q is not on the screen: %q", text, tty.screen.String())
		}
	}
}

// at runs toplu at the terminal, while a person does something there.
func (tty *terminal) at(ctx context.Context, s *shift, person func(), args ...string) int {
	code := make(chan int)
	go func() {
		code <- app.Run(ctx, args, func(name string) string { return s.env[name] }, tty.line, tty.line, tty.line)
	}()
	person()
	return <-code
}

// Whoever sits at a terminal is asked before anything is changed.
func TestAsksOnATerminal(t *testing.T) {
	t.Parallel()
	s := newShift(t, 20*time.Millisecond)
	s.start(t)
	s.says(t, "0 open batches", "status")
	for _, answer := range []string{"n\n", "\n", "certainly\n", "\x04"} { // the last is Ctrl-D
		tty := newTerminal(t)
		code := tty.at(t.Context(), s, func() {
			tty.shows(t, "[y/N]")
			_, _ = tty.hand.WriteString(answer)
		}, "pause", "--reason", "a drill")
		if tty.shows(t, "nothing was done"); code != 0 {
			t.Errorf("%q: exit status %d", answer, code)
		}
	}
	tty := newTerminal(t)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	code := tty.at(ctx, s, func() {
		tty.shows(t, "[y/N]")
		interrupt()
	}, "pause", "--reason", "a drill")
	if tty.shows(t, "interrupted"); code != 1 {
		t.Errorf("interrupted: exit status %d", code)
	}
	_, _ = tty.hand.WriteString("y\n") // whoever still reads must not take it for a yes
	if st := loose[statusJSON](t, s.run(t, "status", "--json")); len(st.Pauses) != 0 {
		t.Errorf("paused without a yes: %+v", st.Pauses)
	}
	tty = newTerminal(t)
	code = tty.at(t.Context(), s, func() {
		tty.shows(t, "[y/N]")
		_, _ = tty.hand.WriteString("y\n")
	}, "pause", "--reason", "a drill")
	if tty.shows(t, "counted"); code != 0 {
		t.Errorf("exit status %d: %s", code, tty.screen.String())
	}
	if st := loose[statusJSON](t, s.run(t, "status", "--json")); len(st.Pauses) != 1 {
		t.Errorf("not paused after a yes: %+v", st.Pauses)
	}
}

// Long work says how far it is, how fast, and how long it takes still; nothing of
// it is left on the screen, and nothing is written where nobody watches.
func TestProgressOnATerminal(t *testing.T) {
	t.Parallel()
	s := newShift(t, 20*time.Millisecond)
	s.start(t)
	s.poison(t, "not json")
	s.says(t, "not_json", "dlq", "list")
	s.send(t, "a-1", "a-2")
	s.says(t, ": paid", "explain", "a-1")
	s.says(t, ": paid", "explain", "a-2")
	for _, id := range []string{"m-1", "m-2"} {
		s.poison(t, `{"payoutId":"`+id+`","merchant":"market","recipient":{"type":"PHONE","value":"+905350000000"},"amount":{"value":"1.00","currency":"TRY"}}`)
	}
	s.says(t, "unknown_merchant  2", "dlq", "list")
	s.stop()
	s.env = withMarket(t, s.env)
	s.start(t)
	// A bar is "what 40% |███   | (2/5, 12 done/s) [0s:1s]", and after it the line is cleared.
	const rate = `, \d+ done/(s|min|hr)\)`
	for _, tt := range []struct {
		args, bar string
	}{
		{"dlq list", `reading +\d+% \|.*\(\d+/3` + rate + ` \[\d+s:`},
		{"replay plan --from 0", `reading +\d+% \|.*\(\d+/\d+` + rate + ` \[\d+s:`},
		{"audit --settle 50ms", `reading +\d+% \|.*\(\d+/\d+` + rate + ` \[\d+s:`},
		{"dlq redrive --code unknown_merchant --rate 10 --yes", `sending back +\d+% \|.*\(1/2` + rate + ` \[\d+s:`},
		{"statuses reemit --ids a-1,a-2 --rate 10 --yes", `publishing +\d+% \|.*\(\d/6` + rate + ` \[\d+s:`},
		{"statuses reemit --ids a-1,a-2 --dry-run", `looking for statuses .*\(\d/-` + rate},
		{"rebuild --shard 0 --yes", `refilling shard 0 +\d+% \|.*\(\d+/\d+` + rate},
	} {
		tty := newTerminal(t)
		if code := tty.at(t.Context(), s, func() {}, strings.Fields(tt.args)...); code != 0 {
			t.Errorf("%s: exit status %d: %s", tt.args, code, tty.screen.String())
		}
		_, _ = tty.line.WriteString("THE END\n")
		tty.shows(t, "THE END") // and so everything before it
		screen := tty.screen.String()
		if !regexp.MustCompile(tt.bar).MatchString(screen) {
			t.Errorf("%s shows no progress of the form %s: %q", tt.args, tt.bar, screen)
		}
		for line := range strings.SplitSeq(screen, "\n") {
			shown := line[strings.LastIndex(strings.TrimRight(line, "\r"), "\r")+1:]
			if strings.Contains(shown, " done/") {
				t.Errorf("%s leaves its progress on the screen: %q", tt.args, screen)
			}
		}
		if r := s.run(t, strings.Fields(tt.args)...); strings.Contains(r.out+r.errors, "done/") {
			t.Errorf("%s writes progress where nobody watches: %+v", tt.args, r)
		}
	}
}
