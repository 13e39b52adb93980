package worker_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/iyzico/iyzicotest"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
	"github.com/toplu/toplu/worker/workertest"
)

func floorOf(offset, era int64) schema.Floor {
	return schema.Floor{Topic: "payout.requests", Partition: 3, Offset: offset, Era: era}
}

// command writes a command to the shard.
func (b *bench) order(t *testing.T, log worker.Log, c schema.Command) {
	t.Helper()
	c.By, c.Reason, c.At = "ops", "test", time.Now()
	value, err := schema.EncodeCommand(&c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := log.Append(t.Context(), schema.Message{Value: value}); err != nil {
		t.Fatal(err)
	}
}

// A floor only rises, but for a person's word, after which consumers of the era
// before are not heard.
func TestFloors(t *testing.T) {
	t.Parallel()
	b := newBench(t, iyzicotest.Settings{})
	if _, err := worker.ReadFloors(t.Context(), &b.journal); !errors.Is(err, worker.ErrNotBegun) {
		t.Errorf("an empty journal: %v", err)
	}
	// What nobody can read stops its shard, and not whoever plans.
	if _, err := b.journal.Append(t.Context(), schema.Message{Key: []byte("teleported"), Value: []byte(`{"v":99,"type":"teleported"}`)}); err != nil {
		t.Fatal(err)
	}
	raise := func(f schema.Floor) {
		if err := worker.RaiseFloors(t.Context(), &b.journal, []schema.Floor{f}, time.Now); err != nil {
			t.Fatal(err)
		}
	}
	// A merchant's topic has floors of its own, whatever becomes of the other's.
	another := schema.Floor{Topic: "payout.requests.market", Partition: 3, Offset: 7, Answered: 7}
	raise(schema.Floor{Topic: another.Topic, Partition: 3, Offset: 7})
	stands := func(want schema.Floor) {
		t.Helper()
		got, err := worker.ReadFloors(t.Context(), &b.journal)
		if diff := cmp.Diff([]schema.Floor{want, another}, got); diff != "" || err != nil {
			t.Errorf("error %v, floors (-want +got):\n%s", err, diff)
		}
	}
	raise(floorOf(10, 0))
	raise(floorOf(8, 0)) // of a session that was frozen
	stands(schema.Floor{Topic: "payout.requests", Partition: 3, Offset: 10, Answered: 10})
	// Whoever was set forward has answered nothing of what it passed over, until
	// somebody begins there again.
	skipped := floorOf(20, 0)
	skipped.Skipped = true
	raise(skipped)
	stands(schema.Floor{Topic: "payout.requests", Partition: 3, Offset: 20, Answered: 10})
	raise(floorOf(15, 0))
	stands(schema.Floor{Topic: "payout.requests", Partition: 3, Offset: 20, Answered: 15})
	accept := schema.Record{Type: schema.RecFloor, By: "ops", Command: 1, At: time.Now(), Floors: []schema.Floor{floorOf(5, 0)}}
	value, err := schema.EncodeRecord(&accept)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // a second worker obeys it again
		if _, err := b.journal.Append(t.Context(), schema.Message{Key: []byte("floor"), Value: value}); err != nil {
			t.Fatal(err)
		}
	}
	raise(floorOf(90, 0)) // of the topic that is gone
	stands(schema.Floor{Topic: "payout.requests", Partition: 3, Offset: 5, Era: 1})
	raise(floorOf(3, 1))
	stands(schema.Floor{Topic: "payout.requests", Partition: 3, Offset: 5, Answered: 3, Era: 1})
}

// An installation that lost Kafka pays nothing before what was paid is brought
// back in; what is, is never paid again, and the rest is.
func TestClosedUntilImported(t *testing.T) {
	t.Parallel()
	b := newBench(t, iyzicotest.Settings{SettleWithin: iyzicotest.Duration(time.Millisecond)})
	genesis := schema.EncodePlanGenesis(&schema.Genesis{LogID: "log-2", Partitions: 1, At: time.Now(), Closed: "Redis knows log-1"})
	if _, err := b.plans.Append(t.Context(), schema.Message{Value: genesis}); err != nil {
		t.Fatal(err)
	}
	if err := b.claims.Begin(t.Context(), 0, "log-1", "epoch-1"); err != nil {
		t.Fatal(err)
	}
	commands := b.logForCommands()
	ports := b.ports(t)
	ports.Commands = commands
	b.order(t, commands, schema.Command{Kind: schema.CmdUnpause}) // an ordinary resume does not open
	b.order(t, commands, schema.Command{Kind: schema.CmdImport, Imports: []schema.Import{{PayoutID: "a-0"}}})
	closedAt := func(after int64) func() bool {
		return func() bool { return b.obeyed(t, after) }
	}
	b.runWith(t, quick, ports, closedAt(2))
	if _, err := worker.ReadFloors(t.Context(), &b.journal); !errors.Is(err, worker.ErrClosed) {
		t.Errorf("after an import alone: %v, want closed", err)
	}
	b.plan(t, "a", 2)
	b.order(t, commands, schema.Command{Kind: schema.CmdPause, Merchant: "nobody"})
	b.runWith(t, quick, ports, closedAt(3))
	if bk := b.books(t); len(bk.Transfers) != 0 {
		t.Fatalf("a closed shard paid: %v", bk.Transfers)
	}
	b.order(t, commands, schema.Command{Kind: schema.CmdOpen})
	b.runWith(t, quick, ports, func() bool { return len(b.books(t).Transfers) > 0 && b.final(t, 1)() })
	if _, err := worker.ReadFloors(t.Context(), &b.journal); err != nil {
		t.Errorf("after open: %v", err)
	}
	bk := b.books(t)
	if len(bk.Transfers) != 1 || bk.Transfers[0].ItemExternalID != "a-1" {
		t.Errorf("transfers %v, want a-1 alone", bk.Transfers)
	}
	told, err := worker.Retell(t.Context(), 0, &b.plans, &b.journal, worker.Listener{})
	if err != nil || told.Claims != 2 {
		t.Errorf("retold %+v, %v", told, err)
	}
}

// TestImportOfPlannedIDs imports ids of which a plan was first with one: it is
// named, since it is paid here.
func TestImportOfPlannedIDs(t *testing.T) {
	t.Parallel()
	b := newBench(t, iyzicotest.Settings{SettleWithin: iyzicotest.Duration(time.Millisecond)})
	commands := b.logForCommands()
	ports := b.ports(t)
	ports.Commands = commands
	b.plan(t, "a", 2)
	ids := func(ids ...string) (all []schema.Import) {
		for _, id := range ids {
			all = append(all, schema.Import{PayoutID: id})
		}
		return all
	}
	b.order(t, commands, schema.Command{Kind: schema.CmdImport, Imports: ids("b-0", "a-1", "b-1")})
	b.order(t, commands, schema.Command{Kind: schema.CmdImport, Imports: ids("b-0", "b-2")}) // one was imported before
	b.runWith(t, quick, ports, func() bool { return b.obeyed(t, 2) })
	var notes []string
	_, end, _ := b.journal.Bounds(t.Context())
	for at := range end {
		e, err := b.journal.ReadAt(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := schema.DecodeRecord(e.Value); err == nil && r.Type == schema.RecNoted {
			notes = append(notes, r.Reason.Code+": "+r.Reason.Text)
		}
	}
	want := []string{
		"imported_in_part: 1 of the 3 payout ids are in batches here, which pay them: a-1. The others are used up: test",
		"imported: 2 payout ids are used up: test",
	}
	if diff := cmp.Diff(want, notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

// logForCommands is an empty log.
func (b *bench) logForCommands() worker.Log { return &workertest.Log{} }

// obeyed reports whether the journal answers the n-th command.
func (b *bench) obeyed(t *testing.T, n int64) bool {
	_, end, _ := b.journal.Bounds(t.Context())
	for at := range end {
		e, err := b.journal.ReadAt(t.Context(), at)
		if err != nil {
			return false
		}
		if r, err := schema.DecodeRecord(e.Value); err == nil && r.Command >= n {
			return true
		}
	}
	return false
}
