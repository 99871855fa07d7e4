package results

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// A Presigned is a store of one object: an address to PUT to that somebody with
// more rights has signed. A result of one file goes there as it is; one of
// several goes as a tar archive with the index first.
type Presigned struct {
	Client *http.Client
	URL    string
}

// ErrRefused is returned where a signed address will take no result, however
// often it is asked: its time is over, say.
var ErrRefused = errors.New("the address takes no result")

// Put is as Store says, but for ErrRefused.
func (p Presigned) Put(ctx context.Context, k Key, dir string, files []File) (string, error) {
	if err := check(k, files); err != nil {
		return "", err
	}
	address, err := url.Parse(p.URL)
	if err != nil || address.Scheme != "https" && address.Scheme != "http" {
		return "", fmt.Errorf("results: %w: it is no http address", ErrRefused)
	}
	bare := *address
	bare.RawQuery, bare.User = "", nil // the signature is a secret
	body, size, contentType, err := p.body(k, dir, files)
	if err != nil {
		return "", fmt.Errorf("results: %w", err)
	}
	defer body.Close()
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, p.URL, body)
	if err != nil {
		return "", fmt.Errorf("results: %w: it is no http address", ErrRefused)
	}
	req.ContentLength = size
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("If-None-Match", "*")
	resp, err := p.Client.Do(req)
	if err != nil {
		var hidden *url.Error
		if errors.As(err, &hidden) {
			err = hidden.Err
		}
		return "", fmt.Errorf("results: PUT %s: %w", bare.String(), err)
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	switch {
	case resp.StatusCode < 300, resp.StatusCode == http.StatusPreconditionFailed:
		// the address is this attempt's own: what is there, an earlier try put there
		return bare.String(), nil
	case resp.StatusCode == http.StatusRequestTimeout, resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode == http.StatusConflict, resp.StatusCode >= 500:
		return "", fmt.Errorf("results: PUT %s: %s", bare.String(), resp.Status)
	}
	return "", fmt.Errorf("results: PUT %s: %w: %s", bare.String(), ErrRefused, resp.Status)
}

// body returns what is put: the one file, or an archive, which is made in dir.
func (p Presigned) body(k Key, dir string, files []File) (body io.ReadCloser, size int64, contentType string, err error) {
	if len(files) == 1 {
		f, err := os.Open(filepath.Join(dir, files[0].Name))
		return f, files[0].Size, files[0].ContentType, err
	}
	f, err := os.CreateTemp(dir, ".archive-*")
	if err != nil {
		return nil, 0, "", err
	}
	os.Remove(f.Name()) // the open file outlives its name
	if err = archive(f, k, dir, files); err == nil {
		if size, err = f.Seek(0, io.SeekEnd); err == nil {
			_, err = f.Seek(0, io.SeekStart)
		}
	}
	if err != nil {
		f.Close()
		return nil, 0, "", err
	}
	return f, size, "application/x-tar", nil
}

// archive writes index and files to w. The same result is the same bytes.
func archive(w io.Writer, k Key, dir string, files []File) error {
	t := tar.NewWriter(w)
	add := func(name string, size int64, r io.Reader) error {
		err := t.WriteHeader(&tar.Header{Name: name, Size: size, Mode: 0o644, ModTime: time.Unix(0, 0), Format: tar.FormatPAX})
		if err == nil {
			_, err = io.Copy(t, r)
		}
		return err
	}
	text := index(k, files)
	if err := add(Index, int64(len(text)), bytes.NewReader(text)); err != nil {
		return err
	}
	for _, file := range files {
		in, err := os.Open(filepath.Join(dir, file.Name))
		if err != nil {
			return err
		}
		err = add(file.Name, file.Size, in)
		in.Close()
		if err != nil {
			return err
		}
	}
	return t.Close()
}
