package results

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
)

// A Folder is a store on a disk, or on what is mounted like one.
type Folder struct {
	dir string
}

// OpenFolder makes the folder if need be.
func OpenFolder(dir string) (*Folder, error) {
	dir, err := filepath.Abs(dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o777)
	}
	if err != nil {
		return nil, fmt.Errorf("results: %w", err)
	}
	return &Folder{dir}, nil
}

// String returns the path of the folder.
func (f *Folder) String() string { return f.dir }

// Put is as Store says.
func (f *Folder) Put(ctx context.Context, k Key, dir string, files []File) (string, error) {
	if err := check(k, files); err != nil {
		return "", err
	}
	if _, err := os.Stat(f.dir); err != nil {
		return "", fmt.Errorf("results: %w", err) // a mount that went must not be written beneath
	}
	place := filepath.Join(f.dir, k.Job, k.Token)
	if err := os.MkdirAll(place, 0o777); err != nil {
		return "", fmt.Errorf("results: %w", err)
	}
	for _, file := range files {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		in, err := os.Open(filepath.Join(dir, file.Name))
		if err != nil {
			return "", fmt.Errorf("results: %w", err)
		}
		err = writeOnce(filepath.Join(place, file.Name), in, file.SHA256)
		in.Close()
		if err != nil {
			return "", err
		}
	}
	text := index(k, files)
	sum := sha256.Sum256(text)
	at := filepath.Join(place, Index)
	if err := writeOnce(at, bytes.NewReader(text), hex.EncodeToString(sum[:])); err != nil {
		return "", err
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(at)}).String(), nil
}

// writeOnce makes the file at path with the content of r, whole or not at all.
// A file that is there stays: it is the same one, or the error is ErrOther.
func writeOnce(path string, r io.Reader, sha256Hex string) error {
	temp, err := os.CreateTemp(filepath.Dir(path), ".part-*")
	if err != nil {
		return fmt.Errorf("results: %w", err)
	}
	defer os.Remove(temp.Name())
	_, err = io.Copy(temp, r)
	if err == nil {
		err = temp.Chmod(0o644)
	}
	if err == nil {
		err = temp.Sync()
	}
	if e := temp.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("results: write %s: %w", path, err)
	}
	// a link, other than a renaming, fails where the name is taken
	err = os.Link(temp.Name(), path)
	if errors.Is(err, fs.ErrExist) {
		return sameFile(path, sha256Hex)
	}
	if err != nil {
		return fmt.Errorf("results: %w", err)
	}
	if folder, err := os.Open(filepath.Dir(path)); err == nil {
		folder.Sync() // the name lasts once the folder is on disk; not every system can say so
		folder.Close()
	}
	return nil
}

// sameFile returns ErrOther unless the file at path has the content that the
// sum is of.
func sameFile(path, sha256Hex string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("results: %w", err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return fmt.Errorf("results: %w", err)
	}
	if hex.EncodeToString(sum.Sum(nil)) != sha256Hex {
		return fmt.Errorf("%s: %w", path, ErrOther)
	}
	return nil
}
