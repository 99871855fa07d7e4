package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/skynet-ec2/skynet/live/queue"
)

// Commit implements queue.Store: one transaction of two round trips, whatever
// the batch holds. In the first, what is there is changed; the second brings
// what is new, and commits.
func (s *Store) Commit(ctx context.Context, b *queue.Batch) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return fail(ctx, err)
	}
	defer conn.Release()
	rows, err := s.newRows(ctx, conn.Conn(), b)
	if err != nil {
		return fail(ctx, err)
	}
	written, err := s.write(ctx, conn.Conn(), b)
	if err == nil && !written {
		err = s.finish(ctx, conn.Conn(), rows)
	}
	if err != nil || written {
		rollback(conn.Conn())
	}
	return fail(ctx, err)
}

// keepBatches is how many batches are remembered beyond the last.
const keepBatches = 64

// write begins the transaction of a batch, and changes what is there. It
// reports whether the batch was written before; then, and after an error, there
// is nothing to be committed.
func (s *Store) write(ctx context.Context, conn *pgx.Conn, b *queue.Batch) (written bool, err error) {
	all := &pgx.Batch{}
	all.Queue("begin")
	handed := make([]int64, len(b.Handed))
	to := make([]string, len(b.Handed))
	what := make([][]byte, len(b.Handed))
	for i := range b.Handed {
		h := &b.Handed[i]
		handed[i] = h.ID
		what[i], to[i] = queue.AppendLeases(nil, h.Leases)
	}
	all.Queue("select epoch, number, gone from skynet.write_batch($1, $2, $3, $4, $5, $6, $7, $8, $9)",
		int64(b.Epoch), b.Number, b.NextID, sorted(b.Removed), orNil(handed), orNil(to), orNil(what), sorted(b.Returned), int64(keepBatches))
	if len(b.Changed) > 0 {
		queueChanged(all, b.Changed)
	}
	for _, k := range b.Keys {
		all.Queue("insert into skynet.key values ($1, $2, $3) on conflict (key) do update set job = excluded.job, until_ns = excluded.until_ns", k.Key, k.Job, k.Until)
	}
	for _, f := range b.Facts {
		if f.Value == nil {
			all.Queue("delete from skynet.fact where kind = $1 and key = $2", f.Kind, f.Key)
		} else {
			all.Queue("insert into skynet.fact values ($1, $2, $3) on conflict (kind, key) do update set value = excluded.value", f.Kind, f.Key, f.Value)
		}
	}
	for i := range b.Minutes {
		m := &b.Minutes[i]
		all.Queue(`insert into skynet.minute as m values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) on conflict (at_ns, type, priority) do update set
			arrived = m.arrived + excluded.arrived, arrived_work_ns = m.arrived_work_ns + excluded.arrived_work_ns, completed = m.completed + excluded.completed,
			failed = m.failed + excluded.failed, retried = m.retried + excluded.retried, lost = m.lost + excluded.lost, cancelled = m.cancelled + excluded.cancelled,
			wait_ns = m.wait_ns + excluded.wait_ns, service_ns = m.service_ns + excluded.service_ns, service_square = m.service_square + excluded.service_square`,
			m.At, m.Type, int16(m.Priority), m.Arrived, m.ArrivedWork, m.Completed, m.Failed, m.Retried, m.Lost, m.Cancelled, m.Wait, m.Service, m.ServiceSquare)
	}
	results := conn.SendBatch(ctx, all)
	defer func() { err = errors.Join(err, results.Close()) }()
	if _, err := results.Exec(); err != nil {
		return false, err
	}
	var epoch, number, removed, changed int64
	if err := results.QueryRow().Scan(&epoch, &number, &removed); err != nil {
		return false, err
	}
	if written, err := b.After(epoch, number); written || err != nil {
		return written, err
	}
	if len(b.Changed) > 0 {
		done, err := results.Exec()
		if err != nil {
			return false, err
		}
		changed = done.RowsAffected()
	}
	if removed != int64(len(b.Removed)) || changed != int64(len(b.Changed)) {
		return false, fmt.Errorf("%d jobs changed and %d removed of which %d and %d are there", len(b.Changed), len(b.Removed), changed, removed)
	}
	return false, nil // Close tells whether the others failed
}

// sorted returns ids in order, since neighbors lie on one page; nil for none.
func sorted(ids []int64) []int64 { return orNil(slices.Sorted(slices.Values(ids))) }

// orNil returns nil, which is written as NULL, for a slice without anything.
func orNil[T any](s []T) []T {
	if len(s) == 0 {
		return nil
	}
	return s
}

// queueChanged writes the rows of jobs anew that are there, all by one
// statement.
func queueChanged(all *pgx.Batch, jobs []queue.Job) {
	n := len(jobs)
	var ids, arrivals, dues, tokens []int64
	var attempts, failures, losses []int32
	var priorities, states, flags, endedBy []int16
	messages, cold := make([]string, n), make([]bool, n)
	for i := range jobs {
		j := &jobs[i]
		ids, arrivals, dues, tokens = append(ids, j.ID), append(arrivals, j.RunAt), append(dues, j.Due), append(tokens, int64(j.Token))
		attempts, failures, losses = append(attempts, int32(j.Attempts)), append(failures, int32(j.Failures)), append(losses, int32(j.Losses))
		priorities, states = append(priorities, int16(j.Priority)), append(states, int16(j.State))
		flags, endedBy = append(flags, int16(flagsOf(j))), append(endedBy, int16(j.EndedBy))
		messages[i], cold[i] = j.Error, j.Cold
	}
	all.Queue(`update skynet.job j set priority = c.priority, arrival_ns = c.arrival_ns, due_ns = c.due_ns, state = c.state, token = c.token, attempts = c.attempts,
		failures = c.failures, losses = c.losses, flags = c.flags, ended_by = c.ended_by, error = c.error, cold = c.cold
		from unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::bigint[], $5::smallint[], $6::bigint[], $7::integer[], $8::integer[], $9::integer[],
			$10::smallint[], $11::smallint[], $12::text[], $13::boolean[])
			as c (id, priority, arrival_ns, due_ns, state, token, attempts, failures, losses, flags, ended_by, error, cold)
		where j.id = c.id`,
		ids, priorities, arrivals, dues, states, tokens, attempts, failures, losses, flags, endedBy, messages, cold)
}

// newRows is rows that a COPY brings.
type newRows struct {
	into string // table and columns
	data []byte // in the binary format
}

// newRows returns what is new in a batch.
func (s *Store) newRows(ctx context.Context, conn *pgx.Conn, b *queue.Batch) (all []newRows, err error) {
	if len(b.Added) > 0 {
		w := newRowWriter(make([]byte, 0, 256*len(b.Added)))
		for i := range b.Added {
			writeJob(&w, &b.Added[i])
		}
		all = append(all, newRows{"skynet.job (" + jobColumns + ")", w.end()})
	}
	byDay := map[int64][]*queue.Record{}
	var days []int64
	for i := range b.Ended {
		day := dayOf(b.Ended[i].Finished)
		if byDay[day] == nil {
			days = append(days, day)
		}
		byDay[day] = append(byDay[day], &b.Ended[i])
	}
	for _, day := range days {
		if err := s.ensureDay(ctx, conn, day); err != nil {
			return nil, err
		}
		w := newRowWriter(make([]byte, 0, 256*len(byDay[day])))
		for _, r := range byDay[day] {
			writeRecord(&w, r)
		}
		// Into the partition itself: nobody who holds the parent is waited for.
		all = append(all, newRows{partition(day) + " (" + historyColumns + ")", w.end()})
	}
	return all, nil
}

// copyPiece is how many bytes one message of a COPY holds at most.
const copyPiece = 256 << 10

// finish sends what is new and commits, without waiting for anything in
// between. What follows on a COPY that fails is refused by the server, which
// passes over its data, and the transaction is rolled back.
func (s *Store) finish(ctx context.Context, conn *pgx.Conn, rows []newRows) error {
	c := conn.PgConn()
	stop := context.AfterFunc(ctx, func() { c.Conn().SetDeadline(time.Unix(1, 0)) })
	committed, refused, err := exchange(c, rows)
	if !stop() || err != nil { // nobody knows where in the answers the connection stands
		err = errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
	}
	switch {
	case committed:
		return nil
	case refused != nil:
		s.mu.Lock()
		clear(s.days) // a partition may have been dropped
		s.mu.Unlock()
		return refused
	case err == nil:
		err = errors.New("the transaction was rolled back")
	}
	return err
}

// exchange sends the rows and the commit, and reads the answers. It returns the
// server's first error, or that of the connection.
func exchange(c *pgconn.PgConn, rows []newRows) (committed bool, refused, err error) {
	f := c.Frontend()
	for _, r := range rows {
		f.SendQuery(&pgproto3.Query{String: "copy " + r.into + " from stdin (format binary)"})
		for piece := range slices.Chunk(r.data, copyPiece) {
			f.Send(&pgproto3.CopyData{Data: piece})
			if len(piece) == copyPiece {
				if err := f.Flush(); err != nil {
					return false, nil, err
				}
			}
		}
		f.Send(&pgproto3.CopyDone{})
	}
	f.SendQuery(&pgproto3.Query{String: "commit"})
	if err := f.Flush(); err != nil {
		return false, nil, err
	}
	for answered := 0; answered <= len(rows); {
		message, err := c.ReceiveMessage(context.Background()) // the deadline is the connection's
		if err != nil {
			return committed, refused, err
		}
		switch m := message.(type) {
		case *pgproto3.ErrorResponse:
			if refused == nil {
				refused = pgconn.ErrorResponseToPgError(m)
			}
		case *pgproto3.CommandComplete:
			committed = string(m.CommandTag) == "COMMIT"
		case *pgproto3.ReadyForQuery:
			answered++
		}
	}
	return committed, refused, nil
}

func dayOf(ns int64) int64 { return ns / int64(24*time.Hour) }

// partition returns the name of a day's partition of history.
func partition(day int64) string {
	return "skynet.history_" + time.Unix(day*86400, 0).UTC().Format("20060102")
}

// ensureDay makes a day's partition, if there is none. It is made apart and
// attached, which does not stop those who read.
func (s *Store) ensureDay(ctx context.Context, conn *pgx.Conn, day int64) error {
	s.mu.Lock()
	known := s.days[day]
	s.mu.Unlock()
	if known {
		return nil
	}
	name := partition(day)
	var there bool
	if err := conn.QueryRow(ctx, "select to_regclass($1) is not null", name).Scan(&there); err != nil {
		return err
	}
	if !there {
		from := day * int64(24*time.Hour)
		_, err := conn.PgConn().Exec(ctx, fmt.Sprintf(
			"create table %s (like skynet.history including defaults including constraints); alter table skynet.history attach partition %s for values from (%d) to (%d)",
			name, name, from, from+int64(24*time.Hour))).ReadAll()
		if err != nil {
			return err
		}
	}
	s.mu.Lock()
	s.days[day] = true // if it goes, the next COPY fails, which takes this back
	s.mu.Unlock()
	return nil
}
