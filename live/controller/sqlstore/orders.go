package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/skynet-ec2/skynet/live/controller"
)

// within runs do in a transaction.
func (s *Store) within(ctx context.Context, do func(ctx context.Context, tx *sql.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(ctx, tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// note writes an act down.
func note(ctx context.Context, tx *sql.Tx, fleet string, act controller.Act) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO controller_acts (fleet, at_ms, who, what, why) VALUES ($1, $2, $3, $4, $5)`,
		fleet, act.At.UnixMilli(), act.By, act.What, act.Why)
	return err
}

// Orders implements controller.Book.
func (s *Store) Orders(ctx context.Context, fleet string) (controller.Orders, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	var revision int64
	var text []byte
	err := s.db.QueryRowContext(ctx, `SELECT revision, orders FROM controller_orders WHERE fleet = $1`, fleet).Scan(&revision, &text)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return controller.Orders{}, err
	}
	return controller.DecodeOrders(text, revision)
}

// Order implements controller.Book.
func (s *Store) Order(ctx context.Context, fleet string, o controller.Orders, act controller.Act) error {
	text, err := o.Encode()
	if err != nil {
		return err
	}
	return s.within(ctx, func(ctx context.Context, tx *sql.Tx) error {
		statement := `UPDATE controller_orders SET revision = revision + 1, orders = $3 WHERE fleet = $1 AND revision = $2`
		if o.Revision == 0 {
			statement = `INSERT INTO controller_orders (fleet, revision, orders) VALUES ($1, $2 + 1, $3) ON CONFLICT (fleet) DO NOTHING`
		}
		r, err := tx.ExecContext(ctx, statement, fleet, o.Revision, text)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, controller.ErrStale)
		}
		return note(ctx, tx, fleet, act)
	})
}

// Note implements controller.Book.
func (s *Store) Note(ctx context.Context, fleet string, act controller.Act) error {
	return s.within(ctx, func(ctx context.Context, tx *sql.Tx) error { return note(ctx, tx, fleet, act) })
}

// Acts implements controller.Book.
func (s *Store) Acts(ctx context.Context, fleet string, most int) ([]controller.Act, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	rows, err := s.db.QueryContext(ctx, `SELECT at_ms, who, what, why FROM controller_acts WHERE fleet = $1 ORDER BY number DESC LIMIT $2`, fleet, most)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var acts []controller.Act
	for rows.Next() {
		var act controller.Act
		var at int64
		if err := rows.Scan(&at, &act.By, &act.What, &act.Why); err != nil {
			return nil, err
		}
		act.At = time.UnixMilli(at).UTC()
		acts = append(acts, act)
	}
	return acts, rows.Err()
}

// Stop implements controller.Switch.
func (s *Store) Stop(ctx context.Context, fleet string, stop controller.Stopped) error {
	return s.within(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO controller_stops (fleet, reason, stopped_by, since_ms, until_ms) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (fleet) DO UPDATE SET reason = $2, stopped_by = $3, since_ms = $4, until_ms = $5`,
			fleet, stop.Reason, stop.By, millis(stop.Since), millis(stop.Until))
		if err != nil {
			return err
		}
		return note(ctx, tx, fleet, stop.Act())
	})
}

// Resume implements controller.Switch.
func (s *Store) Resume(ctx context.Context, fleet string, act controller.Act) (was controller.Stopped, err error) {
	err = s.within(ctx, func(ctx context.Context, tx *sql.Tx) error {
		was, err = stopRow(tx.QueryRowContext(ctx, selectStop, fleet))
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM controller_stops WHERE fleet = $1`, fleet); err != nil {
			return err
		}
		return note(ctx, tx, fleet, act)
	})
	return was, err
}

// StopRow implements controller.Switch.
func (s *Store) StopRow(ctx context.Context, fleet string) (controller.Stopped, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return stopRow(s.db.QueryRowContext(ctx, selectStop, fleet))
}

const selectStop = `SELECT reason, stopped_by, since_ms, until_ms FROM controller_stops WHERE fleet = $1`

// stopRow reads the row. One without a reason was written by hand, and stops.
func stopRow(row *sql.Row) (s controller.Stopped, err error) {
	var since, until int64
	err = row.Scan(&s.Reason, &s.By, &since, &until)
	if errors.Is(err, sql.ErrNoRows) {
		return controller.Stopped{}, nil
	}
	s.Since, s.Until = instant(since), instant(until)
	if err == nil && s.Reason == "" {
		s.Reason = "a row without a reason"
	}
	return s, err
}

// millis is a time in milliseconds since 1970; 0: none.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
