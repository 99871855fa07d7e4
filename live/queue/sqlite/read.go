package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/live/queue"
	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// query calls each for every row.
func (s *Store) query(ctx context.Context, each func(scan func(...any) error) error, text string, values ...any) error {
	rows, err := s.read.QueryContext(ctx, text, values...)
	if err != nil {
		return fail(ctx, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return fail(ctx, rows.Err())
}

// Load implements queue.Store.
func (s *Store) Load(ctx context.Context, into queue.Loaded) (nextID int64, err error) {
	if err := s.read.QueryRowContext(ctx, "SELECT next_id FROM leader").Scan(&nextID); err != nil {
		return 0, fail(ctx, err)
	}
	err = s.query(ctx, func(scan func(...any) error) error {
		var f queue.Fact
		if err := scan(&f.Kind, &f.Key, &f.Value); err != nil {
			return err
		}
		return into.Fact(f)
	}, "SELECT kind, key, value FROM fact")
	if err != nil {
		return 0, err
	}
	err = s.query(ctx, func(scan func(...any) error) error {
		var k queue.Key
		if err := scan(&k.Key, &k.Job, &k.Until); err != nil {
			return err
		}
		return into.Key(k)
	}, "SELECT key, job, until_ns FROM key")
	if err != nil {
		return 0, err
	}
	err = s.query(ctx, func(scan func(...any) error) error {
		var h queue.HandOut
		var packed sql.RawBytes
		var workers string
		if err := scan(&h.ID, &workers, &packed); err != nil {
			return err
		}
		var err error
		if h.Leases, err = queue.ReadLeases(packed, workers); err != nil {
			return fmt.Errorf("hand_out %d: %w", h.ID, err)
		}
		return into.HandOut(h)
	}, "SELECT id, worker, packed FROM hand_out")
	if err != nil {
		return 0, err
	}
	return nextID, s.jobs(ctx, &queue.Blocks{}, into.Job, "SELECT packed FROM job WHERE cold = 0")
}

// jobs calls each for every packed job that a query finds. args copies the
// arguments.
func (s *Store) jobs(ctx context.Context, args *queue.Blocks, each func(*queue.Job) error, text string, values ...any) error {
	var packed sql.RawBytes
	var j queue.Job
	return s.query(ctx, func(scan func(...any) error) error {
		if err := scan(&packed); err != nil {
			return err
		}
		if err := queue.ReadJob(packed, &j, args); err != nil {
			return err
		}
		return each(&j)
	}, text, values...)
}

// Cold implements queue.Store.
func (s *Store) Cold(ctx context.Context, after queue.Place, n int) ([]queue.Job, error) {
	var found []queue.Job
	err := s.jobs(ctx, nil, func(j *queue.Job) error {
		found = append(found, *j)
		return nil
	}, "SELECT packed FROM job WHERE cold = 1 AND (priority, arrival_ns, id) > (?, ?, ?) ORDER BY priority, arrival_ns, id LIMIT ?",
		after.Priority, after.RunAt, after.ID, n)
	return found, err
}

// ColdJob implements queue.Store.
func (s *Store) ColdJob(ctx context.Context, id int64) (found queue.Job, ok bool, err error) {
	err = s.jobs(ctx, nil, func(j *queue.Job) error {
		found, ok = *j, true
		return nil
	}, "SELECT packed FROM job WHERE id = ? AND cold = 1", id)
	return found, ok, err
}

// Colds implements queue.Store.
func (s *Store) Colds(ctx context.Context) ([]queue.ColdCount, error) {
	type of struct {
		jobType  string
		priority uint8
		group    string
	}
	counts := map[of]*queue.ColdCount{}
	err := s.jobs(ctx, nil, func(j *queue.Job) error {
		c := counts[of{j.Type, j.Priority, j.Group}]
		if c == nil {
			c = &queue.ColdCount{Type: j.Type, Priority: j.Priority, Group: j.Group, Oldest: j.RunAt}
			counts[of{j.Type, j.Priority, j.Group}] = c
		}
		c.Count(j)
		return nil
	}, "SELECT packed FROM job WHERE cold = 1")
	all := make([]queue.ColdCount, 0, len(counts))
	for _, c := range counts {
		all = append(all, *c)
	}
	return all, err
}

// historyDays returns the days that have a table, in order.
func (s *Store) historyDays(ctx context.Context) ([]int64, error) {
	var days []int64
	err := s.query(ctx, func(scan func(...any) error) error {
		var name string
		if err := scan(&name); err != nil {
			return err
		}
		if t, err := time.Parse("history_20060102", name); err == nil {
			days = append(days, dayOf(t.UnixNano()))
		}
		return nil
	}, "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'history%'")
	slices.Sort(days)
	return days, err
}

func scanRecord(scan func(...any) error, r *queue.Record) error {
	var tenant, group, worker, instance, instanceType, boot, message, result sql.NullString
	var failures, losses, started, run, cpu, estimate, promise, bytesIn, bytesOut, peak sql.NullInt64
	var state string
	var token int64
	if err := scan(&r.ID, &r.Type, &r.Priority, &tenant, &group, &state, &r.Attempts, &failures, &losses, &token, &r.Created, &r.Arrival, &started, &r.Finished,
		&run, &cpu, &estimate, &promise, &bytesIn, &bytesOut, &peak, &worker, &instance, &instanceType, &boot, &message, &result); err != nil {
		return err
	}
	r.Tenant, r.Group, r.Worker, r.Instance, r.InstanceType, r.Boot = tenant.String, group.String, worker.String, instance.String, instanceType.String, boot.String
	r.Error, r.Result = message.String, result.String
	r.Failures, r.Losses, r.Started, r.Run, r.CPU = int(failures.Int64), int(losses.Int64), started.Int64, run.Int64, cpu.Int64
	r.Estimate, r.Promise, r.BytesIn, r.BytesOut, r.PeakMemory = estimate.Int64, promise.Int64, bytesIn.Int64, bytesOut.Int64, peak.Int64
	r.Token, r.State = dispatch.Token(token), dispatch.Cancelled
	if state == dispatch.Done.String() {
		r.State = dispatch.Done
	}
	return nil
}

// gone reports whether a table went while it was looked for.
func gone(err error) bool { return err != nil && strings.Contains(err.Error(), "no such table") }

// Ended implements queue.Store.
func (s *Store) Ended(ctx context.Context, id int64) (r queue.Record, ok bool, err error) {
	days, err := s.historyDays(ctx)
	if err != nil {
		return r, false, err
	}
	for _, day := range slices.Backward(days) {
		row := s.read.QueryRowContext(ctx, "SELECT "+historyColumns+" FROM "+historyTable(day)+" WHERE id = ?", id)
		switch err := scanRecord(row.Scan, &r); {
		case errors.Is(err, sql.ErrNoRows), gone(err):
		case err != nil:
			return r, false, fail(ctx, err)
		default:
			return r, true, nil
		}
	}
	return r, false, nil
}

// Completed implements queue.Store.
func (s *Store) Completed(ctx context.Context, ids []int64) (map[int64]dispatch.Token, error) {
	found := map[int64]dispatch.Token{}
	days, err := s.historyDays(ctx)
	if err != nil || len(ids) == 0 {
		return found, err
	}
	values := []any{dispatch.Done.String()}
	for _, id := range ids {
		values = append(values, id)
	}
	for _, day := range days {
		err := s.query(ctx, func(scan func(...any) error) error {
			var id, token int64
			err := scan(&id, &token)
			found[id] = dispatch.Token(token)
			return err
		}, "SELECT id, token FROM "+historyTable(day)+" WHERE state = ? AND id IN "+places(1, len(ids)), values...)
		if err != nil && !gone(err) {
			return nil, err
		}
	}
	return found, nil
}

// History implements queue.Store.
func (s *Store) History(ctx context.Context, from, to int64, yield func(*queue.Record) error) error {
	days, err := s.historyDays(ctx)
	if err != nil {
		return err
	}
	for _, day := range days {
		if day < dayOf(from) || day > dayOf(to) {
			continue
		}
		err := s.query(ctx, func(scan func(...any) error) error {
			var r queue.Record
			if err := scanRecord(scan, &r); err != nil {
				return err
			}
			return yield(&r)
		}, "SELECT "+historyColumns+" FROM "+historyTable(day)+" WHERE finished_ns >= ? AND finished_ns < ? ORDER BY finished_ns, id", from, to)
		if err != nil && !gone(err) {
			return err
		}
	}
	return nil
}

// Minutes implements queue.Store.
func (s *Store) Minutes(ctx context.Context, from, to int64, yield func(queue.Minute) error) error {
	return s.query(ctx, func(scan func(...any) error) error {
		var m queue.Minute
		if err := scan(&m.At, &m.Type, &m.Priority, &m.Arrived, &m.ArrivedWork, &m.Completed, &m.Failed, &m.Retried, &m.Lost, &m.Cancelled,
			&m.Wait, &m.Service, &m.ServiceSquare); err != nil {
			return err
		}
		return yield(m)
	}, "SELECT * FROM minute WHERE at_ns >= ? AND at_ns < ? ORDER BY at_ns, type, priority", from, to)
}

// Tend implements queue.Store. The tables of days to come are made when the
// first job ends on them.
func (s *Store) Tend(ctx context.Context, now, keepFrom, minutesFrom int64) error {
	days, err := s.historyDays(ctx)
	if err != nil {
		return err
	}
	return s.change(ctx, func(w *writer) error {
		for _, day := range days {
			if day < dayOf(keepFrom) {
				delete(w.days, day)
				if err := w.exec(ctx, "DROP TABLE "+historyTable(day)); err != nil {
					return err
				}
			}
		}
		if err := w.exec(ctx, "DELETE FROM minute WHERE at_ns < ?", minutesFrom); err != nil {
			return err
		}
		return w.exec(ctx, "DELETE FROM key WHERE until_ns <= ?", now)
	})
}
