package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/skynet-ec2/skynet/live/queue"
	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// copyOut calls each for every row of a query.
func copyOut(ctx context.Context, pool *pgxpool.Pool, query string, each func(*row) error) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return fail(ctx, err)
	}
	defer conn.Release()
	r := &rowReader{each: each}
	_, err = conn.Conn().PgConn().CopyTo(ctx, r, "copy ("+query+") to stdout (format binary)")
	if r.failed != nil {
		conn.Conn().Close(ctx) // rather than read what nobody wants
		return r.failed
	}
	return fail(ctx, err)
}

// Load implements queue.Store.
func (s *Store) Load(ctx context.Context, into queue.Loaded) (nextID int64, err error) {
	if err := s.pool.QueryRow(ctx, "select coalesce(max(next_id), 1) from skynet.batch").Scan(&nextID); err != nil {
		return 0, fail(ctx, err)
	}
	var j queue.Job
	var args queue.Blocks
	for _, step := range []struct {
		query string
		each  func(*row) error
	}{
		{"select kind, key, value from skynet.fact", func(r *row) error {
			f := queue.Fact{Kind: r.text(), Key: r.text(), Value: r.bytes()}
			return into.Fact(f)
		}},
		{"select key, job, until_ns from skynet.key", func(r *row) error {
			return into.Key(queue.Key{Key: r.text(), Job: r.bigint(), Until: r.bigint()})
		}},
		{"select id, worker, packed from skynet.hand_out", func(r *row) error {
			h := queue.HandOut{ID: r.bigint()}
			workers := r.text()
			var err error
			if h.Leases, err = queue.ReadLeases(r.value(-1), workers); err != nil {
				return fmt.Errorf("hand_out %d: %w", h.ID, err)
			}
			return into.HandOut(h)
		}},
		{"select " + jobColumns + " from skynet.job where cold is not true", func(r *row) error {
			if readJob(r, &j, &args); r.err != nil {
				return r.err
			}
			return into.Job(&j)
		}},
	} {
		if err := copyOut(ctx, s.pool, step.query, step.each); err != nil {
			return 0, err
		}
	}
	return nextID, nil
}

// Cold implements queue.Store.
func (s *Store) Cold(ctx context.Context, after queue.Place, n int) ([]queue.Job, error) {
	var found []queue.Job
	err := copyOut(ctx, s.pool, fmt.Sprintf("select %s from skynet.job where cold and (priority, arrival_ns, id) > (%d::smallint, %d, %d) order by priority, arrival_ns, id limit %d",
		jobColumns, after.Priority, after.RunAt, after.ID, n),
		func(r *row) error {
			found = append(found, queue.Job{})
			readJob(r, &found[len(found)-1], nil)
			return nil
		})
	return found, err
}

// ColdJob implements queue.Store.
func (s *Store) ColdJob(ctx context.Context, id int64) (j queue.Job, ok bool, err error) {
	err = copyOut(ctx, s.pool, fmt.Sprintf("select %s from skynet.job where cold and id = %d", jobColumns, id), func(r *row) error {
		readJob(r, &j, nil)
		ok = true
		return nil
	})
	return j, ok, err
}

// Colds implements queue.Store.
func (s *Store) Colds(ctx context.Context) ([]queue.ColdCount, error) {
	rows, err := s.pool.Query(ctx, `select type, priority, coalesce("group", ''), count(*), coalesce(sum(estimate_ns), 0)::bigint,
		count(*) filter (where estimate_ns is null), min(arrival_ns) from skynet.job where cold group by 1, 2, 3`)
	if err != nil {
		return nil, fail(ctx, err)
	}
	counts, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c queue.ColdCount, err error) {
		var priority int16
		err = row.Scan(&c.Type, &priority, &c.Group, &c.Jobs, &c.Estimate, &c.Unknown, &c.Oldest)
		c.Priority = uint8(priority)
		return c, err
	})
	return counts, fail(ctx, err)
}

// partitions returns the days that have one, in order.
func (s *Store) partitions(ctx context.Context) ([]int64, error) {
	rows, err := s.pool.Query(ctx, "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'skynet.history'::regclass")
	if err != nil {
		return nil, fail(ctx, err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fail(ctx, err)
	}
	var days []int64
	for _, name := range names {
		if t, err := time.Parse("history_20060102", name); err == nil {
			days = append(days, dayOf(t.UnixNano()))
		}
	}
	slices.Sort(days)
	return days, nil
}

// Ended implements queue.Store.
func (s *Store) Ended(ctx context.Context, id int64) (r queue.Record, ok bool, err error) {
	err = copyOut(ctx, s.pool, fmt.Sprintf("select %s from skynet.history where id = %d", historyColumns, id), func(columns *row) error {
		readRecord(columns, &r)
		ok = true
		return nil
	})
	return r, ok, err
}

// Completed implements queue.Store.
func (s *Store) Completed(ctx context.Context, ids []int64) (map[int64]dispatch.Token, error) {
	found := map[int64]dispatch.Token{}
	if len(ids) == 0 {
		return found, ctx.Err()
	}
	// The list is text of ours; its bounds let the index on id leave most of the
	// table out.
	list := strings.Trim(strings.ReplaceAll(fmt.Sprint(ids), " ", ","), "[]")
	query := fmt.Sprintf("select id, token from skynet.history where id between %d and %d and id in (%s) and state = %d",
		slices.Min(ids), slices.Max(ids), list, dispatch.Done)
	err := copyOut(ctx, s.pool, query, func(r *row) error {
		id := r.bigint()
		found[id] = dispatch.Token(r.bigint())
		return r.err
	})
	return found, err
}

// History implements queue.Store. It sorts hour by hour: what a database sorts
// of a whole day does not fit into its memory.
func (s *Store) History(ctx context.Context, from, to int64, yield func(*queue.Record) error) error {
	days, err := s.partitions(ctx)
	if err != nil {
		return err
	}
	const hour = int64(time.Hour)
	var r queue.Record
	for _, day := range days {
		begin := max(from, day*24*hour)
		end := min(to, (day+1)*24*hour)
		for ; begin < end; begin = begin - begin%hour + hour {
			query := fmt.Sprintf("select %s from %s where finished_ns >= %d and finished_ns < %d order by finished_ns, id",
				historyColumns, partition(day), begin, min(end, begin-begin%hour+hour))
			err := copyOut(ctx, s.readers, query, func(columns *row) error {
				if readRecord(columns, &r); columns.err != nil {
					return columns.err
				}
				return yield(&r)
			})
			switch {
			case err != nil && strings.Contains(err.Error(), "(SQLSTATE 42P01)"): // dropped meanwhile
			case err != nil:
				return err
			}
		}
	}
	return nil
}

// Minutes implements queue.Store.
func (s *Store) Minutes(ctx context.Context, from, to int64, yield func(queue.Minute) error) error {
	rows, err := s.pool.Query(ctx, "select * from skynet.minute where at_ns >= $1 and at_ns < $2 order by at_ns, type collate \"C\", priority", from, to)
	if err != nil {
		return fail(ctx, err)
	}
	defer rows.Close()
	for rows.Next() {
		var m queue.Minute
		var priority int16
		if err := rows.Scan(&m.At, &m.Type, &priority, &m.Arrived, &m.ArrivedWork, &m.Completed, &m.Failed, &m.Retried, &m.Lost, &m.Cancelled,
			&m.Wait, &m.Service, &m.ServiceSquare); err != nil {
			return err
		}
		m.Priority = uint8(priority)
		if err := yield(m); err != nil {
			return err
		}
	}
	return fail(ctx, rows.Err())
}

// daysAhead is for how many days to come there are partitions of history.
const daysAhead = 7

// Tend implements queue.Store.
func (s *Store) Tend(ctx context.Context, now, keepFrom, minutesFrom int64) error {
	days, err := s.partitions(ctx)
	if err != nil {
		return err
	}
	err = s.change(ctx, func(conn *pgx.Conn) error {
		for day := dayOf(now); day <= dayOf(now)+daysAhead; day++ {
			if err := s.ensureDay(ctx, conn, day); err != nil {
				return err
			}
		}
		if _, err := conn.Exec(ctx, "delete from skynet.minute where at_ns < $1", minutesFrom); err != nil {
			return err
		}
		_, err := conn.Exec(ctx, "delete from skynet.key where until_ns <= $1", now)
		return err
	})
	for _, day := range days {
		if day < dayOf(keepFrom) {
			err = errors.Join(err, s.drop(ctx, day))
		}
	}
	return err
}

// drop drops a day's partition. If somebody reads it for long, the next Tend
// tries again.
func (s *Store) drop(ctx context.Context, day int64) error {
	err := s.change(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "set local lock_timeout = '1s'; drop table if exists "+partition(day), pgx.QueryExecModeSimpleProtocol)
		return err
	})
	if err == nil {
		s.mu.Lock()
		delete(s.days, day)
		s.mu.Unlock()
	}
	return err
}
