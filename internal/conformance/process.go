package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
)

// A process is the ledger under test.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // why; to be read after done

	mu  sync.Mutex
	out []byte // guarded by mu: the end of what it wrote
}

// keep is how many bytes of a program's output are kept.
const keep = 4000

func start(command, env []string) (*process, error) {
	if len(command) == 0 {
		return nil, errors.New("conformance: no command to start the ledger with")
	}
	p := &process{done: make(chan struct{})}
	p.cmd = exec.Command(command[0], command[1:]...) //nolint:gosec,noctx // the caller's own command; it is killed with kill
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = p, p
	ownGroup(p.cmd)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the ledger: %w", err)
	}
	go func() {
		defer close(p.done)
		if p.err = p.cmd.Wait(); p.err == nil {
			p.err = errors.New("exit status 0")
		}
	}()
	return p, nil
}

// Write keeps the end of what the ledger writes.
func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.out = append(p.out, b...)
	p.out = p.out[max(0, len(p.out)-keep):]
	return len(b), nil
}

func (p *process) words() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return string(p.out)
}

// kill ends the ledger at once, with whatever it has started, and waits for it.
func (p *process) kill() {
	killGroup(p.cmd)
	<-p.done
}

// read runs the command that prints the books.
func (s *Stage) read(ctx context.Context) (Books, error) {
	if len(s.Books) == 0 {
		return nil, errors.New("conformance: no command to read the books with")
	}
	var out, problems bytes.Buffer
	cmd := exec.CommandContext(ctx, s.Books[0], s.Books[1:]...) //nolint:gosec // the caller's own command
	cmd.Env = append(os.Environ(), s.Env...)
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("read the books: %w\n%s", err, problems.Bytes())
	}
	return ReadBooks(&out)
}
