package probe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/toplu/toplu/iyzico"
)

// Client is what a probe calls: [iyzico.Client].
type Client interface {
	Init(ctx context.Context, r iyzico.InitRequest) (iyzico.InitAnswer, error)
	Auth(ctx context.Context, requestID string) error
	Cancel(ctx context.Context, requestID string) error
	Retrieve(ctx context.Context, r iyzico.RetrieveRequest) (iyzico.Report, error)
	Item(ctx context.Context, referenceCode string) (iyzico.Item, error)
	Balance(ctx context.Context) (iyzico.Money, error)
}

// A Finding is one question with its answer.
type Finding struct {
	Question string `json:"question"`
	Answer   string `json:"answer"`  // what iyzico did
	Setting  string `json:"setting"` // of the simulator, that does the same; "" if none or unclear
	Means    string `json:"means"`   // for toplu
	Open     bool   `json:"open"`    // not found out, or not as it has to be
}

// A Probe asks the questions. It is for one run.
type Probe struct {
	Client Client
	// Recipient is who the payouts are for, with a name if it is an IBAN.
	RecipientType   iyzico.RecipientType
	Recipient, Name iyzico.Private
	// Run tells this run's batches from all others: 1 to 16 letters and digits.
	Run string
	// Wait is how long a batch may take to settle.
	Wait time.Duration
	// Poll is the pause between two looks at a batch.
	Poll time.Duration
	// Say is told which question is asked. It may be nil.
	Say func(string)

	open []string // requestIds of batches to be cancelled in the end
}

// errWait means that a batch did not become as expected within Wait.
var errWait = errors.New("did not come within the time to wait")

// Do asks all questions and returns the findings. A question that fails is a
// finding too; the error is about the first call, when nothing can be asked at
// all, or about ctx. Batches that were not authorised are cancelled in the end.
func (p *Probe) Do(ctx context.Context) (all []Finding, err error) {
	if _, err := p.Client.Balance(ctx); err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	defer p.cleanUp(context.WithoutCancel(ctx))
	for _, q := range []struct {
		about string
		ask   func(context.Context) ([]Finding, error)
	}{
		{"an externalId twice", p.externalIDTwice},
		{"what reports show", p.reports},
		{"the largest page", p.pageSize},
		{"ids of payouts again", p.itemTwice},
		{"cancel, then auth", p.cancelThenAuth},
		{"auth, then cancel", p.authThenCancel},
		{"auth twice", p.authTwice},
	} {
		if p.Say != nil {
			p.Say(q.about)
		}
		found, err := q.ask(ctx)
		if ctx.Err() != nil {
			return all, ctx.Err()
		}
		if err != nil {
			found = append(found, Finding{Question: q.about, Answer: err.Error(), Means: "Not found out: " + p.advice(err), Open: true})
		}
		all = append(all, found...)
	}
	return all, nil
}

func (*Probe) advice(err error) string {
	if errors.Is(err, errWait) {
		return "try again with a longer --wait."
	}
	return "see the answer; all else was asked nevertheless."
}

// id makes a name of this run's.
func (p *Probe) id(name string) string { return "probe" + p.Run + name }

func (p *Probe) item(name string, amount iyzico.Money) iyzico.InitItem {
	return iyzico.InitItem{
		ExternalID: p.id(name), RecipientType: p.RecipientType, Recipient: p.Recipient, RecipientName: p.Name,
		Amount: amount, Currency: "TRY", Description: "toplu probe",
	}
}

// lira is the amount of most payouts, and twice of the others.
const lira iyzico.Money = 100

// init makes a batch and remembers it for the end.
func (p *Probe) init(ctx context.Context, name string, items ...iyzico.InitItem) (iyzico.InitAnswer, error) {
	a, err := p.Client.Init(ctx, iyzico.InitRequest{ExternalID: p.id(name), Purpose: "SETTLEMENT", Items: items})
	if err == nil {
		p.open = append(p.open, a.RequestID)
	}
	return a, err
}

// batch makes a batch of n new payouts, all of which must be valid.
func (p *Probe) batch(ctx context.Context, name string, n int) (requestID string, err error) {
	var items []iyzico.InitItem
	for i := range n {
		items = append(items, p.item(fmt.Sprintf("%si%d", name, i), lira))
	}
	a, err := p.init(ctx, name, items...)
	if err == nil && len(a.Invalid) > 0 {
		err = fmt.Errorf("the recipient is not taken: code %s, %s; give another with --recipient", a.Invalid[0].Code, a.Invalid[0].Message)
	}
	return a.RequestID, err
}

// cleanUp cancels what can still be cancelled. What cannot was authorised.
func (p *Probe) cleanUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for _, requestID := range p.open {
		_ = p.Client.Cancel(ctx, requestID) // most are cancelled or settled already
	}
}

// await looks at a batch until it is as wanted. After Wait the last report comes
// with an error that is [errWait].
func (p *Probe) await(ctx context.Context, requestID string, wanted func(*iyzico.Report) bool) (iyzico.Report, error) {
	limit := time.NewTimer(p.Wait)
	defer limit.Stop()
	for {
		report, err := p.Client.Retrieve(ctx, iyzico.RetrieveRequest{RequestID: requestID, ItemType: iyzico.ItemsValid, Size: 40})
		if err == nil && wanted(&report) {
			return report, nil
		}
		if err == nil {
			err = fmt.Errorf("batch %s stands at %q: what was expected %w", requestID, report.Batch.Status, errWait)
		}
		select {
		case <-ctx.Done():
			return report, ctx.Err()
		case <-limit.C:
			return report, err
		case <-time.After(p.Poll):
		}
	}
}

// shown is a report that has the batch with its items.
func shown(r *iyzico.Report) bool { return r.Found && len(r.Items) > 0 }

// moved is a report of a batch whose auth shows.
func moved(r *iyzico.Report) bool { return shown(r) && r.Batch.Status != iyzico.BatchInit }

// broke is a report of a batch that waits for money.
func broke(r *iyzico.Report) bool {
	return r.Batch.Status == iyzico.BatchInsufficientBalance || r.Batch.Status == iyzico.BatchIyzicoInsufficientBalance
}

// settled is a report of a batch with which nothing happens by itself any more.
func settled(r *iyzico.Report) bool {
	if !shown(r) || broke(r) {
		return shown(r)
	}
	for i := range r.Items {
		switch r.Items[i].Status { //nolint:exhaustive // these are settled, all others are not
		case iyzico.ItemSuccess, iyzico.ItemFailed, iyzico.ItemCanceled, iyzico.ItemDepositSuccess, iyzico.ItemDepositFail:
		default:
			return false
		}
	}
	return true
}

// cancelled counts the items that are cancelled.
func cancelled(r *iyzico.Report) (n int) {
	for i := range r.Items {
		if r.Items[i].Status == iyzico.ItemCanceled {
			n++
		}
	}
	return n
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
