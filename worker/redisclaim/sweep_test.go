package redisclaim_test

import (
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/toplu/toplu/worker/redisclaim"
)

func TestBeginSweepsEarlierEpochs(t *testing.T) {
	t.Parallel()
	rdb := dial(t, miniredis.RunT(t).Addr())
	store, lease := open(t, rdb, "toplu"), redisclaim.NewLeases(rdb, "toplu")
	begin(t, store, "epoch-1")
	fold(t, store, plan("epoch-1", 0, 500))
	if _, err := lease.Obtain(t.Context(), shard, time.Minute); err != nil {
		t.Fatal(err)
	}

	begin(t, store, "epoch-2")
	store.AwaitSweeps()
	// What is left: the state, its one empty bucket, and the lease.
	keys, err := rdb.Keys(t.Context(), "*").Result()
	if err != nil || len(keys) != 3 {
		t.Errorf("keys %q, error %v", keys, err)
	}
}

func TestSweepSparesWhatStands(t *testing.T) {
	t.Parallel()
	rdb := dial(t, miniredis.RunT(t).Addr())
	// To a careless pattern the second prefix matches the first, too.
	other, store := open(t, rdb, "toplu-a"), open(t, rdb, "toplu-*")
	for _, s := range []*redisclaim.Store{other, store} {
		begin(t, s, "epoch-1")
		fold(t, s, plan("epoch-1", 0, 500))
		s.AwaitSweeps()
	}
	if removed, err := store.Sweep(t.Context(), shard); removed != 0 || err != nil {
		t.Errorf("%d removed, error %v", removed, err)
	}
	for _, s := range []*redisclaim.Store{other, store} {
		fold(t, s, plan("epoch-1", 0, 500)) // fails if a claim is gone
	}
}

// Sweeps of several Begins run at once with folds: none may take a bucket of
// the epoch that stands.
func TestSweepsBesideFolds(t *testing.T) {
	t.Parallel()
	store := open(t, dial(t, miniredis.RunT(t).Addr()), "toplu")
	for range 20 {
		for _, epoch := range []string{"epoch-1", "epoch-2"} {
			begin(t, store, epoch)
			fold(t, store, plan(epoch, 0, 200))
		}
	}
	store.AwaitSweeps()
	fold(t, store, plan("epoch-2", 0, 200))
}
