package queue_test

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/queue"
	"github.com/skynet-ec2/skynet/live/queue/sqlite"
)

// desk plays a script against an engine, through the calls of workers and
// producers.
type desk struct {
	t       *testing.T
	store   queue.Store
	e       *queue.Engine
	restart bool // kill the engine before every command, and open another one
	crew    map[string]api.RegisterResponse
	has     map[string][]api.LeasedJob
	by      map[int64]string
}

// TestScripts plays the scripts that the order of the simulator's line is tried
// with, policy/dispatch/testdata/both, against engines: in memory, on a store
// on disk, and with an engine that dies before every command.
func TestScripts(t *testing.T) {
	onMemory := func(*testing.T) queue.Store { return queue.NewMemory() }
	onDisk := func(t *testing.T) queue.Store {
		s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "queue.db"))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, c := range []struct {
		name    string
		store   func(*testing.T) queue.Store
		restart bool
	}{{"memory", onMemory, false}, {"sqlite", onDisk, false}, {"restarted", onMemory, true}, {"sqlite restarted", onDisk, true}} {
		t.Run(c.name, func(t *testing.T) {
			datadriven.Walk(t, "../../policy/dispatch/testdata/both", func(t *testing.T, path string) {
				synctest.Test(t, func(t *testing.T) {
					d := &desk{t: t, store: c.store(t), restart: c.restart, crew: map[string]api.RegisterResponse{}, has: map[string][]api.LeasedJob{}, by: map[int64]string{}}
					defer d.store.Close()
					d.open()
					defer func() { d.e.Kill() }()
					datadriven.RunTest(t, path, d.run)
				})
			})
		})
	}
}

func (d *desk) open() {
	e, err := queue.Open(d.t.Context(), d.store, queue.Options{})
	if err != nil {
		d.t.Fatal(err)
	}
	d.e = e
}

func (d *desk) worker(name string) api.RegisterResponse {
	if d.crew[name].Session == "" {
		d.crew[name] = hire(d.t, d.e, name, 9)
	}
	return d.crew[name]
}

func (d *desk) run(t *testing.T, data *datadriven.TestData) string {
	if d.restart {
		d.e.Kill()
		d.open()
	}
	word := func(key, otherwise string) string {
		if data.HasArg(key) {
			data.ScanArgs(t, key, &otherwise)
		}
		return otherwise
	}
	number := func(key string, otherwise int) int {
		if data.HasArg(key) {
			data.ScanArgs(t, key, &otherwise)
		}
		return otherwise
	}
	yes := func(b bool) string {
		if b {
			return "ok"
		}
		return "no"
	}
	job := int64(number("job", 0))
	switch data.Cmd {
	case "enqueue":
		all := submit(t, d.e, slices.Repeat([]api.JobSpec{{Type: word("type", "photo"), Priority: number("priority", 0)}}, number("n", 1))...)
		if len(all) > 1 {
			return fmt.Sprintf("jobs %d to %d", all[0], all[len(all)-1])
		}
		return fmt.Sprintf("job %d", all[0])
	case "lease":
		return d.lease(word("worker", "w1"), number("slots", 1))
	case "complete":
		return yes(d.finish(job, api.OutcomeOK))
	case "release":
		return yes(d.finish(job, api.OutcomeReleased))
	case "cancel": // of a script: only what waits
		if j, err := d.e.Job(t.Context(), job, 0); err != nil || j.State != api.StateWaiting {
			return "no"
		}
		_, err := d.e.Cancel(t.Context(), job)
		return yes(err == nil)
	case "crash":
		return fmt.Sprint("back: ", d.crash(word("worker", "w1")))
	case "pass":
		passed, err := time.ParseDuration(word("time", "1s"))
		if err != nil {
			t.Fatal(err)
		}
		d.pass(passed, "")
		return "ok"
	}
	data.Fatalf(t, "unknown command %q", data.Cmd)
	return ""
}

func (d *desk) lease(name string, slots int) string {
	r := request(d.worker(name).Session, slots, 0)
	r.Running = running(d.has[name]...)
	a := work(d.t, d.e, r)
	var b strings.Builder
	for _, j := range a.Jobs {
		d.has[name] = append(d.has[name], j)
		d.by[j.ID] = name
		fmt.Fprintf(&b, "job %d priority %d attempt %d\n", j.ID, j.Priority, j.Attempt)
	}
	return cmp.Or(b.String(), "nothing")
}

func (d *desk) finish(id int64, outcome api.Outcome) bool {
	name := d.by[id]
	for i, j := range d.has[name] {
		if j.ID != id {
			continue
		}
		d.has[name] = slices.Delete(d.has[name], i, i+1)
		r := request(d.worker(name).Session, 0, 0, api.DoneJob{Job: id, Token: j.Token, Outcome: outcome})
		r.Running = running(d.has[name]...)
		return work(d.t, d.e, r).Acks[0].Status == api.AckAccepted
	}
	return false
}

// pass lets time pass, while everybody but one worker beats.
func (d *desk) pass(left time.Duration, silent string) {
	for left > 0 {
		step := min(left, 5*time.Second)
		time.Sleep(step)
		left -= step
		for name, w := range d.crew {
			if name == silent {
				continue
			}
			if _, err := d.e.Heartbeat(d.t.Context(), api.HeartbeatRequest{Session: w.Session, Running: running(d.has[name]...)}); err != nil {
				d.t.Fatal(err)
			}
		}
	}
}

func (d *desk) crash(name string) (back []int64) {
	d.worker(name)
	d.pass(31*time.Second, name)
	for _, j := range d.has[name] {
		if now, err := d.e.Job(d.t.Context(), j.ID, 0); err == nil && now.State == api.StateWaiting {
			back = append(back, j.ID)
		}
	}
	slices.Sort(back)
	delete(d.has, name)
	return back
}
