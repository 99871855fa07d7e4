package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/skynet-ec2/skynet/live/controller"
)

var _ controller.Claims = (*Store)(nil)

// claimsLock is the number of the advisory lock under which fleets claim, one at a
// time, in PostgreSQL. SQLite's transactions exclude each other anyhow.
const claimsLock = 0x736b796e6574

// Claimed implements controller.Claims.
func (s *Store) Claimed(ctx context.Context, fleet string) ([]controller.Claim, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return othersOf(ctx, s.db, fleet)
}

// querier is a database, or a transaction of one.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// othersOf reads what fleets other than one claim.
func othersOf(ctx context.Context, q querier, fleet string) (others []controller.Claim, err error) {
	rows, err := q.QueryContext(ctx, `SELECT fleet, claim FROM controller_claims WHERE fleet <> $1`, fleet)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var text []byte
		if err := rows.Scan(&name, &text); err != nil {
			return nil, err
		}
		var c controller.Claim
		if err := json.Unmarshal(text, &c); err != nil {
			return nil, fmt.Errorf("claim of fleet %s: %w", name, err)
		}
		others = append(others, c)
	}
	return others, rows.Err()
}

// Claim implements controller.Claims.
func (s *Store) Claim(ctx context.Context, fleet string, epoch int64, c controller.Claim, fits func([]controller.Claim) error) (err error) {
	text, err := json.Marshal(&c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ignoreDone(tx.Rollback()))
		}
	}()
	if s.dialect == &postgres {
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1::bigint)`, int64(claimsLock)); err != nil {
			return err
		}
	}
	// the row is locked until the end: no other epoch begins meanwhile
	r, err := tx.ExecContext(ctx, `UPDATE controllers SET epoch = epoch WHERE fleet = $1 AND epoch = $2`, fleet, epoch)
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, controller.ErrFenced)
	}
	others, err := othersOf(ctx, tx, fleet)
	if err != nil {
		return err
	}
	if err := fits(others); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO controller_claims (fleet, claim) VALUES ($1, $2)
		ON CONFLICT (fleet) DO UPDATE SET claim = $2`, fleet, text); err != nil {
		return err
	}
	return tx.Commit()
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}
