package redisclaim_test

import (
	"errors"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/toplu/toplu/worker/redisclaim"
)

func TestLease(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	rdb := dial(t, server.Addr())
	a, b := redisclaim.NewLeases(rdb, "toplu"), redisclaim.NewLeases(rdb, "toplu")
	ctx := t.Context()

	first, err := a.Obtain(ctx, shard, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Obtain(ctx, shard, 10*time.Second); !errors.Is(err, redisclaim.ErrLeaseHeld) {
		t.Errorf("a second worker: error %v, want %v", err, redisclaim.ErrLeaseHeld)
	}
	if _, err := b.Obtain(ctx, shard+1, 10*time.Second); err != nil {
		t.Errorf("another shard: %v", err)
	}

	server.FastForward(9 * time.Second)
	if err := first.Refresh(ctx, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	server.FastForward(9 * time.Second)
	if _, err := b.Obtain(ctx, shard, 10*time.Second); !errors.Is(err, redisclaim.ErrLeaseHeld) {
		t.Errorf("after a refresh: error %v, want %v", err, redisclaim.ErrLeaseHeld)
	}

	// Frozen past its time, the first finds its lease lost and leaves the second's alone.
	server.FastForward(2 * time.Second)
	second, err := b.Obtain(ctx, shard, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Refresh(ctx, 10*time.Second); !errors.Is(err, redisclaim.ErrLeaseLost) {
		t.Errorf("Refresh: error %v, want %v", err, redisclaim.ErrLeaseLost)
	}
	if err := first.Release(ctx); !errors.Is(err, redisclaim.ErrLeaseLost) {
		t.Errorf("Release: error %v, want %v", err, redisclaim.ErrLeaseLost)
	}
	if err := second.Release(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Obtain(ctx, shard, 10*time.Second); err != nil {
		t.Errorf("after a release: %v", err)
	}
}
