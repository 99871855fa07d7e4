package handler

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/live/results"
)

// A program does a job by running a command.
type program struct {
	command []string // empty: the job says it, in args.command
	limits  limits
}

// limits bound one run of a program.
type limits struct {
	time   time.Duration // on the wall
	memory int64         // bytes of address space, each process; 0: none
	output int64         // bytes of files that it leaves, and of each file that it writes
}

// Limits where a handler sets none.
const (
	programTime   = 10 * time.Minute
	programOutput = 1 << 30
)

// said bounds what is kept of what a program prints, in bytes: its end tells
// most about a failure.
const said = 2 << 10

func (p *program) run(ctx context.Context, s *Set, job Job, dir, scratch string) (Result, error) {
	var args struct {
		Input   string   `json:"input,omitempty"`
		Name    string   `json:"name,omitempty"`
		Command []string `json:"command,omitempty"`
	}
	command := p.command
	if len(command) == 0 {
		if err := decodeArgs(job.Args, &args); err != nil {
			return Result{}, err
		}
		if command = args.Command; len(command) == 0 || command[0] == "" {
			return Result{}, final(errors.New("args: command: must be given"))
		}
	} else if err := decodeSome(job.Args, &args); err != nil {
		return Result{}, err // what else is in it is between the job and the program
	}

	var r Result
	in := ""
	if args.Input != "" {
		var err error
		if in, r.BytesIn, err = s.fetch(ctx, args.Input, scratch, "input"+safeExt(args.Name, args.Input)); err != nil {
			return Result{}, err
		}
	}
	words := make([]string, len(command))
	for i, w := range command {
		w = strings.ReplaceAll(w, "{input}", in)
		w = strings.ReplaceAll(w, "{scratch}", scratch)
		words[i] = strings.ReplaceAll(w, "{output}", dir)
	}
	if err := p.limits.exec(ctx, words, environment(job, in, dir, scratch), dir, scratch, &r); err != nil {
		return r, err
	}
	return r, p.collect(dir, &r)
}

// environment is what a program sees of the worker's: where programs and the
// time zone are, not the worker's secrets.
func environment(job Job, in, out, scratch string) []string {
	env := []string{
		"SKYNET_JOB=" + strconv.FormatInt(job.ID, 10),
		"SKYNET_ATTEMPT=" + strconv.Itoa(job.Attempt),
		"SKYNET_TYPE=" + job.Type,
		"SKYNET_ARGS=" + string(job.Args),
		"SKYNET_INPUT=" + in,
		"SKYNET_OUTPUT=" + out,
		"TMPDIR=" + scratch,
		"HOME=" + scratch,
	}
	for _, name := range []string{"PATH", "LANG", "LC_ALL", "TZ"} {
		if value, set := os.LookupEnv(name); set {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// exec runs a command and everything it starts within the limits.
func (l limits) exec(ctx context.Context, words, env []string, out, scratch string, r *Result) error {
	bounded, cancel := context.WithTimeoutCause(ctx, l.time, errTime)
	defer cancel()
	printed := &tail{most: said}
	path, err := exec.LookPath(words[0])
	if err != nil {
		return final(fmt.Errorf("exec: %w", err))
	}
	if !filepath.IsAbs(path) {
		return final(fmt.Errorf("exec %q: must be the name of a program in PATH, or an absolute path", words[0]))
	}
	c := exec.Command(path, words[1:]...)
	c.Dir, c.Env = scratch, env
	c.Stdout, c.Stderr = printed, printed
	c.WaitDelay = time.Second // of a grandchild that keeps the pipe when all are killed
	g, err := startGroup(c, l)
	if err != nil {
		return fmt.Errorf("exec: %w", err)
	}
	watch := make(chan error, 1)
	ended := make(chan struct{})
	go func() { watch <- l.watch(bounded, g, out, scratch, ended) }()
	err = c.Wait()
	close(ended)
	broken := <-watch
	g.kill() // also what it left running behind
	if state := c.ProcessState; state != nil {
		r.CPU = state.UserTime() + state.SystemTime()
		r.MemoryPeak = peakMemory(state)
	}
	if errors.Is(err, exec.ErrWaitDelay) && broken == nil {
		err = nil // it ended well; what it left running held its output open
	}
	switch {
	case broken != nil:
		return broken
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("exec %s: %w%s", filepath.Base(words[0]), err, printed)
	}
	return nil
}

var errTime = errors.New("time is over")

// looks is how often a running program's files are measured.
const looks = 500 * time.Millisecond

// watch kills the program when a limit is broken, and says which.
func (l limits) watch(ctx context.Context, g group, out, scratch string, ended <-chan struct{}) error {
	tick := time.NewTicker(looks)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return nil
		case <-ctx.Done():
			g.kill()
			if errors.Is(context.Cause(ctx), errTime) {
				return fmt.Errorf("exec: killed after %v: time_max", l.time)
			}
			return context.Cause(ctx)
		case <-tick.C:
			if size := folderSize(out) + folderSize(scratch); size > 2*l.output {
				g.kill()
				return final(fmt.Errorf("exec: killed: its files have %d bytes, output_max is %d and as much again for scratch", size, l.output))
			}
		}
	}
}

// folderSize returns the bytes of the files in a folder and below.
func folderSize(dir string) (size int64) {
	filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			if info, err := entry.Info(); err == nil {
				size += info.Size()
			}
		}
		return nil // what vanishes while it is measured has no size
	})
	return size
}

// collect describes what a program left in its output folder.
func (p *program) collect(dir string, r *Result) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	size := int64(0)
	for _, entry := range entries {
		if !entry.Type().IsRegular() {
			return final(fmt.Errorf("exec: the program left %q, which is no regular file", entry.Name()))
		}
		contentType := mime.TypeByExtension(filepath.Ext(entry.Name()))
		if contentType == "" {
			contentType = "application/octet-stream"
		}
		f, err := results.Describe(filepath.Join(dir, entry.Name()), contentType)
		if err != nil {
			return final(fmt.Errorf("exec: the program left a file: %w", err))
		}
		if size += f.Size; size > p.limits.output {
			return final(fmt.Errorf("exec: the program left more than output_max, %d bytes", p.limits.output))
		}
		r.Files = append(r.Files, f)
	}
	return nil
}

// A tail keeps the end of what is written to it.
type tail struct {
	most int
	kept []byte
	cut  bool
}

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - t.most; over > 0 {
		t.kept, t.cut = append(t.kept[:0], t.kept[over:]...), true
	}
	return len(p), nil
}

// String returns what was kept, to stand behind an error.
func (t *tail) String() string {
	text := strings.ToValidUTF8(strings.TrimSpace(string(t.kept)), "?")
	switch {
	case text == "":
		return ""
	case t.cut:
		text = "…" + text
	}
	return ": " + text
}
