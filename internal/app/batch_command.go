package app

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/toplu/toplu/internal/oncall"
	"github.com/toplu/toplu/schema"
)

type batchCommands struct {
	List    batchListCommand    `cmd:"" help:"List the batches that are not closed, the stuck ones first."`
	Show    batchShowCommand    `cmd:"" help:"Show a batch: how it stands, its journal, its payouts."`
	Hold    batchHoldCommand    `cmd:"" help:"Keep a batch from being completed until it is resumed."`
	Resume  batchResumeCommand  `cmd:"" help:"Lift the holds of a batch."`
	Cancel  batchCancelCommand  `cmd:"" help:"Withdraw every payout of a batch."`
	Resolve batchResolveCommand `cmd:"" help:"Decide about a batch whose outcome is unknown, with evidence."`
}

// batchArgument names a batch.
type batchArgument struct {
	Batch string `arg:"" help:"The batch's id, or its place as SHARD/OFFSET, from batch list."`
}

// find returns the batch with its place.
func (c *batchArgument) find(ctx context.Context, d *oncall.Desk) (oncall.Place, *oncall.BatchStory, error) {
	at, err := d.Find(ctx, c.Batch)
	if err != nil {
		return at, nil, err
	}
	story, err := d.Show(ctx, at)
	return at, story, err
}

// batchChange is embedded in the commands that change a batch.
type batchChange struct {
	jsonFlag
	changeFlags
	batchArgument
}

// dryRun is what a command would come to.
type dryRun struct {
	DryRun bool          `json:"dryRun"`
	Would  string        `json:"would"`
	Batch  *oncall.Batch `json:"batch,omitempty"`
}

// give finds the batch, asks, gives the command and prints its answer.
func (c *batchChange) give(ctx context.Context, p *program, do string, command schema.Command) error {
	s, d, err := p.desk(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	at, story, err := c.find(ctx, d)
	if err != nil {
		return err
	}
	if command.Kind == schema.CmdResolve { // a word is about what is shown here, whatever follows
		command.Attempt, command.RequestID = story.Attempt, story.RequestID
	}
	would := oncall.Foresee(command.Kind, &story.Batch)
	if !c.JSON {
		p.say("batch %s of %s: %s", story.ID, story.Merchant, oneLine(&story.Batch))
	}
	if c.DryRun {
		if c.JSON {
			return p.printJSON(dryRun{true, would, &story.Batch})
		}
		p.say("%s", would)
		return nil
	}
	if ok, err := c.confirmed(ctx, p, "%s.\n%s it?", would, do); !ok {
		return err
	}
	answer, err := d.Command(ctx, at, story.ID, command)
	if err != nil {
		return err
	}
	return p.sayAnswer(c.JSON, answer)
}

// oneLine is how a batch stands.
func oneLine(b *oncall.Batch) string {
	return fmt.Sprintf("%s, %d payouts, %s %s, attempt %d. Next: %s", b.State, b.Payouts.Count, b.Payouts.Value, b.Currency, b.Attempt, b.Next)
}

type batchHoldCommand struct{ batchChange }

// Help says more than the line in the list of commands.
func (*batchHoldCommand) Help() string {
	return `Before the point of no return a hold stops the batch until "toplu batch resume". After it, the answer says that it is too late: it takes effect only if the attempt dies.` + changeHelp + `

Example:

  toplu batch hold k5x…q7a --reason "amounts look wrong" --config toplu.yaml`
}

// Run holds the batch.
func (c *batchHoldCommand) Run(ctx context.Context, p *program) error {
	return c.give(ctx, p, "Hold", c.command(p, schema.CmdHold))
}

type batchResumeCommand struct{ batchChange }

// Help says more than the line in the list of commands.
func (*batchResumeCommand) Help() string {
	return `Lifts every hold of the batch, whoever made it: those of people, and those that the worker made because iyzico showed something else than was sent. See why with "toplu batch show" first. A hold that is about single payouts is lifted by their cancel alone.` + changeHelp + `

Example:

  toplu batch resume k5x…q7a --reason "checked with finance" --config toplu.yaml`
}

// Run resumes the batch.
func (c *batchResumeCommand) Run(ctx context.Context, p *program) error {
	return c.give(ctx, p, "Resume", c.command(p, schema.CmdResume))
}

type batchCancelCommand struct{ batchChange }

// Help says more than the line in the list of commands.
func (*batchCancelCommand) Help() string {
	return `Before the point of no return every unanswered payout of the batch becomes cancelled, for good, and what stands at iyzico is cancelled there. After it, the answer says that it is too late: they become cancelled only if the attempt dies. A cancelled payout's id is used up; to pay it after all a new one is needed.` + changeHelp + `

Example:

  toplu batch cancel k5x…q7a --reason "sent twice under new ids" --config toplu.yaml`
}

// Run cancels the batch.
func (c *batchCancelCommand) Run(ctx context.Context, p *program) error {
	return c.give(ctx, p, "Cancel", c.command(p, schema.CmdCancel))
}

type batchResolveCommand struct {
	batchChange
	Paid     bool   `help:"iyzico took the batch and pays it." required:"" xor:"verdict"`
	Dead     bool   `help:"iyzico will never pay this attempt: a new one begins." required:"" xor:"verdict"`
	Items    string `help:"iyzico took the batch, and this is what became of its payouts: a CSV file with lines of payout id and paid or failed." placeholder:"FILE" required:"" xor:"verdict"`
	Evidence string `help:"What the word rests on: a ticket of iyzico's, a statement. Nothing about persons." placeholder:"TEXT" required:""`
}

// Help says more than the line in the list of commands.
func (*batchResolveCommand) Help() string {
	return `A person's word, where nothing else can decide: only for a batch whose outcome is unknown, or that somebody else acted on at iyzico. It is refused while iyzico's answer contradicts it, and where another attempt than the one you are shown has begun meanwhile. --dead lets the payouts be paid again in a new attempt, so it needs iyzico's own written word that this one never will be. With --items, payouts that the file does not name stay submitted, and iyzico is asked on.` + changeHelp + `

Example:

  toplu batch resolve k5x…q7a --dead --evidence "iyzico ticket 12345" --config toplu.yaml
  toplu batch resolve k5x…q7a --items statement.csv --evidence "iyzico statement of 1 March" --config toplu.yaml`
}

// Run decides about the batch.
func (c *batchResolveCommand) Run(ctx context.Context, p *program) error {
	command := c.command(p, schema.CmdResolve)
	command.Verdict, command.Evidence = schema.VerdictDead, c.Evidence
	do := "Take your word that iyzico never pays"
	if c.Paid {
		command.Verdict = schema.VerdictTook
		do = "Take your word that iyzico took"
	}
	if c.Items != "" {
		var err error
		if command.Items, err = readWords(c.Items); err != nil {
			return err
		}
		command.Verdict = schema.VerdictItems
		do = fmt.Sprintf("Take your word on %d payouts that iyzico took", len(command.Items))
	}
	return c.give(ctx, p, do, command)
}

// readWords reads a file of payout ids and what became of them.
func readWords(name string) ([]schema.ItemWord, error) {
	f, err := os.Open(name) //nolint:gosec // the file that was asked for
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in := csv.NewReader(f)
	in.FieldsPerRecord, in.TrimLeadingSpace, in.Comment = 2, true, '#'
	var words []schema.ItemWord
	for seen := map[string]bool{}; ; {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, usageError{"--items " + name + ": " + err.Error()}
		}
		line, _ := in.FieldPos(0)
		w := schema.ItemWord{PayoutID: row[0], Status: schema.PayoutStatus(row[1])}
		switch {
		case line == 1 && w.PayoutID == "payoutId" && w.Status == "status":
			continue
		case !schema.ValidPayoutID(w.PayoutID), w.Status != schema.Paid && w.Status != schema.Failed:
			return nil, usageError{fmt.Sprintf("--items %s: line %d: want a payout id and paid or failed", name, line)}
		case seen[w.PayoutID]:
			return nil, usageError{fmt.Sprintf("--items %s: line %d: %s stands there twice", name, line, w.PayoutID)}
		}
		seen[w.PayoutID] = true
		words = append(words, w)
	}
	if len(words) == 0 {
		return nil, usageError{"--items " + name + ": no payout is in it"}
	}
	return words, nil
}
