package main

import (
	"archive/tar"
	"compress/gzip"
	"io"
	"os"
	"path"
	"path/filepath"
	"time"
)

// documents go into every archive, beside the programs.
var documents = []string{"LICENSE", "README.md", "CHANGELOG.md"}

// archive writes the programs of bin and the documents of clone to a .tar.gz
// file, in a folder called name. Its bytes depend on their content, on name and
// on at alone: not on owners, modes, the order of a folder or the clock.
func archive(file, name, clone, bin string, at time.Time) (err error) {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	z, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err != nil {
		return err
	}
	w := tar.NewWriter(z)
	add := func(from string, mode int64) error {
		content, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		header := tar.Header{
			Typeflag: tar.TypeReg, Name: path.Join(name, filepath.Base(from)), Size: int64(len(content)), Mode: mode, ModTime: at, Format: tar.FormatUSTAR,
		}
		if err := w.WriteHeader(&header); err != nil {
			return err
		}
		_, err = w.Write(content)
		return err
	}
	for _, document := range documents {
		if err := add(filepath.Join(clone, document), 0o644); err != nil {
			return err
		}
	}
	programs, err := os.ReadDir(bin) // sorted by name
	if err != nil {
		return err
	}
	for _, program := range programs {
		if err := add(filepath.Join(bin, program.Name()), 0o755); err != nil {
			return err
		}
	}
	for _, c := range []io.Closer{w, z} {
		if err := c.Close(); err != nil {
			return err
		}
	}
	return f.Sync()
}
