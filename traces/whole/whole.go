// Package whole writes files that appear under their name whole or not at all.
package whole

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// File is a file that is written beside its place and renamed when it is
// complete and on disk. A device or a pipe is written to directly. Errors name
// the path given to Create, never the file beside it.
type File struct {
	file   *os.File
	path   string
	direct bool // file is the target itself, such as a device
}

// Create begins a file that will be called path. It fails where path is a
// folder.
func Create(path string) (*File, error) { return create(path, 0o666) }

// CreatePrivate is Create of a file that only its owner may read (mode 0600).
func CreatePrivate(path string) (*File, error) { return create(path, 0o600) }

// WriteFile writes data to the file called path, whole or not at all.
func WriteFile(path string, data []byte) error {
	f, err := Create(path)
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		f.Abort()
		return err
	}
	return f.Commit()
}

func create(path string, mode fs.FileMode) (*File, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		if info.IsDir() {
			return nil, &fs.PathError{Op: "write", Path: path, Err: syscall.EISDIR}
		}
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		return &File{file: f, path: path, direct: true}, nil
	}
	dir, base := filepath.Split(path)
	for try := 0; ; try++ {
		name := fmt.Sprintf("%s.%s.%d-%d.tmp", dir, base, os.Getpid(), try)
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if err == nil {
			return &File{file: f, path: path}, nil
		}
		if !os.IsExist(err) || try == 100 {
			return nil, named(path, err)
		}
	}
}

// Write writes what follows in the file.
func (f *File) Write(p []byte) (int, error) {
	n, err := f.file.Write(p)
	return n, named(f.path, err)
}

// named returns err as one of writing to path.
func named(path string, err error) error {
	switch e := err.(type) {
	case nil:
		return nil
	case *fs.PathError:
		err = e.Err
	case *os.LinkError:
		err = e.Err
	}
	return &fs.PathError{Op: "write", Path: path, Err: err}
}

// Commit gives the file its name. It removes what was written if that fails.
func (f *File) Commit() error {
	if f.direct {
		return named(f.path, f.file.Close())
	}
	err := f.file.Sync()
	if e := f.file.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.file.Name(), f.path)
	}
	if err != nil {
		os.Remove(f.file.Name())
		return named(f.path, err)
	}
	// the rename lasts once the folder is on disk; not every system can say so
	if dir, err := os.Open(filepath.Dir(f.path)); err == nil {
		dir.Sync()
		dir.Close()
	}
	return nil
}

// Abort leaves nothing of the file.
func (f *File) Abort() {
	f.file.Close()
	if !f.direct {
		os.Remove(f.file.Name())
	}
}
