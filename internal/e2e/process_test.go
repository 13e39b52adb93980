//go:build integration

package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/realparts"
)

// A process is a running program, with what it writes in a file.
type process struct {
	name string
	log  string
	from int64 // where in the log it begins
	cmd  *exec.Cmd
	done <-chan struct{} // closed when it has ended
}

// start runs toplu; see spawn.
func (w *world) start(name string, args ...string) *process {
	w.t.Helper()
	return w.spawn(name, append([]string{programs.Path("toplu")}, args...)...)
}

// spawn runs a program as a process group of its own, which ends with the test
// at the latest. Its output goes to NAME.log in the world's directory; a name
// that is used again continues the file.
func (w *world) spawn(name string, argv ...string) *process {
	w.t.Helper()
	p := &process{name: name, log: filepath.Join(w.dir, name+".log")}
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		w.t.Fatal(err)
	}
	defer out.Close()
	if p.from, err = out.Seek(0, io.SeekEnd); err != nil {
		w.t.Fatal(err)
	}
	p.cmd = exec.Command(argv[0], argv[1:]...)
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = w.dir, out, out
	p.cmd.Env = append(os.Environ(), w.env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if p.done, err = realparts.Launch(p.cmd); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		p.signal(syscall.SIGKILL)
		<-p.done
	})
	return p
}

func (p *process) signal(s syscall.Signal) {
	select {
	case <-p.done:
	default:
		_ = syscall.Kill(-p.cmd.Process.Pid, s)
	}
}

// kill ends the process at once, as a machine that burns down.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.done
}

// end asks the process to end, and returns its exit status and how long it took.
func (p *process) end(t *testing.T) (status int, took time.Duration) {
	t.Helper()
	began := time.Now()
	p.signal(syscall.SIGTERM)
	return p.wait(t, 40*time.Second), time.Since(began)
}

// wait returns the exit status of a process that ends by itself.
func (p *process) wait(t *testing.T, atMost time.Duration) int {
	t.Helper()
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(atMost):
		t.Fatalf("%s still runs after %s", p.name, atMost)
		return -1
	}
}

func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// output is everything that the process has written.
func (p *process) output() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text[p.from:])
}

// says waits until the process writes something that matches, and returns the
// first group of it.
func (p *process) says(t *testing.T, pattern string, atMost time.Duration) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	var group string
	eventually(t, atMost, func() string {
		found := re.FindStringSubmatch(p.output())
		if found == nil {
			if !p.running() {
				t.Fatalf("%s has ended and never said %s:\n%s", p.name, pattern, tail(p.output()))
			}
			return fmt.Sprintf("%s says nothing like %s:\n%s", p.name, pattern, tail(p.output()))
		}
		group = found[len(found)-1]
		return ""
	})
	return group
}

// admin returns what the process answers at a path of its admin server.
func (p *process) admin(t *testing.T, path string) string {
	t.Helper()
	var addr string
	eventually(t, 10*time.Second, func() string {
		for line := range strings.Lines(p.output()) {
			var entry struct {
				Message string `json:"message"`
				Listen  string `json:"listen"`
			}
			if json.Unmarshal([]byte(line), &entry) == nil && entry.Message == "health and metrics are served" {
				addr = entry.Listen
			}
		}
		if addr == "" {
			return p.name + " does not say where its admin server is"
		}
		return ""
	})
	body, err := get(t.Context(), "http://"+addr+path)
	if err != nil {
		t.Errorf("%s: %v", p.name, err)
	}
	return body
}

// cpu is the processor time that the process has taken.
func (p *process) cpu(t *testing.T) time.Duration {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	var ticks int64
	for _, f := range fields[11:13] { // utime and stime, of a hundredth of a second
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// peak is the largest resident memory that the process has had, in MiB.
func (p *process) peak(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kib / 1024
}

func get(ctx context.Context, url string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(bufio.NewReader(res.Body))
	return string(body), err
}

// eventually waits until f returns "", which says what is still wrong.
func eventually(t *testing.T, atMost time.Duration, f func() string) {
	t.Helper()
	if err := within(t, atMost, f); err != nil {
		t.Fatal(err)
	}
}

// within is eventually for a test that goes on.
func within(t *testing.T, atMost time.Duration, f func() string) error {
	deadline := time.Now().Add(atMost)
	for {
		wrong := f()
		if wrong == "" {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("after %s: %s", atMost, wrong)
		}
		pause(t, 50*time.Millisecond)
	}
}

// pause lets time pass for the processes.
func pause(t *testing.T, d time.Duration) {
	select {
	case <-t.Context().Done():
	case <-time.After(d):
	}
}

func tail(text string) string { return text[max(0, len(text)-3000):] }
