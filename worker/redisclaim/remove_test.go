package redisclaim_test

import (
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
)

func TestRemoveSparesOthers(t *testing.T) {
	t.Parallel()
	rdb := dial(t, miniredis.RunT(t).Addr())
	for _, prefix := range []string{"toplu", "toplu-bench"} {
		store := open(t, rdb, prefix)
		begin(t, store, "epoch-1")
		fold(t, store, plan("epoch-1", 0, 500))
	}
	if err := open(t, rdb, "toplu").Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	keys, err := rdb.Keys(t.Context(), "*").Result()
	if err != nil || len(keys) == 0 {
		t.Errorf("keys %q, error %v", keys, err)
	}
	for _, key := range keys {
		if !strings.HasPrefix(key, "toplu-bench:") {
			t.Errorf("%s is left", key)
		}
	}
}

func TestWipeRefusesWithOthers(t *testing.T) {
	t.Parallel()
	rdb := dial(t, miniredis.RunT(t).Addr())
	store, other := open(t, rdb, "toplu"), open(t, rdb, "toplu-other")
	begin(t, store, "epoch-1")
	fold(t, store, plan("epoch-1", 0, 500))
	begin(t, other, "epoch-1")
	before := rdb.DBSize(t.Context()).Val()
	if err := store.Wipe(t.Context()); err == nil || !strings.Contains(err.Error(), "toplu-other:") {
		t.Errorf("error %v", err)
	}
	if now := rdb.DBSize(t.Context()).Val(); now != before {
		t.Errorf("%d keys of %d are left", now, before)
	}
	if err := other.Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := store.Wipe(t.Context()); err != nil {
		t.Error(err)
	}
	if n := rdb.DBSize(t.Context()).Val(); n != 0 {
		t.Errorf("%d keys are left", n)
	}
}
