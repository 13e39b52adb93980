package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/toplu/toplu/internal/oncall"
	"github.com/toplu/toplu/schema"
)

type replayCommands struct {
	Plan replayPlanCommand `cmd:"" help:"Say what reading requests again would pay, and write it down."`
	Run  replayRunCommand  `cmd:"" help:"Pay exactly what a plan lists as new."`
}

type replayPlanCommand struct {
	jsonFlag
	From     string `help:"Where the stretch begins: a time, or an offset in every partition." placeholder:"RFC3339|OFFSET"`
	Topic    string `help:"The topic of requests that is meant; needed where merchants name some of their own." placeholder:"TOPIC"`
	Parked   bool   `help:"Of the dead letters that were parked below the floor (below_floor), not of the requests; all of them without --from."`
	To       string `help:"Where it ends, itself not included. Default: what is answered." placeholder:"RFC3339|OFFSET"`
	Merchant string `help:"Only this merchant's." placeholder:"NAME"`
	IDFile   string `help:"Only payouts whose ids stand in this file, one a line." placeholder:"FILE"`
	Out      string `help:"Write the plan to this file." placeholder:"FILE" short:"o"`
}

// Help says more than the line in the list of commands.
func (*replayPlanCommand) Help() string {
	return `Reads a stretch of the requests again and says, without changing anything, what became of each: paid, in flight, failed, paid elsewhere, refused and why, conflicting, and new: those that no batch has and that would be paid. The plan lists the new ones by id, place and content, under a digest; "toplu replay run" pays these and nothing else. With --parked it reads the dead letters of the code below_floor instead, which hold what the topic may have lost since; --from and --to are then of these letters. What the consumers have not read yet is on its way by itself and is no part of a plan.

Example:

  toplu replay plan --from 2026-03-01T00:00:00Z --out lost.plan --config toplu.yaml
  toplu replay plan --parked --out parked.plan --config toplu.yaml`
}

// Run makes the plan.
func (c *replayPlanCommand) Run(ctx context.Context, p *program) error {
	stretch, err := c.stretch()
	if err != nil {
		return err
	}
	s, d, err := p.desk(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	if !c.Parked {
		if stretch.Topic, err = s.source(c.Topic); err != nil {
			return err
		}
	}
	extent, err := d.ReplayExtent(ctx, stretch)
	if err != nil {
		return explainKafka(err)
	}
	bar := p.progress(extent, "reading")
	plan, err := d.PlanReplay(ctx, stretch, s.cfg.Rules(), bar.add)
	bar.end()
	if err != nil {
		return explainKafka(err)
	}
	if c.Out != "" {
		var text bytes.Buffer
		writer := program{stdout: &text}
		if err := writer.printJSON(plan); err != nil {
			return err
		}
		if err := writeWhole(c.Out, text.Bytes()); err != nil {
			return err
		}
	}
	if c.JSON {
		return p.printJSON(plan)
	}
	c.print(p, plan)
	return nil
}

// writeWhole writes a file that is there whole or not at all.
func writeWhole(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

func (c *replayPlanCommand) stretch() (*oncall.Stretch, error) {
	if c.From == "" && !c.Parked {
		return nil, usageError{"say where the stretch begins: --from, or --parked for what was parked below the floor"}
	}
	s := &oncall.Stretch{Merchant: c.Merchant, Parked: c.Parked}
	for _, end := range []struct {
		name, text string
		at         *time.Time
		offset     *int64
	}{{"--from", c.From, &s.From, &s.FromOffset}, {"--to", c.To, &s.To, &s.ToOffset}} {
		if end.text == "" {
			continue
		}
		offset, err := strconv.ParseInt(end.text, 10, 64)
		if err == nil && offset == 0 && end.offset == &s.ToOffset {
			return nil, usageError{"--to 0: no request stands before it"}
		}
		if err == nil && offset >= 0 {
			*end.offset = offset
			continue
		}
		if *end.at, err = time.Parse(time.RFC3339, end.text); err != nil {
			return nil, usageError{fmt.Sprintf("%s: %q is neither an offset nor a time such as 2026-03-01T00:00:00Z", end.name, end.text)}
		}
	}
	if c.IDFile == "" {
		return s, nil
	}
	text, err := os.ReadFile(c.IDFile)
	if err != nil {
		return nil, err
	}
	s.IDs = map[string]bool{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		id := strings.TrimSpace(lines.Text())
		if id != "" && !schema.ValidPayoutID(id) {
			return nil, fmt.Errorf("%s: line %d is no payout id", c.IDFile, n)
		}
		s.IDs[id] = true
	}
	return s, lines.Err()
}

func (c *replayPlanCommand) print(p *program, plan *oncall.ReplayPlan) {
	rows := [][]string{{"REQUESTS", "WHAT BECAME OF THEM"}}
	add := func(n int, what string) {
		if n > 0 {
			rows = append(rows, []string{strconv.Itoa(n), what})
		}
	}
	for _, status := range slices.Sorted(maps.Keys(plan.Known)) {
		add(plan.Known[status], string(status))
	}
	for _, code := range slices.Sorted(maps.Keys(plan.Refused)) {
		add(plan.Refused[code], "refused: "+code)
	}
	add(plan.Imported, "paid elsewhere: imported")
	add(plan.UsedUp, "conflicting: the id belongs to a payout with other content")
	add(plan.Again, "repeated, or on its way")
	add(plan.Skipped, "not meant: another merchant or id")
	add(plan.Read, "read")
	p.table(rows)
	totals := map[string]string{}
	for currency, sum := range plan.Sums {
		totals[string(currency)] = sum
	}
	p.say("NEW, would be paid: %d%s", len(plan.New), inAll(totals))
	for i, it := range plan.New {
		if i == 20 {
			p.say("  and %d more", len(plan.New)-i)
			break
		}
		p.say("  %s  %s %s, merchant %s, partition %d offset %d", it.PayoutID, it.Amount, it.Currency, it.Merchant, it.Partition, it.Offset)
	}
	if c.Out != "" {
		p.say("written to %s, digest %s", c.Out, plan.Digest)
	}
}

type replayRunCommand struct {
	jsonFlag
	changeFlags
	Plan string `arg:"" help:"The file that replay plan wrote."`
	Rate int    `default:"500" help:"Requests a second at most. Default: ${default}." placeholder:"N"`
}

// Help says more than the line in the list of commands.
func (*replayRunCommand) Help() string {
	return `Checks the plan against the present and asks again for exactly the requests that it lists as new, with their content and event ids and a mark. It refuses a plan that was changed, is of another installation, or lists a request that is no longer there or whose id belongs to another payout by now. An interrupted run goes on with the same command: what is taken or on its way is not sent twice.

Example:

  toplu replay run lost.plan --reason "a day of the topic was restored" --config toplu.yaml`
}

// replayReport is what a run did.
type replayReport struct {
	*oncall.Replay
	DryRun bool   `json:"dryRun"`
	Digest string `json:"digest"`
	Sent   int    `json:"sent"`
}

// Run pays what the plan lists.
func (c *replayRunCommand) Run(ctx context.Context, p *program) error {
	if c.Rate < 1 || c.Rate > 100_000 {
		return usageError{fmt.Sprintf("--rate %d: allowed: 1 to 100000", c.Rate)}
	}
	text, err := os.ReadFile(c.Plan)
	if err != nil {
		return err
	}
	var plan oncall.ReplayPlan
	strict := json.NewDecoder(bytes.NewReader(text))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&plan); err != nil {
		return fmt.Errorf("%s is no replay plan: %w", c.Plan, err)
	}
	s, d, err := p.desk(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	replay, err := d.CheckReplay(ctx, &plan, c.by(p), c.Reason, s.cfg.Rules())
	if err != nil {
		return explainKafka(err)
	}
	report := replayReport{Replay: replay, DryRun: c.DryRun, Digest: plan.Digest}
	if !c.JSON {
		p.say("%d listed, %d taken by now, %d on their way, %d to be sent", replay.Listed, replay.Taken, replay.OnTheWay, replay.ToSend)
	}
	if replay.ToSend > 0 && !c.DryRun {
		if ok, err := c.confirmed(ctx, p, "Ask again for %d payouts, to be paid?", replay.ToSend); !ok {
			return err
		}
		bar := p.progress(int64(replay.ToSend), "sending")
		report.Sent, err = d.RunReplay(ctx, replay, c.Rate, bar.add)
		bar.end()
	}
	switch {
	case c.JSON:
		if printed := p.printJSON(report); printed != nil {
			return printed
		}
	case !c.DryRun:
		p.say("%d sent to %s", report.Sent, s.whence())
	}
	return err
}
