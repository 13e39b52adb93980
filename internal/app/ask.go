package app

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"os/user"
	"strings"

	"github.com/toplu/toplu/schema"
)

// changeFlags are embedded in every command that changes something.
type changeFlags struct {
	askFlags
	By     string `help:"Who asks, for the payout's story. Default: your login." placeholder:"NAME"`
	Reason string `help:"Why, for the payout's story. Nothing about persons." placeholder:"TEXT"`
}

// askFlags are embedded in commands that do something that is to be confirmed.
type askFlags struct {
	DryRun bool `help:"Say what would happen, and change nothing."`
	Yes    bool `help:"Do not ask." short:"y"`
}

// changeHelp is the end of the help of a command that changes something.
const changeHelp = `

It is written to payout.commands, with who asks and why, and a worker makes it a record of the journal. Exit status 1 if it is refused, or if no worker has taken it within 15 s; it is obeyed all the same as soon as one runs.`

// command begins a command to the workers.
func (c *changeFlags) command(p *program, kind schema.CommandKind) schema.Command {
	return schema.Command{Kind: kind, By: c.by(p), Reason: c.Reason}
}

// by is who asks: who was named, or who is logged in, behind sudo too.
func (c *changeFlags) by(p *program) string {
	login := "unknown"
	if u, err := user.Current(); err == nil {
		login = u.Username
	}
	return cmp.Or(c.By, p.env("SUDO_USER"), login)
}

// confirmed asks on a terminal whether to go on. Where nobody can be asked,
// --yes or --dry-run is needed.
func (c *askFlags) confirmed(ctx context.Context, p *program, format string, args ...any) (bool, error) {
	if c.Yes {
		return true, nil
	}
	if !isTerminal(p.stdin) {
		return false, usageError{"nobody can be asked here: add --yes to do it, or --dry-run to see what would happen"}
	}
	_, _ = fmt.Fprintf(p.stderr, format+" [y/N] ", args...)
	answered := make(chan string, 1)
	go func() { // it outlives an interrupt, which ends the program
		line, _ := bufio.NewReader(p.stdin).ReadString('\n')
		answered <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case line := <-answered:
		if line == "y" || line == "yes" {
			return true, nil
		}
	case <-ctx.Done():
		return false, ctx.Err()
	}
	p.note("nothing was done")
	return false, nil
}
