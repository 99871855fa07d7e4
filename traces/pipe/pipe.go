// Package pipe opens files to read. Where a file is a pipe, neither opening nor
// reading it outlasts a context: nobody may ever write to it.
package pipe

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
)

// File is a file that is open for reading.
type File struct {
	file *os.File
	info fs.FileInfo
	ctx  context.Context
	stop func() bool // forgets ctx
}

// Open opens the file at path. The opening of a pipe waits for a writer, and ends
// with the error of ctx where that is done first. So does Read, wherever the
// system can end the reading of such a file (macOS cannot).
func Open(ctx context.Context, path string) (*File, error) {
	file, err := open(ctx, path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, err
	}
	f := &File{file: file, info: info, ctx: ctx, stop: func() bool { return true }}
	if !info.Mode().IsRegular() {
		f.stop = context.AfterFunc(ctx, func() { file.SetReadDeadline(time.Unix(1, 0)) })
	}
	return f, nil
}

// open is os.Open until ctx is done.
func open(ctx context.Context, path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		return os.Open(path) // which says what is wrong with it
	}
	type result struct {
		file *os.File
		err  error
	}
	opened := make(chan result)
	// No system call that waits for a writer can be called off, so this one may be
	// left behind, until a writer comes or the process ends.
	go func() {
		file, err := os.Open(path)
		select {
		case opened <- result{file, err}:
		case <-ctx.Done():
			if err == nil {
				file.Close()
			}
		}
	}()
	select {
	case r := <-opened:
		return r.file, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Read reads from where the last Read ended.
func (f *File) Read(p []byte) (int, error) {
	n, err := f.file.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) && f.ctx.Err() != nil {
		err = f.ctx.Err()
	}
	return n, err
}

// Info says what kind of file it is and, of a regular one, how long.
func (f *File) Info() fs.FileInfo { return f.info }

// At returns the file for reading at any place; nil where it has none, as a pipe.
func (f *File) At() io.ReaderAt {
	if !f.info.Mode().IsRegular() {
		return nil
	}
	return f.file
}

// Close closes the file.
func (f *File) Close() error {
	f.stop()
	return f.file.Close()
}
