package main

import (
	"bytes"
	"database/sql"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skynet-ec2/skynet/live/queue/postgres/pgtest"
	"github.com/skynet-ec2/skynet/traces"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// What an application keeps of its jobs becomes a trace, whichever database it
// has, and nothing is written there.
func TestTraceImportFromDatabase(t *testing.T) {
	file := "sqlite:" + filepath.Join(t.TempDir(), "app's jobs.db")
	for name, open := range map[string]func(*testing.T) (*sql.DB, string){
		"sqlite": func(t *testing.T) (*sql.DB, string) {
			db, err := sql.Open("sqlite", strings.TrimPrefix(file, "sqlite:"))
			if err != nil {
				t.Fatal(err)
			}
			return db, file
		},
		"postgres": func(t *testing.T) (*sql.DB, string) {
			server, err := pgtest.Start()
			if errors.Is(err, pgtest.ErrMissing) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { server.Stop() })
			url := server.URL(server.Port, "postgres")
			config, err := pgx.ParseConfig(url)
			if err != nil {
				t.Fatal(err)
			}
			return stdlib.OpenDB(*config), url
		},
	} {
		t.Run(name, func(t *testing.T) {
			db, place := open(t)
			defer db.Close()
			for _, statement := range []string{
				`CREATE TABLE jobs (kind text, at timestamp, took numeric(9,3), line integer)`,
				`INSERT INTO jobs VALUES ('photo', '2026-03-02 10:00:07', 2.250, 0), ('video', '2026-03-02 10:00:05.5', 61, 3), ('lost', '2026-03-02 10:00:06', NULL, 0)`,
			} {
				if _, err := db.Exec(statement); err != nil {
					t.Fatal(err)
				}
			}
			run := func(query, output string) (stdout, stderr string, err error) {
				var out, complaint bytes.Buffer
				c := exec.Command("skynetd", "trace", "import", "--from", place, "--query", query, "-o", output,
					"--map", "arrival_s=at,service_s=took,type=kind,priority=line")
				c.Stdout, c.Stderr = &out, &complaint
				err = c.Run()
				return out.String(), complaint.String(), err
			}

			output := filepath.Join(t.TempDir(), "jobs.csv")
			stdout, stderr, err := run("SELECT * FROM jobs", output)
			if err != nil || !strings.Contains(stdout, "query: read 3, kept 2, dropped 1 (no service time 1, first at line 4") {
				t.Fatalf("%v\n%s%s", err, stdout, stderr)
			}
			src, err := traces.Open(output, traces.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer src.Close()
			var b traces.Batch
			if err := src.Next(&b); err != nil {
				t.Fatal(err)
			}
			if b.Len() != 2 || b.Arrival[0] != 36005.5e9 || b.Service[0] != 61e9 || b.Kinds[b.Kind[0]].Priority != 3 || b.Arrival[1] != 36007e9 || b.Service[1] != 2.25e9 {
				t.Errorf("the trace holds %+v", b)
			}

			for query, complaint := range map[string]string{
				"DELETE FROM jobs RETURNING kind, at, took, line": "read",      // -only transaction, a readonly database
				"SELECT kin FROM jobs":                            `kin`,       // no such column
				"SELECT kind AS sort, at, took, line FROM jobs":   "kind",      // is not in the answer
				"SELECT * FROM jobs WHERE line > 9":               "no usable", // job
			} {
				none := filepath.Join(t.TempDir(), "none.csv")
				_, stderr, err := run(query, none)
				var failed *exec.ExitError
				if !errors.As(err, &failed) || failed.ExitCode() != 2 || !strings.Contains(stderr, complaint) {
					t.Errorf("%s: %v, %s", query, err, stderr)
				}
				if left, _ := filepath.Glob(filepath.Join(filepath.Dir(none), "*")); left != nil {
					t.Errorf("%s left %v", query, left)
				}
			}
			var left int
			if err := db.QueryRow("SELECT count(*) FROM jobs").Scan(&left); err != nil || left != 3 {
				t.Errorf("%d rows are left, %v", left, err)
			}
		})
	}
}
