package handler

import "syscall"

// maxrssUnit is the unit of Rusage.Maxrss, in bytes.
const maxrssUnit = 1024

// dieWithParent has a program killed when the worker is: nobody would want its
// result, and the job runs again elsewhere.
func dieWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }
