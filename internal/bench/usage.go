package bench

import (
	"os"
	"runtime"
	"strconv"
	"strings"
)

// Self is what this process has used so far.
func Self() Usage {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	cpu, peak := processUsage()
	if own := memory("VmHWM:"); own > 0 {
		peak = own
	}
	return Usage{CPU: cpu, Mallocs: m.Mallocs, AllocBytes: m.TotalAlloc, PeakBytes: peak, Resident: memory("VmRSS:")}
}

// memory is what Linux tells of the process's own resident memory, its peak or
// what it is now; 0 elsewhere. The peak that getrusage tells is at least the
// parent's.
func memory(which string) int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), which)
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kib, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		return 0
	}
	return kib << 10
}
