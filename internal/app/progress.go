package app

import (
	"time"

	"github.com/schollz/progressbar/v3"
)

// A bar shows how far long work is, on a terminal, and is nothing anywhere else.
type bar struct{ *progressbar.ProgressBar }

// add says that n more are done.
func (b bar) add(n int) { _ = b.Add(n) } // more than was foreseen is no error of the work's

// end takes the bar away: what comes next is the result.
func (b bar) end() {
	_ = b.Clear()
	_ = b.Exit()
}

// progress is a bar with the count, the rate and the time left. A total below 1 is
// not known: then there is no time left. One taken from the offsets of a topic may
// be a little too high.
func (p *program) progress(total int64, what string) bar {
	if total < 1 {
		total = -1
	}
	return bar{progressbar.NewOptions64(
		total,
		progressbar.OptionSetWriter(p.stderr),
		progressbar.OptionSetVisibility(isTerminal(p.stderr)),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("done"),
		progressbar.OptionSetSpinnerChangeInterval(0), // it turns as the work goes on: a clock of its own would outlive the bar
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
	)}
}
