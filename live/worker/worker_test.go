package worker_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/handler"
	"github.com/skynet-ec2/skynet/live/results"
	"github.com/skynet-ec2/skynet/live/worker"
)

// end orders a worker to end and waits until it has.
func end(t *testing.T, k *worker.Worker, wait func() error, within time.Duration) {
	t.Helper()
	k.End(worker.Order{Within: within, Reason: "test"})
	if err := wait(); err != nil {
		t.Error(err)
	}
}

// endWell orders a worker to end, and fails the test unless every job was begun
// once and is done.
func endWell(t *testing.T, w *world, k *worker.Worker, wait func() error, ids []int64) {
	t.Helper()
	end(t, k, wait, 0)
	w.allDone(ids)
	w.onceEach(ids)
}

func TestWorkerDoesEveryJobOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ids := w.submit(api.JobSpec{}, repeat(5*time.Second, 50)...)
		started := time.Now()
		k, wait := w.start(w.ctx, 4)
		for w.job(ids[len(ids)-1]).State != api.StateDone {
			time.Sleep(time.Second)
		}
		endWell(t, w, k, wait, ids)
		if took := time.Since(started); took > 75*time.Second {
			t.Errorf("50 jobs of 5 s on 4 slots took %v", took)
		}
		if !w.outboxEmpty() {
			t.Error("something is left in the outbox")
		}
		if m := w.job(ids[0]).Metrics; m == nil || m.RunS != 5 || m.BytesOut == 0 {
			t.Errorf("metrics %+v", m)
		}
	})
}

func TestOneSlotReportsAndAsksInOneCall(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ids := w.submit(api.JobSpec{}, repeat(time.Second, 20)...)
		k, wait := w.start(w.ctx, 1)
		time.Sleep(30 * time.Second)
		if w.called("complete") != 0 || w.called("work") > 22 {
			t.Errorf("%d work and %d complete calls for 20 jobs", w.called("work"), w.called("complete"))
		}
		end(t, k, wait, 0)
		w.allDone(ids)
	})
}

func TestIdleWorkerHasANewJobAtOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		k, wait := w.start(w.ctx, 2)
		time.Sleep(12 * time.Second)
		id := w.submit(api.JobSpec{}, time.Second)[0]
		time.Sleep(1100 * time.Millisecond)
		if s := w.job(id).State; s != api.StateDone {
			t.Errorf("the job is %s", s)
		}
		if w.called("work") > 6 || w.called("heartbeat") > 3 {
			t.Errorf("an idle worker made %d work and %d heartbeat calls in 13 s", w.called("work"), w.called("heartbeat"))
		}
		end(t, k, wait, 0)
	})
}

func TestQueueAwayForLessThanALease(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ids := w.submit(api.JobSpec{}, repeat(7*time.Second, 12)...)
		k, wait := w.start(w.ctx, 3)
		for range 4 {
			time.Sleep(9 * time.Second)
			w.setAway(true)
			time.Sleep(12 * time.Second)
			w.setAway(false)
		}
		time.Sleep(time.Minute)
		endWell(t, w, k, wait, ids)
	})
}

func TestQueueAwayForLong(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ids := w.submit(api.JobSpec{}, repeat(7*time.Second, 12)...)
		k, wait := w.start(w.ctx, 3)
		time.Sleep(9 * time.Second)
		w.setAway(true)
		time.Sleep(5 * time.Minute)
		w.setAway(false)
		time.Sleep(2 * time.Minute)
		end(t, k, wait, 0)
		w.allDone(ids)
		if !w.outboxEmpty() {
			t.Error("something is left in the outbox")
		}
	})
}

func TestQueueIsReplaced(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ids := w.submit(api.JobSpec{}, repeat(20*time.Second, 6)...)
		k, wait := w.start(w.ctx, 3)
		time.Sleep(10 * time.Second)
		w.engine.Kill()
		time.Sleep(3 * time.Second)
		w.open()
		time.Sleep(3 * time.Minute)
		endWell(t, w, k, wait, ids)
	})
}

func TestLostAnswers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		chance := rand.New(rand.NewPCG(1, 2))
		w.loses = func(call string) bool { return call != "register" && chance.IntN(3) == 0 }
		ids := w.submit(api.JobSpec{}, repeat(2*time.Second, 60)...)
		k, wait := w.start(w.ctx, 3)
		time.Sleep(5 * time.Minute)
		w.mu.Lock()
		w.loses = nil
		w.mu.Unlock()
		endWell(t, w, k, wait, ids)
	})
}

func TestStoreDown(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ids := w.submit(api.JobSpec{}, repeat(3*time.Second, 12)...)
		k, wait := w.start(w.ctx, 2)
		time.Sleep(4 * time.Second)
		w.bucket.setDown(true)
		time.Sleep(10 * time.Second)
		begun := w.begun()
		time.Sleep(10 * time.Minute)
		if w.begun() != begun || begun > 6 {
			t.Errorf("%d jobs begun when the store went, %d ten minutes later", begun, w.begun())
		}
		if stats := w.engine.Workers().Workers[0]; stats.Silent || stats.SlotsBusy != 2 {
			t.Errorf("the worker holds %d leases, silent %t", stats.SlotsBusy, stats.Silent)
		}
		w.bucket.setDown(false)
		time.Sleep(time.Minute)
		endWell(t, w, k, wait, ids)
	})
}

func TestOutboxFullGivesTheJobBack(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ids := w.submit(api.JobSpec{}, time.Second, 2*time.Second)
		w.bucket.setDown(true)
		k, wait := w.start(w.ctx, 2, withOutbox(t, w, 40)) // one result has about 23 bytes
		time.Sleep(20 * time.Minute)
		if j := w.job(ids[1]); j.Failures != 0 || j.State != api.StateWaiting || w.runsOf(ids[1]) != 1 {
			t.Errorf("the job is %s with %d failures after %d runs", j.State, j.Failures, w.runsOf(ids[1]))
		}
		w.bucket.setDown(false)
		time.Sleep(2 * time.Minute)
		end(t, k, wait, 0)
		w.allDone(ids)
	})
}

func TestOutboxThatCannotBeWrittenIsNotTheJobsFault(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ids := w.submit(api.JobSpec{AttemptsMax: 2}, repeat(time.Second, 4)...)
		k, wait := w.start(w.ctx, 1, func(c *worker.Config) {
			do := c.Do
			c.Do = func(ctx context.Context, job handler.Job, dir, scratch string) (handler.Result, error) {
				r, err := do(ctx, job, dir, scratch)
				os.RemoveAll(dir) // the entry has no folder to stand in
				return r, err
			}
		})
		time.Sleep(20 * time.Minute)
		for _, id := range ids {
			if j := w.job(id); j.Failures != 0 || j.State == api.StateDone {
				t.Errorf("job %d is %s after %d failures", id, j.State, j.Failures)
			}
		}
		if n := w.called("work"); n > 120 {
			t.Errorf("%d calls for work in 20 minutes", n)
		}
		end(t, k, wait, time.Second)
	})
}

func TestResultThatTheOutboxNeverHoldsFailsTheJob(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		id := w.submit(api.JobSpec{AttemptsMax: 2}, time.Second)[0]
		k, wait := w.start(w.ctx, 1, withOutbox(t, w, 3))
		time.Sleep(20 * time.Minute)
		if j := w.job(id); j.State != api.StateDead || w.runsOf(id) != 2 || !strings.Contains(j.Error, "more than the outbox may ever hold, 3") {
			t.Errorf("the job is %s after %d runs: %s", j.State, w.runsOf(id), j.Error)
		}
		end(t, k, wait, 0)
	})
}

func TestEndGivesBackWhatItHasNoTimeFor(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ids := w.submit(api.JobSpec{}, time.Second, 5*time.Second, time.Hour, time.Minute)
		k, wait := w.start(w.ctx, 3)
		time.Sleep(2 * time.Second)
		started := time.Now()
		end(t, k, wait, 20*time.Second)
		if took := time.Since(started); took > 25*time.Second {
			t.Errorf("it ended after %v", took)
		}
		w.allDone(ids[:2])
		for _, id := range ids[2:] {
			if j := w.job(id); j.State != api.StateWaiting || j.Attempts != 0 || j.Failures != 0 || j.Losses != 0 {
				t.Errorf("job %d is %s, %d attempts, %d failures, %d losses", id, j.State, j.Attempts, j.Failures, j.Losses)
			}
		}
		if n := len(w.engine.Workers().Workers); n != 0 {
			t.Errorf("the queue knows %d workers", n)
		}
	})
}

func TestEndWithoutHurryFinishes(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ids := w.submit(api.JobSpec{}, 10*time.Minute, time.Second)
		k, wait := w.start(w.ctx, 1)
		time.Sleep(time.Second)
		end(t, k, wait, 0)
		w.allDone(ids[:1])
		if j := w.job(ids[1]); j.State != api.StateWaiting || j.Attempts != 0 {
			t.Errorf("job 1 is %s after %d attempts", j.State, j.Attempts)
		}
	})
}

func TestEndWithoutAQueue(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.submit(api.JobSpec{}, time.Hour)
		k, wait := w.start(w.ctx, 1)
		time.Sleep(time.Second)
		w.setAway(true)
		started := time.Now()
		end(t, k, wait, 20*time.Second)
		if took := time.Since(started); took > 30*time.Second {
			t.Errorf("it ended after %v", took)
		}
	})
}

func TestCancel(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		id := w.submit(api.JobSpec{}, time.Hour)[0]
		k, wait := w.start(w.ctx, 2)
		time.Sleep(time.Second)
		if _, err := w.engine.Cancel(w.ctx, id); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if s := w.job(id).State; s != api.StateCancelled {
			t.Errorf("the job is %s", s)
		}
		end(t, k, wait, 0)
	})
}

func TestFullDiskIsNotTheJobsFault(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var full atomic.Bool
		full.Store(true)
		ids := w.submit(api.JobSpec{AttemptsMax: 2}, repeat(time.Second, 20)...)
		k, wait := w.start(w.ctx, 2, func(c *worker.Config) {
			do := c.Do
			c.Do = func(ctx context.Context, job handler.Job, dir, scratch string) (handler.Result, error) {
				r, err := do(ctx, job, dir, scratch)
				if full.Load() {
					return r, &os.PathError{Op: "write", Path: dir, Err: syscall.ENOSPC}
				}
				return r, err
			}
		})
		time.Sleep(20 * time.Minute)
		for _, id := range ids {
			if j := w.job(id); j.State != api.StateWaiting && j.State != api.StateLeased || j.Failures != 0 {
				t.Errorf("job %d is %s after %d failures", id, j.State, j.Failures)
			}
		}
		if n := w.called("work"); n > 120 {
			t.Errorf("%d calls for work in 20 minutes with a full disk", n)
		}
		full.Store(false)
		time.Sleep(5 * time.Minute)
		end(t, k, wait, 0)
		w.allDone(ids)
	})
}

func TestHandlersThatFail(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		panics := w.submit(api.JobSpec{Type: "panic", AttemptsMax: 2}, 0)[0]
		fails := w.submit(api.JobSpec{Type: "fail", AttemptsMax: 3}, 0)[0]
		final := w.submit(api.JobSpec{Type: "fail for good", AttemptsMax: 3}, 0)[0]
		slow := w.submit(api.JobSpec{MaxRunMS: 2000, AttemptsMax: 1}, time.Hour)[0]
		k, wait := w.start(w.ctx, 2)
		time.Sleep(30 * time.Minute)
		end(t, k, wait, 0)
		for id, want := range map[int64]struct {
			runs int
			says string
		}{panics: {2, "panicked: as it should"}, fails: {3, "as it should"}, final: {1, "as it should"}} {
			j := w.job(id)
			if j.State != api.StateDead || w.runsOf(id) != want.runs || !strings.Contains(j.Error, want.says) {
				t.Errorf("job of type %q is %s after %d runs: %s", j.Type, j.State, w.runsOf(id), j.Error)
			}
		}
		if j := w.job(slow); j.State != api.StateDead || w.ranOf(slow) != 0 {
			t.Errorf("a job past its deadline is %s, finished %d times", j.State, w.ranOf(slow))
		}
	})
}

func TestDirectives(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		_, wait := w.start(w.ctx, 1)
		time.Sleep(time.Second)
		for _, op := range []api.Op{api.OpDrain, api.OpNap} {
			d, err := w.engine.Direct(w.ctx, api.DirectiveRequest{All: true, Op: op, AfterMS: 1000, Reason: "test"})
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			id := w.submit(api.JobSpec{}, time.Second)[0]
			time.Sleep(5 * time.Minute)
			if s := w.job(id).State; s != api.StateWaiting {
				t.Errorf("%s: the job is %s", op, s)
			}
			if err := w.engine.DeleteDirective(w.ctx, d.ID); err != nil {
				t.Fatal(err)
			}
			time.Sleep(30 * time.Second) // a call for work may be open so long
			if s := w.job(id).State; s != api.StateDone {
				t.Errorf("after %s: the job is %s", op, s)
			}
		}
		if total := w.called("work") + w.called("heartbeat"); total > 250 {
			t.Errorf("%d calls in ten minutes", total)
		}
		id := w.submit(api.JobSpec{}, 10*time.Second)[0]
		time.Sleep(time.Second)
		if _, err := w.engine.Direct(w.ctx, api.DirectiveRequest{All: true, Op: api.OpShutdown}); err != nil {
			t.Fatal(err)
		}
		if err := wait(); err != nil {
			t.Error(err)
		}
		w.allDone([]int64{id})
	})
}

func TestUpdateAsksTheSupervisorNowAndThen(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var asked atomic.Int64
		k, wait := w.start(w.ctx, 1, func(c *worker.Config) { c.Update = func() { asked.Add(1) } })
		time.Sleep(time.Second)
		if _, err := w.engine.Direct(w.ctx, api.DirectiveRequest{All: true, Op: api.OpUpdate, Bundle: "v2"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if n := asked.Load(); n != 1 {
			t.Errorf("asked %d times within a second", n)
		}
		time.Sleep(time.Minute)
		if n := asked.Load(); n < 2 || n > 13 {
			t.Errorf("asked %d times within a minute", n)
		}
		end(t, k, wait, 0)
	})
}

func TestKilledWorkerLeavesResultsToTheNext(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.bucket.setDown(true)
		ids := w.submit(api.JobSpec{}, 2*time.Second, 2*time.Second, 4*time.Second)
		life, kill := context.WithCancel(w.ctx)
		_, wait := w.start(life, 3)
		time.Sleep(3 * time.Second) // two are finished, one runs
		kill()
		if err := wait(); !errors.Is(err, context.Canceled) {
			t.Errorf("killed: %v", err)
		}
		w.bucket.setDown(false)
		k, wait := w.start(w.ctx, 3)
		time.Sleep(2 * time.Minute)
		end(t, k, wait, 0)
		w.allDone(ids)
		w.onceEach(ids[:2])
		if w.runsOf(ids[2]) != 2 {
			t.Errorf("the job that was running ran %d times", w.runsOf(ids[2]))
		}
	})
}

func TestLeftResultWhoseLeaseIsGoneIsDropped(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.bucket.setDown(true)
		ids := w.submit(api.JobSpec{}, 2*time.Second)
		life, kill := context.WithCancel(w.ctx)
		_, wait := w.start(life, 1)
		time.Sleep(3 * time.Second)
		kill()
		wait()
		time.Sleep(5 * time.Minute)
		w.bucket.setDown(false)
		k, wait := w.start(w.ctx, 1)
		time.Sleep(time.Minute)
		end(t, k, wait, 0)
		w.allDone(ids)
		if !w.outboxEmpty() {
			t.Error("something is left in the outbox")
		}
	})
}

func TestOrphan(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var mu sync.Mutex
		var reasons []string
		said := func() []string { mu.Lock(); defer mu.Unlock(); return slices.Clone(reasons) }
		w.submit(api.JobSpec{}, 20*time.Minute)
		k, wait := w.start(w.ctx, 1, func(c *worker.Config) {
			c.OrphanAfter, c.Orphan = 15*time.Minute, func(r string) { mu.Lock(); defer mu.Unlock(); reasons = append(reasons, r) }
		})
		time.Sleep(time.Minute)
		w.setAway(true)
		time.Sleep(18 * time.Minute)
		if len(said()) != 0 {
			t.Error("orphaned while a job runs")
		}
		time.Sleep(20 * time.Minute)
		if reasons := said(); len(reasons) != 2 || !strings.HasPrefix(reasons[0], "no word from the queue for ") {
			t.Errorf("orphaned: %q", reasons)
		}
		w.setAway(false)
		time.Sleep(time.Hour)
		if reasons := said(); len(reasons) != 2 {
			t.Errorf("orphaned with a queue: %q", reasons)
		}
		end(t, k, wait, time.Second)
	})
}

func TestHealthy(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var at atomic.Int64
		healthy := func(c *worker.Config) { c.Healthy = func() { at.Store(time.Now().UnixNano()) } }
		k, wait := w.start(w.ctx, 1, healthy)
		started := time.Now()
		time.Sleep(2 * time.Minute)
		if d := time.Unix(0, at.Load()).Sub(started); d < 55*time.Second || d > 90*time.Second {
			t.Errorf("an idle worker is healthy after %v", d)
		}
		end(t, k, wait, 0)

		k, wait = w.start(w.ctx, 1, healthy)
		started = time.Now()
		w.submit(api.JobSpec{}, time.Second)
		time.Sleep(2 * time.Minute)
		if d := time.Unix(0, at.Load()).Sub(started); d > 2*time.Second {
			t.Errorf("a worker that did a job is healthy after %v", d)
		}
		end(t, k, wait, 0)
	})
}

func TestWrongClusterIsAnError(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		_, wait := w.start(w.ctx, 1, func(c *worker.Config) { c.Self.Cluster = "production" })
		var refusal *api.Error
		if err := wait(); !errors.As(err, &refusal) || refusal.Code != api.CodeWrongCluster {
			t.Errorf("%v", err)
		}
	})
}

// TestAnyTrouble has workers live through random trouble: the queue is away or
// replaced, answers are lost, the store is down, workers are killed and started
// again. In the end every job is done, and its result is there.
func TestAnyTrouble(t *testing.T) {
	for seed := range uint64(6) {
		t.Run("", func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				t.Logf("seed %d", seed)
				chance := rand.New(rand.NewPCG(seed, 7))
				losing := rand.New(rand.NewPCG(seed, 8))
				w.loses = func(string) bool { return losing.IntN(20) == 0 }
				var ids []int64
				life, kill := context.WithCancel(w.ctx)
				_, wait := w.start(life, 3)
				for range 60 {
					ids = append(ids, w.submit(api.JobSpec{AttemptsMax: 100}, time.Duration(chance.IntN(8000))*time.Millisecond)...)
					time.Sleep(time.Duration(chance.IntN(10_000)) * time.Millisecond)
					switch chance.IntN(8) {
					case 0:
						w.setAway(true)
					case 1, 2:
						w.setAway(false)
					case 3:
						w.bucket.setDown(true)
					case 4:
						w.bucket.setDown(false)
					case 5:
						kill()
						wait()
						life, kill = context.WithCancel(w.ctx)
						_, wait = w.start(life, 3)
					case 6:
						w.engine.Kill()
						w.open()
					}
				}
				w.setAway(false)
				w.bucket.setDown(false)
				w.mu.Lock()
				w.loses = nil
				w.mu.Unlock()
				time.Sleep(20 * time.Minute)
				synctest.Wait()
				kill()
				wait()
				w.allDone(ids)
				if !w.outboxEmpty() {
					t.Error("something is left in the outbox")
				}
			})
		})
	}
}

func TestNewTokenWhenTheOldOneIsTakenNoMore(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var renewed atomic.Int64
		k, wait := w.start(w.ctx, 2, func(c *worker.Config) {
			c.Authenticate = func(context.Context) error { renewed.Add(1); w.refuse(false); return nil }
		})
		ids := w.submit(api.JobSpec{}, repeat(20*time.Second, 4)...)
		time.Sleep(10 * time.Second)
		w.refuse(true)
		time.Sleep(2 * time.Minute)
		endWell(t, w, k, wait, ids)
		if n := renewed.Load(); n != 1 {
			t.Errorf("%d new tokens", n)
		}
	})
}

func TestReloadOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var reads atomic.Int64
		k, wait := w.start(w.ctx, 1, func(c *worker.Config) {
			c.Self.Types = []string{"old"}
			c.Reload = func() ([]string, error) {
				if reads.Add(1) == 1 {
					return nil, errors.New("not now")
				}
				return []string{"nap"}, nil
			}
		})
		id := w.submit(api.JobSpec{}, time.Second)[0]
		for n := range 2 {
			if s := w.job(id).State; s != api.StateWaiting {
				t.Errorf("a job that there is no handler for is %s", s)
			}
			if _, err := w.engine.Direct(w.ctx, api.DirectiveRequest{All: true, Op: api.OpReload, Reason: string(rune('a' + n))}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		if n := reads.Load(); n != 2 {
			t.Errorf("the configuration was read %d times for two directives", n)
		}
		w.allDone([]int64{id})
		end(t, k, wait, 0)
	})
}

func TestStoreThatWillNeverTakeAResult(t *testing.T) {
	for _, never := range []error{results.ErrOther, results.ErrRefused} {
		t.Run(never.Error(), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				id := w.submit(api.JobSpec{AttemptsMax: 1}, time.Second)[0]
				k, wait := w.start(w.ctx, 1, func(c *worker.Config) { c.Store = refusing{never} })
				time.Sleep(10 * time.Second)
				if j := w.job(id); j.State != api.StateDead || !strings.Contains(j.Error, never.Error()) {
					t.Errorf("the job is %s: %s", j.State, j.Error)
				}
				end(t, k, wait, 0)
				if !w.outboxEmpty() {
					t.Error("the result is kept")
				}
			})
		})
	}
}

// refusing is a store that takes nothing.
type refusing struct{ err error }

func (r refusing) Put(context.Context, results.Key, string, []results.File) (string, error) {
	return "", r.err
}

// A worker that drains hears at once that it is wanted again, though its next beat
// is seconds away.
func TestWantedAgainAtOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		k, end := w.start(t.Context(), 1)
		time.Sleep(time.Second)
		d, err := w.engine.Direct(t.Context(), api.DirectiveRequest{InstanceID: "i-1", Op: api.OpDrain})
		if err != nil {
			t.Fatal(err)
		}
		jobs := w.submit(api.JobSpec{}, time.Second)
		time.Sleep(32 * time.Second) // beyond the longest call and the lease
		if n := w.begun(); n != 0 {
			t.Fatalf("%d jobs were begun while it drains", n)
		}
		for _, x := range w.engine.Workers().Workers {
			if x.Silent {
				t.Error("it is silent while it drains")
			}
		}
		if err := w.engine.DeleteDirective(t.Context(), d.ID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond) // for commits
		if n := w.begun(); n != 1 {
			t.Fatalf("%d jobs are begun at once, want 1", n)
		}
		time.Sleep(2 * time.Second)
		w.allDone(jobs)
		k.End(worker.Order{Reason: "the test is over"})
		if err := end(); err != nil {
			t.Error(err)
		}
	})
}
