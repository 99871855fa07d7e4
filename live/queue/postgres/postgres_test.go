package postgres_test

import (
	"errors"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/skynet-ec2/skynet/live/queue"
	"github.com/skynet-ec2/skynet/live/queue/postgres"
	"github.com/skynet-ec2/skynet/live/queue/postgres/pgtest"
	"github.com/skynet-ec2/skynet/live/queue/storetest"
)

// server starts one PostgreSQL for all tests of the package. They measure
// nothing and lose nothing with the machine, so it does not wait for the disk.
var server = sync.OnceValues(func() (*pgtest.Server, error) { return pgtest.Start("fsync=off") })

var started atomic.Bool

func TestMain(m *testing.M) {
	code := m.Run()
	if started.Load() {
		if s, err := server(); err == nil {
			s.Stop()
		}
	}
	os.Exit(code)
}

func needServer(t *testing.T) *pgtest.Server {
	t.Helper()
	started.Store(true)
	s, err := server()
	if errors.Is(err, pgtest.ErrMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// empty empties the queue's tables in the server's database. One after the
// other, the tests use the same: to make new ones would cost a second each.
func empty(t *testing.T, s *pgtest.Server) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.URL(s.Port, "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	_, err = conn.Exec(t.Context(), "truncate skynet.batch, skynet.job, skynet.hand_out, skynet.key, skynet.fact, skynet.minute, skynet.history; "+
		"update skynet.leader set epoch = 0; update skynet.leader_beat set until = '-infinity'", pgx.QueryExecModeSimpleProtocol)
	if err != nil && !strings.Contains(err.Error(), "does not exist") { // yet: the store makes them
		t.Fatal(err)
	}
}

func opener(t *testing.T, url string) storetest.Open {
	return func() queue.Store {
		s, err := postgres.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

func TestStore(t *testing.T) {
	s := needServer(t)
	storetest.Run(t, func(t *testing.T) storetest.Open {
		empty(t, s)
		return opener(t, s.URL(s.Port, "postgres"))
	})
}

func TestStoreThroughPgBouncer(t *testing.T) {
	s := needServer(t)
	port, err := s.Bounce()
	if errors.Is(err, pgtest.ErrMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	storetest.Run(t, func(t *testing.T) storetest.Open {
		empty(t, s)
		return opener(t, s.URL(port, "postgres"))
	})
}

// A database that answers before it has written is refused. A leader that
// stands still in the midst of a transaction does not keep others from leading.
func TestGuards(t *testing.T) {
	s := needServer(t)
	if err := s.CreateDatabase("hasty"); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), s.URL(s.Port, "hasty"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), "alter database hasty set synchronous_commit = off"); err != nil {
		t.Fatal(err)
	}
	if _, err := postgres.Open(t.Context(), s.URL(s.Port, "hasty")); err == nil || !strings.Contains(err.Error(), "synchronous_commit") {
		t.Fatalf("a hasty database: %v", err)
	}
	if _, err := conn.Exec(t.Context(), "alter database hasty reset synchronous_commit"); err != nil {
		t.Fatal(err)
	}
	open := opener(t, s.URL(s.Port, "hasty"))
	store := open()
	defer store.Close()
	epoch, err := store.Lead(t.Context(), "stalled", time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	// What Commit begins with, and nothing after it.
	if _, err := conn.Exec(t.Context(), "begin; set local idle_in_transaction_session_timeout = '100ms'; select epoch from skynet.leader for share", pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	next, err := store.Lead(t.Context(), "next", time.Hour)
	if err != nil || next <= epoch {
		t.Fatalf("epoch %d after %d, %v", next, epoch, err)
	}
	if _, err := conn.Exec(t.Context(), "commit"); err == nil {
		t.Fatal("the stalled leader goes on")
	}
}
