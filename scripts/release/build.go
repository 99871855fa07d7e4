package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A target is what programs are built for.
type target struct{ system, architecture string }

func (t target) String() string { return t.system + "/" + t.architecture }

var targets = []target{{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "amd64"}, {"darwin", "arm64"}}

// A commit is what a release is built from.
type commit struct {
	hash    string
	at      time.Time // of the commit; every file of the release carries it
	version string    // its tag, or a pseudo-version
	tagged  bool
}

// release builds the commit that repository has checked out for targets, into a
// folder of out named for its version, which appears whole or not at all.
func release(ctx context.Context, repository, out string, targets []target, sign signing, stdout io.Writer) error {
	key, err := sign.key()
	if err != nil {
		return err
	}
	c, err := head(ctx, repository)
	if err != nil {
		return err
	}
	if !c.tagged && !sign.unsigned {
		return usage("commit %.12s has no tag like v1.2.3: tag it, or make a snapshot with UNSIGNED=1", c.hash)
	}
	final := filepath.Join(out, c.version)
	if _, err := os.Lstat(final); err == nil {
		return usage("%s: it is there already; a version is made once", final)
	}
	if err := os.MkdirAll(out, 0o777); err != nil {
		return err
	}
	work, err := os.MkdirTemp(out, ".release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := buildAll(ctx, repository, work, targets, c, stdout); err != nil {
		return err
	}
	if err := writeSums(work); err != nil {
		return err
	}
	if key == nil {
		fmt.Fprintf(stdout, "not signed: nobody can tell that it is yours\n")
	} else if err := signSums(work, *key, c); err != nil {
		return err
	}
	if err := os.Chmod(work, 0o755); err != nil {
		return err
	}
	if err := os.Rename(work, final); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "wrote %s\n", final)
	return nil
}

// buildAll writes an archive for each target to folder. It builds a fresh clone,
// so that nothing but the commit gets in: no stray file, no local setting.
func buildAll(ctx context.Context, repository, folder string, targets []target, c commit, stdout io.Writer) error {
	scratch, err := os.MkdirTemp("", "release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	clone := filepath.Join(scratch, "clone")
	if _, err := output(ctx, "", nil, "git", "clone", "--quiet", "--shared", "--no-checkout", repository, clone); err != nil {
		return err
	}
	if _, err := output(ctx, clone, nil, "git", "checkout", "--quiet", "--detach", c.hash); err != nil {
		return err
	}
	programs, err := programsOf(ctx, clone)
	if err != nil {
		return err
	}
	for _, t := range targets {
		bin := filepath.Join(scratch, t.system+"_"+t.architecture)
		if err := os.Mkdir(bin, 0o777); err != nil {
			return err
		}
		if err := build(ctx, clone, bin, programs, t); err != nil {
			return err
		}
		name := fmt.Sprintf("skynet_%s_%s_%s", c.version, t.system, t.architecture)
		if err := archive(filepath.Join(folder, name+".tar.gz"), name, clone, bin, c.at); err != nil {
			return err
		}
		fmt.Fprintf(stdout, "built %s.tar.gz\n", name)
	}
	return nil
}

// head returns the commit that repository has checked out. Changes that are not
// committed are an error: they would not be in the release.
func head(ctx context.Context, repository string) (c commit, err error) {
	changed, err := output(ctx, repository, nil, "git", "status", "--porcelain", "--untracked-files=no")
	if err != nil {
		return c, err
	}
	if changed != "" {
		return c, usage("uncommitted changes would not be in the release:\n%s", changed)
	}
	shown, err := output(ctx, repository, nil, "git", "show", "--no-patch", "--format=%H %ct", "HEAD")
	if err != nil {
		return c, err
	}
	hash, at, _ := strings.Cut(shown, " ")
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return c, fmt.Errorf("git show: %q: no time", shown)
	}
	c = commit{hash: hash, at: time.Unix(seconds, 0).UTC()}
	c.version = fmt.Sprintf("v0.0.0-%s-%.12s", c.at.Format("20060102150405"), hash)
	if tag, err := output(ctx, repository, nil, "git", "describe", "--tags", "--exact-match", "--match", "v[0-9]*.[0-9]*.[0-9]*", "HEAD"); err == nil {
		c.version, c.tagged = tag, true
	}
	return c, nil
}

// programsOf returns the import paths of the programs of cmd/.
func programsOf(ctx context.Context, clone string) ([]string, error) {
	list, err := output(ctx, clone, plainGo(target{"linux", "amd64"}), "go", "list", "-f", `{{if eq .Name "main"}}{{.ImportPath}}{{end}}`, "./cmd/...")
	if err != nil {
		return nil, err
	}
	programs := strings.Fields(list)
	if len(programs) == 0 {
		return nil, errors.New("there are no programs below cmd/")
	}
	return programs, nil
}

// build builds programs for t into bin. The bytes depend on the commit, the
// version of Go and t alone: no path, no C compiler, no setting of this machine.
func build(ctx context.Context, clone, bin string, programs []string, t target) error {
	args := append([]string{"build", "-trimpath", "-buildvcs=true", "-mod=readonly", "-ldflags=-s -w -buildid=", "-o", bin + string(filepath.Separator)}, programs...)
	_, err := output(ctx, clone, plainGo(t), "go", args...)
	return err
}

// plainGo returns settings that make the go command the same everywhere.
func plainGo(t target) []string {
	return []string{
		"GOOS=" + t.system, "GOARCH=" + t.architecture, "GOAMD64=v1", "GOARM64=v8.0",
		"CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOENV=off", "GOEXPERIMENT=", "GOFIPS140=off", "GOTOOLCHAIN=local",
	}
}

// output runs a command in folder, with env beside the environment, and returns
// its standard output without blanks around it.
func output(ctx context.Context, folder string, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = folder, append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, args[0], err, bytes.TrimSpace(stderr.Bytes()))
	}
	return strings.TrimSpace(string(out)), nil
}
