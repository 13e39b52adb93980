package oncall

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// AuditOptions say what is looked at beside the logs, Redis and the statuses.
type AuditOptions struct {
	// Merchant returns a merchant's account at iyzico. Nil: iyzico is not asked.
	Merchant func(name string) (worker.Provider, bool)
	PageSize int // of iyzico's reports
	// Settle is how long statuses that are on their way are waited for.
	Settle time.Duration
	// Told hears of each record that was looked at. It may be nil.
	Told func(n int)
}

// An Audit is what the logs tell, held against everything that should agree.
type Audit struct {
	At     time.Time     `json:"at"`
	Took   time.Duration `json:"tookNanoseconds"`
	Agrees bool          `json:"agrees"`

	Shards  []AuditShard    `json:"shards"`
	Sums    []AuditSum      `json:"sums"`    // every payout, by merchant, currency and status
	Decided []Decision      `json:"decided"` // what rests on a person's word
	Events  AuditEvents     `json:"events"`
	Iyzico  *AuditIyzico    `json:"iyzico,omitempty"`
	Found   int             `json:"differences"`
	Listed  []Difference    `json:"listed"` // the first MaxListed of them
	sums    map[sumKey]*sum // by what Sums is made of
}

// MaxListed is how many differences are listed; all are counted.
const MaxListed = 1000

// A Difference is one thing that does not agree with the logs.
type Difference struct {
	Where    string `json:"where"` // log, claims, statuses or iyzico
	Shard    int    `json:"shard"`
	BatchID  string `json:"batchId,omitempty"`
	PayoutID string `json:"payoutId,omitempty"`
	Text     string `json:"text"`
}

// An AuditShard is what a shard's logs came to.
type AuditShard struct {
	Shard      int   `json:"shard"`
	Plans      int   `json:"plans"`
	Records    int64 `json:"records"`
	Payouts    int64 `json:"payouts"`
	Open       int   `json:"openBatches"`
	Duplicates int   `json:"duplicates"` // planned again with the same content, owned once
	Conflicts  int   `json:"conflicts"`  // planned again with other content, owned by the first
	Imported   int   `json:"imported"`   // payout ids that are used up since they were paid elsewhere
	NotFolded  int   `json:"notFolded"`  // plans that the claims have not taken in yet
}

// An AuditSum is how many payouts have a status, and what they come to.
type AuditSum struct {
	Merchant string              `json:"merchant"`
	Currency string              `json:"currency"`
	Status   schema.PayoutStatus `json:"status"`
	Sum
}

// A Decision is a person's word that counts.
type Decision struct {
	BatchID  string         `json:"batchId"`
	At       time.Time      `json:"at"`
	By       string         `json:"by"`
	Verdict  schema.Verdict `json:"verdict"`
	Evidence string         `json:"evidence"`
}

type sumKey struct {
	merchant string
	currency schema.Currency
	status   schema.PayoutStatus
}

type sum struct {
	count int
	minor int64
}

// Audit folds every shard afresh and compares what the logs make of it with the
// claims in Redis, with the statuses topic and, if asked to, with iyzico's
// reports. It changes nothing and may run beside the service: what came while it
// looked is not judged. Differences are no error; the error says that it could
// not be finished.
func (d *Desk) Audit(ctx context.Context, o AuditOptions) (*Audit, error) {
	if o.Told == nil {
		o.Told = func(int) {}
	}
	began := d.Now()
	a := &auditor{desk: d, options: o, out: &Audit{
		At: began.UTC(), Shards: []AuditShard{}, Decided: []Decision{}, Listed: []Difference{}, sums: map[sumKey]*sum{},
	}}
	if o.Merchant != nil {
		a.out.Iyzico = &AuditIyzico{}
	}
	if err := a.beginEvents(ctx); err != nil {
		return nil, err
	}
	for shard := range d.Shards {
		if err := a.auditShard(ctx, shard); err != nil {
			return nil, err
		}
	}
	if err := a.compareEvents(ctx); err != nil {
		return nil, err
	}
	a.out.Sums = a.out.list()
	a.out.Agrees, a.out.Took = a.out.Found == 0, d.Now().Sub(began)
	return a.out, nil
}

// An auditor is one audit under way.
type auditor struct {
	desk    *Desk
	options AuditOptions
	out     *Audit
	shard   *AuditShard
	claims  claimsAudit
	events  eventsAudit
}

func (a *auditor) differ(diff Difference) {
	a.out.Found++
	if len(a.out.Listed) < MaxListed {
		a.out.Listed = append(a.out.Listed, diff)
	}
}

// auditShard folds one shard. Logs that no worker could fold are a difference.
func (a *auditor) auditShard(ctx context.Context, shard int) error {
	a.shard = &AuditShard{Shard: shard}
	if err := a.beginClaims(ctx, shard); err != nil {
		return err
	}
	logs := a.desk.Logs(shard)
	told, err := worker.Retell(ctx, shard, logs.Plans, logs.Journal, worker.Listener{
		Open: a.desk.open,
		Plan: func(offset int64, p *schema.Plan, owners []worker.Owner, claims int64) error {
			a.options.Told(1)
			if p.Closed() {
				a.events.closed[p.ID] = true
			}
			a.countPlan(offset, p, owners)
			return a.compareClaims(ctx, offset, &schema.PlanRecord{Plan: p}, owners, claims)
		},
		Imported: func(offset int64, im *schema.Imported, owners []worker.Owner, claims int64) error {
			a.options.Told(1)
			for _, o := range owners {
				if o.Offset == offset {
					a.shard.Imported++
				}
			}
			return a.compareClaims(ctx, offset, &schema.PlanRecord{Imported: im}, owners, claims)
		},
		Status: a.expect,
		Record: func(_ int64, r *schema.Record, void string) error {
			a.options.Told(1)
			if r.Type == schema.RecDecided && void == "" {
				a.out.Decided = append(a.out.Decided, Decision{r.Batch, r.At, r.By, r.Verdict, text(r.Reason)})
			}
			return nil
		},
		Batch: func(v *worker.BatchView, p *schema.Plan, statuses []schema.PayoutStatus) error {
			a.sum(v, p, statuses)
			return a.compareBatch(ctx, v, p, statuses)
		},
	})
	switch {
	case err == nil:
		a.shard.Records, a.shard.Payouts = told.Records, told.Claims
		a.endClaims(told)
	case isOfTheLog(err):
		a.differ(Difference{Where: "log", Shard: shard, Text: err.Error()})
	default:
		return err
	}
	a.out.Shards = append(a.out.Shards, *a.shard)
	return nil
}

func (a *auditor) countPlan(offset int64, p *schema.Plan, owners []worker.Owner) {
	a.shard.Plans++
	for i := range owners {
		r := p.Request(i)
		switch {
		case owners[i].Offset == offset:
		case owners[i].Content.Covers(p.Content(i)), !p.Closed() && a.desk.Seal.Same(owners[i].Content, &r):
			a.shard.Duplicates++
		default:
			a.shard.Conflicts++
		}
	}
}

// sum adds a batch's payouts.
func (a *auditor) sum(v *worker.BatchView, p *schema.Plan, statuses []schema.PayoutStatus) {
	if !v.Closed {
		a.shard.Open++
	}
	for i, status := range statuses {
		if status == "" {
			continue // another batch's
		}
		k := sumKey{p.Merchant, p.Currency, status}
		if a.out.sums[k] == nil {
			a.out.sums[k] = &sum{}
		}
		a.out.sums[k].count++
		a.out.sums[k].minor += p.Items[i].Minor
	}
}

func (o *Audit) list() []AuditSum {
	all := []AuditSum{}
	for k, s := range o.sums {
		all = append(all, AuditSum{k.merchant, string(k.currency), k.status, Sum{s.count, schema.FormatMinor(s.minor)}})
	}
	slices.SortFunc(all, func(a, b AuditSum) int {
		return cmp.Or(cmp.Compare(a.Merchant, b.Merchant), cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.Status, b.Status))
	})
	return all
}
