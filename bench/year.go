package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// yearFigures simulates a year of 100 million jobs and a tenth of it, each in a
// process of its own, whose peak memory is then the run's.
func yearFigures(settings) ([]figure, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var figures []figure
	for _, x := range []struct {
		name, jobs, must string
	}{{"5 weeks", "10000000", ""}, {"a year", "100000000", "200 MB"}} {
		cmd := exec.Command(self, "-child", "year", "-jobs", x.jobs)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", x.name, err)
		}
		jobs, rest, _ := strings.Cut(strings.TrimSpace(string(out)), "|")
		speed, peak, _ := strings.Cut(rest, "|")
		figures = append(figures,
			figure{x.name + ", " + jobs + " jobs: speed", speed, "", ""},
			figure{x.name + ": peak resident memory", peak, x.must, ""})
	}
	return figures, nil
}

// year simulates a photo site of about so many jobs and prints its jobs, speed
// and peak memory.
func year(jobs int) error {
	site := siteWeek()
	// at this scale a year has about 100 million jobs
	const year, yearly = 365 * 24 * time.Hour, 100e6
	site.Scale = 0.65
	site.Duration = time.Duration(float64(jobs) / yearly * float64(year)).Truncate(24 * time.Hour)
	src, err := site.Source()
	if err != nil {
		return err
	}
	const instances = 60
	var done int64
	took, err := spent(func() error {
		res, err := play(siteWorld(instances), instances, contenders[len(contenders)-1].make, src)
		if err == nil {
			done = res.Figures.Jobs.Completed
		}
		return err
	})
	if err != nil {
		return err
	}
	peak, err := peakMB()
	if err != nil {
		return err
	}
	fmt.Printf("%d|%s|%.0f MB\n", done, perJob(took, done), peak)
	return nil
}
