package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/tern/v2/migrate"

	"github.com/skynet-ec2/skynet/live/queue"
)

// Status returns how far the tables in a database are, and changes nothing.
func Status(ctx context.Context, url string) (s queue.Schema, err error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return s, err
	}
	names, err := migrate.FindMigrations(files)
	if err != nil {
		return s, err
	}
	s.Want = len(names)
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return s, fmt.Errorf("queue store: %w", err)
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return s, fmt.Errorf("queue store: %w", err)
	}
	defer conn.Close(ctx)
	err = conn.QueryRow(ctx, "select version from skynet.schema_version").Scan(&s.Have)
	if missing(err) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("queue store %s: %w", config.Host, err)
	}
	return s, nil
}

// Absent reports whether an error of Open says that the database was not
// reached, or does not serve yet: a little later it may. A refused password or a
// database that does not exist is not of that kind.
func Absent(err error) bool {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		switch said.Code[:min(2, len(said.Code))] {
		case "08", "53", "57", "58": // connection, resources, starting or stopping, system
			return true
		}
		return false
	}
	var connecting *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connecting) || errors.As(err, &network)
}

// missing reports whether err says that a table or its schema is not there.
func missing(err error) bool {
	var said *pgconn.PgError
	return errors.As(err, &said) && (said.Code == "42P01" || said.Code == "3F000")
}
