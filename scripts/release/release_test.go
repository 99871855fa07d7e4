package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"debug/buildinfo"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// here is the one target that tests build for: this machine's.
var here = []target{{runtime.GOOS, runtime.GOARCH}}

// toy returns a repository with a program that imports nothing, tagged v1.2.3.
func toy(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "toy")
	for name, text := range map[string]string{
		"go.mod":                  "module example.com/toy\n\ngo 1.26\n",
		"cmd/skynet/main.go":      "package main\n\nfunc main() { println(\"toy\") }\n",
		"cmd/library/library.go":  "package library\n",
		"LICENSE":                 "none\n",
		"README.md":               "# toy\n",
		"CHANGELOG.md":            "# Changelog\n",
		"cmd/skynet/default.pgo~": "", // a stray file
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	git(t, dir, "init", "--quiet")
	git(t, dir, "add", ".")
	git(t, dir, "commit", "--quiet", "--message", "a toy")
	git(t, dir, "tag", "v1.2.3")
	return dir
}

// git runs git in dir as somebody, at some time.
func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	env := []string{
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com",
		"GIT_AUTHOR_DATE=2026-03-02T08:00:00Z", "GIT_COMMITTER_DATE=2026-03-02T08:00:00Z", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
	}
	if _, err := output(t.Context(), dir, env, "git", args...); err != nil {
		t.Fatal(err)
	}
}

// keys returns a new pair of key files.
func keys(t *testing.T) (secret, public string) {
	t.Helper()
	secret = filepath.Join(t.TempDir(), "test.key")
	if err := newKey(secret, io.Discard); err != nil {
		t.Fatal(err)
	}
	return secret, secret + ".pub"
}

// TestReleaseIsTheSameBytesTwice builds one commit twice: in two places, with
// two environments, on a repository that has been touched in between.
func TestReleaseIsTheSameBytesTwice(t *testing.T) {
	repository, out := toy(t), t.TempDir()
	secret, public := keys(t)
	if err := release(t.Context(), repository, filepath.Join(out, "one"), here, signing{file: secret}, io.Discard); err != nil {
		t.Fatal(err)
	}
	moved := filepath.Join(t.TempDir(), "moved")
	if err := os.Rename(repository, moved); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(moved, "cmd/skynet/stray.go"), []byte("package nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("GOFLAGS", "-buildvcs=false -ldflags=-X=main.x=1")
	t.Setenv("CGO_ENABLED", "1")
	if err := release(t.Context(), moved, filepath.Join(out, "two"), here, signing{file: secret}, io.Discard); err != nil {
		t.Fatal(err)
	}
	one, two := filepath.Join(out, "one", "v1.2.3"), filepath.Join(out, "two", "v1.2.3")
	name := "skynet_v1.2.3_" + runtime.GOOS + "_" + runtime.GOARCH
	a, b := contents(t, one), contents(t, two)
	if len(a) != 3 || a[name+".tar.gz"] == "" {
		t.Errorf("%d files, want %s.tar.gz, %s and its signature", len(a), name, sumsFile)
	}
	for file := range a {
		// a signature says when it was made
		if a[file] != b[file] && !strings.HasSuffix(file, ".minisig") {
			t.Errorf("%s differs", file)
		}
	}
	for _, folder := range []string{one, two} {
		if err := verify(folder, public, io.Discard); err != nil {
			t.Error(err)
		}
	}
	if left, err := os.ReadDir(filepath.Join(out, "one")); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v %v", left, err)
	}
	built, err := buildinfo.Read(bytes.NewReader([]byte(member(t, a[name+".tar.gz"], name+"/skynet"))))
	if err != nil {
		t.Fatal(err)
	}
	if built.Main.Version != "v1.2.3" || !strings.Contains(built.String(), "vcs.modified=false") || strings.Contains(built.String(), "main.x") {
		t.Errorf("the program says of itself:\n%s", built)
	}
	want := map[string]int64{name + "/skynet": 0o755, name + "/README.md": 0o644, name + "/LICENSE": 0o644, name + "/CHANGELOG.md": 0o644}
	for _, h := range headers(t, a[name+".tar.gz"]) {
		if mode, ok := want[h.Name]; !ok || h.Mode != mode || h.Uid != 0 || h.Uname != "" || h.ModTime.UTC().Format("2006-01-02 15:04") != "2026-03-02 08:00" {
			t.Errorf("unexpected %+v", h)
		}
		delete(want, h.Name)
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
	// A version is made once.
	if err := release(t.Context(), moved, filepath.Join(out, "one"), here, signing{file: secret}, io.Discard); !errors.Is(err, errUsage) {
		t.Errorf("made over: %v", err)
	}
}

func TestReleaseRefuses(t *testing.T) {
	repository, out := toy(t), filepath.Join(t.TempDir(), "dist")
	t.Setenv(keyVariable, "")
	secret, _ := keys(t)
	refused := func(why string, sign signing) {
		t.Helper()
		if err := release(t.Context(), repository, out, here, sign, io.Discard); !errors.Is(err, errUsage) || !strings.Contains(err.Error(), why) {
			t.Errorf("%v, want %q", err, why)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%q: something was written", why)
		}
	}
	refused("there is no key to sign with", signing{})
	refused("no such file", signing{file: "nowhere.key"})
	refused("no minisign secret key", signing{file: filepath.Join(repository, "README.md")})
	const locked = "testdata/locked.key" // made for this test
	t.Setenv(passwordVariable, "")
	refused("put it into "+passwordVariable, signing{file: locked})
	t.Setenv(passwordVariable, "sesame")
	if _, err := (signing{file: locked}).key(); err != nil {
		t.Error(err)
	}
	t.Setenv(passwordVariable, "")
	if err := newKey(secret, io.Discard); !errors.Is(err, errUsage) {
		t.Errorf("a key written over: %v", err)
	}

	git(t, repository, "commit", "--quiet", "--allow-empty", "--message", "more")
	refused("has no tag", signing{file: secret})
	if err := os.WriteFile(filepath.Join(repository, "README.md"), []byte("changed"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused("uncommitted changes", signing{file: secret})
	for _, args := range [][]string{{"build", "-only", "linux/amd64"}, {"build", "-unsigned", "-only", "plan9/mips"}, {"build", "extra"}, {}} {
		if err := run(t.Context(), args, io.Discard); !errors.Is(err, errUsage) {
			t.Errorf("%v: %v", args, err)
		}
	}
	if err := run(t.Context(), []string{"biuld"}, io.Discard); !errors.Is(err, errUsage) {
		t.Error(err)
	}
}

func TestVerifyFindsWhatWasTamperedWith(t *testing.T) {
	secret, public := keys(t)
	_, stranger := keys(t)
	made := func() string {
		dir := t.TempDir()
		for _, name := range []string{"a.tar.gz", "b.tar.gz"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := writeSums(dir); err != nil {
			t.Fatal(err)
		}
		key, err := signing{file: secret}.key()
		if err != nil {
			t.Fatal(err)
		}
		if err := signSums(dir, *key, commit{version: "v1.0.0"}); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	if err := verify(made(), public, io.Discard); err != nil {
		t.Error(err)
	}
	for _, tt := range []struct {
		want   string
		tamper func(dir string) error
		pub    string
	}{
		{"b.tar.gz differs", func(dir string) error { return os.WriteFile(filepath.Join(dir, "b.tar.gz"), []byte("B"), 0o600) }, public},
		{"a.tar.gz is missing", func(dir string) error { return os.Remove(filepath.Join(dir, "a.tar.gz")) }, public},
		{"c.tar.gz is not listed", func(dir string) error { return os.WriteFile(filepath.Join(dir, "c.tar.gz"), nil, 0o600) }, public},
		{"is not what was signed", func(dir string) error {
			if err := os.WriteFile(filepath.Join(dir, "b.tar.gz"), []byte("B"), 0o600); err != nil {
				return err
			}
			return writeSums(dir)
		}, public},
		{"it is not signed", func(dir string) error { return os.Remove(signatureFile(dir)) }, public},
		{"no minisign signature", func(dir string) error { return os.WriteFile(signatureFile(dir), []byte("x"), 0o600) }, public},
		{"signed by key", func(string) error { return nil }, stranger},
		{"no minisign public key", func(string) error { return nil }, secret},
		{"-pub: missing", func(string) error { return nil }, ""},
	} {
		dir := made()
		if err := tt.tamper(dir); err != nil {
			t.Fatal(err)
		}
		if err := verify(dir, tt.pub, io.Discard); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v, want %q", err, tt.want)
		}
	}
}

// contents returns the files of a folder.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(text)
	}
	return all
}

// headers returns what an archive says of its files.
func headers(t *testing.T, archive string) (all []*tar.Header) {
	t.Helper()
	each(t, archive, func(h *tar.Header, _ io.Reader) { all = append(all, h) })
	return all
}

// member returns the content of a file of an archive.
func member(t *testing.T, archive, name string) (content string) {
	t.Helper()
	each(t, archive, func(h *tar.Header, r io.Reader) {
		if h.Name == name {
			text, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			content = string(text)
		}
	})
	return content
}

// each calls do with every file of an archive.
func each(t *testing.T, archive string, do func(*tar.Header, io.Reader)) {
	t.Helper()
	z, err := gzip.NewReader(strings.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		do(h, r)
	}
}
