// Package profile writes CPU profiles of benchmarks.
package profile

import (
	"errors"
	"os"
	"runtime/pprof"
)

// Write runs f and writes a CPU profile of it to a file, if one is named.
func Write(file string, f func() error) error {
	if file == "" {
		return f()
	}
	w, err := os.Create(file)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(w); err != nil {
		return errors.Join(err, w.Close())
	}
	err = f()
	pprof.StopCPUProfile()
	return errors.Join(err, w.Close())
}
