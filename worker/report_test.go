package worker_test

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/toplu/toplu/iyzico"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
	"github.com/toplu/toplu/worker/workertest"
)

// A slowBank is an iyzico that takes a batch and works on it for days. It
// remembers what it is asked, and when.
type slowBank struct {
	mu       sync.Mutex
	sent     iyzico.InitRequest
	taken    bool
	paid     bool
	lost     bool                              // auth's answer
	show     func(iyzico.Report) iyzico.Report // nil: as it is
	asked    []iyzico.RetrieveRequest
	at       []time.Time
	canceled bool
	refusal  error // of every report
}

func (b *slowBank) Init(_ context.Context, r iyzico.InitRequest) (iyzico.InitAnswer, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sent = r
	return iyzico.InitAnswer{RequestID: "r"}, nil
}

func (b *slowBank) Auth(context.Context, string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.taken = true
	if b.lost {
		return &iyzico.Error{Op: "auth"}
	}
	return nil
}

func (b *slowBank) Retrieve(_ context.Context, r iyzico.RetrieveRequest) (iyzico.Report, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked, b.at = append(b.asked, r), append(b.at, time.Now())
	if b.refusal != nil {
		return iyzico.Report{}, b.refusal
	}
	rep := iyzico.Report{Found: true, Page: r.Page, Size: r.Size, Batch: iyzico.Batch{Status: iyzico.BatchInit}}
	status := iyzico.ItemInit
	switch {
	case b.paid:
		rep.Batch.Status, status = iyzico.BatchCompleted, iyzico.ItemSuccess
	case b.taken:
		rep.Batch.Status, status = iyzico.BatchInProgress, iyzico.ItemProcessing
	}
	if r.ItemType == iyzico.ItemsInvalid {
		return rep, nil
	}
	rep.Total = len(b.sent.Items)
	for i, it := range b.sent.Items {
		if i >= r.Page*r.Size && len(rep.Items) < r.Size {
			rep.Items = append(rep.Items, iyzico.Item{
				ExternalID: it.ExternalID, Status: status, Amount: it.Amount, Currency: it.Currency,
				RecipientType: it.RecipientType, Recipient: it.Recipient,
			})
		}
	}
	if b.show != nil {
		rep = b.show(rep)
	}
	return rep, nil
}

func (b *slowBank) Item(context.Context, string) (iyzico.Item, error) { return iyzico.Item{}, nil }

func (b *slowBank) Cancel(context.Context, string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.canceled = true
	return nil
}

func (b *slowBank) Balance(context.Context) (iyzico.Money, error) { return 1 << 40, nil }

// refuse has the bank refuse reports, or no longer.
func (b *slowBank) refuse(why error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refusal = why
}

// pay has the bank pay.
func (b *slowBank) pay() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.paid = true
}

// looks returns what was asked since the first n questions.
func (b *slowBank) looks(n int) ([]iyzico.RetrieveRequest, []time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asked[n:], b.at[n:]
}

// logText is a log that is read while it is written.
type logText struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// drive runs a shard on a bank in virtual time, with a plan of three payouts.
func drive(t *testing.T, bank *slowBank, cfg worker.Config, during func(b *bench, said *logText)) {
	t.Helper()
	var said logText
	b := &bench{claims: workertest.NewClaims(), log: zerolog.New(&said)}
	b.plans.Wait, b.journal.Wait = time.Minute, time.Minute
	b.plan(t, "a", 3)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	s := worker.NewShard(0, cfg, worker.Ports{
		Plans: &b.plans, Journal: &b.journal, Claims: b.claims, Statuses: &b.statuses, DeadLetters: &b.dead, Originals: &b.dead,
		Merchant: func(string) (worker.Provider, bool) { return bank, true },
		Now:      time.Now, NewID: b.newID, Log: b.log,
	})
	go func() { done <- s.Run(ctx) }()
	during(b, &said)
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// TestReportsAreAskedSparingly has a batch at the bank for ten days: nearly every
// look is for one item of the first page, they come no oftener than once an hour
// in the end, a person is told, and what is paid at last is told within the hour.
func TestReportsAreAskedSparingly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bank := &slowBank{}
		cfg := worker.Config{ReportInterval: 5 * time.Second, ReportMaxInterval: time.Hour, ReportGiveUp: 9 * 24 * time.Hour}
		drive(t, bank, cfg, func(b *bench, said *logText) {
			time.Sleep(24 * time.Hour)
			synctest.Wait()
			before, _ := bank.looks(0)
			if len(before) > 100 {
				t.Errorf("asked %d times on the first day", len(before))
			}
			time.Sleep(7 * 24 * time.Hour)
			synctest.Wait()
			asked, at := bank.looks(len(before))
			single := 0
			for i, r := range asked {
				if r.RequestID != "r" || r.Page != 0 {
					t.Errorf("asked for %+v", r)
				}
				if r.Size == 1 {
					single++
				}
				if i > 0 && at[i].Sub(at[i-1]) < time.Hour {
					t.Errorf("looks are %v apart", at[i].Sub(at[i-1]))
				}
			}
			if len(asked) < 150 || len(asked) > 170 || single < len(asked)*4/5 {
				t.Errorf("asked %d times in a week, %d for one item", len(asked), single)
			}
			const alert = "no answer for too long"
			if strings.Contains(said.String(), alert) {
				t.Error("the alert comes before its time")
			}
			time.Sleep(2 * 24 * time.Hour)
			synctest.Wait()
			if !strings.Contains(said.String(), alert) {
				t.Error("nobody is told that the batch has no answer")
			}
			bank.pay()
			time.Sleep(time.Hour + time.Minute)
			synctest.Wait()
			for id, s := range b.last(t) {
				if s.Status != schema.Paid {
					t.Errorf("%s is %s an hour after it was paid", id, s.Status)
				}
			}
		})
	})
}

// TestLineTwiceIsNoProof has a report whose pages moved while they were read: a
// cancelled line stands there twice and the line that is at the bank not at all.
// Their number is right, and it is no proof of death.
func TestLineTwiceIsNoProof(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bank := &slowBank{lost: true}
		bank.show = func(r iyzico.Report) iyzico.Report {
			switch {
			case !bank.taken:
			case !bank.canceled: // auth is not to be seen, so it is fenced
				r.Batch.Status = iyzico.BatchInit
			default:
				r.Batch.Status = iyzico.BatchCanceled
				for i := range r.Items {
					r.Items[i].ExternalID, r.Items[i].Status = []string{"a-1", "a-1", "a-2"}[i], iyzico.ItemCanceled
				}
			}
			return r
		}
		drive(t, bank, worker.Config{Grace: 5 * time.Second}, func(b *bench, _ *logText) {
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			_, end, _ := b.journal.Bounds(t.Context())
			for at := range end {
				e, err := b.journal.ReadAt(t.Context(), at)
				if err != nil {
					t.Fatal(err)
				}
				if r, err := schema.DecodeRecord(e.Value); err != nil || r.Type == schema.RecDead {
					t.Errorf("journal offset %d: %s, %v", at, r.Type, err)
				}
			}
		})
	})
}

// TestMoneyThatMayComeBackIsWaitedForAtLeisure has a batch whose payments have
// all failed, and an iyzico that refuses its reports for a while: one calls limit
// is for all batches of a merchant, so looks get rarer, not as frequent as those of
// a batch that waits for its answer. And nothing is told twice.
func TestMoneyThatMayComeBackIsWaitedForAtLeisure(t *testing.T) {
	t.Parallel()
	for name, refusal := range map[string]error{
		"calls are limited":      &iyzico.Error{Outcome: iyzico.OutcomeRefused, Kind: iyzico.KindTraffic, Code: "50000", HTTPStatus: 429},
		"the batch is not found": &iyzico.Error{Outcome: iyzico.OutcomeRefused, Kind: iyzico.KindBatch},
		"answers are lost":       &iyzico.Error{},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				bank := &slowBank{}
				bank.show = func(r iyzico.Report) iyzico.Report {
					for i := range r.Items {
						if bank.taken {
							r.Batch.Status, r.Items[i].Status = iyzico.BatchCompleted, iyzico.ItemFailed
						}
					}
					return r
				}
				drive(t, bank, worker.Config{ReportInterval: 2 * time.Second, ReportMaxInterval: time.Hour}, func(b *bench, _ *logText) {
					time.Sleep(time.Minute)
					synctest.Wait()
					told, before := len(b.statuses.messages), len(bank.asked)
					if told != 9 { // accepted, submitted, failed
						t.Errorf("%d statuses of three failed payouts", told)
					}
					bank.refuse(refusal)
					time.Sleep(24 * time.Hour)
					synctest.Wait()
					if asked, _ := bank.looks(before); len(asked) > 60 {
						t.Errorf("asked %d times in a day", len(asked))
					}
					bank.refuse(nil)
					time.Sleep(24 * time.Hour)
					synctest.Wait()
					if again := len(b.statuses.messages) - told; again > 0 {
						t.Errorf("%d statuses were told again", again)
					}
				})
			})
		})
	}
}
