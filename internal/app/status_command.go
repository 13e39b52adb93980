package app

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/toplu/toplu/internal/oncall"
)

type statusCommand struct {
	jsonFlag
	Watch    bool          `help:"Look again and again until interrupted." short:"w"`
	Interval time.Duration `default:"2s" help:"Time between two looks. Default: ${default}." placeholder:"DURATION"`
}

// Help says more than the line in the list of commands.
func (*statusCommand) Help() string {
	return `One screen, from the logs, Redis and the groups: requests not yet answered, batches by state with the stuck ones first, money under way by merchant, dead letters by cause (of the last 1000 of each partition), pauses and holds, and for every shard its worker, how far the claims in Redis stand against the log, and when it last moved. Nothing needs to be running but Kafka.

Exit status 1 if a shard cannot be read or its claims cannot be believed.

Example:

  toplu status --watch --config toplu.yaml`
}

// Run shows the status.
func (c *statusCommand) Run(ctx context.Context, p *program) error {
	s, d, err := p.desk(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	for {
		began := time.Now()
		bad, err := c.show(ctx, p, s, d)
		if !c.Watch || err != nil {
			if err == nil && bad {
				return errReported
			}
			return err
		}
		// A look costs Kafka and Redis something; it may not be all they do.
		pause := time.NewTimer(max(c.Interval, 5*time.Since(began)))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return nil
		}
	}
}

// show looks once, and reports whether something is wrong with a shard.
func (c *statusCommand) show(ctx context.Context, p *program, s *service, d *oncall.Desk) (bool, error) {
	members, ownersErr := owners(ctx, s.cfg.Kafka)
	st, err := d.Status(ctx, members)
	if err != nil {
		return false, explainKafka(err)
	}
	bad := len(st.Troubles) > 0
	for _, sh := range st.Shards {
		bad = bad || sh.Trouble != ""
	}
	if c.JSON {
		return bad, p.printJSON(st)
	}
	if c.Watch && isTerminal(p.stdout) {
		_, _ = fmt.Fprint(p.stdout, "\x1b[H\x1b[2J")
	}
	printStatus(p, st)
	for _, m := range st.Merchants {
		if _, ok := s.cfg.Merchants[m.Merchant]; !ok {
			p.say("\nNOT IN THE CONFIGURATION: merchant %s has %d open batches: they wait until it is back", m.Merchant, m.Batches)
		}
	}
	if ownersErr != nil {
		p.note("owners of the shards are not known: %v", ownersErr)
	}
	p.sayTroubles(st.Troubles)
	return bad, nil
}

func printStatus(p *program, s *oncall.Status) {
	p.say("%s  %d open batches, %d stuck; iyzico answered last: %s", stamp(s.At), s.OpenBatches, s.StuckCount, ago(s.At, s.LastAnswer))
	for _, pause := range s.Pauses {
		if pause.Closed {
			p.say("CLOSED: for %s: %s (shards %s). Bring back in what was paid (toplu claims import FILE --open); nothing is paid before", age(s.At, pause.Since), pause.Reason, numbers(pause.Shards))
			continue
		}
		who := "everything"
		if pause.Merchant != "" {
			who = "merchant " + pause.Merchant
		}
		p.say("PAUSED: %s, for %s, by %s: %s (shards %s)", who, age(s.At, pause.Since), pause.By, orDash(pause.Reason), numbers(pause.Shards))
	}
	p.say("\nREQUESTS")
	rows := [][]string{{"TOPIC", "PARTITION", "ANSWERED TO", "END", "LAG", "OLDEST"}}
	for _, l := range s.Requests {
		rows = append(rows, []string{l.Topic, strconv.Itoa(l.Partition), itoa(l.Committed), itoa(l.End), itoa(l.Lag), ago(s.At, l.OldestAt)})
	}
	p.table(rows)
	for _, l := range s.NotRead {
		p.say("NOT READ: %s has up to %d requests without an answer, and no merchant names it any more: name it again under merchants.*.topics until it is empty", l.Topic, l.Unread)
	}
	for _, l := range s.Requests {
		if l.Skipped > 0 {
			p.say("SET FORWARD: %s/%d to offset %d: %d offsets before it were read by nobody, cancels among them. Set the group back to %d: nothing of them is paid by itself then", l.Topic, l.Partition, l.Committed, l.Skipped, l.Committed-l.Skipped)
		}
		if l.Committed < l.Floor {
			p.say("SET BACK: %s/%d to offset %d, it was answered up to %d. Requests in between are passed over if they are known and parked in the dead letters if not (below_floor); only toplu replay run pays those", l.Topic, l.Partition, l.Committed, l.Floor)
		}
	}
	printBatches(p, s)
	if len(s.Merchants) > 0 {
		p.say("\nMONEY UNDER WAY")
		rows = [][]string{{"MERCHANT", "BATCHES", "PAYABLE", "UNANSWERED", "OF THESE UNKNOWN"}}
		for _, m := range s.Merchants {
			rows = append(rows, []string{m.Merchant, strconv.Itoa(m.Batches), money(m.Payable, m.Currency), money(m.Unanswered, m.Currency), money(m.Unknown, m.Currency)})
		}
		p.table(rows)
	}
	if len(s.Iyzico) > 0 {
		p.say("\nIYZICO")
		p.table(iyzicoRows(s.At, s.Iyzico))
	}
	if len(s.Causes) > 0 {
		p.say("\nDEAD LETTERS")
		p.table(causeRows(s.At, s.Causes))
	}
	p.say("\nSHARDS")
	rows = [][]string{{"SHARD", "WORKER", "PLANS", "CLAIMS STAND AT", "BEHIND", "JOURNAL", "LAST RECORD", "TROUBLE"}}
	for _, sh := range s.Shards {
		rows = append(rows, []string{
			strconv.Itoa(sh.Shard), orDash(sh.Owner), itoa(sh.PlanEnd), itoa(sh.Watermark), itoa(sh.Behind), itoa(sh.JournalEnd), ago(s.At, sh.LastAt), sh.Trouble,
		})
	}
	p.table(rows)
}

func printBatches(p *program, s *oncall.Status) {
	if len(s.States) == 0 {
		return
	}
	p.say("\nBATCHES")
	rows := [][]string{{"STATE", "BATCHES", "PAYOUTS", "OLDEST"}}
	for _, st := range s.States {
		rows = append(rows, []string{string(st.State), strconv.Itoa(st.Batches), strconv.Itoa(st.Payouts), age(s.At, st.OldestAt)})
	}
	p.table(rows)
	if len(s.Stuck) == 0 {
		return
	}
	p.say("\nSTUCK")
	rows = [][]string{{"BATCH", "STATE", "MERCHANT", "AGE", "SUM", "WHY"}}
	for i := range s.Stuck {
		b := &s.Stuck[i]
		rows = append(rows, []string{b.ID, string(b.State), b.Merchant, age(s.At, b.SealedAt), b.Payouts.Value + " " + b.Currency, why(b, s.At)})
	}
	p.table(rows)
	if more := s.StuckCount - len(s.Stuck); more > 0 {
		p.say("and %d more: toplu batch list --stuck", more)
	}
}

// iyzicoRows is a table of how the calls to iyzico go.
func iyzicoRows(now time.Time, merchants []oncall.MerchantPulse) [][]string {
	rows := [][]string{{"MERCHANT", "CALLS/MIN", "FAILED/MIN", "LAST SUCCESS", "LAST FAILURE"}}
	for _, m := range merchants {
		failure := "-"
		if f := m.LastFailure; f != nil {
			failure = strings.TrimSpace(fmt.Sprintf("%s ago: %s %s %s", age(now, f.At), f.Op, f.Outcome, f.Code))
		}
		rows = append(rows, []string{m.Merchant, strconv.Itoa(m.Calls), strconv.Itoa(m.Failed), ago(now, m.LastSuccess), failure})
	}
	return rows
}

// causeRows is a table of dead letters by cause.
func causeRows(now time.Time, causes []oncall.Cause) [][]string {
	rows := [][]string{{"CAUSE", "COUNT", "LATEST", "WHAT THE LATEST SAYS"}}
	for _, c := range causes {
		rows = append(rows, []string{c.Code, strconv.Itoa(c.Count), age(now, c.LatestAt), c.Text})
	}
	return rows
}

// money is "3 (30.00 TRY)".
func money(s oncall.Sum, currency string) string {
	return fmt.Sprintf("%d (%s %s)", s.Count, s.Value, currency)
}

// ago is how long ago something was, or a dash if it was not.
func ago(now time.Time, t *time.Time) string {
	if t == nil {
		return "-"
	}
	return age(now, *t)
}

func numbers(all []int) string {
	texts := make([]string, len(all))
	for i, n := range all {
		texts[i] = strconv.Itoa(n)
	}
	return strings.Join(texts, ", ")
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
