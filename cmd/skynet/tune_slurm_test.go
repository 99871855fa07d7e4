//go:build linux

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skynet-ec2/skynet/sim/tune"
)

// slurmConf is a cluster of one node, on loopback.
const slurmConf = `ClusterName=skynet
SlurmctldHost=%[1]s(127.0.0.1)
SlurmctldPort=%[2]d
SlurmdPort=%[3]d
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=%[4]s/munge/socket
StateSaveLocation=%[4]s/state
SlurmdSpoolDir=%[4]s/spool
SlurmctldPidFile=%[4]s/slurmctld.pid
SlurmdPidFile=%[4]s/slurmd.pid
SlurmctldLogFile=%[4]s/slurmctld.log
SlurmdLogFile=%[4]s/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
NodeName=%[1]s NodeAddr=127.0.0.1 CPUs=%[5]d State=UNKNOWN
PartitionName=main Nodes=%[1]s Default=YES MaxTime=INFINITE State=UP
`

// startSlurm starts munge and Slurm's two daemons for the time of the test, or
// skips it with the reason.
func startSlurm(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("Slurm takes half a minute")
	}
	if os.Getuid() != 0 {
		t.Skip("Slurm's daemons need root here")
	}
	for _, name := range []string{"munged", "slurmctld", "slurmd", "sbatch", "sinfo", "scancel"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("no Slurm here: %v (scripts/install-slurm)", err)
		}
	}
	munge, err := user.Lookup("munge")
	if err != nil {
		t.Skipf("no Slurm here: %v", err)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	host, _, _ = strings.Cut(host, ".")
	// Munge insists that nobody else can write to the folders above its socket.
	dir, err := os.MkdirTemp("", "skynet-slurm-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"munge", "state", "spool"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	uid, _ := strconv.Atoi(munge.Uid)
	gid, _ := strconv.Atoi(munge.Gid)
	key := filepath.Join(dir, "munge", "key")
	if err := os.WriteFile(key, []byte(strings.Repeat("a key for one test only ", 8)), 0o400); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{filepath.Join(dir, "munge"), key} {
		if err := os.Chown(name, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	conf := fmt.Sprintf(slurmConf, host, freePort(t), freePort(t), dir, 2)
	cgroup := "cgroup/v1"
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		cgroup = "cgroup/v2"
	}
	for name, text := range map[string]string{"slurm.conf": conf, "cgroup.conf": "IgnoreSystemd=yes\nCgroupPlugin=" + cgroup + "\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("SLURM_CONF", filepath.Join(dir, "slurm.conf"))
	at := func(name string) string { return filepath.Join(dir, "munge", name) }
	daemon := exec.Command("munged", "-F", "--socket="+at("socket"), "--key-file="+key, "--pid-file="+at("pid"), "--log-file="+at("log"), "--seed-file="+at("seed"))
	daemon.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	start(t, daemon)
	start(t, exec.Command("slurmctld", "-D", "-i"))
	start(t, exec.Command("slurmd", "-D", "-N", host))
	for range 100 {
		out, _ := exec.Command("sinfo", "--noheader", "--format=%T").Output()
		if strings.TrimSpace(string(out)) == "idle" {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
	log, _ := os.ReadFile(filepath.Join(dir, "slurmd.log"))
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	t.Skipf("Slurm does not start on this machine: %s", lines[len(lines)-1])
}

// start runs a daemon until the test ends.
func start(t *testing.T, c *exec.Cmd) {
	t.Helper()
	if err := c.Start(); err != nil {
		t.Skipf("Slurm does not start on this machine: %v", err)
	}
	t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		ended := time.AfterFunc(10*time.Second, func() { _ = c.Process.Kill() })
		_ = c.Wait()
		ended.Stop()
	})
}

// freePort returns a port of loopback that nobody listens on.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

var slurmScenario = steadyScenario("4h", "30m", 0.5)

// A job array of a real Slurm comes to what this process alone comes to; a task
// that fails is named, and what the others did counts.
func TestSlurm(t *testing.T) {
	startSlurm(t)
	t.Chdir(t.TempDir())
	if err := os.WriteFile("s.toml", []byte(slurmScenario), 0o666); err != nil {
		t.Fatal(err)
	}
	a := newApp(t.Context(), os.Stderr, os.Stderr)
	b, err := a.openBench([]string{"s.toml"}, "")
	if err != nil {
		t.Fatal(err)
	}
	self, err := exec.LookPath("skynet")
	if err != nil {
		t.Fatal(err)
	}
	p := &tune.Plan{Inputs: b.inputs, Candidates: []tune.Raw{{}, {"quantile": 0.8}, {"tau": "5m0s"}}}
	for seed := range 3 {
		p.Folds = append(p.Folds, tune.Fold{Seed: uint64(seed)})
		for c := range p.Candidates {
			p.Tasks = append(p.Tasks, tune.Task{Candidate: c, Fold: seed})
		}
	}
	run := func(r tune.Runner) ([]*tune.Metrics, error) {
		results := make([]*tune.Metrics, len(p.Tasks))
		err := r.Run(t.Context(), p, func(task int, m *tune.Metrics) error {
			if results[task] != nil {
				t.Errorf("task %d was done twice", task)
			}
			results[task] = m
			return nil
		})
		return results, err
	}
	local := &tune.Local{Evaluate: b.evaluate, Parallel: 2}
	want, err := run(local)
	if err != nil {
		t.Fatal(err)
	}
	// Runs of ten seconds, as far as the engine knows: three make a shard.
	s := &slurm{self: self, parallel: 2, local: local, perRun: 10}
	e := &elsewhere{dir: "d", shards: s.shards, submit: s.submit, partial: true}
	got, err := run(e)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	shards, err := filepath.Glob("d/plan-*/shard-*.json")
	if err != nil || len(shards) != 3 {
		t.Errorf("%d shards, error %v, want 3", len(shards), err)
	}

	// One task fails.
	script := "#!/bin/sh\ncase \"$*\" in *'--shard 1/3'*) exit 1 ;; esac\nexec skynet \"$@\"\n"
	if err := os.WriteFile("failing", []byte(script), 0o777); err != nil {
		t.Fatal(err)
	}
	s.self, err = filepath.Abs("failing")
	if err != nil {
		t.Fatal(err)
	}
	e.dir = "f"
	got, err = run(e)
	if err == nil || !strings.HasPrefix(err.Error(), "f/plan-") || !strings.Contains(err.Error(), "shard 1 of 3 is missing: sbatch: exit code 1") || exitCode(err, false) != exitFailure {
		t.Errorf("error %v, want one that names shard 1", err)
	}
	for task := range got {
		if missing := got[task] == nil; missing != (task >= 3 && task < 6) {
			t.Errorf("task %d is missing: %v", task, missing)
		}
	}

	// An interruption cancels the array.
	if err := os.WriteFile("failing", []byte("#!/bin/sh\nsleep 600\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	e.dir = "i"
	ctx, interrupt := context.WithTimeout(t.Context(), 4*time.Second)
	defer interrupt()
	if err := e.Run(ctx, p, func(int, *tune.Metrics) error { return nil }); err != context.DeadlineExceeded {
		t.Errorf("error %v, want that of the context", err)
	}
	for range 50 {
		out, err := exec.Command("squeue", "--noheader").Output()
		if err == nil && len(out) == 0 {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
	t.Error("the array is still there")
}
