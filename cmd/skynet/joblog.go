package main

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/skynet-ec2/skynet/sim"
)

// jobLog writes the fate of every job to a file, in trace order.
type jobLog interface {
	sim.JobSink
	// commit completes the file; without it, abort leaves nothing.
	commit() error
	abort()
}

// createJobLog begins the log called path, whose extension gives its format:
// .csv or .parquet.
func createJobLog(path string) (jobLog, error) {
	ext := strings.ToLower(filepath.Ext(path))
	if ext != ".csv" && ext != ".parquet" {
		return nil, inputError(fmt.Errorf("%s: unknown extension %q: must be .csv or .parquet", path, ext))
	}
	out, err := createOutfile(path)
	if err != nil {
		return nil, err
	}
	if ext == ".parquet" {
		return &parquetJobs{outfile: out, w: parquet.NewGenericWriter[parquetJob](out, parquet.Compression(&parquet.Zstd))}, nil
	}
	_, _ = out.WriteString("job,type,priority,arrival_s,start_s,finish_s,attempts,instance\n") // a buffer keeps its error
	return &csvJobs{outfile: out}, nil
}

// csvJobs writes jobs as lines of CSV: times in seconds, exactly; what never
// happened is empty.
type csvJobs struct {
	*outfile
	line []byte
}

func (c *csvJobs) Job(r *sim.JobRow) error {
	b := strconv.AppendInt(c.line[:0], r.Job, 10)
	b = append(b, ',')
	b = appendCSVText(b, r.Type)
	b = append(b, ',')
	b = strconv.AppendInt(b, int64(r.Priority), 10)
	for _, t := range [...]time.Duration{r.Arrival, r.Start, r.Finish} {
		b = append(b, ',')
		if t >= 0 {
			b = appendSeconds(b, t)
		}
	}
	b = append(b, ',')
	b = strconv.AppendInt(b, int64(r.Attempts), 10)
	b = append(b, ',')
	if r.Instance >= 0 {
		b = strconv.AppendInt(b, r.Instance, 10)
	}
	c.line = append(b, '\n')
	_, err := c.Write(c.line)
	return err
}

// appendSeconds appends t, which is not negative, in seconds with as many
// decimals as it has.
func appendSeconds(b []byte, t time.Duration) []byte {
	b = strconv.AppendInt(b, int64(t/time.Second), 10)
	rest := int64(t % time.Second)
	if rest == 0 {
		return b
	}
	b = append(b, '.')
	for unit := int64(100_000_000); rest > 0; unit /= 10 {
		b = append(b, byte('0'+rest/unit))
		rest %= unit
	}
	return b
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
	Arrival  int64  `parquet:"arrival_s,decimal(9:18)"`
	Start    *int64 `parquet:"start_s,decimal(9:18),optional"`
	Finish   *int64 `parquet:"finish_s,decimal(9:18),optional"`
	Attempts int32  `parquet:"attempts,dict"`
	Instance *int64 `parquet:"instance,optional"`
}

// parquetJobs gathers rows and writes them many at a time.
type parquetJobs struct {
	*outfile
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

func (p *parquetJobs) commit() error {
	err := p.flush()
	if err == nil {
		err = p.w.Close()
	}
	if err != nil {
		p.abort()
		return err
	}
	return p.outfile.commit()
}
