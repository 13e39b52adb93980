package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// A Usage is what a part has used since it began, and where it stands.
type Usage struct {
	URL         string           `json:"url,omitempty"`     // where it serves, if it does
	CPU         time.Duration    `json:"cpu"`               // of user and system
	CPUAtStart  time.Duration    `json:"cpuAtStart"`        // when Began was noted
	Began       time.Time        `json:"began,omitzero"`    // when it first read a request
	Done        time.Time        `json:"done,omitzero"`     // when its counters were read
	Mallocs     uint64           `json:"mallocs"`           // objects allocated
	AllocBytes  uint64           `json:"allocBytes"`        // in all
	PeakBytes   int64            `json:"peakBytes"`         // of resident memory
	Resident    int64            `json:"resident"`          // bytes of memory now
	Counts      map[string]int64 `json:"counts,omitempty"`  // counters of its metrics
	AtStart     uint64           `json:"mallocsAtStart"`    // Mallocs when Began was noted
	AtStartSize uint64           `json:"allocBytesAtStart"` // AllocBytes then
}

// atBeginning is what had been used when the first request was read.
func (u *Usage) atBeginning() Usage {
	return Usage{Done: u.Began, CPU: u.CPUAtStart, Mallocs: u.AtStart, AllocBytes: u.AtStartSize}
}

// A Part is a process of the bench. It ends when its standard input does, so it
// cannot outlive whoever started it. Its methods are for one goroutine.
type Part struct {
	name string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	log  string // file with what it wrote on standard error
	done chan error
	gone bool // ended or killed
}

// StartPart starts a program that answers each line on its standard input with
// its [Usage], see [ServeUsage]. What it logs goes to the file named.
func StartPart(name, log string, env, argv []string) (*Part, error) {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // a file of our own
	if err != nil {
		return nil, err
	}
	defer file.Close()
	cmd := exec.Command(argv[0], argv[1:]...) //nolint:gosec,noctx // our own program; it ends with its input
	cmd.Env, cmd.Stderr = env, file
	p := &Part{name: name, cmd: cmd, log: log, done: make(chan error, 1)}
	if p.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReader(out)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return p, nil
}

// Usage asks the part what it has used.
func (p *Part) Usage() (Usage, error) {
	var u Usage
	_, err := io.WriteString(p.in, "usage\n")
	if err == nil {
		var line []byte
		if line, err = p.out.ReadBytes('\n'); err == nil {
			err = json.Unmarshal(line, &u)
		}
	}
	if err != nil {
		return u, fmt.Errorf("the %s has ended: %w; the end of its log:\n%s", p.name, err, p.tail())
	}
	return u, nil
}

// End ends the part and waits for it; one that does not end is killed. One that
// is gone already is left alone.
func (p *Part) End(ctx context.Context) error {
	if p.gone {
		return nil
	}
	p.gone = true
	_ = p.in.Close()
	go func() { p.done <- p.cmd.Wait() }()
	late := time.NewTimer(30 * time.Second)
	defer late.Stop()
	select {
	case err := <-p.done:
		if err != nil {
			return fmt.Errorf("the %s: %w; the end of its log:\n%s", p.name, err, p.tail())
		}
		return nil
	case <-ctx.Done():
	case <-late.C:
	}
	_ = p.cmd.Process.Kill()
	<-p.done
	return fmt.Errorf("the %s had to be killed", p.name)
}

// Kill ends the part at once, as a machine that burns down.
func (p *Part) Kill() {
	p.gone = true
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

func (p *Part) tail() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-2000):])
}

// ServeUsage is a part's side: it answers each line of in with what look says,
// until in ends.
func ServeUsage(in io.Reader, out io.Writer, look func() Usage) error {
	lines := bufio.NewScanner(in)
	answers := json.NewEncoder(out)
	for lines.Scan() {
		if err := answers.Encode(look()); err != nil {
			return err
		}
	}
	return lines.Err()
}
