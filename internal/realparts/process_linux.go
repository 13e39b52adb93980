package realparts

import "syscall"

// dieWithParent has the kernel end a child when its parent is gone, however
// that came to be.
func dieWithParent(child *syscall.SysProcAttr) { child.Pdeathsig = syscall.SIGKILL }
