package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/skynet-ec2/skynet/traces"
)

func newTraceGenerateCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "generate",
		Short: "make a synthetic trace",
	}
	c.AddCommand(newGeneratePhotoSiteCommand(a), newGeneratePoissonCommand(a))
	return c
}

func newGeneratePhotoSiteCommand(a *app) *cobra.Command {
	site := traces.DefaultPhotoSite()
	var output, start string
	var days float64
	var noBatches bool
	c := &cobra.Command{
		Use:     "photo-site -o OUT",
		Short:   "make the load of a photo-sharing site of 2008",
		Example: "  skynet trace generate photo-site -o week.parquet --days 7 --scale 0.1",
		Args:    exactArgs(),
		RunE: func(*cobra.Command, []string) error {
			var err error
			if site.Duration, err = daysFlag(days); err != nil {
				return usageError(err)
			}
			if site.Start, err = time.Parse(time.RFC3339, start); err != nil {
				return usageError(fmt.Errorf("--start %q: must look like 2008-06-02T07:00:00Z", start))
			}
			if noBatches {
				site.Batches.PerDay = 0
			}
			src, err := site.Source()
			if err != nil {
				return usageError(err)
			}
			return a.writeTrace(output, src)
		},
	}
	outputFlag(c, &output)
	f := c.Flags()
	f.Float64Var(&days, "days", 7, "length of the trace")
	f.Float64Var(&site.Scale, "scale", site.Scale, "number of users; 1 uploads 416 thousand files a day")
	f.Uint64Var(&site.Seed, "seed", site.Seed, "seed of everything random")
	f.StringVar(&start, "start", site.Start.Format(time.RFC3339), "`instant` of time 0")
	f.DurationVar(&site.UTCOffset, "utc-offset", site.UTCOffset, "the users' clock is so far ahead of UTC")
	f.Float64Var(&site.Rate.EventsPerYear, "events-per-year", site.Rate.EventsPerYear, "holidays and deadlines, which double the load for days")
	f.BoolVar(&site.Rate.Flat, "flat", false, "upload alike at every hour of the week")
	f.BoolVar(&noBatches, "no-batches", false, "make uploads only, no gallery-wide operations")
	return c
}

// daysFlag returns a number of days as a duration.
func daysFlag(days float64) (time.Duration, error) {
	const most = 20 * 365
	if !(days > 0 && days <= most) {
		return 0, fmt.Errorf("--days %v: must be above 0, at most %d", days, most)
	}
	return time.Duration(days * float64(24*time.Hour)), nil
}

func newGeneratePoissonCommand(a *app) *cobra.Command {
	var output, law string
	var days float64
	p := traces.Poisson{Seed: 1}
	class := traces.PoissonClass{Service: traces.ServiceTime{Law: traces.Exponential}}
	laws := []string{"exponential", "deterministic", "lognormal"}
	c := &cobra.Command{
		Use:     "poisson -o OUT",
		Short:   "make jobs that arrive at random, as queueing theory has them",
		Example: "  skynet trace generate poisson -o mmc.parquet --days 1 --per-second 20 --service 5s",
		Args:    exactArgs(),
		RunE: func(*cobra.Command, []string) error {
			var err error
			if p.Duration, err = daysFlag(days); err != nil {
				return usageError(err)
			}
			for i, name := range laws {
				if name == law {
					class.Service.Law = traces.Law(i)
				}
			}
			p.Classes = []traces.PoissonClass{class}
			src, err := p.Source()
			if err != nil {
				return usageError(err)
			}
			return a.writeTrace(output, src)
		},
	}
	outputFlag(c, &output)
	f := c.Flags()
	f.Float64Var(&days, "days", 1, "length of the trace")
	f.Float64Var(&class.PerSecond, "per-second", 1, "mean `rate` of arrivals")
	f.DurationVar(&class.Service.Mean, "service", 5*time.Second, "mean service time")
	choiceVar(f, &law, "law", laws[0], "distribution of service times", laws)
	f.Float64Var(&class.Service.SCV, "scv", 1, "squared coefficient of variation of lognormal service times")
	f.StringVar(&class.Type, "type", "job", "`name` of the job type")
	f.Uint8Var(&class.Priority, "priority", 0, "0 is served first")
	f.Uint64Var(&p.Seed, "seed", p.Seed, "seed of everything random")
	return c
}
