package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// SaveDrift keeps how far the simulator's prediction of a day was from what
// happened, in the place of what was kept of that day.
func (s *Store) SaveDrift(ctx context.Context, fleet string, day time.Time, report []byte) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	_, err := s.db.ExecContext(ctx, `INSERT INTO controller_drifts (fleet, day_ms, report) VALUES ($1, $2, $3)
		ON CONFLICT (fleet, day_ms) DO UPDATE SET report = $3`, fleet, day.UnixMilli(), report)
	return err
}

// Drift returns what is kept of the latest day; nil if nothing is.
func (s *Store) Drift(ctx context.Context, fleet string) (report []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	err = s.db.QueryRowContext(ctx, `SELECT report FROM controller_drifts WHERE fleet = $1 ORDER BY day_ms DESC LIMIT 1`, fleet).Scan(&report)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return report, err
}
