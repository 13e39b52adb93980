package realparts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// process is a program that can be ended, killed, frozen and started again with
// the same arguments. Its methods are for one goroutine at a time.
type process struct {
	name  string
	dir   string                      // the log goes there
	argv  []string                    // of the program
	ready func(context.Context) error // nil once the program serves
	// kill, if set, is how signals reach the program, given their names.
	kill func(signal string) error

	mu   sync.Mutex
	cmd  *exec.Cmd
	done <-chan struct{} // closed when the program has ended
}

// Launch starts a program that ends with this process at the latest, also when
// that is killed (on Linux). done is closed when it has ended; its state is then
// in cmd.ProcessState.
func Launch(cmd *exec.Cmd) (done <-chan struct{}, err error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	dieWithParent(cmd.SysProcAttr)
	started, ended := make(chan error), make(chan struct{})
	go func() {
		// The kernel ends the child when the thread ends that made it, so the
		// thread is kept as long as the child lives.
		runtime.LockOSThread()
		defer close(ended)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
	}()
	return ended, <-started
}

// start runs the program and waits until it is ready. A program that does not
// get ready is ended, and the end of its log is in the error.
func (p *process) start(ctx context.Context) error {
	log, err := os.OpenFile(p.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	//nolint:gosec,noctx // our own arguments; it lives longer than the context
	cmd := exec.Command(p.argv[0], p.argv[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.dir, log, log
	done, err := Launch(cmd)
	if err != nil {
		return fmt.Errorf("%w (%w)", ErrNotSetUp, err)
	}
	p.mu.Lock()
	p.cmd, p.done = cmd, done
	p.mu.Unlock()
	if err := p.untilReady(ctx, done); err != nil {
		_ = p.end("KILL")
		return fmt.Errorf("%s: %w; the end of its log:\n%s", p.name, err, p.logTail())
	}
	return nil
}

func (p *process) untilReady(ctx context.Context, done <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		err := p.ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-done:
			return errors.New("ended before it was ready")
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w (at last: %w)", ctx.Err(), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// signal sends a signal by its name without SIG.
func (p *process) signal(name string) error {
	p.mu.Lock()
	cmd := p.cmd
	p.mu.Unlock()
	switch {
	case cmd == nil:
		return fmt.Errorf("%s is not running", p.name)
	case p.kill != nil:
		return p.kill(name)
	}
	signals := map[string]syscall.Signal{
		"TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL, "STOP": syscall.SIGSTOP, "CONT": syscall.SIGCONT,
	}
	return cmd.Process.Signal(signals[name])
}

// end sends a signal and waits until the program is gone; for 30 seconds, then
// it is killed. Ending what has ended is fine.
func (p *process) end(signal string) error {
	p.mu.Lock()
	done := p.done
	p.mu.Unlock()
	if done == nil {
		return nil
	}
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.cmd, p.done = nil, nil
	}()
	if err := p.signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	_ = p.signal("CONT") // one that is frozen would not hear the other
	select {
	case <-done:
		return nil
	case <-time.After(30 * time.Second):
	}
	if err := p.signal("KILL"); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-done
	return fmt.Errorf("%s had to be killed; the end of its log:\n%s", p.name, p.logTail())
}

func (p *process) logFile() string { return filepath.Join(p.dir, p.name+".log") }

func (p *process) logTail() string {
	const most = 4000
	log, err := os.ReadFile(p.logFile())
	if err != nil {
		return err.Error()
	}
	return string(log[max(0, len(log)-most):])
}
