// Package input fetches what a job works on: from S3, over HTTP or from a disk.
//
// Where a job's input lies is said by whoever submitted the job, so nothing
// here may be led to what only the worker can reach: another region at the
// account's expense, the instance's metadata, files that are not for jobs.
package input

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/skynet-ec2/skynet/live/objects"
)

// A Fetcher fetches inputs. The zero Fetcher fetches nothing but public
// addresses over HTTP, up to SizeMax bytes each. It is safe for use by several
// goroutines.
type Fetcher struct {
	Size      int64          // at most this many bytes; 0: SizeMax
	Folders   []string       // files may be read from these and below; none: from nowhere
	S3        *objects.Store // nil: s3:// addresses are refused
	AnyRegion bool           // S3 objects may come from another region, which costs money
	Private   bool           // HTTP addresses may lead to loopback and private networks

	stall  time.Duration // 0: stallMax
	once   sync.Once
	client *http.Client

	mu      sync.Mutex
	regions map[string]string // of buckets
}

// SizeMax is the bound on an input where none is given: 1 GiB.
const SizeMax = 1 << 30

// ErrRefused is in the chain of errors that no repetition changes: the address
// is malformed or may not be used, there is nothing, or it is too large.
var ErrRefused = errors.New("input refused")

// refuse returns a refusal of uri that says why.
func refuse(uri, format string, args ...any) error {
	return fmt.Errorf("input %s: %w: %s", Redact(uri), ErrRefused, fmt.Sprintf(format, args...))
}

// Redact returns uri without what may be secret in it: a query, which may be a
// signature, and a user's password.
func Redact(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return "(unreadable address)"
	}
	u.RawQuery, u.Fragment, u.User = "", "", nil
	return u.String()
}

// stallMax is how long nothing may come until a fetch is given up: whoever holds
// a connection open and sends nothing would keep a slot for ever.
const stallMax = time.Minute

// Fetch writes what lies at uri to the file at path, which must not be there,
// and returns its size in bytes. On an error there is no file.
func (f *Fetcher) Fetch(ctx context.Context, uri, path string) (size int64, err error) {
	stall := f.stall
	if stall == 0 {
		stall = stallMax
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(stall, func() { cancel(fmt.Errorf("nothing came for %v", stall)) })
	defer watch.Stop()
	body, err := f.open(ctx, uri)
	if err != nil {
		return 0, stalled(ctx, uri, err)
	}
	defer body.Close()
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, fmt.Errorf("input: %w", err)
	}
	defer func() {
		if e := out.Close(); err == nil && e != nil {
			err = fmt.Errorf("input: %w", e)
		}
		if err != nil {
			os.Remove(path)
		}
	}()
	most := f.most()
	size, err = io.Copy(out, io.LimitReader(lively{body, func() { watch.Reset(stall) }}, most+1))
	switch {
	case err != nil:
		return 0, stalled(ctx, uri, fmt.Errorf("input %s: %w", Redact(uri), err))
	case size > most:
		return 0, refuse(uri, "more than %d bytes", most)
	}
	return size, nil
}

// lively is a reader that tells when something comes.
type lively struct {
	io.Reader
	came func()
}

func (l lively) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p)
	if n > 0 {
		l.came()
	}
	return n, err
}

// stalled returns why a fetch was given up, where it was; else err.
func stalled(ctx context.Context, uri string, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("input %s: %w", Redact(uri), cause)
	}
	return err
}

func (f *Fetcher) most() int64 {
	if f.Size > 0 {
		return f.Size
	}
	return SizeMax
}

// open returns what lies at uri.
func (f *Fetcher) open(ctx context.Context, uri string) (io.ReadCloser, error) {
	if len(uri) > 8<<10 {
		return nil, fmt.Errorf("input: %w: an address of %d bytes: may be %d", ErrRefused, len(uri), 8<<10)
	}
	u, err := url.Parse(uri)
	if err != nil {
		return nil, refuse(uri, "it cannot be read as an address")
	}
	switch u.Scheme {
	case "file":
		return f.openFile(uri, u)
	case "http", "https":
		return f.openHTTP(ctx, uri)
	case "s3":
		return f.openS3(ctx, uri)
	}
	return nil, refuse(uri, "must begin with s3://, https://, http:// or file://")
}
