package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// A Restart is how long a new process takes to pay: from its start until a payout
// of each shard is paid that was asked for just before.
type Restart struct {
	Plans   int64   `json:"plans"`  // of the last Life
	Behind  int     `json:"behind"` // records of the plan log before them, of payouts paid elsewhere
	Open    int     `json:"open"`   // batches open since before the first of all
	Stopped Seconds `json:"stopped"`
	Killed  Seconds `json:"killed"` // begun when Kafka and Redis had given the one before up
}

// LeaveOpen has a batch of each shard completed that iyzico never settles. It
// comes before a Life. Then so many records come into the plan log, each of one
// payout that was paid elsewhere, and are claimed.
func (b *Bench) LeaveOpen(ctx context.Context, behind int) error {
	if _, err := b.simulator(ctx); err != nil {
		return err
	}
	if err := b.dial(ctx, `{"settleDelayMs":`+forEver+`}`); err != nil {
		return err
	}
	p, err := b.ask(ctx)
	if err != nil {
		return err
	}
	worker, err := b.Worker(ctx, lifeGroup, b.url, b.first())
	if err != nil {
		return err
	}
	if _, err := b.answered(ctx, p, submittedEvent); err != nil {
		return err
	}
	b.open, b.behind = len(p.ids), behind
	if err := b.writeBehind(ctx, behind); err != nil {
		return err
	}
	if err := worker.End(ctx); err != nil {
		return err
	}
	return b.dial(ctx, `{}`)
}

// Restart ends the worker of a Life and starts another, once after a stop and once
// after a kill, and returns the last.
func (b *Bench) Restart(ctx context.Context, worker *Part, plans int64) (Restart, *Part, error) {
	r := Restart{Plans: plans, Behind: b.behind, Open: b.open}
	err := worker.End(ctx)
	if err != nil {
		return r, nil, err
	}
	if r.Stopped, worker, err = b.resume(ctx); err != nil {
		return r, worker, err
	}
	worker.Kill()
	// Its leases and its place in the group outlive it.
	gone := time.NewTimer(b.Session + time.Second)
	defer gone.Stop()
	select {
	case <-ctx.Done():
		return r, worker, context.Cause(ctx)
	case <-gone.C:
	}
	r.Killed, worker, err = b.resume(ctx)
	return r, worker, err
}

// resume starts a worker where the one before it was, and tells how long it takes
// to pay.
func (b *Bench) resume(ctx context.Context) (Seconds, *Part, error) {
	p, err := b.ask(ctx)
	if err != nil {
		return 0, nil, err
	}
	began := b.Now()
	worker, err := b.Worker(ctx, lifeGroup, b.url, nil)
	if err != nil {
		return 0, worker, err
	}
	paid, err := b.answered(ctx, p, paidEvent)
	return Seconds(paid.Sub(began)), worker, err
}

// forEver is as many milliseconds as a dial of the simulator takes.
const forEver = "2000000000"

// dial sets the simulator's faults.
func (b *Bench) dial(ctx context.Context, faults string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url+"/_simulator/faults", bytes.NewReader([]byte(faults)))
	if err != nil {
		return err
	}
	client := http.Client{Timeout: 10 * time.Second}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("the simulator refuses the dials %s: %s", faults, text)
	}
	return err
}
