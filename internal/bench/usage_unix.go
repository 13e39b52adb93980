//go:build unix

package bench

import (
	"runtime"
	"syscall"
	"time"
)

// processUsage is the CPU time this process took and its peak resident memory.
func processUsage() (cpu time.Duration, peak int64) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, 0
	}
	peak = int64(u.Maxrss) //nolint:unconvert // not an int64 everywhere
	if runtime.GOOS != "darwin" {
		peak <<= 10 // it is in KiB everywhere else
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), peak
}
