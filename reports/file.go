package reports

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// WriteFile creates or replaces the file at path with what write gives it. The
// file appears whole or not at all: it is written beside its place, and renamed
// once it is on disk. A device or a pipe is written to directly.
func WriteFile(path string, write func(io.Writer) error) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", path, cause(err))
		}
	}()
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return syscall.EISDIR
	case err == nil && !info.Mode().IsRegular():
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return flushed(file, write, false)
	}
	file, err := createBeside(path)
	if err != nil {
		return err
	}
	if err = flushed(file, write, true); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		os.Remove(file.Name())
		return err
	}
	// The new name lasts once the folder is on disk; not every system can do it.
	if folder, err := os.Open(filepath.Dir(path)); err == nil {
		_ = folder.Sync()
		_ = folder.Close()
	}
	return nil
}

// flushed writes, syncs and closes the file.
func flushed(file *os.File, write func(io.Writer) error, sync bool) error {
	b := bufio.NewWriterSize(file, 1<<16)
	err := write(b)
	if err == nil {
		err = b.Flush()
	}
	if err == nil && sync {
		err = file.Sync()
	}
	if closing := file.Close(); err == nil {
		err = closing
	}
	return err
}

// createBeside creates a file of a new name in path's folder, with the
// permissions an ordinary file gets.
func createBeside(path string) (*os.File, error) {
	folder, base := filepath.Split(path)
	for try := 0; ; try++ {
		name := fmt.Sprintf("%s.%s.%d-%d.tmp", folder, base, os.Getpid(), try)
		file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if !os.IsExist(err) || try == 100 {
			return file, err
		}
	}
}

// cause returns an error of the file system without the path of the file
// beside, which the user never named.
func cause(err error) error {
	switch e := err.(type) {
	case *os.PathError:
		return e.Err
	case *os.LinkError:
		return e.Err
	}
	return err
}

// WriteJSON writes v, indented, to the file at path, or to stdout where path is
// "-".
func WriteJSON(path string, stdout io.Writer, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	write := func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	}
	if path == "-" {
		return write(stdout)
	}
	return WriteFile(path, write)
}

// PrepareFolder makes the folder, if it is not there, and returns an error that
// names it where files cannot be written into it: better before a long run than
// after.
func PrepareFolder(dir string) error {
	err := os.MkdirAll(dir, 0o777)
	if err == nil {
		var probe *os.File
		if probe, err = os.CreateTemp(dir, ".probe-*"); err == nil {
			probe.Close()
			err = os.Remove(probe.Name())
		}
	}
	if err != nil {
		return fmt.Errorf("folder %s: cannot be written into: %w", dir, cause(err))
	}
	return nil
}
