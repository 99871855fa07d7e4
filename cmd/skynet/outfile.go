package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/skynet-ec2/skynet/reports"
	"github.com/skynet-ec2/skynet/traces/whole"
)

// into runs work with a writer to the file at path, which appears whole if work
// returns nil and not at all otherwise. Without a path work gets nil.
func into(path string, work func(io.Writer) error) error {
	if path == "" {
		return work(nil)
	}
	var failed error // of the work itself, not of the file
	err := reports.WriteFile(path, func(w io.Writer) error {
		out := &outfile{w: w}
		err := work(out)
		if err != nil && !errors.Is(err, out.err) {
			failed = err
		}
		return err
	})
	if failed != nil {
		return failed
	}
	return namedByUser(err)
}

// outfile remembers the error of writing to it.
type outfile struct {
	w   io.Writer
	err error
}

func (o *outfile) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	if err != nil {
		o.err = err
	}
	return n, err
}

// namedByUser makes an error about a file that the user has named bad input
// where the name is to blame: its folder is not there, or it is a folder.
func namedByUser(err error) error {
	for _, cause := range []error{fs.ErrNotExist, syscall.EISDIR, syscall.ENOTDIR} {
		if errors.Is(err, cause) {
			return inputError(err)
		}
	}
	return err
}

// checkFile returns an error if no file can appear at path. It leaves devices
// and pipes alone: who reads them would see an end.
func checkFile(path string) error {
	info, err := os.Stat(path)
	if path == "" || err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return nil
	}
	f, err := whole.Create(path)
	if err == nil {
		f.Abort()
	}
	return err
}

// spareInputs returns an error if a result would take the place of a file that it
// comes of, or of another result.
func spareInputs(outputs []output, inputs ...string) error {
	infos := make([]fs.FileInfo, len(inputs))
	for i, path := range inputs {
		infos[i], _ = os.Stat(path)
	}
	for i, out := range outputs {
		if out.path == "" || out.path == "-" {
			continue
		}
		for _, other := range outputs[:i] {
			if filepath.Clean(other.path) == filepath.Clean(out.path) {
				return usageError(fmt.Errorf("--%s %s: --%s is written there", out.name, out.path, other.name))
			}
		}
		info, err := os.Stat(out.path)
		if err != nil {
			continue
		}
		for k, in := range infos {
			if in != nil && os.SameFile(in, info) {
				return usageError(fmt.Errorf("--%s %s: would replace %s, which is read", out.name, out.path, inputs[k]))
			}
		}
	}
	return nil
}

// sameFileTwice returns the first of the paths that leads to a file which an
// earlier one leads to; empty: there is none.
func sameFileTwice(paths []string) string {
	infos := make([]fs.FileInfo, 0, len(paths))
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil { // who reads it will say so
			continue
		}
		if slices.ContainsFunc(infos, func(other fs.FileInfo) bool { return os.SameFile(other, info) }) {
			return path
		}
		infos = append(infos, info)
	}
	return ""
}

// output is a flag that names a file to be written, without a path none.
type output struct{ name, path string }

// writeFile writes a whole file, or nothing.
func writeFile(path string, text []byte) error {
	return into(path, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// intoJSON writes what work returns where a --json flag says, if it says
// anything: to a file, which appears whole or not at all, or to standard output.
func (a *app) intoJSON(path string, work func() (any, error)) error {
	if path == "-" || path == "" {
		v, err := work()
		if err != nil || path == "" {
			return err
		}
		return reports.WriteJSON("-", a.stdout, v)
	}
	return into(path, func(w io.Writer) error {
		v, err := work()
		if err != nil {
			return err
		}
		return reports.WriteJSON("-", w, v)
	})
}
