package main

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// cpu returns the CPU time this process has used, user and system.
func cpu() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, fmt.Errorf("getrusage: %w", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}

// peakMB returns the most memory this process has held, in millions of bytes.
func peakMB() (float64, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, fmt.Errorf("getrusage: %w", err)
	}
	unit := 1024.0 // Linux counts KiB, Darwin bytes
	if runtime.GOOS == "darwin" {
		unit = 1
	}
	return float64(u.Maxrss) * unit / 1e6, nil
}

// spent returns the CPU time f takes, after a collection of what others left.
func spent(f func() error) (time.Duration, error) {
	runtime.GC()
	var failed error
	d, err := spentIn(func() { failed = f() })
	return d, errors.Join(failed, err)
}

// spentIn returns the CPU time f takes.
func spentIn(f func()) (time.Duration, error) {
	before, err := cpu()
	if err != nil {
		return 0, err
	}
	f()
	after, err := cpu()
	return after - before, err
}

// inTurn runs every contender once a round and returns the median of what each
// took. The first round, in which caches fill and memory grows, does not count.
func inTurn(rounds int, contenders ...func() error) ([]time.Duration, error) {
	took := make([][]time.Duration, len(contenders))
	for round := range rounds + 1 {
		for i, f := range contenders {
			d, err := spent(f)
			if err != nil {
				return nil, err
			}
			if round > 0 {
				took[i] = append(took[i], d)
			}
		}
	}
	var medians []time.Duration
	for _, t := range took {
		medians = append(medians, median(t))
	}
	return medians, nil
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// mallocs returns how many objects f allocates.
func mallocs(f func() error) (uint64, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := f()
	runtime.ReadMemStats(&after)
	return after.Mallocs - before.Mallocs, err
}

// perJob writes a cost per job and the jobs a second one core does.
func perJob(d time.Duration, jobs int64) string {
	ns := float64(d) / float64(jobs)
	return fmt.Sprintf("%.1f ns/job, %.1f M/s", ns, 1000/ns)
}

// times writes a ratio.
func times(a, b time.Duration) string { return fmt.Sprintf("%.2f ×", float64(a)/float64(b)) }
