// Package github talks to the GitHub that runs a workflow: where the job's
// summary goes, and a comment on its pull request that is written once and
// replaced from then on. It knows the few calls that this takes, and nothing of
// what is said.
package github

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Workflow is what the runner tells a step in its environment.
type Workflow struct {
	API        string // without a slash at the end
	Repository string // owner/name
	Token      string
	Pull       int    // number of the pull request; 0: the run is of none
	Summary    string // file that the job's summary is appended to
	Workspace  string // folder of the repository
}

// FromEnvironment reads what the runner tells, by getenv. A workflow that is of
// no pull request, or has no token, is no error.
func FromEnvironment(getenv func(string) string) (*Workflow, error) {
	w := &Workflow{
		API: strings.TrimRight(getenv("GITHUB_API_URL"), "/"), Repository: getenv("GITHUB_REPOSITORY"),
		Token: getenv("GITHUB_TOKEN"), Summary: getenv("GITHUB_STEP_SUMMARY"), Workspace: getenv("GITHUB_WORKSPACE"),
	}
	if w.API == "" {
		w.API = "https://api.github.com"
	}
	var err error
	w.Pull, err = pullOf(getenv)
	return w, err
}

// pullOf returns the number of the pull request, from the ref or the event.
func pullOf(getenv func(string) string) (int, error) {
	if rest, ok := strings.CutPrefix(getenv("GITHUB_REF"), "refs/pull/"); ok {
		number, _, _ := strings.Cut(rest, "/")
		if n, err := strconv.Atoi(number); err == nil && n > 0 {
			return n, nil
		}
	}
	path := getenv("GITHUB_EVENT_PATH")
	if path == "" {
		return 0, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("GITHUB_EVENT_PATH: %w", err)
	}
	var event struct {
		PullRequest struct {
			Number int `json:"number"`
		} `json:"pull_request"`
	}
	if err := json.Unmarshal(text, &event); err != nil {
		return 0, fmt.Errorf("GITHUB_EVENT_PATH: %s: %w", path, err)
	}
	return event.PullRequest.Number, nil
}

// WhyNoComment says why no comment can be written, "" if one can be tried.
func (w *Workflow) WhyNoComment() string {
	switch {
	case w.Pull == 0:
		return "this run is of no pull request"
	case w.Repository == "":
		return "GITHUB_REPOSITORY is not set"
	case w.Token == "":
		return "there is no GITHUB_TOKEN"
	}
	return ""
}

// Place returns the path of a file from the root of the repository, as GitHub
// shows it; a file elsewhere keeps its path.
func (w *Workflow) Place(file string) string {
	if w.Workspace == "" {
		return filepath.ToSlash(file)
	}
	full, err := filepath.Abs(file)
	if err != nil {
		return file
	}
	inside, err := filepath.Rel(w.Workspace, full)
	if err != nil || strings.HasPrefix(inside, "..") {
		return filepath.ToSlash(file)
	}
	return filepath.ToSlash(inside)
}

// AppendSummary adds text to the job's summary.
func (w *Workflow) AppendSummary(text string) error {
	f, err := os.OpenFile(w.Summary, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, text)
	return errors.Join(err, f.Close())
}

// DeniedError says that the token may not do what was asked, as that of a pull
// request from a fork may not.
type DeniedError struct{ Status string }

func (e *DeniedError) Error() string {
	return "GitHub says " + e.Status + ": the token may not write comments"
}

// patience bounds a call to GitHub.
const patience = 30 * time.Second

// pagesMax bounds how many pages of comments are looked through: ten thousand.
const pagesMax = 100

// Comment writes text as a comment on the pull request or, where there is one
// that begins with marker, in its place. The error is a DeniedError where the
// token does not allow it.
func (w *Workflow) Comment(ctx context.Context, marker, text string) error {
	ctx, stop := context.WithTimeout(ctx, 4*patience)
	defer stop()
	id, err := w.find(ctx, marker)
	if err != nil {
		return err
	}
	body := map[string]string{"body": text}
	if id != 0 {
		return w.call(ctx, http.MethodPatch, fmt.Sprintf("/issues/comments/%d", id), body, nil)
	}
	return w.call(ctx, http.MethodPost, fmt.Sprintf("/issues/%d/comments", w.Pull), body, nil)
}

// find returns the comment that begins with marker, 0 if there is none.
func (w *Workflow) find(ctx context.Context, marker string) (int64, error) {
	const pageSize = 100
	for page := 1; page <= pagesMax; page++ {
		var list []struct {
			ID   int64  `json:"id"`
			Body string `json:"body"`
		}
		path := fmt.Sprintf("/issues/%d/comments?per_page=%d&page=%d", w.Pull, pageSize, page)
		if err := w.call(ctx, http.MethodGet, path, nil, &list); err != nil {
			return 0, err
		}
		for _, c := range list {
			if strings.HasPrefix(c.Body, marker) {
				return c.ID, nil
			}
		}
		if len(list) < pageSize {
			break
		}
	}
	return 0, nil
}

// call asks GitHub for something of the repository. What it answers goes into
// answer, unless that is nil.
func (w *Workflow) call(ctx context.Context, method, path string, body, answer any) error {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, w.API+"/repos/"+w.Repository+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "application/vnd.github+json")
	r.Header.Set("Authorization", "Bearer "+w.Token)
	r.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	r.Header.Set("User-Agent", "skynet-check")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return fmt.Errorf("GitHub at %s: %w", w.API, err)
	}
	defer got.Body.Close()
	const most = 16 << 20
	reply, err := io.ReadAll(io.LimitReader(got.Body, most))
	switch {
	case got.StatusCode == http.StatusUnauthorized || got.StatusCode == http.StatusForbidden || got.StatusCode == http.StatusNotFound:
		return &DeniedError{got.Status}
	case got.StatusCode >= 300:
		return fmt.Errorf("GitHub at %s: %s %s: %s", w.API, method, path, got.Status)
	case err != nil:
		return fmt.Errorf("GitHub at %s: %w", w.API, err)
	case answer == nil:
		return nil
	}
	if err := json.Unmarshal(reply, answer); err != nil {
		return fmt.Errorf("GitHub at %s: %s %s: not an answer: %w", w.API, method, path, err)
	}
	return nil
}
