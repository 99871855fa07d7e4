package past

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy/journal"
	"github.com/skynet-ec2/skynet/traces/compressed"
)

// DefaultController is where a controller is asked when nothing says otherwise,
// EnvController the variable that does.
const (
	DefaultController = "http://127.0.0.1:7421"
	EnvController     = "SKYNET_CONTROLLER"
)

// IsURL reports whether a journal is to be asked of a running controller.
func IsURL(name string) bool {
	return strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://")
}

// Files returns the journal in files and folders, in the order given; of a folder
// those of one fleet, in the order of their names, which is that of time, and
// without those of a shadow. Files that end before from are left out.
func Files(ctx context.Context, paths []string, fleet string) func(from, to time.Time) ([]journal.Source, error) {
	return func(from, to time.Time) ([]journal.Source, error) {
		var all []journal.Source
		for _, path := range paths {
			info, err := os.Stat(path)
			if err != nil {
				return nil, badInput{err}
			}
			names := []string{path}
			if info.IsDir() {
				if names, err = folder(path, fleet, from, to); err != nil {
					return nil, err
				}
			}
			for _, name := range names {
				all = append(all, journal.Source{Name: name, Open: func() (io.ReadCloser, error) { return openFile(name) }})
			}
		}
		return all, nil
	}
}

// stamp is how a journal's file says when it began.
const stamp = "20060102T150405.000Z"

// folder returns the files of a fleet that may hold decisions of a time.
func folder(path, fleet string, from, to time.Time) ([]string, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	type file struct {
		name  string
		began time.Time
	}
	byFleet := map[string][]file{}
	for _, e := range entries {
		stem, _, is := strings.Cut(e.Name(), ".jsonl")
		cut := strings.LastIndexByte(stem, '-')
		if !is || cut < 0 {
			continue
		}
		began, err := time.Parse(stamp, stem[cut+1:])
		of := stem[:cut]
		if err != nil || strings.HasSuffix(of, "-shadow") || fleet != "" && of != fleet {
			continue
		}
		byFleet[of] = append(byFleet[of], file{filepath.Join(path, e.Name()), began})
	}
	if len(byFleet) > 1 {
		var names []string
		for name := range byFleet {
			names = append(names, name)
		}
		slices.Sort(names)
		return nil, badInput{fmt.Errorf("%s: holds the journals of several fleets (%s): say which with --fleet", path, strings.Join(names, ", "))}
	}
	var names []string
	for _, files := range byFleet {
		slices.SortFunc(files, func(a, b file) int { return a.began.Compare(b.began) })
		for i, f := range files {
			ended := i+1 < len(files) && !files[i+1].began.After(from)
			if !ended && f.began.Before(to) {
				names = append(names, f.name)
			}
		}
	}
	return names, nil
}

// openFile opens a file, which is decompressed as it is read.
func openFile(name string) (io.ReadCloser, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	z, err := compressed.NewReader(f)
	if err != nil {
		f.Close()
		return nil, badInput{&fs.PathError{Op: "read", Path: name, Err: err}}
	}
	return &text{z, f}, nil
}

// text is a file as it is decompressed.
type text struct {
	*compressed.Reader
	file io.Closer
}

func (t *text) Close() error {
	t.Reader.Close()
	return t.file.Close()
}

// Controller returns the journal that a running controller keeps in its store.
func Controller(ctx context.Context, base string) func(from, to time.Time) ([]journal.Source, error) {
	return func(from, to time.Time) ([]journal.Source, error) {
		q := url.Values{}
		if !from.IsZero() {
			q.Set("from", from.UTC().Format(time.RFC3339Nano))
		}
		if !to.IsZero() {
			q.Set("to", to.UTC().Format(time.RFC3339Nano))
		}
		at := strings.TrimSuffix(base, "/") + "/v1/journal?" + q.Encode()
		return []journal.Source{{Name: strings.TrimSuffix(base, "/"), Open: func() (io.ReadCloser, error) { return Get(ctx, at) }}}, nil
	}
}

// Get returns what a controller answers.
func Get(ctx context.Context, at string) (io.ReadCloser, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, badInput{err}
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, fmt.Errorf("ask the controller: %w", err)
	}
	if answer.StatusCode == http.StatusOK {
		return answer.Body, nil
	}
	defer answer.Body.Close()
	why, _ := io.ReadAll(io.LimitReader(answer.Body, 500))
	return nil, fmt.Errorf("GET %s: %s: %s", at, answer.Status, strings.TrimSpace(string(why)))
}
