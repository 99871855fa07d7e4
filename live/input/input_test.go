package input

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/objects"
	"github.com/skynet-ec2/skynet/live/objects/s3test"
)

// get fetches and returns what came.
func get(t *testing.T, f *Fetcher, uri string) (string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "in")
	size, err := f.Fetch(t.Context(), uri, path)
	text, readErr := os.ReadFile(path)
	if err != nil {
		if readErr == nil {
			t.Errorf("%s: a file is left after %v", uri, err)
		}
		return "", err
	}
	if readErr != nil || int64(len(text)) != size {
		t.Errorf("%s: %d bytes, said %d, %v", uri, len(text), size, readErr)
	}
	return string(text), nil
}

func TestFile(t *testing.T) {
	root, outside := t.TempDir(), t.TempDir()
	write := func(path string) string {
		if err := os.WriteFile(path, []byte("photo"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	inside := write(filepath.Join(root, "a b.jpg"))
	secret := write(filepath.Join(outside, "secret"))
	for name, target := range map[string]string{"out": secret, "up": "../" + filepath.Base(outside) + "/secret", "in": "a b.jpg"} {
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(root, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := &Fetcher{Folders: []string{filepath.Join(root, "none"), root}, Size: 10}
	for _, path := range []string{inside, filepath.Join(root, "in")} {
		if text, err := get(t, f, "file://"+strings.ReplaceAll(path, " ", "%20")); err != nil || text != "photo" {
			t.Errorf("%s: %q, %v", path, text, err)
		}
	}
	for _, uri := range []string{
		"file://" + secret, "file://" + root + "/../" + filepath.Base(outside) + "/secret", "file://" + root + "/out", "file://" + root + "/up",
		"file://" + root + "/none", "file://" + root + "/pipe", "file://" + root, "file:relative", "file://elsewhere" + inside, "file:///etc/passwd",
	} {
		if _, err := get(t, f, uri); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", uri, err)
		}
	}
	if _, err := get(t, &Fetcher{}, "file://"+inside); !errors.Is(err, ErrRefused) {
		t.Errorf("without folders: %v", err)
	}
	f.Size = 4
	if _, err := get(t, f, "file://"+filepath.Join(root, "in")); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "more than 4 bytes") {
		t.Errorf("too large: %v", err)
	}
}

func TestHTTP(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/photo":
			fmt.Fprint(w, "photo "+r.URL.Query().Get("sig"))
		case "/large":
			w.Write(bytes.Repeat([]byte("x"), 5000))
		case "/endless":
			for range 100 {
				w.Write(bytes.Repeat([]byte("x"), 1000))
				w.(http.Flusher).Flush()
			}
		case "/metadata":
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		case "/cut":
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "short")
		case "/busy":
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			http.NotFound(w, r)
		}
	}))
	defer web.Close()
	f := &Fetcher{Private: true, Size: 4000}
	if text, err := get(t, f, web.URL+"/photo?sig=secret"); err != nil || text != "photo secret" {
		t.Errorf("%q, %v", text, err)
	}
	for path, refused := range map[string]bool{"/large": true, "/endless": true, "/metadata": true, "/none?sig=secret": true, "/busy?sig=secret": false, "/cut": false, "/round": false} {
		_, err := get(t, f, web.URL+path)
		if err == nil || errors.Is(err, ErrRefused) != refused || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := get(t, &Fetcher{}, web.URL+"/photo"); !errors.Is(err, ErrRefused) {
		t.Errorf("a public-only fetcher reached loopback: %v", err)
	}
	for _, uri := range []string{"", "ftp://x/y", "photo.jpg", "http://[::1", "javascript:alert(1)", "https://" + strings.Repeat("x", 9000), "data:,x"} {
		if _, err := get(t, f, uri); !errors.Is(err, ErrRefused) {
			t.Errorf("%q: %v", uri, err)
		}
	}
}

// An input that stops coming is given up, and may be tried again; one that comes
// slowly is not.
func TestStall(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for range 8 {
			w.Write([]byte("x"))
			w.(http.Flusher).Flush()
			time.Sleep(250 * time.Millisecond)
		}
		if r.URL.Path == "/stalls" {
			<-ended
		}
	}))
	defer web.Close()
	defer close(ended)
	f := &Fetcher{Private: true, stall: 1500 * time.Millisecond}
	if text, err := get(t, f, web.URL+"/slow"); err != nil || len(text) != 8 {
		t.Errorf("%q, %v", text, err)
	}
	_, err := get(t, f, web.URL+"/stalls?sig=secret")
	if err == nil || errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "nothing came for 1.5s") || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
}

func TestMayReach(t *testing.T) {
	for address, want := range map[string][2]bool{ // without and with private networks
		"169.254.169.254":        {false, false},
		"::ffff:169.254.169.254": {false, false},
		"fd00:ec2::254":          {false, false},
		"fe80::1":                {false, false},
		"0.0.0.0":                {false, false},
		"224.0.0.1":              {false, false},
		"127.0.0.1":              {false, true},
		"::1":                    {false, true},
		"10.1.2.3":               {false, true},
		"192.168.0.1":            {false, true},
		"52.216.1.1":             {true, true},
		"2600:1f18::1":           {true, true},
	} {
		a := netip.MustParseAddr(address)
		if got := [2]bool{mayReach(a, false), mayReach(a, true)}; got != want {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
}

func TestS3(t *testing.T) {
	server := s3test.New(t, "photos")
	server.Write(t, "photos", "2026/a b.jpg", []byte("photo"))
	f := &Fetcher{S3: server.Open(t, objects.Options{Region: "us-east-1"}), Size: 4000, AnyRegion: true}
	if text, err := get(t, f, "s3://photos/2026/a b.jpg"); err != nil || text != "photo" {
		t.Errorf("%q, %v", text, err)
	}
	for _, uri := range []string{"s3://photos/none", "s3://photos", "s3://none/key", "s3://A/key"} {
		if _, err := get(t, f, uri); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", uri, err)
		}
	}
	server.Write(t, "photos", "large", bytes.Repeat([]byte("x"), 5000))
	if _, err := get(t, f, "s3://photos/large"); !errors.Is(err, ErrRefused) {
		t.Errorf("too large: %v", err)
	}
	server.SetDown(true)
	if _, err := get(t, f, "s3://photos/large"); err == nil || errors.Is(err, ErrRefused) {
		t.Errorf("S3 is down: %v", err)
	}
	if _, err := get(t, &Fetcher{}, "s3://photos/large"); !errors.Is(err, ErrRefused) {
		t.Errorf("without S3: %v", err)
	}
}

func TestS3OfAnotherRegion(t *testing.T) {
	server := s3test.New(t, "photos")
	server.Write(t, "photos", "k", []byte("photo"))
	here, err := server.Open(t, objects.Options{}).BucketRegion(t.Context(), "photos")
	if err != nil {
		t.Fatal(err)
	}
	f := &Fetcher{S3: server.Open(t, objects.Options{Region: here})}
	if _, err := get(t, f, "s3://photos/k"); err != nil {
		t.Errorf("the same region: %v", err)
	}
	f = &Fetcher{S3: server.Open(t, objects.Options{Region: "ap-south-1"})}
	if _, err := get(t, f, "s3://photos/k"); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "between regions") {
		t.Errorf("another region: %v", err)
	}
	f.AnyRegion = true
	if _, err := get(t, f, "s3://photos/k"); err != nil {
		t.Errorf("another region, allowed: %v", err)
	}
}
