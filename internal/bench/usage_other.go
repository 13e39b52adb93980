//go:build !unix

package bench

import "time"

// processUsage knows nothing here.
func processUsage() (cpu time.Duration, peak int64) { return 0, 0 }
