package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/skynet-ec2/skynet/traces"
)

// traceFigures measures how jobs come into the engine.
func traceFigures(set settings) (figures []figure, err error) {
	site := siteWeek()
	week, err := packed(site)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "skynet-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file, text := filepath.Join(dir, "week.parquet"), filepath.Join(dir, "week.csv.gz")
	for _, path := range []string{file, text} {
		if _, err := traces.Write(path, week.Source(), traces.WriteOptions{}); err != nil {
			return nil, err
		}
	}
	const instances = 60 // enough for the week's busiest hour
	runs := []func() error{
		func() error { return readThrough(traces.Open(file, traces.Options{})) },
		func() error { return readThrough(traces.Open(text, traces.Options{})) },
		func() error { return readThrough(site.Source()) },
		func() error { return readThrough(week.Source(), nil) },
	}
	for _, c := range contenders {
		for _, open := range []func() (traces.Source, error){
			func() (traces.Source, error) { return week.Source(), nil },
			func() (traces.Source, error) { return traces.Open(file, traces.Options{}) },
			site.Source,
		} {
			runs = append(runs, func() error {
				src, err := open()
				if err != nil {
					return err
				}
				_, err = play(siteWorld(instances), instances, c.make, src)
				return errors.Join(err, src.Close())
			})
		}
	}
	took, err := inTurn(set.rounds, runs...)
	if err != nil {
		return nil, err
	}
	n := week.Len()
	figures = []figure{
		{"jobs", fmt.Sprint(n), "", ""},
		{"bytes a job, in memory", fmt.Sprintf("%.1f", float64(week.Bytes())/float64(n)), "16", "13"},
		{"reading Parquet", perJob(took[0], n), "30 M/s", "80 M/s"},
		{"reading CSV, gzip", perJob(took[1], n), "", ""},
		{"generating", perJob(took[2], n), "", ""},
		{"reading from memory", perJob(took[3], n), "", ""},
	}
	for i, c := range contenders {
		figures = append(figures,
			figure{"simulating from memory, " + c.name, perJob(took[4+3*i], n), "", ""},
			figure{"simulating from Parquet, " + c.name, perJob(took[5+3*i], n), "6 M/s", "12 M/s"},
			figure{"simulating generated jobs, " + c.name, perJob(took[6+3*i], n), "8 M/s", "15 M/s"})
	}
	return figures, nil
}

// readThrough reads a source to its end and closes it.
func readThrough(src traces.Source, err error) error {
	if err != nil {
		return err
	}
	var b traces.Batch
	for {
		switch err := src.Next(&b); {
		case err == io.EOF:
			return src.Close()
		case err != nil:
			return errors.Join(err, src.Close())
		}
	}
}
