// Package sqlstore keeps a controller's state in SQLite or PostgreSQL: one row a
// fleet, which holds who leads it and what the leader saved; and beside it the kill
// switch, what operators ordered, and who did what. It works behind PgBouncer in
// transaction mode.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/skynet-ec2/skynet/live/controller"
)

// Store is a controller.Store in a database. It is safe for concurrent use.
type Store struct {
	db      *sql.DB
	dialect *dialect
	timeout time.Duration
}

// dialect is what differs between the databases. Both know what $1 is.
type dialect struct {
	create []string
	now    string // milliseconds since 1970, by the database's clock: all leaders share it
}

var sqlite = dialect{
	create: []string{`CREATE TABLE IF NOT EXISTS controllers (
		fleet TEXT PRIMARY KEY, epoch INTEGER NOT NULL, holder TEXT NOT NULL, until_ms INTEGER NOT NULL, saved BLOB
	) WITHOUT ROWID`, `CREATE TABLE IF NOT EXISTS controller_claims (
		fleet TEXT PRIMARY KEY, claim BLOB NOT NULL
	) WITHOUT ROWID`, `CREATE TABLE IF NOT EXISTS controller_stops (
		fleet TEXT PRIMARY KEY, reason TEXT NOT NULL, stopped_by TEXT NOT NULL, since_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL
	) WITHOUT ROWID`, `CREATE TABLE IF NOT EXISTS controller_orders (
		fleet TEXT PRIMARY KEY, revision INTEGER NOT NULL, orders BLOB NOT NULL
	) WITHOUT ROWID`, `CREATE TABLE IF NOT EXISTS controller_acts (
		number INTEGER PRIMARY KEY AUTOINCREMENT, fleet TEXT NOT NULL, at_ms INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, why TEXT NOT NULL
	)`, `CREATE TABLE IF NOT EXISTS controller_journals (
		name TEXT NOT NULL, page INTEGER NOT NULL, line INTEGER NOT NULL, at_ms INTEGER NOT NULL, ends INTEGER NOT NULL, text BLOB NOT NULL,
		PRIMARY KEY (name, page, line)
	) WITHOUT ROWID`, `CREATE TABLE IF NOT EXISTS controller_drifts (
		fleet TEXT NOT NULL, day_ms INTEGER NOT NULL, report BLOB NOT NULL, PRIMARY KEY (fleet, day_ms)
	) WITHOUT ROWID`},
	now: "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
}

var postgres = dialect{
	create: []string{`CREATE TABLE IF NOT EXISTS controllers (
		fleet text PRIMARY KEY, epoch bigint NOT NULL, holder text NOT NULL, until_ms bigint NOT NULL, saved bytea
	)`, `CREATE TABLE IF NOT EXISTS controller_claims (
		fleet text PRIMARY KEY, claim bytea NOT NULL
	)`, `CREATE TABLE IF NOT EXISTS controller_stops (
		fleet text PRIMARY KEY, reason text NOT NULL, stopped_by text NOT NULL, since_ms bigint NOT NULL, until_ms bigint NOT NULL
	)`, `CREATE TABLE IF NOT EXISTS controller_orders (
		fleet text PRIMARY KEY, revision bigint NOT NULL, orders bytea NOT NULL
	)`, `CREATE TABLE IF NOT EXISTS controller_acts (
		number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, fleet text NOT NULL, at_ms bigint NOT NULL, who text NOT NULL, what text NOT NULL, why text NOT NULL
	)`, `CREATE TABLE IF NOT EXISTS controller_journals (
		name text NOT NULL, page bigint NOT NULL, line integer NOT NULL, at_ms bigint NOT NULL, ends integer NOT NULL, text bytea NOT NULL,
		PRIMARY KEY (name, page, line)
	)`, `CREATE TABLE IF NOT EXISTS controller_drifts (
		fleet text NOT NULL, day_ms bigint NOT NULL, report bytea NOT NULL, PRIMARY KEY (fleet, day_ms)
	)`},
	now: "(extract(epoch FROM clock_timestamp()) * 1000)::bigint",
}

// timeout bounds every statement: a database that hangs must not stop a leader
// from losing its lead.
const timeout = 10 * time.Second

// Open opens the store at sqlite:FILE or postgres://…, and makes its tables if
// they are not there.
func Open(ctx context.Context, place string) (*Store, error) {
	s := &Store{timeout: timeout}
	name := "" // of what is opened; a database's error names it, without the password
	switch {
	case strings.HasPrefix(place, "sqlite:") && len(place) > len("sqlite:"):
		q := url.Values{"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)"}, "_txlock": {"immediate"}}
		db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: strings.TrimPrefix(place, "sqlite:")}).EscapedPath()+"?"+q.Encode())
		if err != nil {
			return nil, err
		}
		db.SetMaxOpenConns(1)
		s.db, s.dialect = db, &sqlite
		name = place + ": "
	case strings.HasPrefix(place, "postgres://"), strings.HasPrefix(place, "postgresql://"):
		config, err := pgx.ParseConfig(place)
		if err != nil {
			return nil, err
		}
		config.DefaultQueryExecMode = pgx.QueryExecModeExec // nothing prepared stays in a pooled connection
		s.db, s.dialect = stdlib.OpenDB(*config), &postgres
		s.db.SetMaxOpenConns(3)
		s.db.SetConnMaxIdleTime(time.Minute)
	default:
		return nil, fmt.Errorf("store %q: must be sqlite:FILE or postgres://…", place)
	}
	for _, table := range s.dialect.create {
		if err := s.exec(ctx, table); err != nil {
			return nil, errors.Join(fmt.Errorf("open the controller's store: %s%w", name, err), s.db.Close())
		}
	}
	return s, nil
}

// Close closes the database.
func (s *Store) Close() error { return s.db.Close() }

func (s *Store) exec(ctx context.Context, text string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	_, err := s.db.ExecContext(ctx, text, args...)
	return err
}

// fenced runs a statement that touches the row of an epoch; if there is none
// that is ErrFenced.
func (s *Store) fenced(ctx context.Context, text string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	r, err := s.db.ExecContext(ctx, text, args...)
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return controller.ErrFenced
}

// Lead implements controller.Store.
func (s *Store) Lead(ctx context.Context, fleet, holder string, lasts time.Duration) (epoch int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	now := s.dialect.now
	err = s.db.QueryRowContext(ctx, `INSERT INTO controllers (fleet, epoch, holder, until_ms) VALUES ($1, 1, $2, `+now+` + $3)
		ON CONFLICT (fleet) DO UPDATE SET epoch = controllers.epoch + 1, holder = $2, until_ms = `+now+` + $3
		WHERE controllers.holder = '' OR controllers.until_ms <= `+now+`
		RETURNING epoch`, fleet, holder, lasts.Milliseconds()).Scan(&epoch)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, controller.ErrHeld
	}
	return epoch, err
}

// Renew implements controller.Store.
func (s *Store) Renew(ctx context.Context, fleet string, epoch int64, lasts time.Duration) error {
	return s.fenced(ctx, `UPDATE controllers SET until_ms = `+s.dialect.now+` + $3 WHERE fleet = $1 AND epoch = $2`, fleet, epoch, lasts.Milliseconds())
}

// Resign implements controller.Store.
func (s *Store) Resign(ctx context.Context, fleet string, epoch int64) error {
	return s.exec(ctx, `UPDATE controllers SET holder = '' WHERE fleet = $1 AND epoch = $2`, fleet, epoch)
}

// Load implements controller.Store.
func (s *Store) Load(ctx context.Context, fleet string) (saved []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	err = s.db.QueryRowContext(ctx, `SELECT saved FROM controllers WHERE fleet = $1`, fleet).Scan(&saved)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return saved, err
}

// Save implements controller.Store.
func (s *Store) Save(ctx context.Context, fleet string, epoch int64, saved []byte) error {
	return s.fenced(ctx, `UPDATE controllers SET saved = $3 WHERE fleet = $1 AND epoch = $2`, fleet, epoch, saved)
}
