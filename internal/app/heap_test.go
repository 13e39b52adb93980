package app

import (
	"runtime"
	"testing"
)

func TestGCPercent(t *testing.T) {
	for _, c := range []struct {
		live uint64
		want int
	}{
		{0, 400},
		{1 << 20, 400},
		{heapTarget / 4, 300},     // up to the target
		{heapTarget / 2, 100},     //
		{heapTarget * 9 / 10, 30}, // beyond it
		{heapTarget, 30},
		{heapTarget * 10, 30},
	} {
		if got := gcPercent(c.live); got != c.want {
			t.Errorf("%d MiB live: %d %%, want %d", c.live>>20, got, c.want)
		}
	}
}

// Each collection has its call, not the first one alone.
func TestAfterCollections(*testing.T) {
	called := make(chan struct{})
	done := make(chan struct{})
	defer close(done)
	afterCollections(func() {
		select {
		case called <- struct{}{}:
		case <-done:
		}
	})
	for range 3 {
		runtime.GC()
		<-called
	}
}
