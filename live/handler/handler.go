// Package handler does the work of jobs: it maps a job's type to a program or
// to built-in work on photos, fetches the input, bounds what the job may use,
// and leaves the files of the result in a folder.
package handler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/skynet-ec2/skynet/live/input"
	"github.com/skynet-ec2/skynet/live/photo"
	"github.com/skynet-ec2/skynet/live/results"
)

// A Job is what a handler is told.
type Job struct {
	ID      int64
	Token   uint64
	Attempt int
	Type    string
	Args    json.RawMessage
}

// A Result is what a handler made.
type Result struct {
	Files      []results.File // in the folder it was given
	BytesIn    int64          // of the input
	BytesOut   int64          // of the files
	CPU        time.Duration  // of the work, or the program and its children; 0: not known
	MemoryPeak int64          // bytes, of a program; 0: not known
}

// ErrFinal is in the chain of errors that another attempt would meet again:
// the arguments make no sense, the input is no photo.
var ErrFinal = errors.New("cannot be done")

// final returns err as one that another attempt would meet again.
func final(err error) error { return fmt.Errorf("%w: %w", ErrFinal, err) }

// A Set does the jobs of several types. It is safe for use by several goroutines.
type Set struct {
	Fetch  *input.Fetcher
	Bounds photo.Bounds
	Files  int64 // bytes that the result of one job may have; 0: FilesMax

	kinds map[string]kind // by job type
}

// FilesMax bounds a result where nothing else is said: 1 GiB.
const FilesMax = 1 << 30

// A kind does jobs of one type, in folder dir, with scratch for what is not to
// be kept.
type kind interface {
	run(ctx context.Context, s *Set, job Job, dir, scratch string) (Result, error)
}

// Run does a job. Its files are left in dir, which is empty before; scratch is
// for what is needed meanwhile, empty too, and removed by the caller.
func (s *Set) Run(ctx context.Context, job Job, dir, scratch string) (Result, error) {
	k, known := s.kinds[job.Type]
	if !known {
		return Result{}, final(fmt.Errorf("job type %q: this worker has no handler for it", job.Type))
	}
	used := threadCPU()
	r, err := k.run(ctx, s, job, dir, scratch)
	if spent := used(); r.CPU == 0 {
		r.CPU = spent
	}
	if errors.Is(err, photo.ErrBad) || errors.Is(err, input.ErrRefused) {
		err = final(err)
	}
	if err != nil {
		return r, err
	}
	for _, f := range r.Files {
		r.BytesOut += f.Size
	}
	if most := s.filesMax(); r.BytesOut > most {
		return r, final(fmt.Errorf("a result of %d bytes: may be %d", r.BytesOut, most))
	}
	return r, nil
}

func (s *Set) filesMax() int64 {
	if s.Files > 0 {
		return s.Files
	}
	return FilesMax
}

// fetch brings the input to a file in scratch.
func (s *Set) fetch(ctx context.Context, uri, scratch, name string) (path string, size int64, err error) {
	path = filepath.Join(scratch, name)
	size, err = s.Fetch.Fetch(ctx, uri, path)
	return path, size, err
}

// readPhoto fetches and decodes a photo.
func (s *Set) readPhoto(ctx context.Context, uri, scratch, name string) (*photo.Photo, int64, error) {
	path, size, err := s.fetch(ctx, uri, scratch, name)
	if err != nil {
		return nil, 0, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	p, err := photo.Read(f, s.Bounds)
	if err != nil {
		return nil, 0, fmt.Errorf("input %s: %w", input.Redact(uri), err)
	}
	return p, size, nil
}
