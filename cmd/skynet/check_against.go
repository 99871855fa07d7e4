package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/scenarios/gate"
	"github.com/skynet-ec2/skynet/sim"
)

// earlier is another commit, in a folder of its own for as long as the check
// takes.
type earlier struct {
	ref, commit string
	here, there string // the repository's top folder, and the other commit's
	dir         string // temporary, holds there
	program     string // that runs the other commit's scenarios
}

func (e *earlier) String() string {
	return fmt.Sprintf("%s (%s)", e.ref, e.commit[:min(12, len(e.commit))])
}

// checkOut puts a commit of the scenarios' repository into a temporary git
// worktree. Where the repository is skynet's own, its program is built there;
// otherwise this very program runs what it has.
func (a *app) checkOut(ref string, list []*scenarios.Scenario) (*earlier, error) {
	if len(list) == 0 {
		return &earlier{ref: ref, commit: "nothing to compare"}, nil
	}
	top, err := a.git(filepath.Dir(list[0].Path), "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, inputError(fmt.Errorf("--against %s: %w", ref, err))
	}
	e := &earlier{ref: ref, here: top}
	if e.commit, err = a.git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+"^{commit}"); err != nil {
		return nil, inputError(fmt.Errorf("--against %s: no such commit in %s", ref, top))
	}
	if e.dir, err = os.MkdirTemp("", "skynet-check-"); err != nil {
		return nil, err
	}
	e.there = filepath.Join(e.dir, "tree")
	if _, err = a.git(top, "worktree", "add", "--detach", e.there, e.commit); err == nil {
		err = a.program(e)
	}
	if err != nil {
		e.remove()
		return nil, err
	}
	return e, nil
}

// program builds the commit's own program, or takes this one.
func (a *app) program(e *earlier) error {
	module, err := os.ReadFile(filepath.Join(e.there, "go.mod"))
	first, _, _ := strings.Cut(string(module), "\n")
	main := filepath.Join("cmd", "skynet")
	_, missing := os.Stat(filepath.Join(e.there, main))
	if err != nil || strings.TrimSpace(first) != "module github.com/skynet-ec2/skynet" || missing != nil {
		e.program, err = os.Executable()
		return err
	}
	e.program = filepath.Join(e.dir, "skynet")
	a.log.Info("building the program to compare with", "commit", e.String())
	build := exec.CommandContext(a.ctx, "go", "build", "-buildvcs=false", "-o", e.program, "./"+filepath.ToSlash(main))
	build.Dir = e.there
	if out, err := build.CombinedOutput(); err != nil {
		return outsideError(fmt.Errorf("--against %s: go build: %w\n%s", e.ref, err, bytes.TrimSpace(out)))
	}
	return nil
}

// remove takes the worktree away again, also after an interrupt.
func (e *earlier) remove() {
	if e.dir == "" {
		return
	}
	_ = os.RemoveAll(e.dir)
	prune := exec.Command("git", "worktree", "prune") // forgets worktrees whose folders are gone
	prune.Dir = e.here
	_ = prune.Run()
}

// git runs git in a folder and returns the first line of what it says.
func (a *app) git(dir string, args ...string) (string, error) {
	c := exec.CommandContext(a.ctx, "git", args...)
	c.Dir = dir
	var out, problem bytes.Buffer
	c.Stdout, c.Stderr = &out, &problem
	if err := c.Run(); err != nil {
		if text := strings.TrimSpace(problem.String()); text != "" {
			return "", fmt.Errorf("git %s: %s", args[0], text)
		}
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return strings.TrimSpace(out.String()), nil
}

// figures returns what the scenario came to in the other commit, under the
// policy that it had there, or why it cannot be compared.
func (e *earlier) figures(ctx context.Context, s *scenarios.Scenario, seeds []uint64, m *gate.Measure) (b *gate.Baseline, why string, err error) {
	file, why := e.file(s)
	if why != "" {
		return nil, why, nil
	}
	then, err := scenarios.Load(file)
	if err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		return nil, fmt.Sprintf("not compared: at %s it cannot be read: %s", e, strings.TrimPrefix(first, e.there+string(filepath.Separator))), nil
	}
	traceThen, errThen := then.TraceHash()
	traceNow, errNow := s.TraceHash()
	switch {
	case errThen != nil:
		return nil, fmt.Sprintf("not compared: at %s its trace is not there", e), nil
	case errNow != nil:
		return nil, "", errNow
	case then.WorldHash() != s.WorldHash() || traceThen != traceNow:
		return nil, fmt.Sprintf("not compared: its world, its classes or its trace are others than at %s", e), nil
	}
	runs := make([]*sim.Figures, len(seeds))
	err = sim.Each(ctx, m.Parallel, len(seeds), func(ctx context.Context, i int) (err error) {
		runs[i], err = e.simulate(ctx, file, seeds[i], m)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	return gate.Of(s, runs[0].Policy, seeds, runs), "", nil
}

// file returns where the scenario stands in the other commit.
func (e *earlier) file(s *scenarios.Scenario) (path, why string) {
	full, err := filepath.Abs(s.Path)
	if err == nil {
		full, err = filepath.EvalSymlinks(full)
	}
	if err != nil {
		return "", err.Error()
	}
	inside, err := filepath.Rel(e.here, full)
	if err != nil || strings.HasPrefix(inside, "..") {
		return "", "not compared: it is not in the repository " + e.here
	}
	path = filepath.Join(e.there, inside)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Sprintf("not compared: there is none at %s", e)
	}
	return path, ""
}

// simulate runs the other commit's program, which may know less than this one.
func (e *earlier) simulate(ctx context.Context, file string, seed uint64, m *gate.Measure) (*sim.Figures, error) {
	ctx, stop := context.WithTimeoutCause(ctx, m.Timeout, &gate.TimeoutError{Scenario: file, Seed: seed, After: m.Timeout})
	defer stop()
	c := exec.CommandContext(ctx, e.program, "simulate", file, "--seed", fmt.Sprint(seed), "--json", "-", "--quiet")
	c.Dir = e.there
	var out, problem bytes.Buffer
	c.Stdout, c.Stderr = &out, &problem
	err := c.Run()
	var ended *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.As(err, &ended) && ended.ExitCode() == cli.ExitBroken:
		// a promise that was broken then
	case err != nil:
		return nil, outsideError(fmt.Errorf("--against %s: simulate %s, seed %d: %w\n%s", e.ref, filepath.Base(file), seed, err, bytes.TrimSpace(problem.Bytes())))
	}
	var f sim.Figures
	if err := json.Unmarshal(out.Bytes(), &f); err != nil {
		return nil, outsideError(fmt.Errorf("--against %s: simulate %s, seed %d: not figures: %w", e.ref, filepath.Base(file), seed, err))
	}
	if m.Done != nil {
		m.Done()
	}
	return &f, nil
}
