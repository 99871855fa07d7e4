package main

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// outfile is a file that appears under its name whole or not at all: it is
// written beside it, and renamed once it is complete and on disk. A device or
// a pipe is written to directly.
type outfile struct {
	*bufio.Writer
	file *os.File
	path string
	temp bool // file is to be renamed to path
}

// createOutfile begins the file that will be called path.
func createOutfile(path string) (*outfile, error) {
	o := &outfile{path: path}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return nil, inputError(&fs.PathError{Op: "write", Path: path, Err: fmt.Errorf("it is a folder")})
	case err == nil && !info.Mode().IsRegular():
		o.file, err = os.OpenFile(path, os.O_WRONLY, 0)
	default:
		o.temp = true
		o.file, err = createBeside(path)
	}
	if err != nil {
		return nil, err
	}
	o.Writer = bufio.NewWriterSize(o.file, 1<<18)
	return o, nil
}

// createBeside creates a file of a new name in path's folder, with the
// permissions an ordinary file gets.
func createBeside(path string) (*os.File, error) {
	dir, base := filepath.Split(path)
	for try := 0; ; try++ {
		name := fmt.Sprintf("%s.%s.%d-%d.tmp", dir, base, os.Getpid(), try)
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if !os.IsExist(err) || try == 100 {
			return f, err
		}
	}
}

// commit gives the file its name. If that fails nothing remains.
func (o *outfile) commit() error {
	err := o.Flush()
	if err == nil && o.temp {
		err = o.file.Sync()
	}
	if closing := o.file.Close(); err == nil {
		err = closing
	}
	if !o.temp {
		return err
	}
	if err == nil {
		err = os.Rename(o.file.Name(), o.path)
	}
	if err != nil {
		os.Remove(o.file.Name())
		return fmt.Errorf("write %s: %w", o.path, err)
	}
	// The new name lasts once the folder is on disk; not every system can do it.
	if dir, err := os.Open(filepath.Dir(o.path)); err == nil {
		_ = dir.Sync()
		_ = dir.Close()
	}
	return nil
}

// abort leaves nothing of the file. After commit it does nothing.
func (o *outfile) abort() {
	if o.file.Close() == nil && o.temp {
		os.Remove(o.file.Name())
	}
}

// writeFile writes a whole file, or nothing.
func writeFile(path string, text []byte) error {
	out, err := createOutfile(path)
	if err != nil {
		return err
	}
	defer out.abort()
	if _, err := out.Write(text); err != nil {
		return err
	}
	return out.commit()
}
