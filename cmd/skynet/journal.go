package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/cmd/past"
	"github.com/skynet-ec2/skynet/live/desk"
	"github.com/skynet-ec2/skynet/policy/journal"
	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/traces/compressed"

	"github.com/spf13/pflag"
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

// spanNames are the parameters of a controller's URL that bound its journal.
var spanNames = []string{"from", "to"}

// spanOf returns the address of the controller at a URL, and from and to when the URL
// asks for its journal; zero: it does not say.
func spanOf(at string) (address string, from, to time.Time, err error) {
	u, err := url.Parse(at)
	if err != nil {
		return "", from, to, inputError(err)
	}
	for i, into := range []*time.Time{&from, &to} {
		name := spanNames[i]
		if text := u.Query().Get(name); text != "" {
			if *into, err = time.Parse(time.RFC3339, text); err != nil {
				return "", from, to, inputError(fmt.Errorf("%s: %s: must be an instant such as 2026-01-31T18:00:00Z", at, name))
			}
		}
	}
	u.RawQuery = ""
	return u.String(), from, to, nil
}

// asked returns a controller's URL that asks for its journal from and to two texts, as
// far as these are instants and the URL does not say so itself. Other forms of a time
// are understood only once the journal is read.
func asked(at, from, to string) string {
	u, err := url.Parse(at)
	if err != nil {
		return at // whoever opens it says so
	}
	q := u.Query()
	for i, text := range []string{from, to} {
		if _, err := time.Parse(time.RFC3339, text); err == nil && !q.Has(spanNames[i]) {
			q.Set(spanNames[i], text)
		}
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// openPages opens the journal that the controller at a URL has in its store: of
// the last day, or from and to which the URL says.
func openPages(ctx context.Context, at string) (io.ReadCloser, error) {
	address, from, to, err := spanOf(at)
	if err != nil {
		return nil, err
	}
	c, err := desk.FromEnvAt(address)
	if err != nil {
		return nil, inputError(err)
	}
	r, err := c.Pages(ctx, from, to)
	return r, explainDesk(err)
}

// journalOf returns a reader of the journal in the files, or of the controllers,
// at paths, which ends with ctx. What a controller's store has may begin anew where
// a crash cut a decision off.
func journalOf(ctx context.Context, paths []string, torn bool) *journal.Reader {
	sources := make([]journal.Source, len(paths))
	for i, path := range paths {
		sources[i] = journal.Source{Name: path, Open: func() (io.ReadCloser, error) { return openText(ctx, path) }}
	}
	r := journal.NewReader(sources...)
	r.Tear = torn || slices.ContainsFunc(paths, past.IsURL)
	return r
}

// forever is later than any decision.
var forever = time.Unix(1<<40, 0)

// filesOf returns paths with the journal's files in the place of a folder, those of
// one fleet. live: there was one. A controller may be writing there, or have died: the
// last lines of its files need not be whole.
func filesOf(paths []string, fleet string) (files []string, live bool, err error) {
	for _, path := range paths {
		info, err := os.Stat(path)
		if past.IsURL(path) || err != nil || !info.IsDir() {
			files = append(files, path)
			continue
		}
		within, err := past.Folder(path, fleet, time.Time{}, forever)
		if err != nil {
			return nil, false, err
		}
		switch {
		case len(within) > 0:
		case fleet != "":
			return nil, false, inputError(fmt.Errorf("%s: holds no journal of a fleet %q", path, fleet))
		default:
			return nil, false, inputError(fmt.Errorf("%s: holds no journal of a controller, called FLEET-TIME.jsonl.zst: others are given file by file", path))
		}
		files, live = append(files, within...), true
	}
	if !live && fleet != "" {
		return nil, false, usageError(fmt.Errorf("--fleet %s: goes with a folder: a file is of one fleet", fleet))
	}
	return files, live, nil
}

// fleetFlag adds the flag that says whose journal in a folder is meant.
func fleetFlag(flags *pflag.FlagSet, fleet *string) {
	flags.StringVar(fleet, "fleet", "", "in a folder with journals of several: that of this `fleet`")
}

// text is a file that is decompressed as it is read.
type text struct {
	*compressed.Reader
	file *os.File
	ctx  context.Context
}

func openText(ctx context.Context, path string) (io.ReadCloser, error) {
	if past.IsURL(path) {
		return openPages(ctx, path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	z, err := compressed.NewReader(f)
	if err != nil {
		f.Close()
		return nil, inputError(fmt.Errorf("%s: %w", path, err))
	}
	return &text{z, f, ctx}, nil
}

func (t *text) Read(p []byte) (int, error) {
	if err := t.ctx.Err(); err != nil {
		return 0, err
	}
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
const instants = `on the users' clock, "2008-06-01 20:14", or the first "Sun 20:14" of the run; with a zone, 2008-06-01T20:14:00Z; or the time since the run's start, 30h`

// parseInstant returns the time that text names in a run that starts at start,
// where the users' clock is offset from UTC.
func parseInstant(text string, start time.Time, offset time.Duration) (time.Time, error) {
	zone := time.FixedZone("", int(offset/time.Second))
	for _, layout := range []string{
		time.RFC3339Nano, "Mon 2006-01-02 15:04:05 -07:00", "Mon 2006-01-02 15:04:05 UTC",
		time.DateTime, "2006-01-02 15:04", time.DateOnly, "Mon 2006-01-02 15:04:05",
	} {
		in := zone
		if strings.HasSuffix(layout, "UTC") {
			in = time.UTC
		}
		if at, err := time.ParseInLocation(layout, text, in); err == nil {
			return at.UTC(), nil
		}
	}
	if d, err := scenarios.ParseDuration(text); err == nil && d >= 0 {
		return start.Add(d), nil
	}
	if word, clock, ok := strings.Cut(text, " "); ok {
		for _, layout := range []string{time.TimeOnly, toMinute} {
			if at, err := time.Parse(layout, clock); err == nil {
				if found, ok := firstWeekday(word, at, start.In(zone)); ok {
					return found.UTC(), nil
				}
			}
		}
	}
	return time.Time{}, fmt.Errorf("%q: is no time: give one %s", text, instants)
}

const toMinute = "15:04"

// firstWeekday returns the first weekday of a name, at the clock time of clock,
// from start on and in its zone.
func firstWeekday(name string, clock, start time.Time) (time.Time, bool) {
	for day := range 8 {
		on := start.AddDate(0, 0, day)
		found := time.Date(on.Year(), on.Month(), on.Day(), clock.Hour(), clock.Minute(), clock.Second(), 0, start.Location())
		if strings.EqualFold(on.Weekday().String()[:3], name) && !found.Before(start) {
			return found, true
		}
	}
	return time.Time{}, false
}
