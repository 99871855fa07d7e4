package bundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/traces/whole"
)

// A Store is where releases lie. Names have slashes. Get returns an error that
// is fs.ErrNotExist where there is nothing under a name.
type Store interface {
	Get(ctx context.Context, name string) (io.ReadCloser, error)
}

// A WritableStore is one that can be released to. Put writes a file, whole or
// not at all; where there is one already it is fs.ErrExist, unless replace.
type WritableStore interface {
	Store
	Put(ctx context.Context, name, file string, replace bool) error
}

// Folder is a store on a disk.
type Folder string

// Get is as Store says.
func (f Folder) Get(_ context.Context, name string) (io.ReadCloser, error) {
	return os.Open(filepath.Join(string(f), filepath.FromSlash(name)))
}

// Put is as WritableStore says.
func (f Folder) Put(_ context.Context, name, file string, replace bool) error {
	path := filepath.Join(string(f), filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	if _, err := os.Lstat(path); err == nil && !replace {
		return &fs.PathError{Op: "put", Path: path, Err: fs.ErrExist}
	}
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := whole.Create(path)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Abort()
		return err
	}
	return out.Commit()
}

// Web is a store that an HTTP server shows; workers read it.
type Web struct {
	URL    string // of the folder
	Client *http.Client
}

// Get is as Store says.
func (w Web) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	url := strings.TrimSuffix(w.URL, "/") + "/" + name
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := w.Client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	resp.Body.Close()
	if resp.StatusCode == http.StatusNotFound {
		return nil, fmt.Errorf("GET %s: %w", url, fs.ErrNotExist)
	}
	return nil, fmt.Errorf("GET %s: %s", url, resp.Status)
}

// NewWeb returns the store at a URL.
func NewWeb(url string) Web {
	return Web{URL: url, Client: &http.Client{Timeout: 10 * time.Minute}}
}

// ReadDocument reads a signed document of a store.
func ReadDocument(ctx context.Context, s Store, name string) ([]byte, error) {
	r, err := s.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, documentMax+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(text) > documentMax {
		return nil, fmt.Errorf("%s: more than %d bytes", name, documentMax)
	}
	return text, nil
}

// WriteDocument signs v and writes it to a store.
func WriteDocument(ctx context.Context, s WritableStore, name string, document []byte, replace bool) error {
	f, err := os.CreateTemp("", "skynet-release-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(document)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return s.Put(ctx, name, f.Name(), replace)
}
