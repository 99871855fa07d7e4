package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/skynet-ec2/skynet/live/queue"
)

// Commit implements queue.Store: one transaction of four to six round trips,
// whatever the batch holds.
func (s *Store) Commit(ctx context.Context, b *queue.Batch) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return fail(ctx, err)
	}
	defer conn.Release()
	written, err := claim(ctx, conn.Conn(), b)
	if err == nil && !written {
		err = s.write(ctx, conn.Conn(), b)
	}
	if err != nil || written {
		rollback(conn.Conn())
	}
	return fail(ctx, err)
}

// claim begins the transaction of a batch. The row of the leader is locked
// until it ends: nobody can take the lead in the midst of it, and an earlier
// leader finds another epoch.
func claim(ctx context.Context, conn *pgx.Conn, b *queue.Batch) (written bool, err error) {
	results, err := conn.PgConn().Exec(ctx, begin+
		"select l.epoch, coalesce((select max(number) from skynet.batch b where b.epoch = l.epoch), 0) from skynet.leader l for share of l").ReadAll()
	if err != nil {
		return false, err
	}
	last := results[len(results)-1]
	if len(last.Rows) != 1 {
		return false, errors.New("the table of the leader is empty")
	}
	epoch, err1 := strconv.ParseInt(string(last.Rows[0][0]), 10, 64)
	number, err2 := strconv.ParseInt(string(last.Rows[0][1]), 10, 64)
	switch {
	case err1 != nil || err2 != nil:
		return false, errors.Join(err1, err2)
	case epoch != int64(b.Epoch):
		return false, queue.ErrFenced
	case number == b.Number:
		return true, nil
	case number != b.Number-1:
		return false, fmt.Errorf("batch %d after batch %d", b.Number, number)
	}
	return false, nil
}

// keepBatches is how many batches are remembered beyond the last.
const keepBatches = 64

func (s *Store) write(ctx context.Context, conn *pgx.Conn, b *queue.Batch) error {
	last := &pgx.Batch{}
	var removed, changed int64
	if len(b.Removed) > 0 {
		ids := slices.Sorted(slices.Values(b.Removed)) // neighbors lie on one page
		last.Queue("delete from skynet.job where id = any($1::bigint[])", ids)
	}
	for i := range b.Changed {
		j := &b.Changed[i]
		last.Queue(`update skynet.job set priority = $2, arrival_ns = $3, due_ns = $4, state = $5, token = $6, attempts = $7, failures = $8, losses = $9,
			flags = $10, ended_by = $11, error = $12, cold = $13 where id = $1`,
			j.ID, int16(j.Priority), j.RunAt, j.Due, int16(j.State), int64(j.Token), j.Attempts, j.Failures, j.Losses,
			int16(flagsOf(j)), int16(j.EndedBy), j.Error, j.Cold)
	}
	// A key may pass from one job to another within a batch only if the first
	// one goes before the second one comes.
	if last.Len() > 0 && len(b.Added) > 0 && slices.ContainsFunc(b.Added, func(j queue.Job) bool { return j.IdempotencyKey != "" }) {
		if err := s.send(ctx, conn, b, last, &removed, &changed); err != nil {
			return err
		}
		last = &pgx.Batch{}
	}
	if err := s.copyRows(ctx, conn, b); err != nil {
		return err
	}
	if len(b.Returned) > 0 {
		last.Queue("delete from skynet.hand_out where id = any($1::bigint[])", slices.Sorted(slices.Values(b.Returned)))
	}
	for _, k := range b.Keys {
		last.Queue("insert into skynet.key values ($1, $2, $3) on conflict (key) do update set job = excluded.job, until_ns = excluded.until_ns", k.Key, k.Job, k.Until)
	}
	for _, f := range b.Facts {
		if f.Value == nil {
			last.Queue("delete from skynet.fact where kind = $1 and key = $2", f.Kind, f.Key)
		} else {
			last.Queue("insert into skynet.fact values ($1, $2, $3) on conflict (kind, key) do update set value = excluded.value", f.Kind, f.Key, f.Value)
		}
	}
	for i := range b.Minutes {
		m := &b.Minutes[i]
		last.Queue(`insert into skynet.minute as m values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) on conflict (at_ns, type, priority) do update set
			arrived = m.arrived + excluded.arrived, arrived_work_ns = m.arrived_work_ns + excluded.arrived_work_ns, completed = m.completed + excluded.completed,
			failed = m.failed + excluded.failed, retried = m.retried + excluded.retried, lost = m.lost + excluded.lost, cancelled = m.cancelled + excluded.cancelled,
			wait_ns = m.wait_ns + excluded.wait_ns, service_ns = m.service_ns + excluded.service_ns, service_square = m.service_square + excluded.service_square`,
			m.At, m.Type, int16(m.Priority), m.Arrived, m.ArrivedWork, m.Completed, m.Failed, m.Retried, m.Lost, m.Cancelled, m.Wait, m.Service, m.ServiceSquare)
	}
	if b.Number%keepBatches == 0 {
		last.Queue(fmt.Sprintf("delete from skynet.batch where epoch = %d and number <= %d", b.Epoch, b.Number-keepBatches))
	}
	last.Queue(fmt.Sprintf("insert into skynet.batch select epoch, %d, greatest(%d, next_id) from skynet.batch where epoch = %d and number = %d",
		b.Number, b.NextID, b.Epoch, b.Number-1))
	if err := s.send(ctx, conn, b, last, &removed, &changed); err != nil {
		return err
	}
	if removed != int64(len(b.Removed)) || changed != int64(len(b.Changed)) {
		return fmt.Errorf("%d jobs changed and %d removed of which %d and %d are there", len(b.Changed), len(b.Removed), changed, removed)
	}
	_, err := conn.Exec(ctx, "commit", pgx.QueryExecModeSimpleProtocol)
	return err
}

// send sends statements in one round trip, and counts the jobs that they
// changed and removed.
func (s *Store) send(ctx context.Context, conn *pgx.Conn, b *queue.Batch, statements *pgx.Batch, removed, changed *int64) error {
	results := conn.SendBatch(ctx, statements)
	for _, q := range statements.QueuedQueries {
		done, err := results.Exec()
		if err != nil {
			return errors.Join(err, results.Close())
		}
		switch {
		case bytes.HasPrefix([]byte(q.SQL), []byte("delete from skynet.job ")):
			*removed += done.RowsAffected()
		case done.Update():
			*changed += done.RowsAffected()
		}
	}
	return results.Close()
}

// copyRows writes what is new.
func (s *Store) copyRows(ctx context.Context, conn *pgx.Conn, b *queue.Batch) error {
	if len(b.Added) > 0 {
		w := newRowWriter(make([]byte, 0, 256*len(b.Added)))
		for i := range b.Added {
			writeJob(&w, &b.Added[i])
		}
		if err := copyIn(ctx, conn, "skynet.job ("+jobColumns+")", w); err != nil {
			return err
		}
	}
	if len(b.Handed) > 0 {
		w := newRowWriter(make([]byte, 0, 128*len(b.Handed)))
		var packed []byte
		for i := range b.Handed {
			h := &b.Handed[i]
			packed = queue.AppendLeases(packed[:0], h.Leases)
			w.row(3)
			w.bigint(h.ID)
			w.text(h.Worker)
			w.bytesOrNull(packed)
		}
		if err := copyIn(ctx, conn, "skynet.hand_out (id, worker, packed)", w); err != nil {
			return err
		}
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
			return err
		}
		w := newRowWriter(make([]byte, 0, 256*len(byDay[day])))
		for _, r := range byDay[day] {
			writeRecord(&w, r)
		}
		// Into the partition itself: nobody who holds the parent is waited for.
		if err := copyIn(ctx, conn, partition(day)+" ("+historyColumns+")", w); err != nil {
			s.mu.Lock()
			delete(s.days, day) // it may have been dropped
			s.mu.Unlock()
			return err
		}
	}
	return nil
}

func copyIn(ctx context.Context, conn *pgx.Conn, into string, w rowWriter) error {
	_, err := conn.PgConn().CopyFrom(ctx, bytes.NewReader(w.end()), "copy "+into+" from stdin (format binary)")
	return err
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
	s.days[day] = true // if the transaction fails, so does the next COPY, which takes it back
	s.mu.Unlock()
	return nil
}
