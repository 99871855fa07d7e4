package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/cmd/cli/clitest"
	"github.com/skynet-ec2/skynet/live/access"
	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/client"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets tests call this very binary as skynetd.
func TestMain(m *testing.M) { clitest.Main(m, "skynetd", run) }

// TestScripts tells what a user types, and what skynetd answers.
func TestScripts(t *testing.T) { clitest.Scripts(t, "skynetd", testscript.Params{}) }

// process is a running skynetd queue.
type process struct {
	t   *testing.T
	cmd *exec.Cmd
	url string // where it listens

	mu    sync.Mutex
	log   strings.Builder
	heard chan struct{} // closed and made anew with every line of the log
	ended chan error
}

var listens = regexp.MustCompile(`msg="queue listens" url=(\S+)`)

// start runs skynetd queue in dir and waits until it listens.
func start(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	return begin(t, dir, listens, append([]string{"queue", "--listen", "127.0.0.1:0"}, args...)...)
}

// begin runs skynetd in dir and waits until its log matches says, which holds
// where it listens.
func begin(t *testing.T, dir string, says *regexp.Regexp, args ...string) *process {
	t.Helper()
	p := &process{t: t, heard: make(chan struct{}), ended: make(chan error, 1)}
	p.cmd = exec.Command("skynetd", args...)
	p.cmd.Dir = dir
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			p.mu.Lock()
			p.log.WriteString(lines.Text() + "\n")
			close(p.heard)
			p.heard = make(chan struct{})
			p.mu.Unlock()
		}
		p.ended <- p.cmd.Wait()
	}()
	t.Cleanup(func() { p.cmd.Process.Kill() })
	p.url = p.await(says)[1]
	return p
}

// await waits until a line of the log matches.
func (p *process) await(what *regexp.Regexp) []string {
	p.t.Helper()
	late := time.After(30 * time.Second)
	for {
		p.mu.Lock()
		found, heard := what.FindStringSubmatch(p.log.String()), p.heard
		p.mu.Unlock()
		if found != nil {
			return found
		}
		select {
		case <-heard:
		case err := <-p.ended:
			p.t.Fatalf("skynetd ended (%v) and never said %s:\n%s", err, what, p.text())
		case <-late:
			p.t.Fatalf("skynetd does not say %s:\n%s", what, p.text())
		}
	}
}

func (p *process) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// stop sends a signal, waits for the end and returns the exit code.
func (p *process) stop(signal os.Signal) int {
	p.t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		p.t.Fatal(err)
	}
	select {
	case <-p.ended:
	case <-time.After(30 * time.Second):
		p.t.Fatalf("it does not end:\n%s", p.text())
	}
	return p.cmd.ProcessState.ExitCode()
}

// client returns a client with the token of a role that the first start wrote.
func (p *process) client(dir string, role api.Role) *client.Client {
	p.t.Helper()
	return as(p.t, p.url, token(p.t, dir, role))
}

func as(t *testing.T, url, token string) *client.Client {
	t.Helper()
	c, err := client.New(client.Options{URL: url, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func token(t *testing.T, dir string, role api.Role) string {
	t.Helper()
	entries, err := access.ReadFile(filepath.Join(dir, "skynet-tokens"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Caller.Role == role {
			return e.Plain
		}
	}
	t.Fatalf("no token of role %s", role)
	return ""
}

// TestCleanEnd: what was accepted outlives the process, whether it is asked to
// end, while calls wait, or killed.
func TestCleanEnd(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir)
	ctx := t.Context()
	added, err := p.client(dir, api.RoleProducer).SubmitAll(ctx, []api.JobSpec{{Type: "a"}, {Type: "a"}, {Type: "a"}})
	if err != nil {
		t.Fatal(err)
	}
	worker := p.client(dir, api.RoleWorker).RetryFor(0)
	me, err := worker.Register(ctx, api.RegisterRequest{InstanceID: "i-1", InstanceType: "m", Slots: 1, Cluster: "default", BootID: "b"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := worker.Work(ctx, api.WorkRequest{Session: me.Session, Types: []string{"none"}}); err != nil { // it is told its directive
		t.Fatal(err)
	}
	parked := make(chan error, 1)
	go func() {
		work, err := worker.Work(ctx, api.WorkRequest{Session: me.Session, SlotsFree: 1, Types: []string{"none"}, WaitMS: 25_000})
		if err == nil && len(work.Jobs) > 0 {
			err = errors.New("it was handed a job of a type it did not want")
		}
		parked <- err
	}()
	streamed := make(chan error, 1)
	go func() {
		streamed <- p.client(dir, api.RoleReader).StreamStats(ctx, time.Second, func(api.Stats) error { return nil })
	}()
	time.Sleep(100 * time.Millisecond) // let them wait; if they do not yet, the test is only easier
	began := time.Now()
	if code := p.stop(syscall.SIGTERM); code != 0 || !strings.Contains(p.text(), "everything accepted is stored") {
		t.Errorf("exit code %d:\n%s", code, p.text())
	}
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("the end took %v", took)
	}
	if err := <-parked; err != nil && !client.IsCode(err, api.CodeUnavailable) {
		t.Errorf("the parked call was broken off: %v", err)
	}
	<-streamed
	p = start(t, dir)
	if s, err := p.client(dir, api.RoleReader).Stats(ctx); err != nil || s.States[api.StateWaiting] != 3 {
		t.Errorf("after a clean end: %v, %v", s.States, err)
	}
	more, err := p.client(dir, api.RoleProducer).Submit(ctx, api.JobSpec{Type: "a"})
	if err != nil || more.ID <= added[2].ID {
		t.Errorf("%+v, %v", more, err)
	}
	p.stop(syscall.SIGKILL)
	p = start(t, dir)
	p.await(regexp.MustCompile(`msg="queue leads"`))
	if s, err := p.client(dir, api.RoleReader).Stats(ctx); err != nil || s.States[api.StateWaiting] != 4 {
		t.Errorf("after a kill: %v, %v", s.States, err)
	}
	for _, role := range api.Roles {
		if strings.Contains(p.text(), token(t, dir, role)) {
			t.Errorf("the log tells the %s token", role)
		}
	}
}

// TestTakeOver: a standby serves soon after the leader is killed.
func TestTakeOver(t *testing.T) {
	dir := t.TempDir()
	leader := start(t, dir)
	standby := start(t, dir, "--standby")
	ctx := t.Context()
	if err := standby.client(dir, api.RoleReader).Healthy(ctx); err != nil {
		t.Errorf("the standby's health: %v", err)
	}
	if err := standby.client(dir, api.RoleReader).RetryFor(0).Ready(ctx); !client.IsCode(err, api.CodeNotLeader) {
		t.Errorf("the standby's readiness: %v", err)
	}
	if _, err := leader.client(dir, api.RoleProducer).Submit(ctx, api.JobSpec{Type: "a"}); err != nil {
		t.Fatal(err)
	}
	made, err := leader.client(dir, api.RoleOperator).MakeToken(ctx, api.TokenRequest{Role: api.RoleReader})
	if err != nil {
		t.Fatal(err)
	}
	leader.stop(syscall.SIGKILL)
	// the client repeats its call until the standby leads, with a token that the
	// dead leader made
	s, err := as(t, standby.url, made.Token).Stats(ctx)
	for end := time.Now().Add(20 * time.Second); client.IsCode(err, api.CodeUnauthorized) && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		s, err = as(t, standby.url, made.Token).Stats(ctx)
	}
	if err != nil || s.States[api.StateWaiting] != 1 || s.Epoch != 2 {
		t.Errorf("%v, %v", s, err)
	}
	if code := standby.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d:\n%s", code, standby.text())
	}
}
