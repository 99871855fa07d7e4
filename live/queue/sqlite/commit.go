package sqlite

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/live/queue"
)

// Commit implements queue.Store.
func (s *Store) Commit(ctx context.Context, b *queue.Batch) error {
	return s.change(ctx, func(conn *writer) error {
		w := writing{conn, ctx}
		written, err := w.claim(b)
		if err != nil || written {
			return err
		}
		for _, step := range []func(*queue.Batch) error{
			w.removed, w.added, w.changed, w.ended, w.handed, w.returned, w.keys, w.facts, w.minutes,
		} {
			if err := step(b); err != nil {
				return err
			}
		}
		return nil
	})
}

// claim makes the transaction that of the batch; written is true if the batch
// was written before.
func (w writing) claim(b *queue.Batch) (written bool, err error) {
	var epoch, number int64
	if err := w.conn.QueryRowContext(w.ctx, "SELECT epoch, batch FROM leader").Scan(&epoch, &number); err != nil {
		return false, err
	}
	if written, err := b.After(epoch, number); written || err != nil {
		return written, err
	}
	return false, w.exec(w.ctx, "UPDATE leader SET batch = ?, next_id = max(next_id, ?)", b.Number, b.NextID)
}

// writing is one transaction.
type writing struct {
	*writer
	ctx context.Context
}

// chunk is how many rows one statement writes. More cost no less.
const chunk = 64

// rows writes n rows by statements of up to chunk rows each: head, then the
// places of the values, then tail. row appends the values of the i-th.
func (w writing) rows(n, width int, head, tail string, row func(dst []any, i int) []any) (affected int64, err error) {
	values := make([]any, 0, chunk*width)
	for first := 0; first < n; first += chunk {
		k := min(chunk, n-first)
		values = values[:0]
		for i := range k {
			values = row(values, first+i)
		}
		text := head + places(k, width) + tail
		var n int64
		if k == chunk || k == 1 {
			prepared, err := w.statement(w.ctx, text)
			if err != nil {
				return 0, err
			}
			done, err := prepared.ExecContext(w.ctx, values...)
			if err != nil {
				return 0, err
			}
			if n, err = done.RowsAffected(); err != nil {
				return 0, err
			}
		} else if n, err = w.affect(w.ctx, text, values...); err != nil {
			return 0, err
		}
		affected += n
	}
	return affected, nil
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func jobRow(dst []any, j *queue.Job) []any {
	return append(dst, j.ID, j.Type, j.Priority, j.Tenant, j.Group, j.RunAt, j.State.String(), orNull(j.IdempotencyKey), j.Cold, queue.AppendJob(nil, j))
}

const jobColumns = `job (id, type, priority, tenant, "group", arrival_ns, state, key, cold, packed) VALUES `

func (w writing) added(b *queue.Batch) error {
	_, err := w.rows(len(b.Added), 10, "INSERT INTO "+jobColumns, "", func(dst []any, i int) []any { return jobRow(dst, &b.Added[i]) })
	return err
}

func (w writing) changed(b *queue.Batch) error {
	var there int64
	for i := range b.Changed {
		j := &b.Changed[i]
		n, err := w.affect(w.ctx, `UPDATE job SET priority = ?, arrival_ns = ?, state = ?, cold = ?, packed = ? WHERE id = ?`,
			j.Priority, j.RunAt, j.State.String(), j.Cold, queue.AppendJob(nil, j), j.ID)
		if err != nil {
			return err
		}
		there += n
	}
	return all("changed", there, len(b.Changed))
}

// all returns an error unless every row was there.
func all(what string, there int64, want int) error {
	if there != int64(want) {
		return fmt.Errorf("%d jobs %s of which %d are there", want, what, there)
	}
	return nil
}

// ids deletes rows by their ids.
func (w writing) ids(table string, ids []int64) (int64, error) {
	ids = slices.Sorted(slices.Values(ids)) // neighbors lie on one page
	return w.rows(len(ids), 1, "DELETE FROM "+table+" WHERE id IN (VALUES ", ")", func(dst []any, i int) []any { return append(dst, ids[i]) })
}

func (w writing) removed(b *queue.Batch) error {
	there, err := w.ids("job", b.Removed)
	if err != nil {
		return err
	}
	return all("removed", there, len(b.Removed))
}

func (w writing) returned(b *queue.Batch) error {
	_, err := w.ids("hand_out", b.Returned)
	return err
}

func (w writing) handed(b *queue.Batch) error {
	_, err := w.rows(len(b.Handed), 3, "INSERT INTO hand_out (id, worker, packed) VALUES ", "", func(dst []any, i int) []any {
		packed, workers := queue.AppendLeases(nil, b.Handed[i].Leases)
		return append(dst, b.Handed[i].ID, workers, packed)
	})
	return err
}

func (w writing) keys(b *queue.Batch) error {
	_, err := w.rows(len(b.Keys), 3, "REPLACE INTO key (key, job, until_ns) VALUES ", "", func(dst []any, i int) []any {
		return append(dst, b.Keys[i].Key, b.Keys[i].Job, b.Keys[i].Until)
	})
	return err
}

func (w writing) facts(b *queue.Batch) error {
	for _, f := range b.Facts {
		var err error
		if f.Value == nil {
			err = w.exec(w.ctx, "DELETE FROM fact WHERE kind = ? AND key = ?", f.Kind, f.Key)
		} else {
			err = w.exec(w.ctx, "REPLACE INTO fact (kind, key, value) VALUES (?, ?, ?)", f.Kind, f.Key, f.Value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w writing) minutes(b *queue.Batch) error {
	_, err := w.rows(len(b.Minutes), 13, "INSERT INTO minute VALUES ", ` ON CONFLICT DO UPDATE SET
		arrived = arrived + excluded.arrived, arrived_work_ns = arrived_work_ns + excluded.arrived_work_ns, completed = completed + excluded.completed,
		failed = failed + excluded.failed, retried = retried + excluded.retried, lost = lost + excluded.lost, cancelled = cancelled + excluded.cancelled,
		wait_ns = wait_ns + excluded.wait_ns, service_ns = service_ns + excluded.service_ns, service_square = service_square + excluded.service_square`,
		func(dst []any, i int) []any {
			m := &b.Minutes[i]
			return append(dst, m.At, m.Type, m.Priority, m.Arrived, m.ArrivedWork, m.Completed, m.Failed, m.Retried, m.Lost, m.Cancelled,
				m.Wait, m.Service, m.ServiceSquare)
		})
	return err
}

// historyColumns are those of every day's table.
const historyColumns = `id, type, priority, tenant, "group", state, attempts, failures, losses, token, created_ns, arrival_ns, started_ns, finished_ns,
	run_ns, cpu_ns, estimate_ns, promise_ns, bytes_in, bytes_out, peak_memory_bytes, worker, instance, instance_type, boot, error, result`

const historyWidth = 27

// historyTable returns the name of a day's table.
func historyTable(day int64) string {
	return "history_" + time.Unix(day*86400, 0).UTC().Format("20060102")
}

func dayOf(ns int64) int64 { return ns / int64(24*time.Hour) }

// day makes the table of a day's history, if there is none.
func (w writing) day(day int64) error {
	if w.days[day] {
		return nil
	}
	w.days[day] = true // if the transaction fails, the writer goes with it
	return w.exec(w.ctx, fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s (%s)", historyTable(day), historyTypes))
}

// historyTypes declares the columns of a day's table. Instants and durations
// are in ns, those that are not known are NULL.
var historyTypes = func() string {
	columns := strings.Split(strings.Join(strings.Fields(historyColumns), ""), ",")
	for i, c := range columns {
		switch c {
		case "id":
			columns[i] += " INTEGER PRIMARY KEY"
		case "type", "tenant", `"group"`, "state", "worker", "instance", "instance_type", "boot", "error", "result":
			columns[i] += " TEXT"
		default:
			columns[i] += " INTEGER"
		}
	}
	return strings.Join(columns, ", ")
}()

func orNone(n int64) any {
	if n == 0 {
		return nil
	}
	return n
}

func (w writing) ended(b *queue.Batch) error {
	for first := 0; first < len(b.Ended); {
		day := dayOf(b.Ended[first].Finished)
		last := first + 1
		for last < len(b.Ended) && dayOf(b.Ended[last].Finished) == day {
			last++
		}
		if err := w.day(day); err != nil {
			return err
		}
		some := b.Ended[first:last]
		_, err := w.rows(len(some), historyWidth, "INSERT INTO "+historyTable(day)+" ("+historyColumns+") VALUES ", "", func(dst []any, i int) []any {
			r := &some[i]
			return append(dst, r.ID, r.Type, r.Priority, orNull(r.Tenant), orNull(r.Group), r.State.String(), r.Attempts, orNone(int64(r.Failures)), orNone(int64(r.Losses)),
				int64(r.Token), r.Created, r.Arrival, orNone(r.Started), r.Finished, orNone(r.Run), orNone(r.CPU), orNone(r.Estimate), orNone(r.Promise),
				orNone(r.BytesIn), orNone(r.BytesOut), orNone(r.PeakMemory), orNull(r.Worker), orNull(r.Instance), orNull(r.InstanceType), orNull(r.Boot),
				orNull(r.Error), orNull(r.Result))
		})
		if err != nil {
			return err
		}
		first = last
	}
	return nil
}
