//go:build integration && slow

package foreign_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/realparts"
)

// The programs under test, built once.
var programs realparts.Programs

func TestMain(m *testing.M) {
	os.Exit(programs.RunWith(
		m.Run,
		realparts.Program{Name: "ledger", Module: "docs", Package: "./ledgers/go"},
		realparts.Program{Name: "outbox", Module: "docs", Package: "./outbox"},
	))
}

// program is the path of a program under test.
func program(name string) string { return programs.Path(name) }

// docs is the path of a file below docs.
func docs(t *testing.T, parts ...string) string {
	t.Helper()
	return absolute(t, append([]string{"../../docs"}, parts...)...)
}

func absolute(t *testing.T, parts ...string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// fetched is the path of what setup.sh has fetched.
func fetched(t *testing.T, name string) string {
	t.Helper()
	home := os.Getenv("TOPLU_PARTS")
	if home == "" {
		home = absolute(t, "../../.cache")
	}
	path := filepath.Join(home, name)
	if _, err := os.Stat(filepath.Join(path, ".complete")); err != nil {
		t.Fatalf("%s: %v", name, realparts.ErrNotSetUp)
	}
	return path
}

// The environments in which the clients of a language are found.
func nodeEnv(t *testing.T) string {
	return "NODE_PATH=" + filepath.Join(fetched(t, "foreign-npm"), "node_modules")
}

func pythonEnv(t *testing.T) string { return "PYTHONPATH=" + fetched(t, "foreign-python") }

// java compiles a source file and returns the command that runs its class.
func java(t *testing.T, source string) []string {
	t.Helper()
	libs, classes := filepath.Join(fetched(t, "foreign-java"), "*"), t.TempDir()
	run(t, nil, "javac", "-cp", libs, "-d", classes, source)
	class := strings.TrimSuffix(filepath.Base(source), ".java")
	return []string{
		"java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
		"-cp", libs + string(os.PathListSeparator) + classes, class,
	}
}

// run runs a program to its end, which must be a good one, and returns what it
// wrote on standard output.
func run(t *testing.T, env []string, command ...string) string {
	t.Helper()
	out, problems, err := try(t, env, nil, command...)
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(command, " "), err, out, problems)
	}
	return out
}

// try runs a program to its end, for two minutes at most.
func try(t *testing.T, env []string, stdin []byte, command ...string) (out, problems string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &stdout, &stderr
	err = cmd.Run()
	return stdout.String(), stderr.String(), err
}

// A background is a program that runs beside a test.
type background struct {
	cmd  *exec.Cmd
	done <-chan struct{}
	log  *os.File
}

// start starts a program that is ended with the test at the latest.
func start(t *testing.T, env []string, command ...string) *background {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	b := &background{cmd: exec.Command(command[0], command[1:]...), log: log}
	b.cmd.Env = append(os.Environ(), env...)
	b.cmd.Stdout, b.cmd.Stderr = log, log
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if b.done, err = realparts.Launch(b.cmd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b.kill()
		if t.Failed() {
			t.Logf("%s:\n%s", strings.Join(command, " "), b.output())
		}
	})
	return b
}

// kill ends the program at once, with what it has started.
func (b *background) kill() {
	_ = syscall.Kill(-b.cmd.Process.Pid, syscall.SIGKILL)
	<-b.done
}

func (b *background) output() string {
	out, err := os.ReadFile(b.log.Name())
	if err != nil {
		return err.Error()
	}
	return string(out)
}

// says waits until the program has written a text, and returns all it wrote.
func (b *background) says(t *testing.T, text string) string {
	t.Helper()
	eventually(t, time.Minute, func() string {
		if out := b.output(); !strings.Contains(out, text) {
			return fmt.Sprintf("it has not said %q", text)
		}
		return ""
	})
	return b.output()
}

// eventually waits until missing returns "".
func eventually(t *testing.T, atMost time.Duration, missing func() string) {
	t.Helper()
	end := time.Now().Add(atMost)
	for {
		what := missing()
		if what == "" {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("after %s: %s", atMost, what)
		}
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// startKafka starts a broker of a version and returns its address.
func startKafka(t *testing.T, version string) string {
	t.Helper()
	kafka, err := realparts.StartKafka(t.Context(), version, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = kafka.Kill() })
	return strings.Join(kafka.Brokers, ",")
}
