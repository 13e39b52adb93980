package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/toplu/toplu/internal/oncall"
)

type batchListCommand struct {
	jsonFlag
	Merchant string `help:"Only this merchant's." placeholder:"NAME"`
	Stuck    bool   `help:"Only those that need a person or have not moved for long."`
}

// Help says more than the line in the list of commands.
func (*batchListCommand) Help() string {
	return `Lists every batch that is not closed, from the logs: nothing needs to be running. First those that are stuck: held, of unknown outcome, being fenced off, or without a step for ten minutes.

Example:

  toplu batch list --stuck --config toplu.yaml`
}

// batchList is what batch list prints.
type batchList struct {
	Batches  []oncall.Batch        `json:"batches"`
	Troubles []oncall.ShardTrouble `json:"troubles"`
}

// Run lists the batches.
func (c *batchListCommand) Run(ctx context.Context, p *program) error {
	s, d, err := p.desk(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	batches, troubles, err := d.Batches(ctx)
	if err != nil {
		return err
	}
	batches = slices.DeleteFunc(batches, func(b oncall.Batch) bool {
		return c.Stuck && !b.Stuck || c.Merchant != "" && b.Merchant != c.Merchant
	})
	if c.JSON {
		err = p.printJSON(batchList{batches, append([]oncall.ShardTrouble{}, troubles...)})
	} else {
		c.print(p, d, batches)
		p.sayTroubles(troubles)
	}
	if err == nil && len(troubles) > 0 {
		return errReported
	}
	return err
}

func (*batchListCommand) print(p *program, d *oncall.Desk, batches []oncall.Batch) {
	if len(batches) == 0 {
		p.say("no open batches")
		return
	}
	now := d.Now()
	rows := [][]string{{"STATE", "BATCH", "PLACE", "MERCHANT", "AGE", "PAYOUTS", "SUM", "STATUSES", "WHY"}}
	for i := range batches {
		b := &batches[i]
		state := string(b.State)
		if b.Stuck {
			state = "! " + state
		}
		rows = append(rows, []string{
			state, b.ID, fmt.Sprintf("%d/%d", b.Shard, b.Plan), b.Merchant, age(now, b.SealedAt),
			strconv.Itoa(b.Payouts.Count), b.Payouts.Value + " " + b.Currency, statusCounts(b), why(b, now),
		})
	}
	p.table(rows)
}

// statusCounts is "accepted 3, paid 1".
func statusCounts(b *oncall.Batch) string {
	var all []string
	for _, status := range slices.Sorted(maps.Keys(b.Statuses)) {
		all = append(all, fmt.Sprintf("%s %d", status, b.Statuses[status].Count))
	}
	return strings.Join(all, ", ")
}

// why says what a batch waits for, if it is out of the ordinary.
func why(b *oncall.Batch, now time.Time) string {
	switch {
	case len(b.Holds) > 0:
		h := b.Holds[len(b.Holds)-1]
		return fmt.Sprintf("%s by %s", h.Reason, orDash(h.By))
	case b.Unknown != "":
		return b.Unknown
	case b.Stuck, b.NotBefore.After(now) && b.RequestID == "":
		return b.Next
	}
	return ""
}
