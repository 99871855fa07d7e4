//go:build unix

package docs_test

import (
	"database/sql"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/live/controller/sqlstore"
	"github.com/skynet-ec2/skynet/live/queue"
	"github.com/skynet-ec2/skynet/live/queue/postgres"
	"github.com/skynet-ec2/skynet/live/queue/postgres/pgtest"
)

// onDatabase runs a command line of operate.md, on a database and a backup's file.
func onDatabase(t *testing.T, line, url, file string) {
	t.Helper()
	if !strings.Contains(readText(t, "operate.md"), line) {
		t.Errorf("operate.md does not say %s", line)
	}
	words := strings.Fields(line)
	for i, word := range words {
		words[i] = strings.NewReplacer("skynet-backup.sql", file, `"$URL"`, url).Replace(word)
	}
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

// In PostgreSQL both stores are one database: it is dumped while queue and controller
// lead, restored into an empty one, and whoever leads then has epochs that nobody
// ever had.
func TestDrillPostgreSQLIsRestored(t *testing.T) {
	for _, program := range []string{"pg_dump", "psql"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("no %s: %v", program, err)
		}
	}
	s, err := pgtest.Start()
	if err != nil {
		t.Skipf("no PostgreSQL: %v", err)
	}
	t.Cleanup(func() { s.Stop() })
	for _, name := range []string{"skynet", "restored"} {
		if err := s.CreateDatabase(name); err != nil {
			t.Fatal(err)
		}
	}
	open := func(name string) (*queue.Engine, *sqlstore.Store) {
		url := s.URL(s.Port, name)
		store, err := postgres.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { store.Close() })
		e, err := queue.Open(t.Context(), store, queue.Options{Cluster: "c", Holder: name})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(e.Kill)
		c, err := sqlstore.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return e, c
	}
	ctx := t.Context()
	e, c := open("skynet")
	epoch, err := c.Lead(ctx, "render", "a", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	before, err := e.Enqueue(ctx, []api.JobSpec{{Type: "resize"}, {Type: "rotate"}}, "")
	stop := controller.Stopped{Reason: "a drill", By: "ann", Since: time.Now().UTC().Truncate(time.Second)}
	if err := errors.Join(err, c.Save(ctx, "render", epoch, []byte("as it was")), c.Stop(ctx, "render", stop)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "skynet-backup.sql")
	onDatabase(t, `pg_dump --file=skynet-backup.sql "$URL"`, s.URL(s.Port, "skynet"), file)
	for range 3 { // life goes on
		if err := errors.Join(c.Save(ctx, "render", epoch, []byte("later")), c.Resign(ctx, "render", epoch)); err != nil {
			t.Fatal(err)
		}
		if epoch, err = c.Lead(ctx, "render", "a", time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(ctx); err != nil {
		t.Fatal(err)
	}
	onDatabase(t, `psql --set=ON_ERROR_STOP=1 --file=skynet-backup.sql "$URL"`, s.URL(s.Port, "restored"), file)
	db, err := sql.Open("pgx", s.URL(s.Port, "restored"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{"UPDATE skynet.leader SET epoch = epoch + 1000", "UPDATE skynet.leader_beat SET until = '-infinity'", "UPDATE controllers SET epoch = epoch + 1000, until_ms = 0"} {
		if !strings.Contains(readText(t, "operate.md"), statement) {
			t.Errorf("operate.md does not say %s", statement)
		}
		if r, err := db.ExecContext(ctx, statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		} else if n, err := r.RowsAffected(); n != 1 || err != nil {
			t.Errorf("%s: %d rows, %v", statement, n, err)
		}
	}
	r, restored := open("restored")
	if r.Epoch() <= e.Epoch()+100 {
		t.Errorf("the queue's epoch %d after %d", r.Epoch(), e.Epoch())
	}
	for _, b := range before {
		if j, err := r.Job(ctx, b.ID, 0); err != nil || j.State != api.StateWaiting {
			t.Errorf("job %d: %+v, %v", b.ID, j.State, err)
		}
	}
	again, err := restored.Lead(ctx, "render", "b", time.Hour)
	if err != nil || again <= epoch {
		t.Errorf("epoch %d after %d: %v", again, epoch, err)
	}
	if text, err := restored.Load(ctx, "render"); err != nil || string(text) != "as it was" {
		t.Errorf("restored %q: %v", text, err)
	}
	if err := restored.Save(ctx, "render", epoch, nil); !errors.Is(err, controller.ErrFenced) {
		t.Errorf("the leader of before may save: %v", err)
	}
	if got, err := restored.StopRow(ctx, "render"); err != nil || got != stop {
		t.Errorf("the stop is %+v, %v", got, err)
	}
}

// A controller's store as an older program made it, with the one table, serves the
// new program: what was saved stays, and there are orders.
func TestDrillTheControllersStoreIsUpgraded(t *testing.T) {
	old := "INSERT INTO controllers (fleet, epoch, holder, until_ms, saved) VALUES ('render', 7, '', 0, 'as it was')"
	upgraded := func(t *testing.T, driver, place, name, create string) {
		db, err := sql.Open(driver, name)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		for _, statement := range []string{create, old} {
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		s, err := sqlstore.Open(t.Context(), place)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		epoch, err := s.Lead(t.Context(), "render", "new", time.Hour)
		text, errl := s.Load(t.Context(), "render")
		o, erro := s.Orders(t.Context(), "render")
		if err := errors.Join(err, errl, erro); err != nil || epoch != 8 || string(text) != "as it was" || o.Active != 0 {
			t.Errorf("epoch %d, saved %q, orders %+v: %v", epoch, text, o, err)
		}
	}
	t.Run("sqlite", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "c.db")
		upgraded(t, "sqlite", "sqlite:"+file, file, "CREATE TABLE controllers (fleet TEXT PRIMARY KEY, epoch INTEGER NOT NULL, holder TEXT NOT NULL, until_ms INTEGER NOT NULL, saved BLOB) WITHOUT ROWID")
	})
	t.Run("postgres", func(t *testing.T) {
		s, err := pgtest.Start()
		if err != nil {
			t.Skipf("no PostgreSQL: %v", err)
		}
		t.Cleanup(func() { s.Stop() })
		if err := s.CreateDatabase("skynet"); err != nil {
			t.Fatal(err)
		}
		url := s.URL(s.Port, "skynet")
		upgraded(t, "pgx", url, url, "CREATE TABLE controllers (fleet text PRIMARY KEY, epoch bigint NOT NULL, holder text NOT NULL, until_ms bigint NOT NULL, saved bytea)")
	})
}
