// Package recording keeps traces that scenarios name by where they are and by
// what they hold, so that a large one need not stand in a repository. A
// recording is downloaded once and kept in a cache; what does not have the hash
// that the scenario names is never used.
package recording

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/traces/pipe"
	"github.com/skynet-ec2/skynet/traces/whole"
)

// Recording is a trace by its URL and its content.
type Recording struct {
	URL    string // http or https
	SHA256 string // 64 hexadecimal digits
}

// ValidURL reports whether text can be the URL of a recording.
func ValidURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && strings.Trim(u.Path, "/") != ""
}

// ValidSHA256 reports whether text can be the hash of a recording.
func ValidSHA256(text string) bool {
	b, err := hex.DecodeString(text)
	return err == nil && len(b) == sha256.Size && strings.ToLower(text) == text
}

// Cache is a folder of recordings. The zero Cache keeps them in the working
// directory and asks with http.DefaultClient.
type Cache struct {
	Dir    string
	Client *http.Client
	// Offline never downloads: what is not in the folder is missing.
	Offline bool
}

// DefaultCache returns the user's cache: skynet/recordings in $XDG_CACHE_HOME,
// else in ~/.cache. Where neither is known it is in the working directory.
func DefaultCache() *Cache {
	base := os.Getenv("XDG_CACHE_HOME")
	if home, err := os.UserHomeDir(); base == "" && err == nil {
		base = filepath.Join(home, ".cache")
	}
	return &Cache{Dir: filepath.Join(base, "skynet", "recordings"), Client: &http.Client{Transport: patient()}}
}

// patient waits half a minute for an answer to begin, and as long as it takes
// for it to end.
func patient() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.ResponseHeaderTimeout = 30 * time.Second
	return t
}

// Path returns where the cache keeps r: in a folder named by its hash, under
// the name it has in its URL, which tells its format.
func (c *Cache) Path(r Recording) string {
	name := "trace"
	if u, err := url.Parse(r.URL); err == nil {
		if base := strings.Map(safe, path.Base(u.Path)); strings.Trim(base, "._") != "" {
			name = base
		}
	}
	return filepath.Join(c.Dir, r.SHA256, name)
}

// safe keeps what stands in names of files everywhere.
func safe(r rune) rune {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '-', r == '_':
		return r
	}
	return '_'
}

// MissingError is a recording that could not be had.
type MissingError struct {
	Recording Recording
	Reason    error
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("recording %s: %v", e.Recording.URL, e.Reason)
}

func (e *MissingError) Unwrap() error { return e.Reason }

// HashError is a recording whose content is not what the scenario names. It is
// bad input: one of the two must change.
type HashError struct {
	Recording Recording
	Got       string // SHA-256 of what was downloaded
}

func (e *HashError) Error() string {
	return fmt.Sprintf("recording %s: its sha256 is %s, the scenario names %s: it is another file, or changed on its way",
		e.Recording.URL, e.Got, e.Recording.SHA256)
}

// BadInput marks the error as the user's.
func (e *HashError) BadInput() bool { return true }

// errOffline is why nothing was downloaded.
var errOffline = errors.New("not in the cache, and nothing is downloaded")

// Fetch returns the path of r in the cache, and downloads it first if it is not
// there or was damaged. A recording that cannot be had is a MissingError; one
// with another content is a HashError, and does not stay.
func (c *Cache) Fetch(ctx context.Context, r Recording) (string, error) {
	path := c.Path(r)
	got, err := HashOf(ctx, path)
	switch {
	case err == nil && got == r.SHA256:
		return path, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return "", err
	case c.Offline:
		reason := errOffline
		if err == nil {
			reason = fmt.Errorf("%s in the cache has the sha256 %s, not %s, and nothing is downloaded", path, got, r.SHA256)
		}
		return "", &MissingError{r, reason}
	}
	return path, c.download(ctx, r, path)
}

// HashOf returns the SHA-256 of the file at path, in hexadecimal. A
// pipe is waited for until ctx is done.
func HashOf(ctx context.Context, path string) (string, error) {
	f, err := pipe.Open(ctx, path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// download puts r at path, whole and with its hash, or not at all.
func (c *Cache) download(ctx context.Context, r Recording, path string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL, nil)
	if err != nil {
		return &MissingError{r, err}
	}
	client := c.Client
	if client == nil {
		client = http.DefaultClient
	}
	answer, err := client.Do(request)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // the URL is named already
		}
		return &MissingError{r, err}
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return &MissingError{r, fmt.Errorf("the server says %s", answer.Status)}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	file, err := whole.Create(path)
	if err != nil {
		return err
	}
	h := sha256.New()
	body := &reading{Reader: answer.Body}
	if _, err := io.Copy(io.MultiWriter(file, h), body); err != nil {
		file.Abort()
		if body.err != nil {
			return &MissingError{r, body.err}
		}
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != r.SHA256 {
		file.Abort()
		return &HashError{r, got}
	}
	return file.Commit()
}

// reading remembers the error of what is read: a download that broke off is
// missing, a disk that is full is not.
type reading struct {
	io.Reader
	err error
}

func (r *reading) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}
