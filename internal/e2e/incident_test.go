//go:build integration && slow

package e2e_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/realparts"
)

// Every part of docs/runbook.md is played through: the incident is made, what the
// part says it shows is seen, its commands are run as they stand there, and in the
// end the books must be right. Commands are read from the runbook, so text and
// test cannot part; a command that no test runs fails it.

// An incident is one part of the runbook, in a world of its own.
type incident struct {
	*world
	ledger   *ledger
	part     string   // its text
	commands []string // as they stand, in order
	played   map[string]bool
}

// newIncident starts a world. Flags are for the simulator.
func newIncident(t *testing.T, name string, flags ...string) *incident {
	t.Helper()
	text, err := os.ReadFile("../../docs/runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	_, part, ok := strings.Cut(string(text), "\n## "+name+"\n")
	if !ok {
		t.Fatalf("docs/runbook.md has no part %s", name)
	}
	part, _, _ = strings.Cut(part, "\n## ")
	i := &incident{part: part, played: map[string]bool{}}
	for line := range strings.Lines(part) {
		if command, ok := strings.CutPrefix(line, "    toplu "); ok {
			i.commands = append(i.commands, strings.TrimSpace(command))
		}
	}
	if len(i.commands) == 0 || len(i.commands) > 3 {
		t.Fatalf("%s has %d commands, want one to three", name, len(i.commands))
	}
	i.world = newWorld(t, realparts.Kafka42, flags...)
	i.ledger = i.follow()
	return i
}

// shows fails unless the part of the runbook says that this is what one sees.
func (i *incident) shows(text string) string {
	i.t.Helper()
	if !strings.Contains(strings.Join(strings.Fields(i.part), " "), text) {
		i.t.Errorf("the runbook does not say that one sees %q", text)
	}
	return text
}

var asks = regexp.MustCompile(`^(pause|resume|quarantine|rebuild|batch (hold|resume|cancel|resolve)|payout cancel|dlq redrive|statuses reemit|claims import|offsets accept|replay run) `)

// command is the one of the part that begins so, with its placeholders filled in
// from pairs.
func (i *incident) command(begin string, pairs ...string) []string {
	i.t.Helper()
	at := slices.IndexFunc(i.commands, func(c string) bool { return strings.HasPrefix(c, begin) })
	if at < 0 {
		i.t.Fatalf("the runbook has no command %q among %q", begin, i.commands)
	}
	i.played[i.commands[at]] = true
	line := strings.NewReplacer(pairs...).Replace(i.commands[at])
	if asks.MatchString(line) && !strings.Contains(line, "--dry-run") {
		line += " --yes" // as somebody at a terminal would answer
	}
	var args []string
	for n, piece := range strings.Split(line, `"`) {
		if n%2 == 1 {
			args = append(args, piece)
			continue
		}
		args = append(args, strings.Fields(piece)...)
	}
	return args
}

// try runs a command of the part once.
func (i *incident) try(begin string, pairs ...string) (output string, status int) {
	i.t.Helper()
	return i.toplu(i.command(begin, pairs...)...)
}

// toplu runs a command that is not in the part.
func (i *incident) toplu(args ...string) (output string, status int) {
	i.t.Helper()
	p := i.start("toplu", args...)
	status = p.wait(i.t, time.Minute)
	return p.output(), status
}

// play runs a command of the part until it ends with a status and says
// everything that is wanted; a first answer may be too early.
func (i *incident) play(status int, want []string, begin string, pairs ...string) string {
	i.t.Helper()
	var out string
	eventually(i.t, 2*time.Minute, func() string {
		var got int
		out, got = i.try(begin, pairs...)
		for _, text := range want {
			if !regexp.MustCompile(text).MatchString(out) {
				return begin + " does not say " + text + ":\n" + out
			}
		}
		if got != status {
			return begin + " ends with another status:\n" + out
		}
		return ""
	})
	return out
}

// metric waits until a metric, without its labels, is more than zero.
func (i *incident) metric(p *process, name string) {
	i.t.Helper()
	eventually(i.t, time.Minute, func() string {
		for line := range strings.Lines(p.admin(i.t, "/metrics")) {
			if strings.HasPrefix(line, name) && !strings.HasSuffix(strings.TrimSpace(line), " 0") {
				return ""
			}
		}
		return name + " is 0"
	})
}

// playedIn leaves a command to another test of the same part.
func (i *incident) playedIn(_ func(*testing.T), begin string) { i.command(begin) }

// reconfigure changes the configuration for what is started from now on.
func (i *incident) reconfigure(old, instead string) {
	i.t.Helper()
	text, err := os.ReadFile(i.config)
	i.must(err)
	if !strings.Contains(string(text), old) {
		i.t.Fatalf("no %q in the configuration", old)
	}
	i.must(os.WriteFile(i.config, []byte(strings.Replace(string(text), old, instead, 1)), 0o600))
}

// over ends the incident: everything is answered, the books are right, the whole
// log agrees with Redis, the statuses and iyzico, and no command was left out.
func (i *incident) over() {
	i.t.Helper()
	i.judge(i.ledger, 2*time.Minute)
	eventually(i.t, time.Minute, func() string {
		if out, status := i.toplu("audit", "--iyzico", "--config", "toplu.yaml"); status != 0 {
			return out
		}
		return ""
	})
	i.stopAll()
	for _, c := range i.commands {
		if !i.played[c] {
			i.t.Errorf("nobody has played: toplu %s", c)
		}
	}
}
