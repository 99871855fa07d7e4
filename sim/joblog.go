package sim

import (
	"time"

	"github.com/skynet-ec2/skynet/policy/dispatch"
	"github.com/skynet-ec2/skynet/traces"
)

// jobLog hands every job's fate to a sink in trace order. It holds the jobs
// from the oldest whose fate is open.
type jobLog struct {
	sink  JobSink
	first int64 // trace ordinal of rows[0]
	rows  []jobEntry
	head  int // rows before it are handed over
	err   error
}

type jobEntry struct {
	JobRow
	settled bool
}

func (l *jobLog) arrived(job *dispatch.Job, k *traces.Kind) {
	if l.head == len(l.rows) {
		l.rows, l.head = l.rows[:0], 0
		l.first = job.ID
	}
	l.rows = append(l.rows, jobEntry{JobRow: JobRow{
		Job: job.ID, Type: k.Type, Priority: int(k.Priority), Arrival: time.Duration(job.Arrival),
		Start: -1, Finish: -1, Instance: -1,
	}})
}

func (l *jobLog) entry(id int64) *jobEntry { return &l.rows[id-l.first] }

// finished settles a job that is done.
func (l *jobLog) finished(sl *slot, inst, now int64) {
	r := l.entry(sl.job.ID)
	r.Start, r.Finish = time.Duration(sl.start), time.Duration(now)
	r.Attempts, r.Instance = int(sl.job.Attempt)+1, inst
	r.settled = true
	l.flush()
}

// running notes the attempt of a job that runs when the run ends.
func (l *jobLog) running(sl *slot, inst int64) {
	r := l.entry(sl.job.ID)
	r.Start, r.Instance, r.Attempts = time.Duration(sl.start), inst, int(sl.job.Attempt)+1
}

// waiting notes how often a job that waits when the run ends was started.
func (l *jobLog) waiting(job *dispatch.Job, attempts int) {
	l.entry(job.ID).Attempts = attempts
}

// lost settles a job that used up its attempts.
func (l *jobLog) lost(job *dispatch.Job) {
	r := l.entry(job.ID)
	r.Attempts = int(job.Attempt)
	r.settled = true
	l.flush()
}

func (l *jobLog) flush() {
	for l.head < len(l.rows) && l.rows[l.head].settled {
		l.emit()
	}
	if l.head > 4096 && l.head > len(l.rows)/2 {
		n := copy(l.rows, l.rows[l.head:])
		l.first += int64(l.head)
		l.rows, l.head = l.rows[:n], 0
	}
}

func (l *jobLog) emit() {
	if l.err == nil {
		l.err = l.sink.Job(&l.rows[l.head].JobRow)
	}
	l.head++
}

// close hands over what is left, jobs that never finished among it.
func (l *jobLog) close() error {
	for l.head < len(l.rows) {
		l.emit()
	}
	return l.err
}
