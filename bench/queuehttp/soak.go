package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/queue"
)

// watch prints what the queue's process holds and spends every so often until it
// is stopped; then, whether its memory stayed where it was. A queue whose memory
// grows with what has passed through it falls over on some Sunday night.
func watch(e *queue.Engine, every time.Duration, out io.Writer) (stop func()) {
	end := make(chan struct{})
	var watcher sync.WaitGroup
	watcher.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		began, cpu := time.Now(), spent(syscall.RUSAGE_SELF)
		var held []int64
		for {
			select {
			case <-end:
				verdict(held, out)
				return
			case <-tick.C:
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			now, states := spent(syscall.RUSAGE_SELF), e.Stats("").States
			fmt.Fprintf(out, "  %-8v resident %4d MB, heap %4d MB, %5d goroutines, %6d waiting, %5d running, %4.2f cores\n",
				time.Since(began).Round(time.Second), resident()>>20, m.HeapInuse>>20, runtime.NumGoroutine(),
				states[api.StateWaiting], states[api.StateLeased], (now-cpu).Seconds()/every.Seconds())
			held, cpu = append(held, resident()), now
		}
	})
	return func() {
		close(end)
		watcher.Wait()
	}
}

// verdict compares the most memory of the second sixth with that of the last: the
// first is for what fills once.
func verdict(held []int64, out io.Writer) {
	n := len(held) / 6
	if n == 0 {
		fmt.Fprintln(out, "memory: too short to tell")
		return
	}
	most := func(part []int64) (b int64) {
		for _, x := range part {
			b = max(b, x)
		}
		return b >> 20
	}
	early, late := most(held[n:2*n]), most(held[len(held)-n:])
	fmt.Fprintf(out, "memory: at most %d MB in the second sixth, %d MB in the last: %+.0f %%\n", early, late, 100*(float64(late)/float64(early)-1))
}

// resident returns the process's resident memory in bytes; 0 where Linux does not
// say.
func resident() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
