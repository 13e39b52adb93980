//go:build integration

package e2e_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/toplu/toplu/internal/e2e"
)

// People are at work in a storm, too, by the program's own commands, and may be
// refused or not be heard.

// ask runs a command of the engineer on call and returns what it writes. What it
// could not do is no error here: in a storm it may not reach anybody.
func (s *storm) ask(args ...string) string {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), programs.Path("toplu"), append(args, "--config", s.config)...)
	cmd.Env = append(cmd.Environ(), s.env...)
	out, err := cmd.Output()
	s.asked++
	if err == nil {
		s.obeyed++
	}
	return string(out)
}

// tell is ask with a reason.
func (s *storm) tell(args ...string) {
	s.ask(append(args, "--yes", "--by", "storm", "--reason", "asked in a storm")...)
}

// listed is what batch list tells of a batch.
type listed struct{ BatchID, State string }

// list lists the batches that are open, none if it cannot.
func (s *storm) list() []listed {
	s.t.Helper()
	var answer struct{ Batches []listed }
	_ = json.Unmarshal([]byte(s.ask("batch", "list", "--json")), &answer)
	return answer.Batches
}

// meddle asks for one thing that people may ask for at any time. What stops
// payouts is taken back after a while.
func (s *storm) meddle() {
	if s.chance.IntN(3) == 0 {
		scope := [][]string{nil, {"--merchant", "market"}}[s.chance.IntN(2)]
		s.tell(append([]string{"pause"}, scope...)...)
		s.after(s.between(time.Second, 4*time.Second), func() { s.tell(append([]string{"resume"}, scope...)...) })
		return
	}
	if s.chance.IntN(2) == 0 {
		// Of the load's latest, so that it may still be in time.
		s.tell("payout", "cancel", fmt.Sprintf("pay-%06d", max(1, int(s.shop.made.Load())-s.chance.IntN(20))))
		return
	}
	open := s.list()
	if len(open) == 0 {
		return
	}
	b := open[s.chance.IntN(len(open))].BatchID
	switch s.chance.IntN(3) {
	case 0:
		s.tell("batch", "cancel", b)
	case 1:
		// A person's word is believed where nothing else decides, so it is true.
		if slices.ContainsFunc(s.books().Transfers, func(t e2e.Transfer) bool { return strings.HasPrefix(t.ExternalID, b+"-") }) {
			s.ask("batch", "resolve", b, "--paid", "--evidence", "the simulator's books", "--yes", "--by", "storm")
		}
	default:
		s.tell("batch", "hold", b)
		s.after(s.between(time.Second, 4*time.Second), func() { s.tell("batch", "resume", b) })
	}
}

// lift takes back what people have asked for and nobody has heard them take
// back, until nothing is held or paused.
func (s *storm) lift() {
	s.t.Helper()
	// A shard obeys in the order of asking: when it has heard this, it has heard
	// whatever was asked for in the storm.
	eventually(s.t, 2*time.Minute, func() string {
		before := s.obeyed
		if s.tell("pause"); s.obeyed == before {
			return "a pause is not obeyed everywhere"
		}
		return ""
	})
	eventually(s.t, 2*time.Minute, func() string {
		s.tell("resume")
		s.tell("resume", "--merchant", "market")
		held := slices.DeleteFunc(s.list(), func(b listed) bool { return b.State != "held" })
		for _, b := range held {
			s.tell("batch", "resume", b.BatchID)
		}
		var status struct{ Pauses []struct{ By string } }
		if err := json.Unmarshal([]byte(s.ask("status", "--json")), &status); err != nil || len(held)+len(status.Pauses) > 0 {
			return fmt.Sprintf("%d batches are held, %d pauses stand (%v)", len(held), len(status.Pauses), err)
		}
		return ""
	})
}
