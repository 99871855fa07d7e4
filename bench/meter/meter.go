// Package meter measures what benchmarks of queues cost: processor time of this
// process and of a database, and bytes of write-ahead log.
package meter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/skynet-ec2/skynet/live/queue/postgres/pgtest"
)

// Meter measures one phase after the other. The zero Meter measures this
// process alone and prints nothing; Server adds a PostgreSQL.
type Meter struct {
	Server *pgtest.Server // or nil
	Out    io.Writer

	began   time.Time
	own, db time.Duration
	wal     int64
	err     error
}

// readings are of the clocks that run on.
func (m *Meter) readings() (own, db time.Duration, wal int64) {
	var u syscall.Rusage
	m.err = errors.Join(m.err, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	own = time.Duration(u.Utime.Nano() + u.Stime.Nano())
	if m.Server == nil {
		return own, 0, 0
	}
	db, err := m.Server.CPU()
	m.err = errors.Join(m.err, err)
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, m.Server.URL(m.Server.Port, "postgres"))
	if err == nil {
		err = errors.Join(conn.QueryRow(ctx, "select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint").Scan(&wal), conn.Close(ctx))
	}
	m.err = errors.Join(m.err, err)
	return own, db, wal
}

// Start begins a phase.
func (m *Meter) Start() {
	m.own, m.db, m.wal = m.readings()
	m.began = time.Now()
}

// Stop ends it and prints what it cost by job.
func (m *Meter) Stop(what string, jobs int) {
	took := time.Since(m.began)
	own, db, wal := m.readings()
	own, db, wal = own-m.own, db-m.db, wal-m.wal
	per := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 / float64(jobs) }
	fmt.Fprintf(m.Out, "%-28s %8d jobs %9.0f jobs/s   CPU µs/job: service %5.1f database %5.1f sum %5.1f   WAL B/job %5.0f\n",
		what, jobs, float64(jobs)/took.Seconds(), per(own), per(db), per(own+db), float64(wal)/float64(jobs))
}

// Err returns what could not be read.
func (m *Meter) Err() error { return m.err }

// Quantiles prints the median and the 99th percentile of durations.
func (m *Meter) Quantiles(what string, d []time.Duration) {
	slices.Sort(d)
	at := func(p float64) time.Duration {
		return d[min(len(d)-1, int(p*float64(len(d))))].Round(10 * time.Microsecond)
	}
	if len(d) > 0 {
		fmt.Fprintf(m.Out, "%-28s p50 %v p99 %v of %d\n", what, at(0.5), at(0.99), len(d))
	}
}

// Postgres starts a PostgreSQL with settings that every queue is measured with.
func Postgres() (*pgtest.Server, error) {
	return pgtest.Start("shared_buffers=256MB", "max_wal_size=4GB", "checkpoint_timeout=15min")
}

// Args are a job's arguments of 120 bytes.
var Args = []byte(fmt.Sprintf(`{"input":"s3://photos.example/%060d.jpg","sizes":[150,300,600,1050]}`, 7))
