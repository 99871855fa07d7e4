package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy/journal"
	"github.com/skynet-ec2/skynet/traces/compressed"
)

// checkJournal returns an error if no journal can have the name path.
func checkJournal(path string) error {
	name := strings.ToLower(path)
	for _, ext := range []string{".gz", ".zst"} {
		name = strings.TrimSuffix(name, ext)
	}
	if path != "" && !strings.HasSuffix(name, ".jsonl") {
		return inputError(fmt.Errorf("%s: unknown extension: a journal is called .jsonl.zst, .jsonl.gz or .jsonl", path))
	}
	return nil
}

// isJournal reports whether a file is called as journals are.
func isJournal(path string) bool { return path != "" && checkJournal(path) == nil }

// intoJournal runs work with a journal that begins with header, in the file at
// path, which appears whole if work returns nil and not at all otherwise.
// Without a path work gets nil.
func intoJournal(path string, header func() journal.Header, work func(*journal.Writer) error) error {
	if path == "" {
		return work(nil)
	}
	return into(path, func(w io.Writer) error {
		z, err := compressed.NewWriter(w, path)
		if err != nil {
			return err
		}
		j := journal.NewWriter(z, header(), 0)
		if err := work(j); err != nil {
			return err
		}
		if err := j.Close(); err != nil {
			return err
		}
		return z.Close()
	})
}

// journalOf returns a reader of the journal in the files at paths.
func journalOf(paths []string, torn bool) *journal.Reader {
	sources := make([]journal.Source, len(paths))
	for i, path := range paths {
		sources[i] = journal.Source{Name: path, Open: func() (io.ReadCloser, error) { return openText(path) }}
	}
	r := journal.NewReader(sources...)
	r.Tear = torn
	return r
}

// text is a file that is decompressed as it is read.
type text struct {
	*compressed.Reader
	file *os.File
}

func openText(path string) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		f.Close()
		return nil, inputError(fmt.Errorf("%s: is a folder, not a file", path))
	}
	z, err := compressed.NewReader(f)
	if err != nil {
		f.Close()
		return nil, inputError(fmt.Errorf("%s: %w", path, err))
	}
	return &text{z, f}, nil
}

func (t *text) Read(p []byte) (int, error) {
	n, err := t.Reader.Read(p)
	if err != nil && err != io.EOF && t.Kind != "" && !compressed.Truncated(err) {
		err = &compressed.Error{Kind: t.Kind, Err: err}
	}
	return n, err
}

func (t *text) Close() error {
	t.Reader.Close()
	return t.file.Close()
}

// instants are the forms in which --at, --from and --to may name a time.
const instants = `an instant like 2008-06-01T20:14:00Z or "2008-06-01 20:14" (UTC), a weekday's first like "Sun 20:14", or the time since the journal's start like 30h`

// parseInstant returns the time that text names in a run that starts at start.
func parseInstant(text string, start time.Time) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, time.DateTime, "2006-01-02 15:04", time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return start.Add(d), nil
	}
	if word, clock, ok := strings.Cut(text, " "); ok {
		for _, layout := range []string{time.TimeOnly, "15:04"} {
			at, err := time.Parse(layout, clock)
			if err != nil {
				continue
			}
			for day := range 8 {
				on := start.UTC().AddDate(0, 0, day)
				if !strings.EqualFold(on.Weekday().String()[:3], word) {
					continue
				}
				found := time.Date(on.Year(), on.Month(), on.Day(), at.Hour(), at.Minute(), at.Second(), 0, time.UTC)
				if !found.Before(start) {
					return found, nil
				}
			}
		}
	}
	return time.Time{}, fmt.Errorf("%q: must be %s", text, instants)
}
