package app

import (
	"io"
	"os"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/term"

	"github.com/toplu/toplu/internal/config"
)

// newLogger makes the logger that the configuration asks for. Times are UTC to
// the nanosecond, by a hook: zerolog's own are formatted by a global variable.
func newLogger(c config.Log, w io.Writer) (zerolog.Logger, error) {
	level, err := zerolog.ParseLevel(c.Level)
	if err != nil {
		return zerolog.Nop(), err
	}
	if c.Format == "console" {
		w = zerolog.ConsoleWriter{Out: w, NoColor: !isTerminal(w), TimeFormat: "15:04:05.000"}
	}
	stamp := zerolog.HookFunc(func(e *zerolog.Event, _ zerolog.Level, _ string) {
		e.Str(zerolog.TimestampFieldName, time.Now().UTC().Format(time.RFC3339Nano))
	})
	return zerolog.New(w).Level(level).Hook(stamp), nil
}

// isTerminal reports whether w is a terminal, where people watch.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
