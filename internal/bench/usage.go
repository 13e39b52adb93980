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
	if own := statusPeak(); own > 0 {
		peak = own
	}
	return Usage{CPU: cpu, Mallocs: m.Mallocs, AllocBytes: m.TotalAlloc, PeakBytes: peak}
}

// statusPeak is the process's own peak of resident memory where Linux tells it:
// what getrusage tells there is at least the parent's.
func statusPeak() int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
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
