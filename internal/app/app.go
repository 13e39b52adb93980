package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/alecthomas/kong"

	"github.com/toplu/toplu/internal/config"
)

// The exit statuses.
const (
	exitFine   = 0
	exitFailed = 1
	exitUsage  = 2
)

// usageError is a command line that cannot be meant.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

// errReported ends a command that has already said why it failed.
var errReported = errors.New("reported")

// A program is what a command gets: the outside world.
type program struct {
	env            func(string) string
	stdin          io.Reader
	stdout, stderr io.Writer
	configPath     string // "": the environment is all there is
}

// Run runs toplu with the arguments after its name and returns the exit
// status. It returns soon after ctx has ended.
func Run(ctx context.Context, args []string, env func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	p := &program{env: env, stdin: stdin, stdout: stdout, stderr: stderr}
	var cli commands
	helped := false
	parser, err := kong.New(
		&cli,
		kong.Name("toplu"),
		kong.Description(about),
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { helped = true }), // called after --help, and by nothing else here
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(p),
	)
	if err != nil {
		return p.fail(err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	switch {
	case helped:
		return exitFine
	case err != nil:
		return p.fail(usageError{err.Error() + "\nTry: toplu --help, or --help after a command"})
	}
	p.configPath = cli.Config
	if p.configPath == "" {
		p.configPath = env("TOPLU_CONFIG")
	}
	return p.fail(command.Run())
}

// fail says what is wrong, if anything is, and returns the exit status.
func (p *program) fail(err error) int {
	var usage usageError
	switch {
	case err == nil:
		return exitFine
	case errors.Is(err, errReported):
		return exitFailed
	case errors.As(err, &usage):
		_, _ = fmt.Fprintln(p.stderr, "toplu:", usage.text)
		return exitUsage
	case errors.Is(err, context.Canceled):
		_, _ = fmt.Fprintln(p.stderr, "toplu: interrupted")
		return exitFailed
	}
	_, _ = fmt.Fprintln(p.stderr, "toplu:", explain(err))
	return exitFailed
}

// config reads the configuration. With sections named, only these need to be
// complete.
func (p *program) config(sections ...string) (*config.Config, error) {
	return config.Load(p.configPath, p.env, sections...)
}

// say writes a line to standard output.
func (p *program) say(format string, args ...any) {
	_, _ = fmt.Fprintf(p.stdout, format+"\n", args...)
}

// note writes a line to standard error.
func (p *program) note(format string, args ...any) {
	_, _ = fmt.Fprintf(p.stderr, format+"\n", args...)
}

// printJSON writes v to standard output, indented for people who look at it.
func (p *program) printJSON(v any) error {
	e := json.NewEncoder(p.stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
