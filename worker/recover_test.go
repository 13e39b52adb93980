package worker_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/toplu/toplu/iyzico/iyzicotest"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// A counted log counts the records that are read from it.
type counted struct {
	worker.Log
	read atomic.Int64
}

func (c *counted) Read(ctx context.Context, from int64) (worker.Chunk, error) {
	chunk, err := c.Log.Read(ctx, from)
	c.read.Add(int64(len(chunk.Entries)))
	return chunk, err
}

func (c *counted) ReadAt(ctx context.Context, offset int64) (worker.Entry, error) {
	c.read.Add(1)
	return c.Log.ReadAt(ctx, offset)
}

// fails is the fate of payouts whose id says so.
func fails(id string) iyzicotest.Fate {
	if strings.HasPrefix(id, "fails") {
		return iyzicotest.FateFailed
	}
	return iyzicotest.FatePaid
}

// A restart costs in proportion to what is open, not to how long ago it began.
func TestRestartReadsWhatIsOpen(t *testing.T) {
	t.Parallel()
	b := newBench(t, iyzicotest.Settings{Fate: fails, SettleWithin: iyzicotest.Duration(5 * time.Millisecond)})
	cfg := quick
	cfg.CheckpointRecords = 20
	b.plan(t, "fails", 1) // stays open: its money may come back for a month
	const closed = 100
	for i := range closed {
		b.plan(t, "p"+string(rune('a'+i%26))+string(rune('a'+i/26)), 1)
	}
	b.run(t, cfg, b.final(t, closed+1))
	statuses := len(b.statuses.messages)
	_, records, _ := b.journal.Bounds(t.Context())

	plans, journal := &counted{Log: &b.plans}, &counted{Log: &b.journal}
	ports := b.ports(t)
	ports.Plans, ports.Journal = plans, journal
	b.plan(t, "new", 1)
	b.runWith(t, cfg, ports, b.final(t, closed+2))
	if n := journal.read.Load(); n > records/2 {
		t.Errorf("%d of %d journal records were read", n, records)
	}
	if n := plans.read.Load(); n > closed/2 {
		t.Errorf("%d of %d plans were read", n, closed)
	}
	// The new payout's three; a batch that closed since the checkpoint is told again.
	if n := len(b.statuses.messages) - statuses; n > 30 {
		t.Errorf("%d statuses were published again", n-3)
	}
	if bk := b.books(t); len(bk.Transfers) != closed+1 {
		t.Errorf("%d transfers", len(bk.Transfers))
	}
}

// Redis is disposable: whatever happens to the claims, nobody is paid twice and
// what comes next is paid.
func TestClaimsAreRefilled(t *testing.T) {
	t.Parallel()
	for name, tamper := range map[string]func(b *bench) func(){
		"wiped":          func(b *bench) func() { return func() { b.claims.Wipe(0) } },
		"rolled back":    func(b *bench) func() { return b.claims.Snapshot(0) },
		"swapped":        func(b *bench) func() { return func() { b.claims.Swap(0, "another", "epoch", 1) } },
		"one key gone":   func(b *bench) func() { return func() { b.claims.DeleteBucket(0, "a-3") } },
		"one claim gone": func(b *bench) func() { return func() { b.claims.DeleteClaim(0, "a-3") } },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, iyzicotest.Settings{SettleWithin: iyzicotest.Duration(5 * time.Millisecond)})
			harm := tamper(b)
			first := b.plan(t, "a", 10)
			harmed := false
			b.run(t, quick, func() bool {
				if !harmed && b.final(t, 10)() {
					harmed = true
					harm()
					again := *first // the same payouts planned once more, as after a replay
					again.Items = append(again.Items, schema.PlanItem{PayoutID: "b-1", Minor: 5, Recipient: schema.Recipient{Type: schema.Phone, Value: "+905555555555"}})
					again.ID = schema.PlanID(&again)
					b.write(t, &again)
				}
				return b.final(t, 11)()
			})
			if bk := b.books(t); len(bk.Transfers) != 11 {
				t.Errorf("%d transfers, want 11", len(bk.Transfers))
			}
		})
	}
}

// A shard whose logs are not what they must be stops and says why.
func TestShardStops(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		spoil func(t *testing.T, b *bench)
		want  error
		text  string
	}{
		{"a record of tomorrow", func(t *testing.T, b *bench) {
			b.append(t, `{"v":1,"type":"teleported","batch":"x","plan":1,"session":"s","at":"2026-01-01T00:00:00Z"}`)
		}, schema.ErrVersion, "payout.journal offset 1"},
		{"a version of tomorrow", func(t *testing.T, b *bench) {
			b.append(t, `{"v":2,"type":"creating","batch":"x","plan":1,"attempt":1,"session":"s","at":"2026-01-01T00:00:00Z"}`)
		}, schema.ErrVersion, "payout.journal offset 1"},
		{"another number of partitions", func(t *testing.T, b *bench) {
			b.genesis(t, 3)
		}, worker.ErrLogID, "made with 3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, iyzicotest.Settings{})
			tt.spoil(t, b)
			b.plan(t, "a", 1)
			err := worker.NewShard(0, quick, b.ports(t)).Run(t.Context())
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %v, want %v with %q", err, tt.want, tt.text)
			}
			if bk := b.books(t); bk.Calls["init"] != 0 {
				t.Errorf("calls %v", bk.Calls)
			}
		})
	}
}
