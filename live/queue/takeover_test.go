package queue_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/queue"
)

// stalledStore lets something happen when it is first loaded, while the lead is
// not renewed: what a process sees that is stopped there for longer than its
// lead.
type stalledStore struct {
	queue.Store
	meanwhile func()
	loaded    atomic.Bool
}

func (s *stalledStore) Renew(ctx context.Context, epoch uint32, ttl time.Duration) error {
	if !s.loaded.Load() {
		return nil
	}
	return s.Store.Renew(ctx, epoch, ttl)
}

func (s *stalledStore) Load(ctx context.Context, to queue.Loaded) (int64, error) {
	if !s.loaded.Load() {
		s.meanwhile()
		s.loaded.Store(true)
	}
	return s.Store.Load(ctx, to)
}

// A process that loses the lead while it loads meets leases of the next leader.
// It stands by again.
func TestLeadLostWhileLoading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := queue.NewMemory()
		first := open(t, store, queue.Options{})
		ids := submit(t, first, api.JobSpec{Type: "photo"})
		first.Kill()
		var second *queue.Engine
		var handed api.LeasedJob
		stalled := &stalledStore{Store: store, meanwhile: func() {
			second = open(t, store, queue.Options{})
			handed = work(t, second, request(hire(t, second, "i-1", 1).Session, 1, 0)).Jobs[0]
			time.AfterFunc(time.Minute, second.Kill)
		}}
		third := open(t, stalled, queue.Options{})
		if handed.ID != ids[0] || third.Epoch() != second.Epoch()+1 {
			t.Errorf("job %d was handed out under epoch %d, and the process that had lost the lead has epoch %d; want job %d and the epoch after", handed.ID, second.Epoch(), third.Epoch(), ids[0])
		}
	})
}

// dyingStore is one whose database dies the first times that it is loaded, in
// the midst, and is gone for a while.
type dyingStore struct {
	queue.Store
	deaths int
	gone   time.Duration
	until  time.Time // it answers again
	loads  []time.Time
}

var errDied = errors.New("server closed the connection unexpectedly")

func (s *dyingStore) answers() error {
	if time.Now().Before(s.until) {
		return errDied
	}
	return nil
}

func (s *dyingStore) Lead(ctx context.Context, holder string, ttl time.Duration) (uint32, error) {
	if err := s.answers(); err != nil {
		return 0, err
	}
	return s.Store.Lead(ctx, holder, ttl)
}

func (s *dyingStore) Resign(ctx context.Context, epoch uint32) error {
	if err := s.answers(); err != nil {
		return err
	}
	return s.Store.Resign(ctx, epoch)
}

func (s *dyingStore) Load(ctx context.Context, to queue.Loaded) (int64, error) {
	s.loads = append(s.loads, time.Now())
	next, err := s.Store.Load(ctx, to)
	if len(s.loads) <= s.deaths {
		s.until = time.Now().Add(s.gone)
		return 0, errDied
	}
	return next, err
}

// A standby whose database dies while it loads says so, stands by, and takes
// over when the database is back.
func TestDatabaseDiesWhileLoading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := queue.NewMemory()
		first := open(t, store, queue.Options{})
		ids := submit(t, first, api.JobSpec{Type: "photo"})
		first.Kill()
		var said bytes.Buffer
		dying := &dyingStore{Store: store, deaths: 3, gone: 20 * time.Second}
		began := time.Now()
		second := open(t, dying, queue.Options{Log: slog.New(slog.NewTextHandler(&said, nil))})
		if took := time.Since(began); len(dying.loads) != 4 || took < time.Minute || took > 80*time.Second {
			t.Errorf("loaded %d times in %v; want 4 times, and the queue within seconds once the database was back the third time, after a minute", len(dying.loads), took)
		}
		if n := strings.Count(said.String(), `msg="the queue was not loaded; it stands by and tries again"`); n != 3 || !strings.Contains(said.String(), errDied.Error()) {
			t.Errorf("%d lines say that it was not loaded, want 3:\n%s", n, said.String())
		}
		if j := work(t, second, request(hire(t, second, "i-1", 1).Session, 1, 0)).Jobs; len(j) != 1 || j[0].ID != ids[0] {
			t.Errorf("handed out %+v, want job %d", j, ids[0])
		}
	})
}

// One that may not wait returns what kept it; what a store holds and no queue
// can be is no reason to wait.
func TestOpenGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		defer cancel()
		if _, err := queue.Open(ctx, &dyingStore{Store: queue.NewMemory(), deaths: 1000}, queue.Options{}); !errors.Is(err, errDied) || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, queue.ErrHeld) {
			t.Errorf("%v; want the store's error and the context's", err)
		}
		store := queue.NewMemory()
		holder := open(t, store, queue.Options{LeadFor: time.Hour})
		if _, err := queue.Open(ctx, store, queue.Options{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v; want the context's error", err)
		}
		short, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		defer cancel()
		if _, err := queue.Open(short, store, queue.Options{}); !errors.Is(err, queue.ErrHeld) {
			t.Errorf("%v; want ErrHeld", err)
		}
		if err := holder.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		epoch, err := store.Lead(t.Context(), "a later program", time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Commit(t.Context(), &queue.Batch{Epoch: epoch, Number: 1, Facts: []queue.Fact{{Kind: "queue", Key: "photo", Value: []byte("{")}}}); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if _, err := queue.Open(t.Context(), store, queue.Options{}); err == nil || !strings.Contains(err.Error(), `queue "photo"`) || time.Since(began) > 5*time.Second {
			t.Errorf("%v after %v; want at once what cannot be read", err, time.Since(began))
		}
	})
}

// frozenStore does not renew the lead while it is frozen: what a process sees of
// the store that is stopped for longer than its lead.
type frozenStore struct {
	queue.Store
	frozen atomic.Bool
}

func (s *frozenStore) Renew(ctx context.Context, epoch uint32, ttl time.Duration) error {
	if s.frozen.Load() {
		return errors.New("frozen")
	}
	return s.Store.Renew(ctx, epoch, ttl)
}

// A leader that was stalled until another one took over must not tell a worker that
// its lease, of which it cannot know, is lost: the worker would throw its result
// away. It says that it does not lead.
func TestAStalledLeaderTakesNothingAway(t *testing.T) {
	for name, word := range map[string]func(e *queue.Engine, session string, j api.LeasedJob) error{
		"done": func(e *queue.Engine, session string, j api.LeasedJob) error {
			_, err := e.Work(context.Background(), request(session, 0, 0, ok(j)...))
			return err
		},
		"done, and nothing else": func(e *queue.Engine, session string, j api.LeasedJob) error {
			_, err := e.Complete(context.Background(), api.CompleteRequest{Session: session, Done: ok(j)})
			return err
		},
		"running": func(e *queue.Engine, session string, j api.LeasedJob) error {
			_, err := e.Heartbeat(context.Background(), api.HeartbeatRequest{Session: session, Running: running(j)})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := queue.NewMemory()
				of := &frozenStore{Store: store}
				first := open(t, of, queue.Options{})
				w := hire(t, first, "i-1", 1)
				submit(t, first, photos(1)...)
				time.Sleep(time.Second)
				of.frozen.Store(true)
				second := open(t, store, queue.Options{})
				j := work(t, second, request(w.Session, 1, 0)).Jobs[0]
				of.frozen.Store(false)
				var refused *api.Error
				if err := word(first, w.Session, j); !errors.As(err, &refused) || refused.Code != api.CodeNotLeader {
					t.Errorf("the stalled leader says %v", err)
				}
				if a := work(t, second, request(w.Session, 0, 0, ok(j)...)); a.Acks[0].Status != api.AckAccepted {
					t.Errorf("the leader says %s", a.Acks[0].Status)
				}
				second.Kill()
				synctest.Wait()
			})
		})
	}
}
