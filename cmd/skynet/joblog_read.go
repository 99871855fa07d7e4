package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/skynet-ec2/skynet/sim"
)

// readJobs reads a jobs file, as --jobs writes it, row by row.
func readJobs(path string, each func(*sim.JobRow) error) error {
	if err := checkJobLog(path); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if logFormat(path) == ".parquet" {
		err = readParquetJobs(f, each)
	} else {
		err = readCSVJobs(f, each)
	}
	if err != nil {
		return inputError(fmt.Errorf("%s: %w", path, err))
	}
	return nil
}

var jobColumns = []string{"job", "type", "priority", "arrival_s", "start_s", "finish_s", "attempts", "instance"}

func readCSVJobs(r io.Reader, each func(*sim.JobRow) error) error {
	in := csv.NewReader(r)
	in.ReuseRecord = true
	for line := 1; ; line++ {
		cells, err := in.Read()
		if err == io.EOF && line > 1 {
			return nil
		}
		if err == io.EOF {
			return errors.New("is empty: must begin with the columns of simulate --jobs")
		}
		if err != nil {
			return err
		}
		if line == 1 {
			for i, name := range jobColumns {
				if i >= len(cells) || cells[i] != name {
					return fmt.Errorf("line 1: column %d must be %s: simulate --jobs writes such files", i+1, name)
				}
			}
			continue
		}
		row, err := jobOf(cells)
		if err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
		if err := each(row); err != nil {
			return err
		}
	}
}

// jobOf reads a row of CSV.
func jobOf(cells []string) (*sim.JobRow, error) {
	var problem error
	whole := func(i int, empty int64) int64 {
		if cells[i] == "" && empty < 0 {
			return empty
		}
		n, err := strconv.ParseInt(cells[i], 10, 64)
		if err != nil || n < 0 {
			problem = fmt.Errorf("%s = %q: must be a whole number", jobColumns[i], cells[i])
		}
		return n
	}
	when := func(i int, empty time.Duration) time.Duration {
		if cells[i] == "" && empty < 0 {
			return empty
		}
		t, err := time.ParseDuration(cells[i] + "s") // decimals are read exactly
		if err != nil || t < 0 {
			problem = fmt.Errorf("%s = %q: must be seconds", jobColumns[i], cells[i])
		}
		return t
	}
	r := &sim.JobRow{
		Job: whole(0, 0), Type: cells[1], Priority: int(whole(2, 0)),
		Arrival: when(3, 0), Start: when(4, -1), Finish: when(5, -1),
		Attempts: int(whole(6, 0)), Instance: whole(7, -1),
	}
	return r, problem
}

func readParquetJobs(f *os.File, each func(*sim.JobRow) error) (err error) {
	defer func() { // the library panics on some damaged files
		if failed := recover(); failed != nil {
			err = fmt.Errorf("is damaged: %v", failed)
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	file, err := parquet.OpenFile(f, info.Size())
	if err != nil {
		return err
	}
	in := parquet.NewGenericReader[parquetJob](file)
	defer in.Close()
	rows := make([]parquetJob, parquetRows)
	for {
		n, err := in.Read(rows)
		for i := range rows[:n] {
			p := &rows[i]
			r := &sim.JobRow{
				Job: p.Job, Type: p.Type, Priority: int(p.Priority), Arrival: time.Duration(p.Arrival),
				Start: -1, Finish: -1, Attempts: int(p.Attempts), Instance: -1,
			}
			if p.Start != nil {
				r.Start = time.Duration(*p.Start)
			}
			if p.Finish != nil {
				r.Finish = time.Duration(*p.Finish)
			}
			if p.Instance != nil {
				r.Instance = *p.Instance
			}
			if err := each(r); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
