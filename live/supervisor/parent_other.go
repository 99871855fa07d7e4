//go:build unix && !linux

package supervisor

import "syscall"

// dieWithParent does nothing where the system has no means: the worker sees the
// end of its pipe.
func dieWithParent(*syscall.SysProcAttr) {}
