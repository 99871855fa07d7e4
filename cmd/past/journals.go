package past

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/live/desk"
	"github.com/skynet-ec2/skynet/policy/journal"
	"github.com/skynet-ec2/skynet/traces/compressed"
)

// IsURL reports whether a journal is to be asked of a running controller.
func IsURL(name string) bool {
	return strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://")
}

// Files returns the journal in files and folders, in the order given; of a folder
// those of one fleet, in the order of their names, which is that of time, and
// without those of a shadow. Files that end before from are left out.
func Files(paths []string, fleet string) func(from, to time.Time) ([]journal.Source, error) {
	return func(from, to time.Time) ([]journal.Source, error) {
		var all []journal.Source
		for _, path := range paths {
			info, err := os.Stat(path)
			if err != nil {
				return nil, badInput{err}
			}
			names := []string{path}
			if info.IsDir() {
				if names, err = Folder(path, fleet, from, to); err != nil {
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

// Stamp is how a journal's file says, behind the fleet's name, when it began.
const Stamp = "20060102T150405.000Z"

// Folder returns the files of a folder that may hold decisions of a fleet from one
// instant to another, in the order of time and without those of a shadow. The fleet
// need not be named where the folder holds journals of one only.
func Folder(path, fleet string, from, to time.Time) ([]string, error) {
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
		began, err := time.Parse(Stamp, stem[cut+1:])
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
func Controller(ctx context.Context, c *desk.Client) func(from, to time.Time) ([]journal.Source, error) {
	return func(from, to time.Time) ([]journal.Source, error) {
		return []journal.Source{{Name: c.URL(), Open: func() (io.ReadCloser, error) { return c.Pages(ctx, from, to) }}}, nil
	}
}

// Store returns the journal that a controller's store keeps; none of a time of which
// it keeps nothing.
func Store(ctx context.Context, pages controller.Pages, name string) func(from, to time.Time) ([]journal.Source, error) {
	return func(from, to time.Time) ([]journal.Source, error) {
		some := errors.New("there is a line")
		switch err := pages.JournalLines(ctx, name, from, to, func([]byte) error { return some }); {
		case err == nil:
			return nil, nil
		case !errors.Is(err, some):
			return nil, err
		}
		open := func() (io.ReadCloser, error) {
			r, w := io.Pipe()
			go func() {
				w.CloseWithError(pages.JournalLines(ctx, name, from, to, func(line []byte) error {
					_, err := w.Write(line)
					return err
				}))
			}()
			return r, nil
		}
		return []journal.Source{{Name: "journal of " + name, Open: open}}, nil
	}
}
