// Package postgres keeps a queue in PostgreSQL 14 or later, in a schema of its
// own named skynet. It works through PgBouncer in transaction mode: it listens
// to nothing, names no prepared statement, and takes no lock that outlives a
// transaction.
package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/tern/v2/migrate"

	"github.com/skynet-ec2/skynet/live/queue"
)

// Store is a queue.Store in PostgreSQL.
type Store struct {
	pool *pgxpool.Pool

	mu   sync.Mutex
	days map[int64]bool // that have a partition of history
}

// Open connects to a database, such as "postgres://user@host/name", and makes
// or renews the tables.
func Open(ctx context.Context, url string) (*Store, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("queue store: %w", err)
	}
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec // statements without a name, in one round trip
	config.ConnConfig.StatementCacheCapacity, config.ConnConfig.DescriptionCacheCapacity = 0, 0
	config.MaxConns = max(config.MaxConns, 6)
	config.ConnConfig.ConnectTimeout = 5 * time.Second
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("queue store: %w", err)
	}
	s := &Store{pool: pool, days: map[int64]bool{}}
	if err = s.durable(ctx); err == nil {
		err = s.migrate(ctx)
	}
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("queue store %s: %w", config.ConnConfig.Host, err)
	}
	return s, nil
}

// durable returns an error if a commit would return before it is on disk.
func (s *Store) durable(ctx context.Context) error {
	var setting string
	if err := s.pool.QueryRow(ctx, "show synchronous_commit").Scan(&setting); err != nil {
		return err
	}
	if setting == "off" {
		return errors.New("synchronous_commit = off: must be on, or what was acknowledged could be lost; alter role … set synchronous_commit = on")
	}
	return nil
}

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the tables up to date. It does so in one transaction, so that
// a pooler gives it one connection for all, and nothing is left half done.
func (s *Store) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	names, err := migrate.FindMigrations(files)
	if err != nil {
		return err
	}
	var have int
	if err := s.pool.QueryRow(ctx, "select version from skynet.schema_version").Scan(&have); err == nil && have == len(names) {
		return nil
	}
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	// The number is of our choosing: migrations of one database come one after
	// the other.
	if _, err := conn.Exec(ctx, "begin; select pg_advisory_xact_lock(7420742074207420); create schema if not exists skynet", pgx.QueryExecModeSimpleProtocol); err != nil {
		return err
	}
	if err := s.migrateOn(ctx, conn.Conn(), files); err != nil {
		rollback(conn.Conn())
		return fmt.Errorf("migrate: %w", err)
	}
	_, err = conn.Exec(ctx, "commit")
	return err
}

func (s *Store) migrateOn(ctx context.Context, conn *pgx.Conn, files fs.FS) error {
	m, err := migrate.NewMigratorEx(ctx, conn, "skynet.schema_version", &migrate.MigratorOptions{DisableTx: true})
	if err != nil {
		return err
	}
	if err := m.LoadMigrations(files); err != nil {
		return err
	}
	have, err := m.GetCurrentVersion(ctx)
	if err != nil {
		return err
	}
	if int(have) > len(m.Migrations) {
		return fmt.Errorf("the tables are of version %d: this program knows up to %d", have, len(m.Migrations))
	}
	return m.Migrate(ctx)
}

// rollback ends a transaction. If that is not possible the connection is
// closed, which does the same.
func rollback(conn *pgx.Conn) {
	if conn.IsClosed() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if _, err := conn.Exec(ctx, "rollback"); err != nil {
		conn.Close(ctx)
	}
}

// begin starts a transaction that a leader which stands still cannot hold open,
// and that waits for nobody for long. Rows are found by their keys, whatever
// the planner believes about the tables' sizes.
const begin = `begin; set local idle_in_transaction_session_timeout = '3s'; set local lock_timeout = '5s'; set local enable_seqscan = off; set local jit = off; `

// fail returns err, as the context's where that is its cause.
func fail(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		return fmt.Errorf("%w (%w)", err, ctx.Err())
	}
	return err
}

// change runs do in a transaction.
func (s *Store) change(ctx context.Context, do func(*pgx.Conn) error) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return fail(ctx, err)
	}
	defer conn.Release()
	if _, err = conn.Exec(ctx, begin, pgx.QueryExecModeSimpleProtocol); err == nil {
		err = do(conn.Conn())
	}
	if err == nil {
		_, err = conn.Exec(ctx, "commit")
	}
	if err != nil {
		rollback(conn.Conn())
	}
	return fail(ctx, err)
}

// Lead implements queue.Store. Who leads is told by the database's clock.
func (s *Store) Lead(ctx context.Context, holder string, ttl time.Duration) (epoch uint32, err error) {
	// Most of the time somebody leads, and a look is enough.
	var held bool
	if err := s.pool.QueryRow(ctx, "select until > clock_timestamp() from skynet.leader_beat").Scan(&held); err != nil {
		return 0, fail(ctx, err)
	}
	if held {
		return 0, queue.ErrHeld
	}
	err = s.change(ctx, func(conn *pgx.Conn) error {
		var e int64
		// It waits for the transaction in which the last leader may be, after
		// which that one's are refused.
		if err := conn.QueryRow(ctx, "select epoch from skynet.leader for update").Scan(&e); err != nil {
			return err
		}
		done, err := conn.Exec(ctx, "update skynet.leader_beat set holder = $1, until = clock_timestamp() + $2 * interval '1 microsecond' where until <= clock_timestamp()",
			holder, ttl.Microseconds())
		if err != nil {
			return err
		}
		if done.RowsAffected() == 0 {
			return queue.ErrHeld
		}
		if _, err := conn.Exec(ctx, "insert into skynet.batch select $1, 0, coalesce(max(next_id), 1) from skynet.batch", e+1); err != nil {
			return err
		}
		if _, err := conn.Exec(ctx, "delete from skynet.batch where epoch <= $1", e); err != nil {
			return err
		}
		epoch = uint32(e + 1)
		_, err = conn.Exec(ctx, "update skynet.leader set epoch = $1", e+1)
		return err
	})
	return epoch, err
}

// Renew implements queue.Store.
func (s *Store) Renew(ctx context.Context, epoch uint32, ttl time.Duration) error {
	return s.beat(ctx, epoch, "clock_timestamp() + $2 * interval '1 microsecond'", ttl.Microseconds())
}

// Resign implements queue.Store.
func (s *Store) Resign(ctx context.Context, epoch uint32) error {
	return s.beat(ctx, epoch, "'-infinity'::timestamptz + $2 * interval '0'", 0)
}

func (s *Store) beat(ctx context.Context, epoch uint32, until string, value int64) error {
	done, err := s.pool.Exec(ctx, "update skynet.leader_beat set until = "+until+" where exists (select from skynet.leader where epoch = $1)", int64(epoch), value)
	if err == nil && done.RowsAffected() == 0 {
		return queue.ErrFenced
	}
	return fail(ctx, err)
}

// Close implements queue.Store.
func (s *Store) Close() error {
	s.pool.Close()
	return nil
}
