package app

import (
	"context"
	"strconv"
	"time"

	"github.com/toplu/toplu/internal/oncall"
)

type dlqCommands struct {
	List    dlqListCommand    `cmd:"" help:"List dead letters, grouped by cause."`
	Show    dlqShowCommand    `cmd:"" help:"Show one dead letter, masked, with the exact reason."`
	Redrive dlqRedriveCommand `cmd:"" help:"Send dead letters back to the requests, after a preflight."`
}

// selectionFlags say which dead letters are meant.
type selectionFlags struct {
	Code  string    `help:"Only this cause, as dlq list names it." placeholder:"CODE"`
	ID    string    `help:"Only this payout's." name:"id" placeholder:"PAYOUT-ID"`
	At    string    `help:"Only the letter at this place." placeholder:"PARTITION/OFFSET"`
	Since time.Time `help:"Only those put aside at or after this time." placeholder:"RFC3339"`
	Until time.Time `help:"Only those put aside before this time." placeholder:"RFC3339"`
}

func (f *selectionFlags) selection() (*oncall.Selection, error) {
	if f.At != "" {
		if _, _, err := oncall.PlaceOf(f.At); err != nil {
			return nil, usageError{"--at: " + err.Error()}
		}
	}
	return &oncall.Selection{Code: f.Code, PayoutID: f.ID, Place: f.At, Since: f.Since, Until: f.Until}, nil
}

type dlqListCommand struct {
	jsonFlag
	selectionFlags
	Letters bool  `help:"List single letters instead of causes."`
	Last    int64 `default:"10000" help:"Look at so many letters of each partition, the newest; 0 is all. Default: ${default}." placeholder:"N"`
}

// Help says more than the line in the list of commands.
func (*dlqListCommand) Help() string {
	return `Groups the dead letters by cause, the most frequent first: requests that were refused, and payout ids that were used again with other content.

Example:

  toplu dlq list --config toplu.yaml
  toplu dlq list --letters --code unknown_merchant --config toplu.yaml`
}

// dlqList is what dlq list prints: causes or letters.
type dlqList struct {
	Looked  int             `json:"looked"`
	Causes  []oncall.Cause  `json:"causes,omitempty"`
	Letters []oncall.Letter `json:"letters,omitempty"`
}

// Run lists the dead letters.
func (c *dlqListCommand) Run(ctx context.Context, p *program) error {
	selection, err := c.selection()
	if err != nil {
		return err
	}
	s, d, err := p.desk(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	extent, err := d.LettersExtent(ctx, c.Last)
	if err != nil {
		return explainKafka(err)
	}
	var list dlqList
	bar := p.progress(extent, "reading")
	groups := oncall.NewCauses()
	err = d.DeadLetters(ctx, c.Last, func(l *oncall.Letter) (bool, error) {
		list.Looked++
		bar.add(1)
		switch {
		case !selection.Takes(l):
		case c.Letters:
			list.Letters = append(list.Letters, *l)
		default:
			groups.Add(l)
		}
		return true, nil
	})
	bar.end()
	if err != nil {
		return explainKafka(err)
	}
	list.Causes = groups.List()
	if c.JSON {
		return p.printJSON(list)
	}
	c.print(p, d.Now(), &list)
	return nil
}

func (c *dlqListCommand) print(p *program, now time.Time, list *dlqList) {
	switch {
	case len(list.Causes)+len(list.Letters) == 0:
		p.say("no dead letters among the %d looked at", list.Looked)
	case c.Letters:
		rows := [][]string{{"PLACE", "AGE", "CAUSE", "PAYOUT", "WHY"}}
		for i := range list.Letters {
			l := &list.Letters[i]
			rows = append(rows, []string{l.Place(), age(now, l.At), l.Code, orDash(l.PayoutID), l.Text})
		}
		p.table(rows)
	default:
		p.table(causeRows(now, list.Causes))
	}
}

type dlqShowCommand struct {
	jsonFlag
	Place string `arg:"" help:"PARTITION/OFFSET, as dlq list --letters shows it."`
}

// Help says more than the line in the list of commands.
func (*dlqShowCommand) Help() string {
	return `Shows a dead letter: the exact reason, where it was read, its headers, and its content with everything masked that may be about a person; of what is no JSON, only the outline.

Example:

  toplu dlq show 0/17 --config toplu.yaml`
}

// dlqShow is what dlq show prints.
type dlqShow struct {
	oncall.Letter
	Headers []oncall.HeaderLine `json:"headers"`
	Bytes   int                 `json:"bytes"`
	Content string              `json:"maskedContent"`
}

// Run shows the letter.
func (c *dlqShowCommand) Run(ctx context.Context, p *program) error {
	partition, offset, err := oncall.PlaceOf(c.Place)
	if err != nil {
		return usageError{err.Error()}
	}
	s, d, err := p.desk(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	l, err := d.DeadLetter(ctx, partition, offset)
	if err != nil {
		return explainKafka(err)
	}
	if c.JSON {
		return p.printJSON(dlqShow{*l, l.Headers(), l.Size(), l.Masked()})
	}
	p.say("dead letter %s, put aside %s", l.Place(), stamp(l.At))
	p.say("  %s: %s", l.Code, l.Text)
	p.say("  payout %s, read at %s/%d offset %d", orDash(l.PayoutID), l.Source.Topic, l.Source.Partition, l.Source.Offset)
	p.say("headers")
	for _, h := range l.Headers() {
		p.say("  %s: %s", h.Key, h.Value)
	}
	if l.Closed != "" {
		p.say("content: sealed still, and not shown: %s", l.Closed)
		return nil
	}
	p.say("content, %s bytes, masked", strconv.Itoa(l.Size()))
	p.say("%s", l.Masked())
	return nil
}
