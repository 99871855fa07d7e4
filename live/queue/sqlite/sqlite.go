// Package sqlite keeps a queue in one file: the default store, without anything
// to set up. Every commit is on disk before it returns (write-ahead log,
// synchronous = FULL). Two processes may share the file on one machine, one of
// them standing by; a file on a network file system must not be shared.
package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver

	"github.com/skynet-ec2/skynet/live/queue"
)

// Store is a queue.Store in a file of SQLite.
type Store struct {
	read *sql.DB

	// SQLite has one writer at a time: one connection, taken out of the channel
	// by whoever writes.
	writers chan *writer
	write   *sql.DB
}

// writer is the connection that writes.
type writer struct {
	conn       *sql.Conn
	statements map[string]*sql.Stmt
	days       map[int64]bool // that have a table of history
}

// version is that of the tables. A file of a later one is refused.
const version = 1

// Open opens the file, and makes it if there is none.
func Open(ctx context.Context, file string) (*Store, error) {
	s, err := connect(ctx, file)
	if err != nil {
		return nil, fmt.Errorf("queue store %s: %w", file, err)
	}
	return s, nil
}

func connect(ctx context.Context, file string) (*Store, error) {
	dsn := func(more ...string) string {
		q := url.Values{"_pragma": append([]string{"busy_timeout(10000)", "synchronous(FULL)", "temp_store(MEMORY)", "cache_size(-65536)"}, more...)}
		return "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + q.Encode()
	}
	write, err := sql.Open("sqlite", dsn("journal_mode(WAL)", "wal_autocheckpoint(4000)"))
	if err != nil {
		return nil, err
	}
	write.SetMaxOpenConns(1)
	read, err := sql.Open("sqlite", dsn("query_only(1)"))
	if err != nil {
		write.Close()
		return nil, err
	}
	read.SetMaxOpenConns(4)
	s := &Store{write: write, read: read, writers: make(chan *writer, 1)}
	s.writers <- nil
	if err := s.migrate(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Store) migrate(ctx context.Context) error {
	return s.change(ctx, func(w *writer) error {
		var have int
		if err := w.conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
			return err
		}
		switch {
		case have == version:
			return nil
		case have > version:
			return fmt.Errorf("its tables are of version %d: this program knows up to %d", have, version)
		}
		return w.exec(ctx, schema)
	})
}

// schema makes the tables. What packed holds is described by queue.AppendJob
// and queue.AppendLeases; the other columns are for indexes and for people.
// Instants are ns since 1970.
const schema = `
CREATE TABLE leader (
	one      INTEGER PRIMARY KEY CHECK (one = 1),
	epoch    INTEGER NOT NULL,
	holder   TEXT NOT NULL,
	until_ns INTEGER NOT NULL,
	batch    INTEGER NOT NULL, -- the epoch's last
	next_id  INTEGER NOT NULL
);
INSERT INTO leader VALUES (1, 0, '', 0, 0, 1);
CREATE TABLE job (
	id         INTEGER PRIMARY KEY,
	type       TEXT NOT NULL,
	priority   INTEGER NOT NULL,
	tenant     TEXT NOT NULL,
	"group"    TEXT NOT NULL,
	arrival_ns INTEGER NOT NULL,
	state      TEXT NOT NULL,    -- as before its lease, if a hand_out has it
	key        TEXT,             -- idempotency
	cold       INTEGER NOT NULL,
	packed     BLOB NOT NULL
);
CREATE UNIQUE INDEX job_key ON job (key) WHERE key IS NOT NULL;
CREATE INDEX job_cold ON job (priority, arrival_ns, id) WHERE cold = 1;
CREATE TABLE hand_out (
	id     INTEGER PRIMARY KEY,
	worker TEXT NOT NULL,
	packed BLOB NOT NULL
);
CREATE TABLE key (
	key      TEXT PRIMARY KEY,
	job      INTEGER NOT NULL,
	until_ns INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE fact (
	kind  TEXT NOT NULL,
	key   TEXT NOT NULL,
	value BLOB NOT NULL,
	PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE TABLE minute (
	at_ns           INTEGER NOT NULL,
	type            TEXT NOT NULL,
	priority        INTEGER NOT NULL,
	arrived         INTEGER NOT NULL,
	arrived_work_ns INTEGER NOT NULL,
	completed       INTEGER NOT NULL,
	failed          INTEGER NOT NULL,
	retried         INTEGER NOT NULL,
	lost            INTEGER NOT NULL,
	cancelled       INTEGER NOT NULL,
	wait_ns         INTEGER NOT NULL,
	service_ns      INTEGER NOT NULL,
	service_square  REAL NOT NULL,
	PRIMARY KEY (at_ns, type, priority)
) WITHOUT ROWID;
PRAGMA user_version = 1;
`

// change runs do in a transaction. After an error the connection is made anew,
// since nothing is known of its state.
func (s *Store) change(ctx context.Context, do func(*writer) error) (err error) {
	var w *writer
	select {
	case w = <-s.writers:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() {
		if err != nil && w != nil {
			w.close()
			w = nil
		}
		s.writers <- w
	}()
	if w == nil {
		conn, err := s.write.Conn(ctx)
		if err != nil {
			return fail(ctx, err)
		}
		w = &writer{conn: conn, statements: map[string]*sql.Stmt{}, days: map[int64]bool{}}
	}
	if err := w.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return fail(ctx, err)
	}
	if err := do(w); err != nil {
		return fail(ctx, err)
	}
	return fail(ctx, w.exec(ctx, "COMMIT"))
}

// close closes the connection, which rolls back what is not committed.
func (w *writer) close() {
	for _, prepared := range w.statements {
		prepared.Close()
	}
	// A connection goes back to the pool clean: without a transaction.
	w.conn.Raw(func(any) error { return driver.ErrBadConn })
	w.conn.Close()
}

func (w *writer) exec(ctx context.Context, text string, values ...any) error {
	_, err := w.conn.ExecContext(ctx, text, values...)
	return err
}

// affect runs a statement and returns how many rows it changed.
func (w *writer) affect(ctx context.Context, text string, values ...any) (int64, error) {
	done, err := w.conn.ExecContext(ctx, text, values...)
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}

// statement returns a prepared statement.
func (w *writer) statement(ctx context.Context, text string) (*sql.Stmt, error) {
	if prepared := w.statements[text]; prepared != nil {
		return prepared, nil
	}
	prepared, err := w.conn.PrepareContext(ctx, text)
	if err == nil {
		w.statements[text] = prepared
	}
	return prepared, err
}

// fail returns err, as the context's where that is its cause: SQLite says no
// more than that it was interrupted.
func fail(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		return fmt.Errorf("%w (%w)", err, ctx.Err())
	}
	return err
}

// Lead implements queue.Store. Who leads is told by the machine's clock.
func (s *Store) Lead(ctx context.Context, holder string, ttl time.Duration) (epoch uint32, err error) {
	err = s.change(ctx, func(w *writer) error {
		now := time.Now()
		n, err := w.affect(ctx, "UPDATE leader SET epoch = epoch + 1, holder = ?, until_ns = ?, batch = 0 WHERE until_ns <= ?",
			holder, now.Add(ttl).UnixNano(), now.UnixNano())
		if err != nil {
			return err
		}
		if n == 0 {
			return queue.ErrHeld
		}
		return w.conn.QueryRowContext(ctx, "SELECT epoch FROM leader").Scan(&epoch)
	})
	return epoch, err
}

// Renew implements queue.Store.
func (s *Store) Renew(ctx context.Context, epoch uint32, ttl time.Duration) error {
	return s.setUntil(ctx, epoch, time.Now().Add(ttl).UnixNano())
}

// Resign implements queue.Store.
func (s *Store) Resign(ctx context.Context, epoch uint32) error { return s.setUntil(ctx, epoch, 0) }

func (s *Store) setUntil(ctx context.Context, epoch uint32, until int64) error {
	return s.change(ctx, func(w *writer) error {
		n, err := w.affect(ctx, "UPDATE leader SET until_ns = ? WHERE epoch = ?", until, epoch)
		if err == nil && n == 0 {
			return queue.ErrFenced
		}
		return err
	})
}

// Close implements queue.Store.
func (s *Store) Close() error {
	if w := <-s.writers; w != nil {
		w.close()
	}
	s.writers <- nil
	return errors.Join(s.read.Close(), s.write.Close())
}

// places returns n times "(?,…,?)" with width question marks each.
func places(n, width int) string {
	row := "(?" + strings.Repeat(",?", width-1) + ")"
	return row + strings.Repeat(","+row, n-1)
}
