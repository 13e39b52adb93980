package app

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// heapTarget is where the next collection begins, in bytes, unless too much
// lives for that.
const heapTarget = 84 << 20

// memoryLimit is where the runtime gives memory back that it needs no more, in bytes,
// unless too much lives for that. The program's file in memory, some 30 MiB, comes on
// top of it.
const memoryLimit = 100 << 20

// paceCollections has the garbage collector run when the heap reaches
// heapTarget, or 1.3 times what lives, whatever is more. Go's own pace, twice
// what lives, collects a small heap more often than a stretch of many payouts
// should pay for, and lets a large one, behind an iyzico that does not answer,
// grow further than it must. What was in use once is given back beyond memoryLimit,
// or 1.5 times what lives. GOGC or GOMEMLIMIT in the environment count
// instead. It is for the life of the process.
func paceCollections() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	afterCollections(func() {
		live := liveHeap()
		debug.SetGCPercent(gcPercent(live))
		debug.SetMemoryLimit(max(memoryLimit, int64(live)*3/2))
	})
}

// gcPercent is the growth that is allowed beyond live bytes, in percent of them.
func gcPercent(live uint64) int {
	const least, most = 30, 400
	if live == 0 {
		return most
	}
	if live >= heapTarget {
		return least
	}
	return int(min(most, max(least, (heapTarget-live)*100/live)))
}

// liveHeap is what the last collection found in use.
func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// afterCollections calls do after each collection: an object that nobody holds
// is found then, and leaves another in its place.
func afterCollections(do func()) {
	type sentinel struct{ _ [32]byte } // too large to share its memory with others
	runtime.AddCleanup(&sentinel{}, func(do func()) {
		afterCollections(do)
		do()
	}, do)
}
