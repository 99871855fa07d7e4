package recording

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

const content = "arrival_s,service_s,type,priority\n0,1,photo,0\n"

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// server serves content under /week.csv, less than it announces under
// /short.csv, and counts what it is asked.
func server(t *testing.T) (url string, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch r.URL.Path {
		case "/week.csv":
			_, _ = w.Write([]byte(content))
		case "/short.csv":
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte(content))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

// left returns the files below a folder.
func left(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestFetch(t *testing.T) {
	url, asked := server(t)
	c := &Cache{Dir: t.TempDir()}
	r := Recording{url + "/week.csv", hash(content)}
	for range 2 {
		path, err := c.Fetch(context.Background(), r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil || string(text) != content {
			t.Errorf("%q, %v", text, err)
		}
		if filepath.Base(path) != "week.csv" {
			t.Errorf("%s: its name tells its format", path)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("downloaded %d times, want once", n)
	}

	// One that was damaged in the cache is downloaded again …
	if err := os.WriteFile(c.Path(r), []byte("damaged"), 0o666); err != nil {
		t.Fatal(err)
	}
	if path, err := c.Fetch(context.Background(), r); err != nil || asked.Load() != 2 {
		t.Errorf("%s, %v, asked %d times", path, err, asked.Load())
	}
	// … unless nothing may be.
	if err := os.WriteFile(c.Path(r), []byte("damaged"), 0o666); err != nil {
		t.Fatal(err)
	}
	c.Offline = true
	var missing *MissingError
	if _, err := c.Fetch(context.Background(), r); !errors.As(err, &missing) || !strings.Contains(err.Error(), hash("damaged")) {
		t.Errorf("a damaged recording, offline: %v", err)
	}
}

func TestFetchOffline(t *testing.T) {
	url, asked := server(t)
	c := &Cache{Dir: t.TempDir(), Offline: true}
	_, err := c.Fetch(context.Background(), Recording{url + "/week.csv", hash(content)})
	var missing *MissingError
	if !errors.As(err, &missing) || asked.Load() != 0 || err.Error() != "recording "+url+"/week.csv: not in the cache, and nothing is downloaded" {
		t.Errorf("%v, asked %d times", err, asked.Load())
	}
}

// What is not what the scenario names, or not all of it, leaves nothing behind.
func TestFetchFails(t *testing.T) {
	url, _ := server(t)
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	for _, x := range []struct {
		recording Recording
		says      string
		wrong     bool // its content; otherwise it is missing
	}{
		{Recording{url + "/week.csv", hash("another")}, "its sha256 is " + hash(content) + ", the scenario names " + hash("another"), true},
		{Recording{url + "/none.csv", hash(content)}, "recording " + url + "/none.csv: the server says 404 Not Found", false},
		{Recording{url + "/short.csv", hash(content)}, "unexpected EOF", false},
		{Recording{dead.URL + "/week.csv", hash(content)}, "connection refused", false},
	} {
		c := &Cache{Dir: t.TempDir()}
		_, err := c.Fetch(context.Background(), x.recording)
		var missing *MissingError
		var wrong *HashError
		if err == nil || !strings.Contains(err.Error(), x.says) || errors.As(err, &missing) == x.wrong || errors.As(err, &wrong) != x.wrong {
			t.Errorf("%s: %v, want %s", x.recording.URL, err, x.says)
		}
		if files := left(t, c.Dir); len(files) > 0 {
			t.Errorf("%s leaves %v", x.recording.URL, files)
		}
	}

	// A cache that cannot be written is neither.
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	_, err := (&Cache{Dir: file}).Fetch(context.Background(), Recording{url + "/week.csv", hash(content)})
	var missing *MissingError
	if err == nil || errors.As(err, &missing) {
		t.Errorf("a file for a folder: %v", err)
	}
}

func TestPath(t *testing.T) {
	c := &Cache{Dir: "d"}
	for url, name := range map[string]string{
		"https://example.com/a/week.csv.gz":   "week.csv.gz",
		"https://example.com/a/week.csv?v=2":  "week.csv",
		"https://example.com/..":              "trace",
		"https://example.com/a%2f..%2fb.csv":  "b.csv",
		"https://example.com/w%20e%00k;x.csv": "w_e_k_x.csv",
		"https://example.com/":                "trace",
	} {
		if got := c.Path(Recording{url, "ab"}); got != filepath.Join("d", "ab", name) {
			t.Errorf("%s: %s, want %s", url, got, name)
		}
	}
}

func TestValid(t *testing.T) {
	for url, valid := range map[string]bool{
		"https://example.com/a.csv": true, "http://127.0.0.1:80/a": true,
		"file:///etc/passwd": false, "a.csv": false, "https://example.com": false, "https:///a.csv": false, "s3://b/k": false, "": false,
	} {
		if ValidURL(url) != valid {
			t.Errorf("%q: valid %t", url, !valid)
		}
	}
	for text, valid := range map[string]bool{hash("a"): true, strings.ToUpper(hash("a")): false, hash("a")[1:]: false, "": false, strings.Repeat("x", 64): false} {
		if ValidSHA256(text) != valid {
			t.Errorf("%q: valid %t", text, !valid)
		}
	}
}

func TestDefaultCache(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", dir)
	if c := DefaultCache(); c.Dir != filepath.Join(dir, "skynet", "recordings") {
		t.Error(c.Dir)
	}
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", dir)
	if c := DefaultCache(); c.Dir != filepath.Join(dir, ".cache", "skynet", "recordings") {
		t.Error(c.Dir)
	}
}
