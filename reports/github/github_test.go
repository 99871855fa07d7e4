package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// hub is a GitHub with one pull request, which numbers its comments from 100.
type hub struct {
	t        *testing.T
	comments []map[string]any
	deny     int // status of every answer; 0: none is denied
	calls    []string
}

const token = "s3cret"

func (h *hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.calls = append(h.calls, r.Method+" "+r.URL.Path)
	if r.Header.Get("Authorization") != "Bearer "+token {
		h.t.Errorf("%s without the token", r.URL)
	}
	if h.deny != 0 {
		w.WriteHeader(h.deny)
		return
	}
	var body struct{ Body string }
	if r.Method != http.MethodGet {
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			h.t.Error(err)
		}
	}
	switch path := r.URL.Path; {
	case r.Method == http.MethodGet && path == "/repos/o/r/issues/7/comments":
		var page, size int
		_, _ = fmt.Sscan(r.URL.Query().Get("page"), &page)
		_, _ = fmt.Sscan(r.URL.Query().Get("per_page"), &size)
		from := min((page-1)*size, len(h.comments))
		_ = json.NewEncoder(w).Encode(h.comments[from:min(from+size, len(h.comments))])
	case r.Method == http.MethodPost && path == "/repos/o/r/issues/7/comments":
		h.add(body.Body)
		w.WriteHeader(http.StatusCreated)
	case r.Method == http.MethodPatch && strings.HasPrefix(path, "/repos/o/r/issues/comments/"):
		for _, c := range h.comments {
			if strings.HasSuffix(path, fmt.Sprint("/", c["id"])) {
				c["body"] = body.Body
				return
			}
		}
		http.NotFound(w, r)
	default:
		h.t.Errorf("%s %s", r.Method, path)
		http.NotFound(w, r)
	}
}

func (h *hub) add(body string) {
	h.comments = append(h.comments, map[string]any{"id": 100 + len(h.comments), "body": body})
}

func newHub(t *testing.T) (*hub, *Workflow) {
	h := &hub{t: t}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return h, &Workflow{API: s.URL, Repository: "o/r", Token: token, Pull: 7}
}

const marker = "<!-- skynet check: scenarios -->"

// TestComment: the first writes, the next replace, wherever the comment stands.
func TestComment(t *testing.T) {
	h, w := newHub(t)
	for i := range 250 { // three pages
		h.add(fmt.Sprintf("comment %d quotes %s", i, marker))
	}
	for i := range 3 {
		if err := w.Comment(context.Background(), marker, fmt.Sprintf("%s\nrun %d", marker, i)); err != nil {
			t.Fatal(err)
		}
		h.add("somebody answers")
	}
	ours := 0
	for _, c := range h.comments {
		if strings.HasPrefix(c["body"].(string), marker) {
			ours++
			if c["body"] != marker+"\nrun 2" {
				t.Errorf("the comment says %q", c["body"])
			}
		}
	}
	if ours != 1 {
		t.Errorf("%d comments of ours, want one", ours)
	}
}

func TestCommentDenied(t *testing.T) {
	for status, denied := range map[int]bool{401: true, 403: true, 404: true, 500: false, 502: false} {
		h, w := newHub(t)
		h.deny = status
		err := w.Comment(context.Background(), marker, marker)
		var d *DeniedError
		if err == nil || errors.As(err, &d) != denied {
			t.Errorf("%d: %v", status, err)
		}
		if strings.Contains(err.Error(), token) {
			t.Errorf("%d: the token is in the error: %v", status, err)
		}
	}
	_, w := newHub(t)
	w.API = "http://127.0.0.1:1"
	if err := w.Comment(context.Background(), marker, marker); err == nil || !strings.HasPrefix(err.Error(), "GitHub at http://127.0.0.1:1: ") {
		t.Errorf("nobody there: %v", err)
	}
}

func TestFromEnvironment(t *testing.T) {
	event := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(event, []byte(`{"pull_request":{"number":12},"action":"opened"}`), 0o666); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(broken, []byte(`{`), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		env  map[string]string
		pull int
		why  string
		bad  bool
	}{
		{nil, 0, "this run is of no pull request", false},
		{map[string]string{"GITHUB_REF": "refs/heads/main"}, 0, "this run is of no pull request", false},
		{map[string]string{"GITHUB_REF": "refs/pull/7/merge"}, 7, "GITHUB_REPOSITORY is not set", false},
		{map[string]string{"GITHUB_REF": "refs/pull/7/merge", "GITHUB_REPOSITORY": "o/r"}, 7, "there is no GITHUB_TOKEN", false},
		{map[string]string{"GITHUB_REF": "refs/pull/7/merge", "GITHUB_REPOSITORY": "o/r", "GITHUB_TOKEN": "t"}, 7, "", false},
		{map[string]string{"GITHUB_EVENT_PATH": event, "GITHUB_REPOSITORY": "o/r", "GITHUB_TOKEN": "t"}, 12, "", false},
		{map[string]string{"GITHUB_EVENT_PATH": broken}, 0, "this run is of no pull request", true},
		{map[string]string{"GITHUB_EVENT_PATH": event + ".none"}, 0, "this run is of no pull request", true},
	} {
		w, err := FromEnvironment(func(name string) string { return x.env[name] })
		if w.Pull != x.pull || w.WhyNoComment() != x.why || (err != nil) != x.bad || w.API != "https://api.github.com" {
			t.Errorf("%v: %+v, %q, %v", x.env, w, w.WhyNoComment(), err)
		}
	}
}

func TestPlace(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	w := &Workflow{Workspace: here}
	for file, want := range map[string]string{
		"scenarios/a.toml":                      "scenarios/a.toml",
		filepath.Join(here, "b.toml"):           "b.toml",
		filepath.Join("x", "..", "scenarios/c"): "scenarios/c",
		"../elsewhere.toml":                     "../elsewhere.toml",
	} {
		if got := w.Place(file); got != want {
			t.Errorf("%s: %s, want %s", file, got, want)
		}
	}
	if got := (&Workflow{}).Place("a.toml"); got != "a.toml" {
		t.Error(got)
	}
}

func TestAppendSummary(t *testing.T) {
	w := &Workflow{Summary: filepath.Join(t.TempDir(), "summary.md")}
	for _, text := range []string{"one\n", "two\n"} {
		if err := w.AppendSummary(text); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := os.ReadFile(w.Summary); string(text) != "one\ntwo\n" {
		t.Errorf("%q, %v", text, err)
	}
	w.Summary = filepath.Join(w.Summary, "below-a-file")
	if err := w.AppendSummary("x"); err == nil {
		t.Error("written below a file")
	}
}
