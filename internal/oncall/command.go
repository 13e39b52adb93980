package oncall

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// A Verdict says what became of a command.
type Verdict string

// The verdicts.
const (
	Counted Verdict = "counted"  // it is in force
	TooLate Verdict = "too_late" // it waits: the batch is past the point of no return
	Refused Verdict = "refused"  // it changes nothing
	Written Verdict = "written"  // it is durable and will be obeyed; no worker has taken it yet
)

// An Answer is what became of a command in one shard.
type Answer struct {
	Shard   int     `json:"shard"`
	Command int64   `json:"commandOffset"` // in payout.commands
	Verdict Verdict `json:"verdict"`
	Text    string  `json:"text"` // what it means
	// The journal record that answers, unless the command is only written.
	Record schema.RecordType `json:"record,omitempty"`
	Offset int64             `json:"recordOffset,omitempty"`
	Code   string            `json:"code,omitempty"` // of a refusal
}

// patience is how long an answer is waited for.
const patience = 15 * time.Second

// give writes a command to the shard's partition and waits for the record that
// answers it. A nil record: no worker has taken it in time. After an error the
// command may have been written and may be obeyed.
func (d *Desk) give(ctx context.Context, shard int, c *schema.Command) (Answer, *schema.Record, error) {
	a := Answer{Shard: shard}
	c.At = d.Now().UTC()
	value, err := schema.EncodeCommand(c)
	if err != nil {
		return a, nil, err
	}
	logs := d.Logs(shard)
	_, from, err := logs.Journal.Bounds(ctx)
	if err != nil {
		return a, nil, err
	}
	offsets, err := logs.Commands.Append(ctx, schema.Message{Key: []byte(cmp.Or(c.Batch, c.PayoutID, "shard")), Value: value})
	if err != nil {
		return a, nil, fmt.Errorf("the command may have been written or not: %w", err)
	}
	a.Command = offsets[0]
	waiting, cancel := context.WithTimeout(ctx, cmp.Or(d.Patience, patience))
	defer cancel()
	offset, r, err := awaitRecord(waiting, logs.Journal, from, a.Command+1)
	switch {
	case ctx.Err() != nil:
		return a, nil, fmt.Errorf("the command is written and will be obeyed; its answer was not waited for: %w", ctx.Err())
	case waiting.Err() != nil, errors.Is(err, context.DeadlineExceeded): // Kafka's client sees the end a moment early
		a.Verdict, a.Text = Written, "written; no worker has taken it yet. It is obeyed as soon as one runs"
		return a, nil, nil
	case err != nil:
		return a, nil, fmt.Errorf("the command is written and will be obeyed; the journal cannot be read: %w", err)
	}
	a.Record, a.Offset = r.Type, offset
	if r.Type == schema.RecNoted && r.Reason.Code == string(c.Kind) {
		a.Verdict, a.Text = Counted, "it is in the journal"
	} else if r.Type == schema.RecNoted {
		a.Verdict, a.Code, a.Text = Refused, r.Reason.Code, r.Reason.Text
	}
	return a, r, nil
}

// awaitRecord follows the journal until the first record that answers a command.
func awaitRecord(ctx context.Context, journal worker.Log, from, command int64) (int64, *schema.Record, error) {
	for {
		chunk, err := journal.Read(ctx, from)
		if err != nil {
			return 0, nil, err
		}
		for _, e := range chunk.Entries {
			r, err := schema.DecodeRecord(e.Value)
			if err != nil {
				return 0, nil, fmt.Errorf("payout.journal offset %d: %w", e.Offset, err)
			}
			if r.Command == command {
				return e.Offset, &r, nil
			}
		}
		from = chunk.Next
	}
}

// Pause gives the command to pause, or with [schema.CmdUnpause] to resume, to
// every shard, all at once. Answers come in the order of the shards; those of
// shards that failed are left out, and the error names them.
func (d *Desk) Pause(ctx context.Context, c schema.Command) ([]Answer, error) {
	answers, errs := make([]Answer, d.Shards), make([]error, d.Shards)
	var wait sync.WaitGroup
	for shard := range d.Shards {
		wait.Go(func() { answers[shard], errs[shard] = d.pause(ctx, shard, c) })
	}
	wait.Wait()
	for shard, err := range errs {
		if err != nil {
			errs[shard] = fmt.Errorf("shard %d: %w", shard, err)
		}
	}
	answers = slices.DeleteFunc(answers, func(a Answer) bool { return a.Verdict == "" })
	return answers, errors.Join(errs...)
}

func (d *Desk) pause(ctx context.Context, shard int, c schema.Command) (Answer, error) {
	a, r, err := d.give(ctx, shard, &c)
	switch {
	case err != nil || a.Verdict != "":
	case r.Type == schema.RecResumed:
		a.Verdict, a.Text = Counted, "batches are completed again"
	default:
		a.Verdict, a.Text = Counted, "nothing is completed any more"
	}
	return a, err
}

// Note puts into the journals of shards that somebody does something that no
// record of theirs would tell of otherwise: who, and why. A note that no worker has
// taken yet is durable all the same. It fails where a worker refuses it.
func (d *Desk) Note(ctx context.Context, shards []int, c schema.Command) ([]Answer, error) {
	answers, errs := make([]Answer, len(shards)), make([]error, len(shards))
	var wait sync.WaitGroup
	for i, shard := range shards {
		wait.Go(func() {
			own := c
			answers[i], _, errs[i] = d.give(ctx, shard, &own)
			if errs[i] == nil && answers[i].Verdict == Refused {
				errs[i] = fmt.Errorf("shard %d: refused: %s", shard, answers[i].Text)
			}
		})
	}
	wait.Wait()
	return answers, errors.Join(errs...)
}

// NoteOnly is [Desk.Note] for what goes on at once: it hardly waits for workers, for
// the note is durable, and changes nothing.
func (d *Desk) NoteOnly(ctx context.Context, shards []int, c schema.Command) error {
	hasty := *d
	hasty.Patience = time.Second
	_, err := hasty.Note(ctx, shards, c)
	return err
}

// noteAgain notes, in the journals of their shards, that requests for payouts are
// sent again.
func (d *Desk) noteAgain(ctx context.Context, kind schema.CommandKind, by, why string, ids []string) error {
	byShard := map[int][]string{}
	for _, id := range ids {
		shard := schema.Shard(id, d.Shards)
		byShard[shard] = append(byShard[shard], id)
	}
	for shard, ids := range byShard {
		const most = 20 // a note is read by people
		what := strings.Join(ids[:min(most, len(ids))], ", ")
		if len(ids) > most {
			what += fmt.Sprintf(" and %d more", len(ids)-most)
		}
		note := schema.Command{Kind: kind, By: by, Reason: "of " + what}
		if why != "" {
			note.Reason += ": " + why
		}
		if err := d.NoteOnly(ctx, []int{shard}, note); err != nil {
			return err
		}
	}
	return nil
}

// Command gives a command about the batch at a place, whose id and offset it
// fills in, and tells what it means for the batch.
func (d *Desk) Command(ctx context.Context, at Place, batch string, c schema.Command) (Answer, error) {
	c.Batch, c.Plan = batch, at.Plan
	a, r, err := d.give(ctx, at.Shard, &c)
	if err != nil || a.Verdict != "" {
		return a, err
	}
	return d.judge(ctx, at, a, r)
}

// CancelPayout gives the command to cancel one payout.
func (d *Desk) CancelPayout(ctx context.Context, payoutID string, c schema.Command) (Answer, error) {
	c.Kind, c.PayoutID = schema.CmdCancel, payoutID
	shard := schema.Shard(payoutID, d.Shards)
	a, r, err := d.give(ctx, shard, &c)
	if err != nil || a.Verdict != "" {
		return a, err
	}
	return d.judge(ctx, Place{shard, r.Plan}, a, r)
}
