package traces

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// atomicFile is a file that appears under its name whole or not at all: it is
// written beside it and renamed when complete and on disk.
type atomicFile struct {
	*os.File
	path string // "" when File is the target itself, such as a device
}

// createAtomic begins a file that will be called path.
func createAtomic(path string) (*atomicFile, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		if info.IsDir() {
			return nil, &fs.PathError{Op: "write", Path: path, Err: fs.ErrExist}
		}
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		return &atomicFile{File: f}, nil
	}
	dir, base := filepath.Split(path)
	for try := 0; ; try++ {
		name := fmt.Sprintf("%s.%s.%d-%d.tmp", dir, base, os.Getpid(), try)
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err == nil {
			return &atomicFile{File: f, path: path}, nil
		}
		if !os.IsExist(err) || try == 100 {
			return nil, err
		}
	}
}

// commit gives the file its name. It removes what was written if that fails.
func (f *atomicFile) commit() error {
	if f.path == "" {
		return f.Close()
	}
	err := f.Sync()
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), f.path)
	}
	if err != nil {
		os.Remove(f.Name())
		return err
	}
	// the rename lasts once the folder is on disk; not every system can say so
	if dir, err := os.Open(filepath.Dir(f.path)); err == nil {
		dir.Sync()
		dir.Close()
	}
	return nil
}

// abort leaves nothing of the file.
func (f *atomicFile) abort() {
	f.Close()
	if f.path != "" {
		os.Remove(f.Name())
	}
}
