package bundle

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aead.dev/minisign"
	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"
)

var testTime = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// newKey returns a pair of keys.
func newKey(t testing.TB) (minisign.PublicKey, minisign.PrivateKey) {
	t.Helper()
	public, private, err := minisign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return public, private
}

// build makes a folder with the files of a release.
func build(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		mode := os.FileMode(0o644)
		if strings.HasPrefix(content, "#!") {
			mode = 0o755
		}
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// tree returns the files below a folder, with their content and whether they
// may be executed.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		name, _ := filepath.Rel(dir, path)
		files[filepath.ToSlash(name)] = fmt.Sprintf("%v %s", info.Mode()&0o111 != 0, text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestPublishAndInstall(t *testing.T) {
	public, private := newKey(t)
	store := Folder(t.TempDir())
	source := build(t, map[string]string{"bin/worker": "#!/bin/sh\n", "handlers.toml": "x = 1\n", "empty": ""})
	m, err := Publish(t.Context(), store, Release{Version: "v1", Run: []string{"bin/worker", "run"}, Folders: map[string]string{"any": source}}, private, testTime)
	if err != nil {
		t.Fatal(err)
	}
	if m.Number != 2026113001 {
		t.Errorf("number %d", m.Number)
	}
	p := Place{Dir: t.TempDir(), Store: store, Keys: []minisign.PublicKey{public}}
	var r Record
	if _, err := p.Install(t.Context(), &r, m.Number, testTime); err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(tree(t, p.Folder(m.Number))), fmt.Sprint(tree(t, source)); got != want {
		t.Errorf("installed %s\nwant %s", got, want)
	}
	if i, there := r.Find(m.Number); !there || i.Version != "v1" || !slices.Equal(i.Run, m.Run) {
		t.Errorf("record %+v", r)
	}
	if kept, err := p.Load(); err != nil || len(kept.Versions) != 1 {
		t.Errorf("kept %+v, %v", kept, err)
	}
	if left, _ := filepath.Glob(filepath.Join(p.Dir, "releases", "*.tar.zst")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}

	again, err := Publish(t.Context(), store, Release{Version: "v2", Run: []string{"bin/worker"}, Folders: map[string]string{"any": source}}, private, testTime)
	if err != nil || again.Number != 2026113002 {
		t.Errorf("the second release of the day is %d, %v", again.Number, err)
	}
	if _, err := Publish(t.Context(), store, Release{Number: m.Number, Version: "v3", Run: []string{"bin/worker"}, Folders: map[string]string{"any": source}}, private, testTime); err == nil {
		t.Error("a release was published over another")
	}
}

func TestPackIsTheSameBytes(t *testing.T) {
	files := map[string]string{"a/b/c": strings.Repeat("x", 100_000), "d": "#!", "e": ""}
	var packed [2]bytes.Buffer
	var archives [2]Archive
	for i := range packed {
		dir := build(t, files)
		if err := os.Chtimes(filepath.Join(dir, "d"), testTime, testTime.Add(time.Duration(i)*time.Hour)); err != nil {
			t.Fatal(err)
		}
		var err error
		if archives[i], err = Pack(dir, "any", &packed[i]); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(packed[0].Bytes(), packed[1].Bytes()) || archives[0] != archives[1] {
		t.Error("the same files are different archives")
	}
}

func TestPackRefusesLinks(t *testing.T) {
	dir := build(t, map[string]string{"a": "b"})
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "l")); err != nil {
		t.Fatal(err)
	}
	if _, err := Pack(dir, "any", io.Discard); err == nil || !strings.Contains(err.Error(), "l: neither file nor folder") {
		t.Errorf("%v", err)
	}
}

// archived returns an archive of entries, and what a manifest would say of it.
func archived(t testing.TB, entries ...*tar.Header) ([]byte, Archive) {
	t.Helper()
	var b bytes.Buffer
	z, err := zstd.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(z)
	a := Archive{Platform: "any", Files: len(entries)}
	for _, h := range entries {
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		h.Mode = 0o644
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, h.Size)); err != nil {
			t.Fatal(err)
		}
		a.Unpacked += h.Size
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b.Bytes())
	a.Size, a.SHA256 = int64(b.Len()), hex.EncodeToString(sum[:])
	return b.Bytes(), a
}

func TestUnpackRefuses(t *testing.T) {
	file := func(name string) *tar.Header { return &tar.Header{Name: name, Size: 3} }
	for name, tt := range map[string]struct {
		entries []*tar.Header
		change  func(*Archive)
		says    string
	}{
		"parent":       {[]*tar.Header{file("../x")}, nil, "leads out"},
		"deep parent":  {[]*tar.Header{file("a/../../x")}, nil, "leads out"},
		"absolute":     {[]*tar.Header{file("/etc/x")}, nil, "leads out"},
		"backslash":    {[]*tar.Header{file(`..\x`)}, nil, "leads out"},
		"symlink":      {[]*tar.Header{{Name: "l", Linkname: "/etc", Typeflag: tar.TypeSymlink}}, nil, "neither file nor folder"},
		"hard link":    {[]*tar.Header{file("a"), {Name: "l", Linkname: "a", Typeflag: tar.TypeLink}}, nil, "neither file nor folder"},
		"device":       {[]*tar.Header{{Name: "l", Typeflag: tar.TypeChar}}, nil, "neither file nor folder"},
		"twice":        {[]*tar.Header{file("a"), file("a")}, nil, "file exists"},
		"itself":       {[]*tar.Header{{Name: ".", Typeflag: tar.TypeDir}}, nil, "leads out"},
		"more files":   {[]*tar.Header{file("a"), file("b")}, func(a *Archive) { a.Files = 1 }, "more than 1 files"},
		"fewer files":  {[]*tar.Header{file("a")}, func(a *Archive) { a.Files = 2 }, "the manifest says 2"},
		"more bytes":   {[]*tar.Header{{Name: "a", Size: 5000}}, func(a *Archive) { a.Unpacked = 4999 }, "more than 4999 bytes"},
		"fewer bytes":  {[]*tar.Header{file("a")}, func(a *Archive) { a.Unpacked = 9 }, "the manifest says"},
		"no archive":   {nil, func(a *Archive) { a.Files = 1 }, "the manifest says"},
		"file as part": {[]*tar.Header{file("a"), file("a/b")}, nil, "not a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			packed, a := archived(t, tt.entries...)
			if tt.change != nil {
				tt.change(&a)
			}
			outer := t.TempDir()
			if err := os.MkdirAll(filepath.Join(outer, "in"), 0o755); err != nil {
				t.Fatal(err)
			}
			err := Unpack(bytes.NewReader(packed), a, filepath.Join(outer, "in", "release"))
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v, want one that says %q", err, tt.says)
			}
			if files := tree(t, outer); len(files) != 0 {
				t.Errorf("files are left: %v", files)
			}
		})
	}
}

func TestUnpackBomb(t *testing.T) {
	// 64 MiB of zeros pack into a few kB
	packed, a := archived(t, &tar.Header{Name: "zeros", Size: 64 << 20})
	a.Unpacked = 1 << 20
	if err := Unpack(bytes.NewReader(packed), a, filepath.Join(t.TempDir(), "r")); err == nil {
		t.Error("a bomb was unpacked")
	}
}

func FuzzUnpack(f *testing.F) {
	for _, h := range [][]*tar.Header{{{Name: "a", Size: 3}}, {{Name: "../a", Size: 3}}, {{Name: "d", Typeflag: tar.TypeDir}, {Name: "d/e", Size: 9}}} {
		packed, a := archived(f, h...)
		f.Add(packed, a.Files, a.Unpacked)
	}
	f.Fuzz(func(t *testing.T, packed []byte, files int, unpacked int64) {
		if files < 0 || files > 100 || unpacked < 0 || unpacked > 1<<20 {
			return
		}
		outer := t.TempDir()
		dir := filepath.Join(outer, "release")
		err := Unpack(bytes.NewReader(packed), Archive{Files: files, Unpacked: unpacked}, dir)
		if err == nil {
			size := int64(0)
			for _, text := range tree(t, dir) {
				size += int64(len(text))
			}
			if size > unpacked+int64(files)*10 {
				t.Errorf("%d bytes unpacked, may be %d", size, unpacked)
			}
		}
		entries, _ := os.ReadDir(outer)
		if err != nil && len(entries) != 0 || err == nil && len(entries) != 1 {
			t.Errorf("%d entries beside the release after %v", len(entries), err)
		}
	})
}

func TestTamperedStore(t *testing.T) {
	public, private := newKey(t)
	_, stranger := newKey(t)
	source := build(t, map[string]string{"w": "#!"})
	publish := func(t *testing.T) (Folder, Manifest) {
		store := Folder(t.TempDir())
		m, err := Publish(t.Context(), store, Release{Number: 7, Version: "v7", Run: []string{"w"}, Folders: map[string]string{"any": source}}, private, testTime)
		if err != nil {
			t.Fatal(err)
		}
		return store, m
	}
	for name, tt := range map[string]struct {
		tamper func(t *testing.T, store Folder, m Manifest)
		at     time.Time
		says   string
	}{
		"a byte of the archive": {func(t *testing.T, s Folder, m Manifest) {
			change(t, s, ArchiveName(7, "any"), func(b []byte) []byte { b[len(b)/2] ^= 1; return b })
		}, testTime, "SHA-256"},
		"a longer archive": {func(t *testing.T, s Folder, m Manifest) {
			change(t, s, ArchiveName(7, "any"), func(b []byte) []byte { return append(b, 0) })
		}, testTime, "the manifest says"},
		"a byte of the manifest": {func(t *testing.T, s Folder, m Manifest) {
			change(t, s, ManifestName(7), func(b []byte) []byte { return bytes.Replace(b, []byte("v7"), []byte("v8"), 1) })
		}, testTime, "signature"},
		"no signature": {func(t *testing.T, s Folder, m Manifest) {
			change(t, s, ManifestName(7), func(b []byte) []byte { return b[:bytes.Index(b, []byte("untrusted"))] })
		}, testTime, "signature"},
		"a stranger's signature": {func(t *testing.T, s Folder, m Manifest) {
			change(t, s, ManifestName(7), func([]byte) []byte { d, _ := Sign(m, stranger); return d })
		}, testTime, "signature"},
		"another release's manifest": {func(t *testing.T, s Folder, m Manifest) {
			m.Number = 6
			change(t, s, ManifestName(7), func([]byte) []byte { d, _ := Sign(m, private); return d })
		}, testTime, "release 6's"},
		"a channel for a manifest": {func(t *testing.T, s Folder, m Manifest) {
			c, _ := NewChannel("c").Promote(7, Stage{Percent: 100}, testTime, "")
			change(t, s, ManifestName(7), func([]byte) []byte { d, _ := Sign(c, private); return d })
		}, testTime, "kind"},
		"a huge manifest": {func(t *testing.T, s Folder, m Manifest) {
			change(t, s, ManifestName(7), func(b []byte) []byte { return append(b, make([]byte, documentMax)...) })
		}, testTime, "more than"},
		"too old": {func(*testing.T, Folder, Manifest) {}, testTime.Add(2 * validFor), "not_after"},
		"gone": {func(t *testing.T, s Folder, m Manifest) {
			os.Remove(filepath.Join(string(s), ArchiveName(7, "any")))
		}, testTime, "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			store, m := publish(t)
			tt.tamper(t, store, m)
			p := Place{Dir: t.TempDir(), Store: store, Keys: []minisign.PublicKey{public}}
			var r Record
			_, err := p.Install(t.Context(), &r, 7, tt.at)
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v, want one that says %q", err, tt.says)
			}
			if files := tree(t, p.Dir); len(files) != 0 || len(r.Versions) != 0 {
				t.Errorf("left: %v, %+v", files, r)
			}
		})
	}
}

// change replaces a file of a store.
func change(t *testing.T, s Folder, name string, f func([]byte) []byte) {
	t.Helper()
	path := filepath.Join(string(s), filepath.FromSlash(name))
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, f(b), 0o644); err != nil {
		t.Fatal(err)
	}
}

func FuzzOpen(f *testing.F) {
	public, private := newKey(f)
	c, err := NewChannel("c").Promote(7, Stage{Percent: 10}, testTime, "why")
	if err != nil {
		f.Fatal(err)
	}
	good, err := Sign(c, private)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("{}\nuntrusted comment: x\nRW\ntrusted comment: y\nz"))
	f.Fuzz(func(t *testing.T, document []byte) {
		_, err := OpenChannel(document, []minisign.PublicKey{public}, "c", 0, testTime)
		text := document[:max(0, bytes.LastIndex(document, []byte(signatureStart))+1)]
		if err == nil && !bytes.Equal(text, good[:len(text)]) {
			t.Errorf("what nobody signed is believed: %q", document)
		}
	})
}

func TestChannelLife(t *testing.T) {
	c := NewChannel("production")
	at := func(n int) time.Time { return testTime.Add(time.Duration(n) * time.Hour) }
	step := func(next Channel, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if err := next.Check(); err != nil {
			t.Fatal(err)
		}
		if next.Sequence != c.Sequence+1 {
			t.Errorf("sequence %d after %d", next.Sequence, c.Sequence)
		}
		c = next
	}
	step(c.Promote(1, Stage{Percent: 100}, at(1), ""))
	step(c.Promote(2, Stage{Percent: 1}, at(2), ""))
	step(c.Promote(2, Stage{Percent: 10}, at(3), ""))
	if _, err := c.Promote(2, Stage{Percent: 1}, at(3), ""); err == nil {
		t.Error("a candidate went back")
	}
	step(c.Promote(2, Stage{Percent: 100}, at(4), ""))
	if c.Stable != 2 || c.Candidate != 0 || !slices.Equal(c.Before, []int64{1}) {
		t.Errorf("%+v", c)
	}
	step(c.Promote(3, Stage{Percent: 50, Instances: []string{"i-1"}}, at(5), ""))
	step(c.Rollback(at(6), "slow"))
	if c.Stable != 2 || c.Candidate != 0 {
		t.Errorf("%+v", c)
	}
	step(c.Rollback(at(7), "slow too"))
	if c.Stable != 1 {
		t.Errorf("%+v", c)
	}
	if _, err := c.Rollback(at(8), ""); err == nil {
		t.Error("there is nothing to go back to")
	}
}

func TestOldChannelIsRefused(t *testing.T) {
	public, private := newKey(t)
	keys := []minisign.PublicKey{public}
	one, err := NewChannel("c").Promote(1, Stage{Percent: 100}, testTime, "")
	if err != nil {
		t.Fatal(err)
	}
	document, err := Sign(one, private)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenChannel(document, keys, "c", 1, testTime); err != nil {
		t.Errorf("the same one again: %v", err)
	}
	for says, open := range map[string]func() (Channel, error){
		"brought back": func() (Channel, error) { return OpenChannel(document, keys, "c", 2, testTime) },
		"not_after":    func() (Channel, error) { return OpenChannel(document, keys, "c", 0, testTime.Add(2*validFor)) },
		`channel "c"`:  func() (Channel, error) { return OpenChannel(document, keys, "d", 0, testTime) },
		"signature":    func() (Channel, error) { return OpenChannel(document, nil, "c", 0, testTime) },
	} {
		if _, err := open(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want one that says %q", err, says)
		}
	}
}

// TestWants checks the properties in the comment of Wants.
func TestWants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Channel{Stable: 1, Candidate: rapid.Int64Range(2, 1000).Draw(t, "candidate"), Percent: rapid.Float64Range(0, 100).Draw(t, "percent")}
		instance := rapid.StringMatching(`i-[0-9a-f]{8}`).Draw(t, "instance")
		more := c
		more.Percent = rapid.Float64Range(c.Percent, 100).Draw(t, "more")
		if c.Wants(instance, nil) == c.Candidate && more.Wants(instance, nil) != c.Candidate {
			t.Errorf("%s runs the candidate at %v %%, not at %v %%", instance, c.Percent, more.Percent)
		}
		if c.Wants(instance, []int64{c.Candidate}) != 1 || c.Wants(instance, []int64{c.Candidate, 1}) != 0 {
			t.Error("a bad release is wanted")
		}
		c.Before = []int64{-3, -2}
		if c.Wants(instance, []int64{c.Candidate, 1}) != -2 || c.Wants(instance, []int64{c.Candidate, 1, -2}) != -3 {
			t.Error("an instance does not go back to the stable release before")
		}
		c.Instances = []string{instance}
		if c.Wants(instance, nil) != c.Candidate {
			t.Error("a named instance does not try the candidate")
		}
	})
	chosen := [2]map[int]bool{{}, {}}
	for i := range 10_000 {
		for j := range chosen {
			if (Channel{Stable: 1, Candidate: int64(10 + j), Percent: 1}).Wants(fmt.Sprintf("i-%d", i), nil) != 1 {
				chosen[j][i] = true
			}
		}
	}
	both := 0
	for i := range chosen[0] {
		if chosen[1][i] {
			both++
		}
	}
	if n := len(chosen[0]); n < 70 || n > 130 || both > 10 {
		t.Errorf("of 10 000 instances %d try a candidate at 1 %%, %d of them the next one too", n, both)
	}
}

func TestTidy(t *testing.T) {
	p := Place{Dir: t.TempDir()}
	for _, name := range []string{"1", "2", "3", "4", ".unpack-77", "4.tar.zst", "note"} {
		if err := os.MkdirAll(filepath.Join(p.Dir, "releases", name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	r := Record{Current: 3, Previous: 2, Versions: []Installed{{Number: 1}, {Number: 2}, {Number: 3}}}
	if err := p.Tidy(&r); err != nil {
		t.Fatal(err)
	}
	entries, _ := os.ReadDir(filepath.Join(p.Dir, "releases"))
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if !slices.Equal(names, []string{"2", "3", "note"}) || len(r.Versions) != 2 {
		t.Errorf("%v, %+v", names, r)
	}
}

func TestUnreadableRecordIsAnError(t *testing.T) {
	p := Place{Dir: t.TempDir()}
	if err := os.WriteFile(filepath.Join(p.Dir, recordFile), []byte(`{"bad":[`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Load(); err == nil {
		t.Error("bad releases would be forgotten")
	}
}

func TestPrivateKeyFile(t *testing.T) {
	_, private := newKey(t)
	text, err := private.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "k")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if k, err := ReadPrivateKey(path, ""); err != nil || !k.Equal(private) {
		t.Errorf("%v", err)
	}
	if err := os.WriteFile(path, []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadPrivateKey(path, ""); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("%v", err)
	}
}

// TestAWSCLI has a store in S3 through a stand-in for the AWS CLI that keeps
// objects in a folder and answers errors in its words.
func TestAWSCLI(t *testing.T) {
	bin, objects := t.TempDir(), t.TempDir()
	script := `#!/bin/sh
# aws s3api get-object|put-object --bucket B --key K [FILE | --body F [--if-none-match *]]
[ "$1" = s3api ] && [ "$3" = --bucket ] && [ "$5" = --key ] || exit 2
at="` + objects + `/$4/$6"
case $2 in
get-object) [ -f "$at" ] || { echo "An error occurred (NoSuchKey) when calling the GetObject operation" >&2; exit 254; }
	cp "$at" "$7" ;;
put-object) [ "$9" != --if-none-match ] || [ ! -f "$at" ] || { echo "An error occurred (PreconditionFailed) when calling the PutObject operation" >&2; exit 254; }
	mkdir -p "$(dirname "$at")" && cp "$8" "$at" ;;
esac
`
	if err := os.WriteFile(filepath.Join(bin, "aws"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	s, err := ParseAWSCLI("s3://acme/releases/")
	if err != nil {
		t.Fatal(err)
	}
	exercise(t, s)
	if _, err := os.Stat(filepath.Join(objects, "acme", "releases", "channels", "c")); err != nil {
		t.Error(err)
	}
}

func TestFolderStore(t *testing.T) { exercise(t, Folder(t.TempDir())) }

// exercise checks what every store promises.
func exercise(t *testing.T, s WritableStore) {
	t.Helper()
	ctx := context.Background()
	if _, err := s.Get(ctx, "channels/c"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing there: %v", err)
	}
	file := filepath.Join(t.TempDir(), "f")
	for _, tt := range []struct {
		content string
		replace bool
		exists  bool
	}{{"one", false, false}, {"two", false, true}, {"three", true, false}} {
		if err := os.WriteFile(file, []byte(tt.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := s.Put(ctx, "channels/c", file, tt.replace); errors.Is(err, fs.ErrExist) != tt.exists || err != nil && !tt.exists {
			t.Errorf("put %s: %v", tt.content, err)
		}
	}
	text, err := ReadDocument(ctx, s, "channels/c")
	if err != nil || string(text) != "three" {
		t.Errorf("%q, %v", text, err)
	}
}

// The bad releases that are remembered are bounded: the latest stay.
func TestBadReleasesAreBounded(t *testing.T) {
	var r Record
	for n := int64(100); n > 0; n-- {
		r.MarkBad(n)
		r.MarkBad(n)
	}
	if len(r.Bad) != 64 || r.Bad[0] != 37 || r.Bad[63] != 100 || !slices.IsSorted(r.Bad) {
		t.Errorf("%v", r.Bad)
	}
}
