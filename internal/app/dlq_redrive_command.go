package app

import (
	"context"
	"fmt"

	"github.com/toplu/toplu/internal/oncall"
	"github.com/toplu/toplu/schema"
)

type dlqRedriveCommand struct {
	jsonFlag
	changeFlags
	selectionFlags
	All  bool `help:"All causes: needed where nothing else says which letters are meant."`
	Rate int  `default:"500" help:"Requests a second at most. Default: ${default}." placeholder:"N"`
}

// Help says more than the line in the list of commands.
func (*dlqRedriveCommand) Help() string {
	return `Judges the dead letters that are meant by the rules and claims of now: would be paid, already taken, used up (the id belongs to another payout), still invalid, repeated, sent before, or parked (from before what was once committed: only "toplu replay run" pays these). Only those that would be paid are sent back to the requests, with their original content and event id and a mark (the headers toplu-redriven-from, -by and -why); so the same command twice sends nothing twice.

Example:

  toplu dlq redrive --code unknown_merchant --dry-run --config toplu.yaml
  toplu dlq redrive --code unknown_merchant --reason "merchant added" --config toplu.yaml`
}

// redriveReport is what dlq redrive prints.
type redriveReport struct {
	DryRun  bool                  `json:"dryRun"`
	Fates   map[oncall.Fate]int   `json:"fates"`
	Totals  map[string]string     `json:"totals"` // of what would be paid, by currency
	Letters []oncall.JudgedLetter `json:"letters"`
	Sent    int                   `json:"sent"`
}

// Run sends the letters back.
func (c *dlqRedriveCommand) Run(ctx context.Context, p *program) error {
	selection, err := c.selection()
	if err != nil {
		return err
	}
	if !c.All && *selection == (oncall.Selection{}) {
		return usageError{"say which letters are meant: --code, --id, --at, --since, --until or --all"}
	}
	if c.Rate < 1 || c.Rate > 100_000 {
		return usageError{fmt.Sprintf("--rate %d: allowed: 1 to 100000", c.Rate)}
	}
	s, d, err := p.desk(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	extent, err := d.LettersExtent(ctx, 0)
	if err != nil {
		return explainKafka(err)
	}
	bar := p.progress(extent, "reading")
	flight, err := d.Preflight(ctx, selection, s.cfg.Rules(), bar.add)
	bar.end()
	if err != nil {
		return explainKafka(err)
	}
	report := redriveReport{DryRun: c.DryRun, Fates: flight.Fates, Totals: map[string]string{}, Letters: flight.Letters}
	for currency, sum := range flight.Sums {
		report.Totals[string(currency)] = schema.FormatMinor(sum)
	}
	if !c.JSON {
		c.print(p, &report)
	}
	n := flight.Fates[oncall.WouldBePaid]
	if n > 0 && !c.DryRun {
		if ok, err := c.confirmed(ctx, p, "Send %d requests%s back, to be paid?", n, inAll(report.Totals)); !ok {
			return err
		}
		bar := p.progress(int64(n), "sending back")
		report.Sent, err = d.Redrive(ctx, flight, c.by(p), c.Reason, c.Rate, bar.add)
		bar.end()
	}
	switch {
	case c.JSON:
		if printed := p.printJSON(report); printed != nil {
			return printed
		}
	case !c.DryRun:
		p.say("%d sent back to %s", report.Sent, s.whence())
	}
	return err
}

func (*dlqRedriveCommand) print(p *program, r *redriveReport) {
	rows := [][]string{{"LETTERS", "WHAT WOULD BECOME OF THEM"}}
	for _, fate := range []oncall.Fate{oncall.WouldBePaid, oncall.AlreadyTaken, oncall.UsedUp, oncall.StillInvalid, oncall.Repeated, oncall.SentBefore, oncall.Parked} {
		if r.Fates[fate] == 0 {
			continue
		}
		text := spoken(oncall.Verdict(fate))
		if fate == oncall.WouldBePaid {
			text += inAll(r.Totals)
		}
		rows = append(rows, []string{itoa(int64(r.Fates[fate])), text})
	}
	if len(rows) == 1 {
		p.say("no dead letters are meant")
		return
	}
	p.table(rows)
	shown := 0
	for i := range r.Letters {
		if l := &r.Letters[i]; l.Fate != oncall.WouldBePaid && l.Why != "" && shown < 10 {
			p.say("  %s %s: %s", l.Place(), orDash(l.PayoutID), l.Why)
			shown++
		}
	}
}
