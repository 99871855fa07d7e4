package reports

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/skynet-ec2/skynet/traces/whole"
)

// WriteFile creates or replaces the file at path with what write gives it. The
// file appears whole or not at all: it is written beside its place, and renamed
// once it is on disk. A device or a pipe is written to directly.
func WriteFile(path string, write func(io.Writer) error) (err error) {
	defer func() {
		if err != nil {
			err = &os.PathError{Op: "write", Path: path, Err: cause(err)}
		}
	}()
	file, err := whole.Create(path)
	if err != nil {
		return err
	}
	b := bufio.NewWriterSize(file, 1<<16)
	if err = write(b); err == nil {
		err = b.Flush()
	}
	if err != nil {
		file.Abort()
		return err
	}
	return file.Commit()
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
