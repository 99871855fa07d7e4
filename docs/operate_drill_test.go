//go:build unix

package docs_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/live/controller/sqlstore"
	"github.com/skynet-ec2/skynet/live/queue"
	"github.com/skynet-ec2/skynet/live/queue/sqlite"
)

// asThePageSays runs what operate.md has an operator type into a store's file.
func asThePageSays(t *testing.T, file, statement string) {
	t.Helper()
	if !strings.Contains(readText(t, "operate.md"), statement) {
		t.Errorf("operate.md does not say %s", statement)
	}
	db, err := sql.Open("sqlite", file) // the driver is the stores'
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if before, name, found := strings.Cut(statement, "INTO '"); found { // beside the store
		statement = before + "INTO '" + filepath.Join(filepath.Dir(file), name)
	}
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// moved puts a copy in the place of a store.
func moved(t *testing.T, dir, from, to string) {
	t.Helper()
	if err := os.Rename(filepath.Join(dir, from), filepath.Join(dir, to)); err != nil {
		t.Fatal(err)
	}
}

// The controller's store is copied while the controller leads, and the copy takes
// its place later. Whoever leads then has an epoch that nobody ever had.
func TestDrillTheControllersStoreIsRestored(t *testing.T) {
	dir := t.TempDir()
	open := func(file string) *sqlstore.Store {
		s, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := open("skynet-controller.db")
	epoch, err := s.Lead(t.Context(), "render", "a", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Save(t.Context(), "render", epoch, []byte("as it was")); err != nil {
		t.Fatal(err)
	}
	asThePageSays(t, filepath.Join(dir, "skynet-controller.db"), "VACUUM INTO 'controller-backup.db'")
	for range 3 { // life goes on
		if err := errors.Join(s.Save(t.Context(), "render", epoch, []byte("later")), s.Resign(t.Context(), "render", epoch)); err != nil {
			t.Fatal(err)
		}
		if epoch, err = s.Lead(t.Context(), "render", "a", time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	moved(t, dir, "controller-backup.db", "restored.db")
	asThePageSays(t, filepath.Join(dir, "restored.db"), "UPDATE controllers SET epoch = epoch + 1000, until_ms = 0")
	s = open("restored.db")
	defer s.Close()
	again, err := s.Lead(t.Context(), "render", "b", time.Hour)
	if err != nil || again <= epoch {
		t.Errorf("epoch %d after %d: %v", again, epoch, err)
	}
	if text, err := s.Load(t.Context(), "render"); err != nil || string(text) != "as it was" {
		t.Errorf("restored %q: %v", text, err)
	}
	if err := s.Save(t.Context(), "render", epoch, nil); !errors.Is(err, controller.ErrFenced) {
		t.Errorf("the leader of before may save: %v", err)
	}
}

// The queue's store is copied while jobs come in: the copy holds every job that
// was accepted before, and its next leader has an epoch that nobody ever had.
func TestDrillTheQueuesStoreIsRestored(t *testing.T) {
	dir := t.TempDir()
	open := func(file string) *queue.Engine {
		s, err := sqlite.Open(t.Context(), filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		e, err := queue.Open(t.Context(), s, queue.Options{Cluster: "c", Holder: file})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(e.Kill)
		return e
	}
	e := open("skynet-queue.db")
	before, err := e.Enqueue(t.Context(), []api.JobSpec{{Type: "resize"}, {Type: "rotate"}}, "")
	if err != nil {
		t.Fatal(err)
	}
	asThePageSays(t, filepath.Join(dir, "skynet-queue.db"), "VACUUM INTO 'queue-backup.db'")
	if _, err := e.Enqueue(t.Context(), []api.JobSpec{{Type: "late"}}, ""); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	moved(t, dir, "queue-backup.db", "restored.db")
	asThePageSays(t, filepath.Join(dir, "restored.db"), "UPDATE leader SET epoch = epoch + 1000, until_ns = 0")
	r := open("restored.db")
	if r.Epoch() <= e.Epoch()+100 {
		t.Errorf("epoch %d after %d", r.Epoch(), e.Epoch())
	}
	for _, b := range before {
		if j, err := r.Job(t.Context(), b.ID, 0); err != nil || j.State != api.StateWaiting {
			t.Errorf("job %d: %+v, %v", b.ID, j.State, err)
		}
	}
	if n := r.Stats("").States[api.StateWaiting]; n != 2 {
		t.Errorf("%d jobs wait, want the two of the copy", n)
	}
}
