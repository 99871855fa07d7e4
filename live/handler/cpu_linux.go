package handler

import (
	"runtime"
	"syscall"
	"time"
)

// threadCPU begins to measure the processor time of the calling goroutine,
// which has a thread to itself until the function it returns is called. Built-in
// work starts no goroutines, so it is all of its time.
func threadCPU() (spent func() time.Duration) {
	runtime.LockOSThread()
	start := threadTime()
	return func() time.Duration {
		defer runtime.UnlockOSThread()
		return threadTime() - start
	}
}

func threadTime() time.Duration {
	const thread = 1 // RUSAGE_THREAD
	var usage syscall.Rusage
	if syscall.Getrusage(thread, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
