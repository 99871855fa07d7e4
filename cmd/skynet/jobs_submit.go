package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/client"

	"github.com/spf13/cobra"
)

// submission holds the flags of skynet jobs submit.
type submission struct {
	*app
	types       []string
	args        []string
	priority    int
	tenant      string
	name        string
	estimate    time.Duration
	maxRun      time.Duration
	attemptsMax int
	once, wait  bool
}

func newJobsSubmitCommand(a *app) *cobra.Command {
	s := &submission{app: a}
	c := &cobra.Command{
		Use:   "submit FILE|FOLDER|URI...",
		Short: "submit files as jobs",
		Long: `Submit a job for every file, and for every file in a folder and the folders
below it, as one group. Hidden files are left out. A URI, such as
s3://bucket/key, is passed on as it is.

A job's type follows from the file's extension (images: resize), or --type says
it; with several types every file becomes a job of each. Its args are
{"input": URI, "name": FILE} and what --arg adds, for all types or for one.` + remoteHelp,
		Example: `  skynet jobs submit photos/ --wait
  skynet jobs submit photos/ --type resize,watermark --arg watermark.text="© Ada" --priority 1
  skynet jobs submit s3://originals/2026/a.jpg --type rotate --arg degrees=90`,
		Args: atLeastOne("FILE"),
	}
	c.RunE = a.asking(s.run)
	f := c.Flags()
	f.StringSliceVar(&s.types, "type", nil, "job `types`; default: by the file's extension")
	f.StringArrayVar(&s.args, "arg", nil, "add to the args, `[TYPE.]KEY=VALUE`; a value that is JSON is taken as such")
	f.IntVar(&s.priority, "priority", 0, "0 (first) to 255")
	f.StringVar(&s.tenant, "tenant", "", "submit for this `tenant`")
	f.StringVar(&s.name, "name", "", "`name` of the group; default: that of the first folder or file")
	f.DurationVar(&s.estimate, "estimate", 0, "the `time` that a job is expected to take on the reference core")
	f.DurationVar(&s.maxRun, "max-run", 0, "the `time` that an attempt may take; 0: any")
	f.IntVar(&s.attemptsMax, "attempts", 0, "failures that end a job; 0: as the queue has it")
	f.BoolVar(&s.once, "once", false, "do not submit again what was submitted with --once before and has not changed since")
	f.BoolVar(&s.wait, "wait", false, "wait until all jobs have ended; exit code 1 if one failed")
	return c
}

// imageType is the job type of images.
const imageType = "resize"

var typeByExtension = map[string]string{".jpg": imageType, ".jpeg": imageType, ".png": imageType}

func (s *submission) run(q *client.Client, paths []string) error {
	switch {
	case s.priority < 0 || s.priority > api.PriorityMax:
		return usageError(fmt.Errorf("--priority %d: must be from 0 to %d", s.priority, api.PriorityMax))
	case s.estimate < 0 || s.maxRun < 0:
		return usageError(errors.New("--estimate and --max-run must not be negative"))
	case s.attemptsMax < 0:
		return usageError(fmt.Errorf("--attempts %d: must not be negative", s.attemptsMax))
	}
	args, err := parseArgs(s.args, s.types)
	if err != nil {
		return usageError(err)
	}
	jobs, skipped, err := s.jobs(paths, args)
	if err != nil {
		return err
	}
	if skipped > 0 {
		s.log.Warn("files left out: their extension says no job type; give --type", "files", skipped)
	}
	if len(jobs) == 0 {
		return inputError(errors.New("there is nothing to submit"))
	}
	if s.name == "" {
		s.name = filepath.Base(paths[0])
	}
	return s.submit(q, jobs)
}

// parseArgs reads --arg flags: by type ("" is every one), then by key.
func parseArgs(flags, types []string) (map[string]map[string]any, error) {
	args := map[string]map[string]any{}
	for _, flag := range flags {
		key, text, ok := strings.Cut(flag, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("--arg %q: must be [TYPE.]KEY=VALUE", flag)
		}
		kind, rest, ok := strings.Cut(key, ".")
		if ok && (slices.Contains(types, kind) || len(types) == 0 && kind == imageType) {
			key = rest
		} else {
			kind = ""
		}
		var value any
		if json.Unmarshal([]byte(text), &value) != nil {
			value = text
		}
		if args[kind] == nil {
			args[kind] = map[string]any{}
		}
		args[kind][key] = value
	}
	return args, nil
}

// jobs returns the jobs of all files, and how many files have no type.
func (s *submission) jobs(paths []string, args map[string]map[string]any) (jobs []api.JobSpec, skipped int, err error) {
	add := func(uri, name string, info fs.FileInfo) error {
		types := s.types
		if len(types) == 0 {
			t, ok := typeByExtension[strings.ToLower(filepath.Ext(name))]
			if !ok {
				skipped++
				return nil
			}
			types = []string{t}
		}
		for _, t := range types {
			job, err := s.job(t, uri, name, info, args)
			if err != nil {
				return err
			}
			jobs = append(jobs, job)
		}
		return nil
	}
	for _, path := range paths {
		if u, err := url.Parse(path); err == nil && len(u.Scheme) > 1 && strings.Contains(path, "://") {
			if err := add(path, filepath.Base(u.Path), nil); err != nil {
				return nil, 0, err
			}
			continue
		}
		if err := s.walk(path, add); err != nil {
			return nil, 0, err
		}
	}
	return jobs, skipped, nil
}

// walk calls add for the files at and below path.
func (s *submission) walk(path string, add func(uri, name string, info fs.FileInfo) error) error {
	root, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	return filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		hidden := file != root && strings.HasPrefix(filepath.Base(file), ".")
		switch {
		case err != nil:
			return err
		case s.ctx.Err() != nil:
			return s.ctx.Err()
		case hidden && entry.IsDir():
			return filepath.SkipDir
		case hidden || entry.IsDir():
			return nil
		}
		info, err := os.Stat(file) // what a link leads to counts
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		return add((&url.URL{Scheme: "file", Path: filepath.ToSlash(file)}).String(), entry.Name(), info)
	})
}

func (s *submission) job(kind, uri, name string, info fs.FileInfo, args map[string]map[string]any) (api.JobSpec, error) {
	all := map[string]any{"input": uri, "name": name}
	for _, of := range []string{"", kind} {
		for key, value := range args[of] {
			all[key] = value
		}
	}
	text, err := json.Marshal(all) // in the order of its keys
	job := api.JobSpec{
		Type: kind, Priority: s.priority, Tenant: s.tenant, Args: text, EstimateS: s.estimate.Seconds(),
		MaxRunMS: s.maxRun.Milliseconds(), AttemptsMax: s.attemptsMax,
	}
	version := ""
	if info != nil {
		job.BytesIn = info.Size()
		version = fmt.Sprintf("%d %d", info.Size(), info.ModTime().UnixNano())
	}
	if s.once {
		job.Key = onceKey(kind, string(text), version)
	}
	return job, err
}

// submitAtOnce is how many jobs go in one batch, so that progress shows.
const submitAtOnce = 500

func (s *submission) submit(q *client.Client, jobs []api.JobSpec) error {
	r := api.GroupRequest{Name: s.name, Tenant: s.tenant, Size: int64(len(jobs))}
	if s.once {
		r.Size = 0 // those that are there already will not join
	}
	group, err := q.NewGroup(s.ctx, r)
	if err != nil {
		return err
	}
	progress := s.newProgress("submit", int64(len(jobs)))
	defer progress.End()
	sent, there := 0, 0
	for batch := range slices.Chunk(jobs, submitAtOnce) {
		for i := range batch {
			batch[i].Group = group.ID
		}
		added, err := q.SubmitAll(s.ctx, batch)
		if err != nil {
			return fmt.Errorf("group %s, after %d of %d jobs: %w", group.ID, sent, len(jobs), err)
		}
		for _, j := range added {
			if !j.Added {
				there++
			}
		}
		sent += len(batch)
		progress.Set(int64(sent))
	}
	progress.End()
	if !s.quiet {
		fmt.Fprintf(s.stdout, "submitted %d jobs as group %s", len(jobs)-there, group.ID)
		if there > 0 {
			fmt.Fprintf(s.stdout, "; %d were there already", there)
		}
		fmt.Fprintln(s.stdout)
	}
	if !s.wait || there == len(jobs) {
		return nil
	}
	return s.await(q, group.ID)
}

// await shows how far a group is until all its jobs have ended.
func (s *submission) await(q *client.Client, id string) error {
	var progress *Progress
	defer func() { progress.End() }()
	began, hinted := time.Now(), s.quiet
	for {
		g, err := q.Group(s.ctx, id)
		if err != nil {
			if s.ctx.Err() != nil {
				fmt.Fprintf(s.stderr, "the jobs go on; skynet jobs list --group %s shows them\n", id)
			}
			return err
		}
		if progress == nil {
			progress = s.newProgress("group "+id, g.Jobs)
		}
		progress.Set(g.Done + g.Failed + g.Cancelled)
		if g.Ended {
			progress.End()
			return s.judge(g)
		}
		if !hinted && time.Since(began) > idleHint && g.Done+g.Failed+g.Cancelled == 0 {
			hinted = true
			s.hintIdle(q, id)
		}
		if err := sleep(s.ctx, awaitEvery); err != nil {
			fmt.Fprintf(s.stderr, "the jobs go on; skynet jobs list --group %s shows them\n", id)
			return err
		}
	}
}

const (
	awaitEvery = 500 * time.Millisecond
	idleHint   = 5 * time.Second
)

// hintIdle says so where none of a group's jobs has begun: most likely there is
// no worker, or none that does jobs of their type.
func (s *submission) hintIdle(q *client.Client, group string) {
	jobs, err := q.Jobs(s.ctx, api.Filter{Group: group, State: api.StateLeased, Limit: 1})
	if err == nil && len(jobs.Jobs) == 0 {
		fmt.Fprintln(s.stderr, "no job has begun: skynet status shows what waits and who works; skynet-worker is a worker")
	}
}

// judge says how a group ended.
func (s *submission) judge(g api.Group) error {
	if !s.quiet {
		fmt.Fprintf(s.stdout, "%d done, %d failed, %d cancelled\n", g.Done, g.Failed, g.Cancelled)
	}
	if g.Failed > 0 {
		return brokenError(fmt.Errorf("%d jobs failed; skynet jobs list --group %s --state dead shows them", g.Failed, g.ID))
	}
	return nil
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// onceKey returns the idempotency key of a job: the same for the same type, args
// and version of the input.
func onceKey(kind, args, version string) string {
	h := sha256.New()
	for _, part := range []string{kind, args, version} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return "once-" + hex.EncodeToString(h.Sum(nil)[:20])
}
