//go:build unix

package pipe_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/skynet-ec2/skynet/traces/pipe"
)

// mkfifo returns the path of a pipe that nobody writes to.
func mkfifo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestRegular: a regular file is read as by package os, whatever becomes of the
// context.
func TestRegular(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f, err := pipe.Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil || string(text) != "abc" || f.Info().Size() != 3 {
		t.Errorf("read %q of %d bytes, %v", text, f.Info().Size(), err)
	}
	var b [1]byte
	if _, err := f.At().ReadAt(b[:], 1); err != nil || b[0] != 'b' {
		t.Errorf("read %q at 1, %v", b, err)
	}
	if _, err := pipe.Open(ctx, path+"s"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// TestWritten: what is written to a pipe is read to its end, though the writer
// comes after the reader.
func TestWritten(t *testing.T) {
	path := mkfifo(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	wrote := make(chan error, 1)
	go func() { wrote <- os.WriteFile(path, []byte("abc"), 0) }()
	f, err := pipe.Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil || string(text) != "abc" || f.At() != nil {
		t.Errorf("read %q, %v; at any place: %v", text, err, f.At())
	}
	if err := <-wrote; err != nil {
		t.Error(err)
	}
}

// TestNobodyWrites: the end of the context ends the opening of a pipe.
func TestNobodyWrites(t *testing.T) {
	path := mkfifo(t)
	ctx, cancel := context.WithCancel(t.Context())
	go cancel()
	if f, err := pipe.Open(ctx, path); !errors.Is(err, context.Canceled) || f != nil {
		t.Errorf("got %v, %v; want that it was canceled", f, err)
	}
	// Whoever writes later, while the opening that was left behind waits still, is
	// told that nobody reads.
	w, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for err == nil {
		_, err = w.Write([]byte("abc"))
	}
	if !errors.Is(err, syscall.EPIPE) {
		t.Errorf("writing: %v, want a broken pipe", err)
	}
}

// TestWriterStalls: the end of the context ends the reading of a pipe to which
// somebody might write yet.
func TestWriterStalls(t *testing.T) {
	path := mkfifo(t)
	w, err := os.OpenFile(path, os.O_RDWR, 0) // a writer does not wait for a reader so
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := w.WriteString("abc"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	f, err := pipe.Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b [3]byte
	if _, err := io.ReadFull(f, b[:]); err != nil || string(b[:]) != "abc" {
		t.Errorf("read %q, %v", b, err)
	}
	go cancel()
	if n, err := f.Read(b[:]); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("read %d bytes, %v; want that it was canceled", n, err)
	}
}
