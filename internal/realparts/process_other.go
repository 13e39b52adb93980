//go:build !linux

package realparts

import "syscall"

// dieWithParent does nothing here: only Linux can.
func dieWithParent(*syscall.SysProcAttr) {}
