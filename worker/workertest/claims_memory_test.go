package workertest_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/toplu/toplu/worker"
	"github.com/toplu/toplu/worker/workertest"
)

func TestClaimsInMemory(t *testing.T) {
	workertest.TestClaims(t, func(*testing.T) (worker.Claims, workertest.Tamper) {
		c := workertest.NewClaims()
		return c, c
	})
}

func TestDeleteOneIsNoticed(t *testing.T) {
	t.Parallel()
	f := worker.Fold{Epoch: "epoch-1", Predecessor: worker.None, Items: []worker.ClaimItem{
		{PayoutID: "a"}, {PayoutID: "b"}, {PayoutID: "c"}, {PayoutID: "d"},
	}}
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 0))
		c := workertest.NewClaims()
		if c.DeleteOne(0, r) {
			t.Error("deleted one of none")
		}
		if err := c.Begin(t.Context(), 0, "log-1", "epoch-1"); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Fold(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		if !c.DeleteOne(0, r) {
			t.Error("deleted none of four")
		}
		if _, err := c.Fold(t.Context(), f); !errors.Is(err, worker.ErrClaimsCorrupt) {
			t.Errorf("seed %d: error %v, want %v", seed, err, worker.ErrClaimsCorrupt)
		}
	}
}

func TestSwap(t *testing.T) {
	t.Parallel()
	c := workertest.NewClaims()
	if err := c.Begin(t.Context(), 0, "log-1", "epoch-1"); err != nil {
		t.Fatal(err)
	}
	c.Swap(0, "log-2", "epoch-9", 1000)
	if _, err := c.Lookup(t.Context(), 0, "epoch-1", worker.None, []string{"a"}); !errors.Is(err, worker.ErrClaimsLost) {
		t.Errorf("error %v, want %v", err, worker.ErrClaimsLost)
	}
	got, err := c.State(t.Context(), 0)
	if want := (worker.ClaimsState{LogID: "log-2", Epoch: "epoch-9", Watermark: 1000}); err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
}
