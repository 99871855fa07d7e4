// Package results keeps what jobs come to: in a folder, in S3 or at an address
// that the queue signed for one job, and on the worker's own disk until one of
// them has it.
//
// A result lies under job/token, where the token is that of the attempt, and
// no file of it is ever replaced. Two attempts at one job, a live one and one
// whose lease has ended, thus write beside each other; which one counts, the
// queue says when it accepts a token.
package results

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Index is the file of a result that lists the others. It is written last, so
// that a result with an index is complete.
const Index = "result.json"

// A Key says whose result it is.
type Key struct {
	Job   string // the job's id, as the queue writes it
	Token string // of the attempt's lease
}

// keyPart is what a job's id and a token are made of, so that a key is a path
// everywhere and leads nowhere else.
var keyPart = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`)

// Check returns an error if k cannot be the name of a result.
func (k Key) Check() error {
	for _, part := range []struct{ name, value string }{{"job", k.Job}, {"token", k.Token}} {
		if !keyPart.MatchString(part.value) {
			return fmt.Errorf("result key: %s %q: must be 1 to 128 of A-Z a-z 0-9 _ -", part.name, part.value)
		}
	}
	return nil
}

// path returns where file name of k lies, with slashes.
func (k Key) path(name string) string { return k.Job + "/" + k.Token + "/" + name }

// A File is one file of a result.
type File struct {
	Name        string `json:"name"` // within the result; see CheckName
	Size        int64  `json:"size"` // bytes
	SHA256      string `json:"sha256"`
	ContentType string `json:"content_type"`
	Width       int    `json:"width,omitempty"`  // of an image, in pixels
	Height      int    `json:"height,omitempty"` // of an image, in pixels
}

// fileName is what a file of a result may be called.
var fileName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

// CheckName returns an error if name cannot be that of a file of a result.
func CheckName(name string) error {
	switch {
	case !fileName.MatchString(name) || strings.Contains(name, ".."):
		return fmt.Errorf("file name %q: must be 1 to 100 of A-Z a-z 0-9 . _ - and begin with a letter or digit", name)
	case name == Index:
		return fmt.Errorf("file name %q: the list of a result's files is called so", name)
	}
	return nil
}

// filesMax bounds the files of one result.
const filesMax = 1000

// Describe returns the file at path as one of a result. Its name is the path's
// last element.
func Describe(path, contentType string) (File, error) {
	f := File{Name: filepath.Base(path), ContentType: contentType}
	if err := CheckName(f.Name); err != nil {
		return File{}, err
	}
	in, err := os.Open(path)
	if err != nil {
		return File{}, err
	}
	defer in.Close()
	sum := sha256.New()
	if f.Size, err = io.Copy(sum, in); err != nil {
		return File{}, err
	}
	f.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return f, nil
}

// A Store takes results. Put takes the files of dir and returns where the
// result is, which is where its index is. To put the same result again is no
// error; another one under the same key is ErrOther. Any other error is one of
// the store being out of reach or out of order: the same call may go well later.
type Store interface {
	Put(ctx context.Context, k Key, dir string, files []File) (uri string, err error)
}

// ErrOther is returned where a result with another content lies under a key.
var ErrOther = errors.New("another result lies under this key")

// check returns an error if files cannot be put.
func check(k Key, files []File) error {
	if len(files) > filesMax {
		return fmt.Errorf("result of job %s: %d files: must be at most %d", k.Job, len(files), filesMax)
	}
	err := k.Check()
	for _, f := range files {
		err = errors.Join(err, CheckName(f.Name))
	}
	return err
}

// index returns the content of the index file.
func index(k Key, files []File) []byte {
	if files == nil {
		files = []File{}
	}
	text, err := json.MarshalIndent(struct {
		Job   string `json:"job"`
		Token string `json:"token"`
		Files []File `json:"files"`
	}{k.Job, k.Token, files}, "", "  ")
	if err != nil {
		panic(err) // strings and numbers only
	}
	return append(text, '\n')
}
