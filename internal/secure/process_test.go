//go:build integration && slow

package secure_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/realparts"
)

// A process is a toplu that runs until it is ended, with what it writes in a
// file.
type process struct {
	p    *place
	name string
	cmd  *exec.Cmd
	done <-chan struct{} // closed when it has ended
}

// toplu runs a command to its end and returns what it wrote.
func (p *place) toplu(env []string, args ...string) (out string, status int) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, programs.Path("toplu"), args...)
	cmd.Dir, cmd.Env = p.dir, p.environ(env)
	text, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		p.t.Fatal(err)
	} else if ok {
		status = exit.ExitCode()
	}
	return string(text), status
}

func (p *place) environ(env []string) []string {
	return append(append(os.Environ(), "TOPLU_CONFIG="+p.config), env...)
}

// start begins a process, which ends with the test at the latest.
func (p *place) start(name string, env []string, args ...string) *process {
	p.t.Helper()
	s := &process{p: p, name: name}
	out, err := os.Create(filepath.Join(p.dir, name+".log"))
	p.must(err)
	defer out.Close()
	s.cmd = exec.Command(programs.Path("toplu"), args...)
	s.cmd.Dir, s.cmd.Env, s.cmd.Stdout, s.cmd.Stderr = p.dir, p.environ(env), out, out
	s.done, err = realparts.Launch(s.cmd)
	p.must(err)
	p.t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		<-s.done
	})
	return s
}

// run starts `toplu run` and waits until it says that it is running.
func (p *place) run(name string, env []string, args ...string) *process {
	p.t.Helper()
	s := p.start(name, env, append([]string{"run"}, args...)...)
	s.says("toplu is running", 30*time.Second)
	return s
}

// says waits until the process has written something that matches, and returns
// the last group of it.
func (s *process) says(pattern string, atMost time.Duration) (group string) {
	s.p.t.Helper()
	re := regexp.MustCompile(pattern)
	s.p.eventually(atMost, func() string {
		found := re.FindStringSubmatch(s.output())
		if found == nil {
			select {
			case <-s.done:
				s.p.t.Fatalf("%s has ended and never said %s:\n%s", s.name, pattern, s.output())
			default:
			}
			return s.name + " says nothing like " + pattern + ":\n" + s.output()
		}
		group = found[len(found)-1]
		return ""
	})
	return group
}

func (s *process) output() string {
	text, err := os.ReadFile(filepath.Join(s.p.dir, s.name+".log"))
	s.p.must(err)
	return string(text)
}

// end asks the process to end and checks that it does so well, and that it has
// never shown a secret.
func (s *process) end() {
	s.p.t.Helper()
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.done:
	case <-time.After(30 * time.Second):
		s.p.t.Fatalf("%s does not end", s.name)
	}
	if status := s.cmd.ProcessState.ExitCode(); status != 0 {
		s.p.t.Errorf("%s: exit status %d:\n%s", s.name, status, s.output())
	}
	silent(s.p.t, s.name, s.output())
	// What is only advice is done without when Redis forbids it, and says so.
	// The second is what a script says.
	if strings.Contains(s.output(), "NOPERM") || strings.Contains(s.output(), "executing the script can't") {
		s.p.t.Errorf("%s lacks a permission: docs/security.md must have it:\n%s", s.name, s.output())
	}
}

// silent checks that a text shows no password and no key.
func silent(t *testing.T, what, text string) {
	t.Helper()
	for _, hush := range []string{"pass-of-", "CHANGE-", "sandbox-default"} {
		if strings.Contains(text, hush) {
			t.Errorf("%s shows a secret: %s", what, text)
		}
	}
}
