package results_test

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/skynet-ec2/skynet/live/objects"
	"github.com/skynet-ec2/skynet/live/objects/s3test"
	"github.com/skynet-ec2/skynet/live/results"
)

// make writes files and describes them.
func makeFiles(t *testing.T, dir string, contents map[string]string) []results.File {
	t.Helper()
	var files []results.File
	for name, content := range contents {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := results.Describe(path, "text/plain")
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	slices.SortFunc(files, func(a, b results.File) int { return strings.Compare(a.Name, b.Name) })
	return files
}

var key = results.Key{Job: "17", Token: "4294967297"}

// exercise checks what every store promises. read returns the content of a
// result's file.
func exercise(t *testing.T, s results.Store, read func(uri, name string) (string, bool)) {
	t.Helper()
	dir := t.TempDir()
	files := makeFiles(t, dir, map[string]string{"large.jpg": strings.Repeat("0123456789", 20_000), "thumb.jpg": "small"})
	uri, err := s.Put(t.Context(), key, dir, files)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(uri, "/17/4294967297/result.json") {
		t.Errorf("it is at %s", uri)
	}
	again, err := s.Put(t.Context(), key, dir, files)
	if err != nil || again != uri {
		t.Errorf("the same again: %s, %v", again, err)
	}
	index, ok := read(uri, results.Index)
	var listed struct {
		Job   string
		Token string
		Files []results.File
	}
	if err := json.Unmarshal([]byte(index), &listed); err != nil || !ok || !slices.Equal(listed.Files, files) || listed.Job != "17" || listed.Token != "4294967297" {
		t.Errorf("index %s, %v", index, err)
	}
	if text, _ := read(uri, "thumb.jpg"); text != "small" {
		t.Errorf("thumb.jpg is %q", text)
	}

	zombie := t.TempDir()
	other := makeFiles(t, zombie, map[string]string{"large.jpg": strings.Repeat("zombie", 30_000), "thumb.jpg": "wrong"})
	if _, err := s.Put(t.Context(), key, zombie, other); !errors.Is(err, results.ErrOther) {
		t.Errorf("another result under the same key: %v", err)
	}
	if text, _ := read(uri, "thumb.jpg"); text != "small" {
		t.Errorf("thumb.jpg was overwritten with %q", text)
	}
	late := results.Key{Job: "17", Token: "4294967298"}
	if at, err := s.Put(t.Context(), late, zombie, other); err != nil || at == uri {
		t.Errorf("another attempt's result: %s, %v", at, err)
	}

	none := results.Key{Job: "18", Token: "1"}
	if _, err := s.Put(t.Context(), none, dir, nil); err != nil {
		t.Errorf("a result without files: %v", err)
	}
	for _, bad := range []results.Key{{Job: "..", Token: "1"}, {Job: "1", Token: "a/b"}, {Job: "", Token: "1"}} {
		if _, err := s.Put(t.Context(), bad, dir, files); err == nil {
			t.Errorf("key %+v was taken", bad)
		}
	}
}

func TestFolder(t *testing.T) {
	root := t.TempDir()
	f, err := results.OpenFolder(filepath.Join(root, "made", "results"))
	if err != nil {
		t.Fatal(err)
	}
	exercise(t, f, func(uri, name string) (string, bool) {
		at := filepath.Dir(strings.TrimPrefix(uri, "file://"))
		text, err := os.ReadFile(filepath.Join(at, name))
		return string(text), err == nil
	})
	if parts, _ := filepath.Glob(filepath.Join(root, "made", "results", "*", "*", ".part-*")); len(parts) != 0 {
		t.Errorf("left behind: %v", parts)
	}
	if err := os.RemoveAll(filepath.Join(root, "made", "results")); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Put(t.Context(), key, t.TempDir(), nil); err == nil {
		t.Error("a folder that is gone, a mount say, was written beneath")
	}
}

func TestBucket(t *testing.T) {
	server := s3test.New(t, "done")
	store := server.Open(t, objects.Options{PartSize: 64 << 10})
	exercise(t, results.OpenBucket(store, objects.URL{Bucket: "done", Key: "made"}), func(uri, name string) (string, bool) {
		k := strings.TrimPrefix(strings.TrimSuffix(uri, results.Index)+name, "s3://done/")
		text, ok := server.Content("done", k)
		return string(text), ok
	})
}

func TestBucketWhoseAnswersAreLost(t *testing.T) {
	server := s3test.New(t, "done")
	lost := 0
	server.DropAnswer(func(r *http.Request) bool {
		lost++
		return r.Method == http.MethodPut && lost%2 == 1
	})
	b := results.OpenBucket(server.Open(t, objects.Options{}), objects.URL{Bucket: "done"})
	dir := t.TempDir()
	files := makeFiles(t, dir, map[string]string{"a.jpg": "a", "b.jpg": "b", "c.jpg": "c"})
	if uri, err := b.Put(t.Context(), key, dir, files); err != nil {
		t.Errorf("%s, %v", uri, err)
	}
}

func TestBucketDown(t *testing.T) {
	server := s3test.New(t, "done")
	server.SetDown(true)
	b := results.OpenBucket(server.Open(t, objects.Options{}), objects.URL{Bucket: "done"})
	if _, err := b.Put(t.Context(), key, t.TempDir(), nil); err == nil || errors.Is(err, results.ErrOther) {
		t.Errorf("%v", err)
	}
}

func TestPresigned(t *testing.T) {
	var got []byte
	var kind string
	status := http.StatusOK
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, _ = io.ReadAll(r.Body)
		kind = r.Header.Get("Content-Type")
		if r.Method != http.MethodPut || r.URL.Query().Get("X-Amz-Signature") != "secret" || r.ContentLength != int64(len(got)) {
			t.Errorf("%s %s, %d bytes", r.Method, r.URL, r.ContentLength)
		}
		w.WriteHeader(status)
	}))
	defer web.Close()
	p := results.Presigned{Client: web.Client(), URL: web.URL + "/bucket/key?X-Amz-Signature=secret"}
	dir := t.TempDir()
	one := makeFiles(t, dir, map[string]string{"a.jpg": "alone"})
	uri, err := p.Put(t.Context(), key, dir, one)
	if err != nil || string(got) != "alone" || kind != "text/plain" || uri != web.URL+"/bucket/key" {
		t.Errorf("%q of type %s at %s, %v", got, kind, uri, err)
	}
	several := t.TempDir()
	two := makeFiles(t, several, map[string]string{"a.jpg": "aa", "b.jpg": "bb"})
	if _, err := p.Put(t.Context(), key, several, two); err != nil || kind != "application/x-tar" {
		t.Fatalf("type %s, %v", kind, err)
	}
	archive := tar.NewReader(bytes.NewReader(got))
	var names []string
	for {
		h, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
	}
	if !slices.Equal(names, []string{"result.json", "a.jpg", "b.jpg"}) {
		t.Errorf("the archive has %v", names)
	}
	for code, refused := range map[int]bool{403: true, 400: true, 412: false, 503: false, 429: false} {
		status = code
		_, err := p.Put(t.Context(), key, dir, one)
		if errors.Is(err, results.ErrRefused) != refused || (err == nil) != (code == 412) {
			t.Errorf("%d: %v", code, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the signature is in %q", err)
		}
	}
	web.Close()
	if _, err := p.Put(t.Context(), key, dir, one); err == nil || errors.Is(err, results.ErrRefused) || strings.Contains(err.Error(), "secret") {
		t.Errorf("a server that is gone: %v", err)
	}
	if _, err := (results.Presigned{Client: web.Client(), URL: "ftp://x"}).Put(t.Context(), key, dir, one); !errors.Is(err, results.ErrRefused) {
		t.Errorf("%v", err)
	}
}

// fill puts an entry into an outbox.
func fill(t *testing.T, o *results.Outbox, k results.Key, content string) error {
	t.Helper()
	dir, err := o.Begin(k)
	if err != nil {
		t.Fatal(err)
	}
	files := makeFiles(t, dir, map[string]string{"a.jpg": content})
	if err := os.WriteFile(filepath.Join(dir, "rest"), []byte("not of the result"), 0o600); err != nil {
		t.Fatal(err)
	}
	return o.Add(results.Entry{Key: k, Files: files, Report: json.RawMessage(`{"run_s":1}`), BootID: "b"})
}

func TestOutboxSurvives(t *testing.T) {
	dir := t.TempDir()
	o, left, err := results.OpenOutbox(dir, 1000)
	if err != nil || len(left) != 0 {
		t.Fatal(left, err)
	}
	for _, job := range []string{"1", "2", "3", "5"} {
		if err := fill(t, o, results.Key{Job: job, Token: "9"}, "content "+job); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := o.Begin(results.Key{Job: "4", Token: "9"}); err != nil { // never finished
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(o.Dir(results.Key{Job: "2", Token: "9"}), "a.jpg"), 3); err != nil { // half written
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(o.Dir(results.Key{Job: "5", Token: "9"}), "a.jpg"), make([]byte, len("content 5")), 0o600); err != nil { // as a loss of power leaves it
		t.Fatal(err)
	}
	o, left, err = results.OpenOutbox(dir, 1000)
	if err != nil || len(left) != 2 || left[0].Key.Job != "1" || left[1].Key.Job != "3" || left[1].BootID != "b" {
		t.Fatalf("%+v, %v", left, err)
	}
	if used, _ := o.Used(); used != 18 {
		t.Errorf("%d bytes used", used)
	}
	text, err := os.ReadFile(filepath.Join(o.Dir(left[1].Key), "a.jpg"))
	if err != nil || string(text) != "content 3" {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := os.Stat(filepath.Join(o.Dir(left[1].Key), "rest")); err == nil {
		t.Error("what is not of the result was kept")
	}
	for _, e := range left {
		if err := o.Drop(e.Key); err != nil {
			t.Error(err)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("%v is left", entries)
	}
}

func TestOutboxIsBounded(t *testing.T) {
	o, _, err := results.OpenOutbox(t.TempDir(), 100)
	if err != nil {
		t.Fatal(err)
	}
	a, b := results.Key{Job: "1", Token: "1"}, results.Key{Job: "2", Token: "1"}
	if err := fill(t, o, a, strings.Repeat("x", 60)); err != nil {
		t.Fatal(err)
	}
	if err := fill(t, o, b, strings.Repeat("x", 60)); !errors.Is(err, results.ErrFull) {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(o.Dir(b)); err == nil {
		t.Error("what did not fit was kept")
	}
	if err := fill(t, o, b, strings.Repeat("x", 101)); !errors.Is(err, results.ErrTooLarge) {
		t.Errorf("larger than the outbox: %v", err)
	}
	if err := o.Drop(a); err != nil {
		t.Fatal(err)
	}
	if err := fill(t, o, b, strings.Repeat("x", 60)); err != nil {
		t.Errorf("after the first has gone: %v", err)
	}
}

func TestNames(t *testing.T) {
	for _, name := range []string{"a", "large.jpg", "A-b_c.1.png"} {
		if err := results.CheckName(name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"", ".", "..", ".hidden", "a/b", `a\b`, "a..b", "result.json", "ä.jpg", strings.Repeat("x", 101)} {
		if results.CheckName(name) == nil {
			t.Errorf("%q was taken", name)
		}
	}
}
