package main

import (
	"context"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/queue/postgres/pgtest"
)

// ground is what is tortured: two processes over one store.
type ground struct {
	t         *testing.T
	dir       string // of the tokens
	store     string
	disk      string         // a small one, with the store's file; "": none
	database  *pgtest.Server // nil: none
	draw      *rand.Rand
	processes [2]*process
	addresses [2]atomic.Pointer[string]
	done      [8]int // how often each of rages was
	ended     int    // processes that nobody killed
}

// rages are the faults of processes, database and disk, with their weights.
var rages = [...]struct {
	name  string
	share int
	can   func(*ground) bool
	do    func(*ground)
}{
	{"leader killed", 6, always, (*ground).killLeader},
	{"both killed", 1, always, (*ground).killBoth},
	{"leader stalled beyond its lead", 3, always, func(g *ground) { g.stall(2300*time.Millisecond, 4*time.Second) }},
	{"leader stalled", 2, always, func(g *ground) { g.stall(100*time.Millisecond, time.Second) }},
	{"leader told to end", 2, always, (*ground).replaceLeader},
	{"database killed", 4, hasDatabase, (*ground).killDatabase},
	{"database stalled", 3, hasDatabase, (*ground).stallDatabase},
	{"disk full", 4, func(g *ground) bool { return g.disk != "" }, (*ground).fillDisk},
}

func always(*ground) bool { return true }

func hasDatabase(g *ground) bool { return g.database != nil }

// ragesMin is how often something fails at least, however fast the load is done.
const ragesMin = 10

// rage lets one thing after the other fail until stop is closed, or the load has
// ended by an error.
func (g *ground) rage(stop, over <-chan struct{}) {
	for {
		enough := stop
		if g.faults() < ragesMin {
			enough = nil
		}
		select {
		case <-enough:
			g.revive()
			return
		case <-over:
			return
		case <-time.After(g.between(100*time.Millisecond, time.Second)):
		}
		g.revive()
		i := g.next()
		g.done[i]++
		rages[i].do(g)
	}
}

// next returns what fails next: what has not failed yet, or else one drawn.
func (g *ground) next() int {
	sum := 0
	for i, f := range rages {
		if !f.can(g) {
			continue
		}
		if g.done[i] == 0 {
			return i
		}
		sum += f.share
	}
	drawn := g.draw.IntN(sum)
	for i, f := range rages {
		if !f.can(g) {
			continue
		}
		if drawn -= f.share; drawn < 0 {
			return i
		}
	}
	panic("the shares do not add up to their sum")
}

// between draws a duration.
func (g *ground) between(least, most time.Duration) time.Duration {
	return least + time.Duration(g.draw.Int64N(int64(most-least)))
}

// start starts a process.
func (g *ground) start(i int) {
	g.processes[i] = start(g.t, g.dir, "--store", g.store, "--standby", "--lease", tortureLease.String())
	address := strings.TrimPrefix(g.processes[i].url, "http://")
	g.addresses[i].Store(&address)
}

// revive starts processes that ended by themselves, as an init system would.
func (g *ground) revive() {
	for i, p := range g.processes {
		select {
		case <-p.ended:
			g.t.Logf("process %d ended by itself: %s", i, lastLine(p.text()))
			g.ended++
			g.start(i)
		default:
		}
	}
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// hosts returns where the processes listen.
func (g *ground) hosts() []string {
	return []string{*g.addresses[0].Load(), *g.addresses[1].Load()}
}

// leader returns the process that leads, or any if none says so.
func (g *ground) leader() int {
	for i, host := range g.hosts() {
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		r, err := http.NewRequestWithContext(ctx, "GET", "http://"+host+"/readyz", nil)
		if err != nil {
			g.t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		cancel()
		if err != nil {
			continue
		}
		answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			return i
		}
	}
	return g.draw.IntN(len(g.processes))
}

func (g *ground) kill(i int) {
	g.processes[i].cmd.Process.Kill()
	<-g.processes[i].ended
}

func (g *ground) killLeader() {
	i := g.leader()
	g.kill(i)
	time.Sleep(g.between(0, time.Second))
	g.start(i)
}

func (g *ground) killBoth() {
	for i := range g.processes {
		g.kill(i)
	}
	for i := range g.processes {
		g.start(i)
	}
}

// replaceLeader ends the leader as a deployment does.
func (g *ground) replaceLeader() {
	i := g.leader()
	g.processes[i].cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-g.processes[i].ended:
	case <-time.After(leaveWithin + 10*time.Second):
		g.t.Errorf("told to end, the leader does not:\n%s", lastLine(g.processes[i].text()))
		g.kill(i)
	}
	g.start(i)
}

// stall stops the leader where it is; it goes on without knowing.
func (g *ground) stall(least, most time.Duration) {
	p := g.processes[g.leader()].cmd.Process
	p.Signal(syscall.SIGSTOP)
	time.Sleep(g.between(least, most))
	p.Signal(syscall.SIGCONT)
}

func (g *ground) killDatabase() {
	if err := g.database.Kill(); err != nil {
		g.t.Errorf("kill the database: %v", err)
	}
	time.Sleep(g.between(0, time.Second))
	if err := g.database.Restart(); err != nil {
		g.t.Errorf("start the database again: %v", err)
	}
}

func (g *ground) stallDatabase() {
	if err := g.database.Freeze(); err != nil {
		g.t.Errorf("stop the database: %v", err)
	}
	time.Sleep(g.between(300*time.Millisecond, 4*time.Second))
	if err := g.database.Thaw(); err != nil {
		g.t.Errorf("let the database go on: %v", err)
	}
}

// fillDisk fills the disk to the last byte, for a while.
func (g *ground) fillDisk() {
	name := filepath.Join(g.disk, "ballast")
	ballast, err := os.Create(name)
	if err != nil {
		g.t.Errorf("fill the disk: %v", err)
		return
	}
	for size := 1 << 20; size > 0; {
		if _, err := ballast.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
	ballast.Close()
	time.Sleep(g.between(200*time.Millisecond, 2*time.Second))
	if err := os.Remove(name); err != nil {
		g.t.Errorf("empty the disk: %v", err)
	}
}

// smallDisk mounts a disk of 64 MiB in memory and returns where; "" where the
// test may not.
func smallDisk(t *testing.T) string {
	dir := t.TempDir()
	size := "size=64m"
	if fromEnv(t, envTortureOps, 0) > 50_000 {
		size = "size=512m"
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, size); err != nil {
		t.Logf("no disk gets full here: mount: %v", err)
		return ""
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return dir
}
