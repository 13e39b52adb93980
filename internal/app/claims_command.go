package app

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/toplu/toplu/internal/oncall"
	"github.com/toplu/toplu/schema"
)

type claimsCommands struct {
	Import claimsImportCommand `cmd:"" help:"Use up payout ids that were paid elsewhere."`
}

type claimsImportCommand struct {
	jsonFlag
	changeFlags
	File string `arg:"" optional:"" help:"Payout ids, one a line; of a CSV file the first column. A heading payoutId is left out."`
	None bool   `help:"Instead of a file: nothing was paid elsewhere."`
	Open bool   `help:"Then let the installation pay again, if it is closed since Kafka was lost."`
}

// Help says more than the line in the list of commands.
func (*claimsImportCommand) Help() string {
	return `Uses up payout ids that were paid before toplu, or before Kafka was lost: a later request for one of them, whatever its content, is left out like a duplicate and has no status here. An installation that finds traces of earlier logs beside empty ones is closed: nothing is planned or completed until --open. An id that is in a batch here which is not answered may be paid once more: it is named, the exit status is 1, and --open is refused. Cancel that payout. An interrupted import goes on with the same command.` + changeHelp + `

Example:

  toplu claims import paid.csv --open --reason "paid before the restore, from iyzico's panel" --config toplu.yaml
  toplu claims import --none --open --reason "nothing was paid yet" --config toplu.yaml`
}

// importReport is what an import came to.
type importReport struct {
	*oncall.ImportCheck
	DryRun   bool  `json:"dryRun"`
	Imported int   `json:"imported"`
	Opened   []int `json:"openedShards"`
}

// Run imports.
func (c *claimsImportCommand) Run(ctx context.Context, p *program) error {
	switch {
	case (c.File == "") != c.None:
		return usageError{"name a file, or say --none"}
	case c.None && !c.Open:
		return usageError{"--none without --open changes nothing"}
	case c.Reason == "":
		return usageError{"--reason is needed: it is all that will be known of these payouts"}
	}
	ids, err := payoutIDs(c.File)
	if err != nil {
		return err
	}
	s, d, err := p.desk(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	check, err := d.CheckImport(ctx, ids)
	if err != nil {
		return explainKafka(err)
	}
	report := importReport{ImportCheck: check, DryRun: c.DryRun, Opened: []int{}}
	c.sayCheck(p, check)
	if c.Open && len(check.Open) > 0 {
		return fmt.Errorf("%w; nothing was imported or opened", openIDs(check))
	}
	if c.DryRun {
		return errors.Join(c.end(p, &report), openIDs(check))
	}
	if ok, err := c.confirmed(ctx, p, "Use up %d payout ids for ever%s?", check.New, map[bool]string{true: ", and open the installation", false: ""}[c.Open]); !ok {
		return err
	}
	bar := p.progress(int64(check.New), "importing")
	err = d.Import(ctx, check, c.by(p), c.Reason, func(n int) {
		report.Imported += n
		bar.add(n)
	})
	bar.end()
	switch {
	case errors.Is(err, oncall.ErrTaken):
		// Plans came between the check and the import: see again who owns what.
		after, again := d.CheckImport(ctx, ids)
		if again != nil {
			return errors.Join(err, explainKafka(again))
		}
		report.ImportCheck, report.Imported = after, after.Known-check.Known
		c.sayCheck(p, after)
	case err == nil && c.Open:
		report.Opened, err = d.Open(ctx, c.by(p), c.Reason)
	}
	if err == nil {
		err = openIDs(check)
	}
	return errors.Join(c.end(p, &report), err)
}

// sayCheck tells who owns the ids.
func (c *claimsImportCommand) sayCheck(p *program, check *oncall.ImportCheck) {
	if c.JSON {
		return
	}
	p.say("%d ids: %d new, %d imported before, %d in a batch here", check.Listed, check.New, check.Known, len(check.Taken))
	for i, id := range check.Open {
		if i == 20 {
			break
		}
		p.say("  %s is in a batch that is not answered: it may be paid once more", id)
	}
}

// openIDs is an error if batches may still pay some of the ids.
func openIDs(check *oncall.ImportCheck) error {
	if len(check.Open) == 0 {
		return nil
	}
	return fmt.Errorf("%d of the ids are in batches here that are not answered: toplu payout cancel each", len(check.Open))
}

func (c *claimsImportCommand) end(p *program, r *importReport) error {
	if c.JSON {
		return p.printJSON(r)
	}
	if !c.DryRun {
		p.say("%d imported; opened shards: %s", r.Imported, orDash(numbers(r.Opened)))
	}
	return nil
}

// payoutIDs reads ids, one a line, each once. No file is none.
func payoutIDs(file string) ([]string, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file) //nolint:gosec // the file that the person names
	if err != nil {
		return nil, err
	}
	var ids []string
	seen := map[string]bool{}
	lines := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	for n := 1; lines.Scan(); n++ {
		id := lines.Text()
		if i := strings.IndexAny(id, ",;\t"); i >= 0 {
			id = id[:i]
		}
		id = strings.Trim(strings.TrimSpace(id), `"`)
		switch {
		case id == "" || n == 1 && id == "payoutId" || seen[id]:
		case !schema.ValidPayoutID(id):
			return nil, fmt.Errorf("%s: line %d is no payout id; nothing was imported", file, n)
		default:
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids, lines.Err()
}
