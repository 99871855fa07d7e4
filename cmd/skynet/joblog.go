package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/traces"
)

// jobLog writes the fate of every job, in trace order.
type jobLog interface {
	sim.JobSink
	// close writes what is left.
	close() error
}

// checkJobLog returns an error if no log can have the name path.
func checkJobLog(path string) error {
	if ext := logFormat(path); path != "" && ext != ".csv" && ext != ".parquet" {
		return inputError(fmt.Errorf("%s: unknown extension %q: must be .csv or .parquet", path, ext))
	}
	return nil
}

func logFormat(path string) string { return strings.ToLower(filepath.Ext(path)) }

// newJobLog returns the log that writes to w what belongs into a file called
// path, which checkJobLog accepts.
func newJobLog(w io.Writer, path string) jobLog {
	if logFormat(path) == ".parquet" {
		return &parquetJobs{w: parquet.NewGenericWriter[parquetJob](w, parquet.Compression(&parquet.Zstd))}
	}
	return &csvJobs{w: w, text: []byte("job,type,priority,arrival_s,start_s,finish_s,attempts,instance\n")}
}

// csvJobs writes jobs as lines of CSV: times in seconds, exactly; what never
// happened is empty.
type csvJobs struct {
	w    io.Writer
	text []byte // not written yet
}

// csvText is how much text is written at a time.
const csvText = 1 << 16

func (c *csvJobs) Job(r *sim.JobRow) error {
	b := strconv.AppendInt(c.text, r.Job, 10)
	b = append(b, ',')
	b = appendCSVText(b, r.Type)
	b = append(b, ',')
	b = strconv.AppendInt(b, int64(r.Priority), 10)
	for _, t := range [...]time.Duration{r.Arrival, r.Start, r.Finish} {
		b = append(b, ',')
		if t >= 0 {
			b = traces.AppendSeconds(b, int64(t))
		}
	}
	b = append(b, ',')
	b = strconv.AppendInt(b, int64(r.Attempts), 10)
	b = append(b, ',')
	if r.Instance >= 0 {
		b = strconv.AppendInt(b, r.Instance, 10)
	}
	c.text = append(b, '\n')
	if len(c.text) < csvText {
		return nil
	}
	return c.close()
}

func (c *csvJobs) close() error {
	_, err := c.w.Write(c.text)
	c.text = c.text[:0]
	return err
}

// appendCSVText appends s, in quotes if it needs them.
func appendCSVText(b []byte, s string) []byte {
	if !strings.ContainsAny(s, ",\"\r\n") {
		return append(b, s...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(s, `"`, `""`)...)
	return append(b, '"')
}

// parquetJob is a row of a log in Parquet. Times are decimals of nine places:
// exact seconds.
type parquetJob struct {
	Job      int64  `parquet:"job,delta"`
	Type     string `parquet:"type,dict"`
	Priority int32  `parquet:"priority,dict"`
	Arrival  int64  `parquet:"arrival_s,decimal(9:18),delta"`
	Start    *int64 `parquet:"start_s,decimal(9:18),optional"`
	Finish   *int64 `parquet:"finish_s,decimal(9:18),optional"`
	Attempts int32  `parquet:"attempts,dict"`
	Instance *int64 `parquet:"instance,optional"`
}

// parquetJobs gathers rows and writes them many at a time.
type parquetJobs struct {
	w    *parquet.GenericWriter[parquetJob]
	rows []parquetJob
	past [][3]int64 // what the rows' pointers point to
}

const parquetRows = 8192

func (p *parquetJobs) Job(r *sim.JobRow) error {
	if p.rows == nil {
		p.rows = make([]parquetJob, 0, parquetRows)
		p.past = make([][3]int64, parquetRows)
	}
	cell := &p.past[len(p.rows)]
	*cell = [3]int64{int64(r.Start), int64(r.Finish), r.Instance}
	row := parquetJob{
		Job: r.Job, Type: r.Type, Priority: int32(r.Priority), Arrival: int64(r.Arrival), Attempts: int32(r.Attempts),
	}
	for i, to := range [...]**int64{&row.Start, &row.Finish, &row.Instance} {
		if cell[i] >= 0 {
			*to = &cell[i]
		}
	}
	p.rows = append(p.rows, row)
	if len(p.rows) == parquetRows {
		return p.flush()
	}
	return nil
}

func (p *parquetJobs) flush() error {
	_, err := p.w.Write(p.rows)
	p.rows = p.rows[:0]
	return err
}

func (p *parquetJobs) close() error {
	if err := p.flush(); err != nil {
		return err
	}
	return p.w.Close()
}
