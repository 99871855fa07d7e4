package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aead.dev/minisign"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/bundle"
	"github.com/skynet-ec2/skynet/live/objects/s3test"
	"github.com/skynet-ec2/skynet/live/photo/sample"
	"github.com/skynet-ec2/skynet/live/results"
)

// TestPhotosInS3 has photos and results in S3, which is down for a while.
func TestPhotosInS3(t *testing.T) {
	server := s3test.Start(t, "photos", "done")
	server.Write(t, "photos", "2026/a.jpg", sample.JPEG(sample.Options{Width: 300, Height: 200, Orientation: 3}))
	l := newLaptop(t)
	w := l.workerWith(server.Env(), "--results", "s3://done/made", "--any-region", "--any-program")
	resize := job("resize", map[string]any{"input": "s3://photos/2026/a.jpg"})
	counted := l.counted("once", 0)

	ids := l.submit(resize)
	l.inS3(server, ids[0], 4)
	server.SetDown(true)
	ids = append(ids, l.submit(counted)...)
	w.waitFor("the store takes no result")
	server.SetDown(false)
	l.inS3(server, ids[1], 1)
	if n := l.ran()["once"]; n != 1 {
		t.Errorf("the job whose result waited ran %d times", n)
	}
	if err := w.stop(); err != nil {
		t.Error(err)
	}
}

// TestResultsAtSignedAddresses has a queue that may write to S3 and a worker that has
// no credentials of AWS at all: it is told where to put each result.
func TestResultsAtSignedAddresses(t *testing.T) {
	server := s3test.Start(t, "done")
	l := newLaptopWith(t, server.Env(), "--sign-results", "s3://done/made")
	w := l.worker("--any-program")
	id := l.submit(l.counted("once", 0))[0]
	j, err := l.calls.WaitJob(t.Context(), id)
	if err != nil || j.State != api.StateDone {
		t.Fatalf("%s: %s, %v", j.State, j.Error, err)
	}
	_, key, ok := strings.Cut(j.ResultURI, "/done/")
	content, there := server.Content("done", key)
	if !ok || !strings.HasPrefix(key, fmt.Sprintf("made/%d/", id)) || !there || len(content) == 0 {
		t.Errorf("the result of job %d is at %s: %d bytes there", id, j.ResultURI, len(content))
	}
	if strings.Contains(j.ResultURI, "Signature") {
		t.Errorf("the signature is shown to whoever looks at the job: %s", j.ResultURI)
	}
	if err := w.stop(); err != nil {
		t.Error(err)
	}
}

// inS3 waits until a job is done and checks that its result is in S3.
func (l *laptop) inS3(server *s3test.Server, id int64, files int) {
	l.t.Helper()
	j, err := l.calls.WaitJob(l.t.Context(), id)
	if err != nil || j.State != api.StateDone {
		l.t.Fatalf("job %d is %s: %s, %v", id, j.State, j.Error, err)
	}
	key, ok := strings.CutPrefix(j.ResultURI, "s3://done/")
	index, there := server.Content("done", key)
	var result struct{ Files []results.File }
	if err := json.Unmarshal(index, &result); err != nil || !ok || !there || len(result.Files) != files {
		l.t.Fatalf("job %d: result %s of %d files: %v", id, j.ResultURI, len(result.Files), err)
	}
	for _, f := range result.Files {
		content, there := server.Content("done", strings.TrimSuffix(key, results.Index)+f.Name)
		if !there || int64(len(content)) != f.Size {
			l.t.Errorf("job %d: %s has %d bytes, listed %d", id, f.Name, len(content), f.Size)
		}
	}
}

// TestReleasesInS3 releases through the AWS CLI what workers read through the SDK.
func TestReleasesInS3(t *testing.T) {
	if _, err := exec.LookPath("aws"); err != nil {
		t.Skip("the AWS CLI is not installed: a store in S3 is written through it")
	}
	server := s3test.New(t, "acme")
	written, err := bundle.ParseAWSCLI("s3://acme/releases")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("aws", "--version").CombinedOutput(); err != nil {
		t.Skipf("the AWS CLI does not run: %s", out)
	}
	public, private, err := minisign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	source := t.TempDir()
	if err := os.WriteFile(filepath.Join(source, "w"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	r := bundle.Release{Number: 3, Version: "v3", Run: []string{"w"}, Folders: map[string]string{"any": source}}
	if _, err := bundle.Publish(t.Context(), written, r, private, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := written.Put(t.Context(), bundle.ManifestName(3), filepath.Join(source, "w"), false); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a manifest over another: %v", err)
	}
	store, look, err := openReleases(t.Context(), "s3://acme/releases", "us-east-1")
	if err != nil || look != lookS3 {
		t.Fatal(look, err)
	}
	if _, err := store.Get(t.Context(), "channels/none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing there: %v", err)
	}
	p := bundle.Place{Dir: t.TempDir(), Store: store, Keys: []minisign.PublicKey{public}}
	var record bundle.Record
	if _, err := p.Install(t.Context(), &record, 3, time.Now()); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(p.Folder(3), "w"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if text, err := io.ReadAll(f); err != nil || string(text) != "#!/bin/sh\n" {
		t.Errorf("%q, %v", text, err)
	}
	if _, there := server.Content("acme", "releases/releases/3/manifest"); !there {
		t.Error("the manifest is not where it should be")
	}
}
