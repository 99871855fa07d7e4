package bundle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"aead.dev/minisign"

	"github.com/skynet-ec2/skynet/traces/whole"
)

// A Place is where an instance keeps releases:
//
//	releases/7/     the files of release 7
//	current         a link to the one that runs, for people
//	releases.json   what is known of them
type Place struct {
	Dir   string
	Store Store
	Keys  []minisign.PublicKey
}

// A Record is what an instance knows of its releases. The zero Record is that
// of a new instance.
type Record struct {
	Current  int64         `json:"current"`             // proved itself here; 0: none did
	Previous int64         `json:"previous,omitempty"`  // did before
	Trial    int64         `json:"trial,omitempty"`     // is being tried; 0: none
	Bad      []int64       `json:"bad,omitempty"`       // failed here, sorted
	Tries    map[int64]int `json:"tries,omitempty"`     // starts of releases that have not proved themselves
	Sequence int64         `json:"sequence"`            // of the channel that was seen last
	Versions []Installed   `json:"installed,omitempty"` // what lies in releases/
}

// Installed is a release that was unpacked.
type Installed struct {
	Number  int64    `json:"number"`
	Version string   `json:"version"`
	Run     []string `json:"run"`
}

// Find returns an installed release.
func (r Record) Find(number int64) (Installed, bool) {
	for _, i := range r.Versions {
		if i.Number == number {
			return i, true
		}
	}
	return Installed{}, false
}

// badMax is how many bad releases an instance remembers, the latest: a queue
// takes no worker that names more, and nobody promotes the oldest again.
const badMax = 64

// MarkBad notes that a release failed here.
func (r *Record) MarkBad(number int64) {
	if !slices.Contains(r.Bad, number) {
		r.Bad = append(r.Bad, number)
		slices.Sort(r.Bad)
		r.Bad = r.Bad[max(0, len(r.Bad)-badMax):]
	}
	delete(r.Tries, number)
}

const recordFile = "releases.json"

// Load returns the place's record. One that cannot be read is an error: to
// forget which releases are bad could start one over and over.
func (p Place) Load() (Record, error) {
	text, err := os.ReadFile(filepath.Join(p.Dir, recordFile))
	if errors.Is(err, fs.ErrNotExist) {
		return Record{}, nil
	}
	var r Record
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		return Record{}, fmt.Errorf("%s: %w", filepath.Join(p.Dir, recordFile), err)
	}
	return r, nil
}

// Save keeps the record, whole or not at all.
func (p Place) Save(r Record) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(p.Dir, 0o755); err != nil {
		return err
	}
	return whole.WriteFile(filepath.Join(p.Dir, recordFile), append(text, '\n'))
}

// Folder returns where a release's files lie.
func (p Place) Folder(number int64) string {
	return filepath.Join(p.Dir, "releases", strconv.FormatInt(number, 10))
}

// Spent is how long the parts of an installation took.
type Spent struct{ Fetch, Unpack time.Duration }

// Install brings a release to the place, unless it is there, and enters it in
// the record.
func (p Place) Install(ctx context.Context, r *Record, number int64, now time.Time) (Spent, error) {
	var spent Spent
	if _, known := r.Find(number); known {
		if info, err := os.Stat(p.Folder(number)); err == nil && info.IsDir() {
			return spent, nil
		}
		r.Versions = slices.DeleteFunc(r.Versions, func(i Installed) bool { return i.Number == number })
	}
	start := time.Now()
	document, err := ReadDocument(ctx, p.Store, ManifestName(number))
	if err != nil {
		return spent, fmt.Errorf("release %d: %w", number, err)
	}
	m, err := OpenManifest(document, p.Keys, number)
	if err != nil {
		return spent, err
	}
	if now.After(m.NotAfter) {
		return spent, fmt.Errorf("release %d: not_after %s has passed", number, m.NotAfter.Format(time.RFC3339))
	}
	archive, err := m.For(ThisPlatform)
	if err != nil {
		return spent, err
	}
	if err := os.MkdirAll(filepath.Join(p.Dir, "releases"), 0o755); err != nil {
		return spent, err
	}
	packed := p.Folder(number) + ".tar.zst"
	defer os.Remove(packed)
	if err := Fetch(ctx, p.Store, number, archive, packed); err != nil {
		return spent, err
	}
	spent.Fetch = time.Since(start)

	start = time.Now()
	in, err := os.Open(packed)
	if err != nil {
		return spent, err
	}
	defer in.Close()
	if err := Unpack(in, archive, p.Folder(number)); err != nil {
		return spent, fmt.Errorf("release %d: %w", number, err)
	}
	spent.Unpack = time.Since(start)
	r.Versions = append(r.Versions, Installed{number, m.Version, m.Run})
	return spent, p.Save(*r)
}

// Point makes the link for people lead to a release.
func (p Place) Point(number int64) error {
	temp := filepath.Join(p.Dir, ".current")
	os.Remove(temp)
	if err := os.Symlink(filepath.Join("releases", strconv.FormatInt(number, 10)), temp); err != nil {
		return err
	}
	return os.Rename(temp, filepath.Join(p.Dir, "current"))
}

// Tidy removes the files of releases that r has no use for, and what was left
// half unpacked.
func (p Place) Tidy(r *Record) error {
	keep := []int64{r.Current, r.Previous, r.Trial}
	r.Versions = slices.DeleteFunc(r.Versions, func(i Installed) bool { return !slices.Contains(keep, i.Number) })
	entries, err := os.ReadDir(filepath.Join(p.Dir, "releases"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		n, err := strconv.ParseInt(e.Name(), 10, 64)
		if err == nil && slices.Contains(keep, n) || err != nil && !leftover(e.Name()) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(p.Dir, "releases", e.Name())); err != nil {
			return err
		}
	}
	return p.Save(*r)
}

// leftover reports whether a name is one of unpacking.
func leftover(name string) bool {
	return strings.HasSuffix(name, ".tar.zst") || strings.HasPrefix(name, ".unpack-")
}
