//go:build unix && !linux

package handler

import "syscall"

// maxrssUnit is the unit of Rusage.Maxrss, in bytes.
const maxrssUnit = 1

// dieWithParent does nothing where the system has no means: a program outlives
// a worker that is killed, until it ends by itself.
func dieWithParent(*syscall.SysProcAttr) {}
