package sqlstore

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/queue/postgres/pgtest"
)

// kept returns what is kept of a journal.
func kept(t *testing.T, s *Store, name string, from, to time.Time) string {
	t.Helper()
	var b bytes.Buffer
	err := s.JournalLines(context.Background(), name, from, to, func(line []byte) error {
		b.Write(line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// databases opens every kind of database there is, empty.
func databases(t *testing.T, run func(t *testing.T, s *Store)) {
	open := func(t *testing.T, place string) *Store {
		s, err := Open(t.Context(), place)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	t.Run("sqlite", func(t *testing.T) { run(t, open(t, "sqlite:"+filepath.Join(t.TempDir(), "store.db"))) })
	t.Run("postgres", func(t *testing.T) {
		p, err := pgtest.Start()
		if err != nil {
			t.Skipf("no PostgreSQL: %v", err)
		}
		t.Cleanup(func() { p.Stop() })
		if err := p.CreateDatabase("fleet"); err != nil {
			t.Fatal(err)
		}
		run(t, open(t, p.URL(p.Port, "fleet")))
	})
}

// A journal in the database reads as it was written, page after page; a line that
// was never ended is; old ones are forgotten.
func TestJournalPages(t *testing.T) {
	databases(t, func(t *testing.T, s *Store) {
		log := slog.New(slog.DiscardHandler)
		began := time.Now()
		var want strings.Builder
		for page := range 2 {
			p := s.Journal("render", 0, log)
			write := func(text string) {
				fmt.Fprint(p, text)
				want.WriteString(text)
			}
			write("{\"version\":1}\n")
			for line := range 200 {
				write(fmt.Sprintf(`{"id":%d,"x":"%s"`, 200*page+line, strings.Repeat("y", 100)))
				write(",\"outcome\":{}}\n")
			}
			write(`{"id":999,"cut":"off"`)
			want.WriteString("}\n")
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
		}
		end := time.Now().Add(time.Minute)
		if got := kept(t, s, "render", began, end); got != want.String() {
			t.Errorf("%d bytes are kept of %d", len(got), want.Len())
		}
		if got := kept(t, s, "other", began, end); got != "" {
			t.Errorf("of another fleet there is %q", got)
		}
		if got := kept(t, s, "render", began.Add(-2*time.Hour), began.Add(-time.Hour)); got != "" {
			t.Errorf("of an earlier time there is %q", got)
		}
		time.Sleep(5 * time.Millisecond)
		p := s.Journal("render", time.Millisecond, log)
		fmt.Fprint(p, "{\"version\":1}\n")
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		if got := kept(t, s, "render", began, end); got != "{\"version\":1}\n" {
			t.Errorf("after they were forgotten there is %q", got)
		}
	})
}

// A database that is away holds nothing up, and has all of it when it is back.
func TestJournalWhileTheDatabaseIsAway(t *testing.T) {
	databases(t, func(t *testing.T, s *Store) {
		if err := s.exec(t.Context(), `ALTER TABLE controller_journals RENAME TO controller_journals_away`); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		p := s.Journal("render", 0, slog.New(slog.DiscardHandler))
		for line := range 3 {
			fmt.Fprintf(p, "{\"id\":%d}\n", line)
		}
		if err := s.exec(t.Context(), `ALTER TABLE controller_journals_away RENAME TO controller_journals`); err != nil {
			t.Fatal(err)
		}
		deadline := time.Now().Add(10 * time.Second)
		for kept(t, s, "render", began, time.Now().Add(time.Minute)) != "{\"id\":0}\n{\"id\":1}\n{\"id\":2}\n" {
			if time.Now().After(deadline) {
				t.Fatal("it never had all of it")
			}
			time.Sleep(50 * time.Millisecond)
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// The latest day's drift is what is asked for.
func TestDriftIsKept(t *testing.T) {
	databases(t, func(t *testing.T, s *Store) {
		day := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
		if got, err := s.Drift(t.Context(), "render"); got != nil || err != nil {
			t.Errorf("before any: %q, %v", got, err)
		}
		for _, x := range []struct {
			day  time.Time
			text string
		}{{day, "a"}, {day.Add(24 * time.Hour), "b"}, {day.Add(24 * time.Hour), "c"}, {day.Add(-24 * time.Hour), "d"}} {
			if err := s.SaveDrift(t.Context(), "render", x.day, []byte(x.text)); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := s.Drift(t.Context(), "render"); string(got) != "c" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	})
}
