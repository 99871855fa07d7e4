package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/access"
	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/client"
	"github.com/skynet-ec2/skynet/live/photo/sample"
	"github.com/skynet-ec2/skynet/live/results"
)

// A laptop is a folder with a queue and workers, all of them processes of this
// machine.
type laptop struct {
	t      *testing.T
	dir    string
	listen string
	flags  []string // of the queue
	env    []string // of the queue, besides this process's
	queue  *process
	calls  *client.Client

	operator string // the operator's token
}

var (
	skynetdOnce sync.Once
	skynetdPath string
	skynetdErr  error
)

// skynetd builds the queue's program, once.
func skynetd(t *testing.T) string {
	t.Helper()
	skynetdOnce.Do(func() {
		dir, err := os.MkdirTemp("", "skynet-worker-test-*")
		if err != nil {
			skynetdErr = err
			return
		}
		skynetdPath = filepath.Join(dir, "skynetd")
		if out, err := exec.Command("go", "build", "-o", skynetdPath, "../skynetd").CombinedOutput(); err != nil {
			skynetdErr = fmt.Errorf("%w: %s", err, out)
		}
	})
	if skynetdErr != nil {
		t.Fatalf("build skynetd: %v", skynetdErr)
	}
	return skynetdPath
}

// newLaptop starts a queue, with flags.
func newLaptop(t *testing.T, flags ...string) *laptop {
	t.Helper()
	return newLaptopWith(t, nil, flags...)
}

// newLaptopWith is newLaptop with more in the environment of the queue.
func newLaptopWith(t *testing.T, env []string, flags ...string) *laptop {
	t.Helper()
	t.Parallel()
	l := &laptop{t: t, dir: t.TempDir(), listen: "127.0.0.1:0", env: env, flags: flags}
	l.startQueue()
	entries, err := access.ReadFile(filepath.Join(l.dir, "skynet-tokens"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Caller.Role == api.RoleOperator {
			l.operator = e.Plain
			l.calls, err = client.New(client.Options{URL: l.url(), Token: e.Plain, RetryFor: time.Minute})
		}
	}
	if err != nil || l.calls == nil {
		t.Fatalf("no operator's token: %v", err)
	}
	return l
}

func (l *laptop) url() string { return "http://" + l.listen }

// startQueue starts the queue, where it was before if it was.
func (l *laptop) startQueue() {
	l.t.Helper()
	l.queue = l.start(skynetd(l.t), l.env, append([]string{"queue", "--listen", l.listen}, l.flags...)...)
	l.listen = strings.TrimPrefix(l.queue.waitFor("url=http://"), "url=http://")
	l.queue.waitFor("queue leads")
}

// A process is a program that runs.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	ended chan error

	mu  sync.Mutex
	log bytes.Buffer
}

// start starts a program in the laptop's folder.
func (l *laptop) start(program string, env []string, args ...string) *process {
	l.t.Helper()
	p := &process{t: l.t, cmd: exec.Command(program, args...), ended: make(chan error, 1)}
	p.cmd.Dir = l.dir
	p.cmd.Env = append(os.Environ(), env...)
	r, w := io.Pipe()
	p.cmd.Stdout, p.cmd.Stderr = w, w
	if err := p.cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			p.mu.Lock()
			p.log.WriteString(lines.Text() + "\n")
			p.mu.Unlock()
		}
	}()
	go func() {
		err := p.cmd.Wait()
		w.Close()
		<-read // all that it said is in the log
		p.ended <- err
	}()
	l.t.Cleanup(func() {
		p.kill()
		if l.t.Failed() {
			l.t.Logf("%s %v:\n%s", filepath.Base(program), args, p.said())
		}
	})
	return p
}

// worker starts a worker.
func (l *laptop) worker(args ...string) *process {
	l.t.Helper()
	return l.workerWith(nil, args...)
}

// workerWith starts a worker with more in its environment.
func (l *laptop) workerWith(env []string, args ...string) *process {
	l.t.Helper()
	self, err := os.Executable()
	if err != nil {
		l.t.Fatal(err)
	}
	p := l.start(self, append(env, beWorker+"=1"), append([]string{"--queue", l.url(), "--slots", "2"}, args...)...)
	p.waitFor("msg=registered")
	return p
}

func (p *process) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// waitFor waits until the process says a text and returns the word that begins
// with it.
func (p *process) waitFor(text string) string {
	p.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		said := p.said()
		if i := strings.Index(said, text); i >= 0 {
			word, _, _ := strings.Cut(said[i:], "\n")
			word, _, _ = strings.Cut(word, " ")
			return word
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("it does not say %q:\n%s", text, said)
		}
	}
}

// kill kills the process with signal 9.
func (p *process) kill() {
	p.cmd.Process.Kill()
	p.wait()
}

// stop asks the process to end, and waits.
func (p *process) stop() error {
	p.cmd.Process.Signal(syscall.SIGTERM)
	return p.wait()
}

func (p *process) wait() error {
	err := <-p.ended
	p.ended <- err
	return err
}

// photo makes a photo and returns its address.
func (l *laptop) photo(name string, o sample.Options) string {
	l.t.Helper()
	path := filepath.Join(l.dir, name)
	if err := os.WriteFile(path, sample.JPEG(o), 0o600); err != nil {
		l.t.Fatal(err)
	}
	return fileURI(path)
}

// submit adds jobs.
func (l *laptop) submit(specs ...api.JobSpec) []int64 {
	l.t.Helper()
	added, err := l.calls.SubmitAll(l.t.Context(), specs)
	if err != nil {
		l.t.Fatal(err)
	}
	var ids []int64
	for _, a := range added {
		ids = append(ids, a.ID)
	}
	return ids
}

// job is a job's specification.
func job(kind string, args map[string]any) api.JobSpec {
	text, err := json.Marshal(args)
	if err != nil {
		panic(err)
	}
	return api.JobSpec{Type: kind, Args: text}
}

// done waits until a job is done, and checks that its result is whole.
func (l *laptop) done(id int64) (api.Job, []results.File) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), 3*time.Minute)
	defer cancel()
	j, err := l.calls.WaitJob(ctx, id)
	for err == nil && !j.State.Ended() {
		j, err = l.calls.WaitJob(ctx, id)
	}
	if err != nil || j.State != api.StateDone {
		l.t.Fatalf("job %d is %s: %s, %v", id, j.State, j.Error, err)
	}
	index := strings.TrimPrefix(j.ResultURI, "file://")
	text, err := os.ReadFile(index)
	if err != nil {
		l.t.Fatal(err)
	}
	var result struct{ Files []results.File }
	if err := json.Unmarshal(text, &result); err != nil {
		l.t.Fatal(err)
	}
	for _, f := range result.Files {
		content, err := os.ReadFile(filepath.Join(filepath.Dir(index), f.Name))
		sum := sha256.Sum256(content)
		if err != nil || hex.EncodeToString(sum[:]) != f.SHA256 || int64(len(content)) != f.Size {
			l.t.Errorf("job %d: %s has %d bytes, listed %d: %v", id, f.Name, len(content), f.Size, err)
		}
	}
	return j, result.Files
}

// counted is a job that notes in a file that it ran.
func (l *laptop) counted(name string, sleep float64) api.JobSpec {
	script := fmt.Sprintf(`echo %s >> %q; sleep %v; echo %s > "$SKYNET_OUTPUT/out.txt"`, name, filepath.Join(l.dir, "ran.log"), sleep, name)
	return job("exec", map[string]any{"command": []string{"sh", "-c", script}})
}

// ran returns how often each counted job ran.
func (l *laptop) ran() map[string]int {
	text, _ := os.ReadFile(filepath.Join(l.dir, "ran.log"))
	times := map[string]int{}
	for _, name := range strings.Fields(string(text)) {
		times[name]++
	}
	return times
}
