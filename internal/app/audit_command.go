package app

import (
	"context"
	"strconv"
	"time"

	"github.com/toplu/toplu/internal/oncall"
)

type auditCommand struct {
	jsonFlag
	Iyzico bool          `help:"Compare with iyzico's reports too: one call or more for every batch."`
	Settle time.Duration `default:"10s" help:"How long statuses that are on their way are waited for. Default: ${default}." placeholder:"DURATION"`
}

// Help says more than the line in the list of commands.
func (*auditCommand) Help() string {
	return `Folds every log from its first record and compares what comes out with the claims in Redis, with the statuses topic and, with --iyzico, with iyzico's reports of every requestId that the journal names, the dead ones too. Every payout at most once, every sum equal to the kuruş, every difference listed. It changes nothing and may run beside the service.

Exit status 1 if anything differs.

Example:

  toplu audit --iyzico --config toplu.yaml`
}

// Run audits.
func (c *auditCommand) Run(ctx context.Context, p *program) error {
	s, d, err := p.desk(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	extent, err := d.AuditExtent(ctx)
	if err != nil {
		return explainKafka(err)
	}
	bar := p.progress(extent, "reading")
	o := oncall.AuditOptions{PageSize: s.cfg.Iyzico.PageSize, Settle: c.Settle, Told: bar.add}
	if c.Iyzico {
		o.Merchant = s.provider
	}
	audit, err := d.Audit(ctx, o)
	bar.end()
	if err != nil {
		return explainKafka(err)
	}
	if c.JSON {
		err = p.printJSON(audit)
	} else {
		c.print(p, audit)
	}
	if err == nil && !audit.Agrees {
		return errReported
	}
	return err
}

func (*auditCommand) print(p *program, a *oncall.Audit) {
	rows := [][]string{{"SHARD", "PLANS", "RECORDS", "PAYOUTS", "OPEN BATCHES", "DUPLICATES", "CONFLICTS", "IMPORTED"}}
	for _, s := range a.Shards {
		rows = append(rows, []string{
			strconv.Itoa(s.Shard), strconv.Itoa(s.Plans), itoa(s.Records), itoa(s.Payouts), strconv.Itoa(s.Open), strconv.Itoa(s.Duplicates), strconv.Itoa(s.Conflicts), strconv.Itoa(s.Imported),
		})
	}
	p.table(rows)
	if len(a.Sums) > 0 {
		p.say("")
		rows = [][]string{{"MERCHANT", "STATUS", "PAYOUTS", "SUM"}}
		for _, s := range a.Sums {
			rows = append(rows, []string{s.Merchant, string(s.Status), strconv.Itoa(s.Count), s.Value + " " + s.Currency})
		}
		p.table(rows)
	}
	p.say("")
	p.say("statuses: %d events by the log, %d on the topic, of these %d repeated and %d refusals; %d have expired there", a.Events.Expected, a.Events.OnTopic, a.Events.Repeated, a.Events.Refusals, a.Events.Expired)
	if a.Iyzico != nil {
		p.say("iyzico: %d requestIds with %d items; %d answers that the log has not got yet", a.Iyzico.Requests, a.Iyzico.Items, a.Iyzico.Pending)
	}
	for _, w := range a.Decided {
		p.say("a person's word: batch %s is %s, by %s at %s: %s", w.BatchID, w.Verdict, w.By, stamp(w.At), w.Evidence)
	}
	for _, l := range a.Listed {
		p.say("DIFFERS in %s, shard %d, batch %s, payout %s: %s", l.Where, l.Shard, orDash(l.BatchID), orDash(l.PayoutID), l.Text)
	}
	if a.Found > len(a.Listed) {
		p.say("and %d more", a.Found-len(a.Listed))
	}
	if a.Agrees {
		p.say("Everything agrees. (%.1f s)", a.Took.Seconds())
		return
	}
	p.say("%d differences. (%.1f s)", a.Found, a.Took.Seconds())
}
