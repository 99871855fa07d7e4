package supervisor

import "syscall"

// dieWithParent has a worker told to end soon when its supervisor is killed.
func dieWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGTERM }
