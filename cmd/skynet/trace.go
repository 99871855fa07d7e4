package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/cmd/importer"
	"github.com/skynet-ec2/skynet/traces"
)

func newTraceCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "trace",
		Short: "import, generate, measure, reshape and export job traces",
	}
	c.AddCommand(
		newTraceImportCommand(a), newTraceInfoCommand(a), newTraceGenerateCommand(a),
		newTraceCutCommand(a), newTraceConvertCommand(a), newTraceExportCommand(a),
	)
	return c
}

// outputFlag defines -o, which must be given.
func outputFlag(c *cobra.Command, path *string) {
	c.Flags().StringVarP(path, "output", "o", "", "write the trace to `FILE`: "+traces.Writable)
	cli.Require(c, "output")
}

// spareTraces returns an error if the trace that is written would take the place
// of one that it is made of.
func spareTraces(path string, inputs ...string) error {
	return spareInputs([]output{{"output", path}}, inputs...)
}

// atLeastOne accepts one argument or more.
func atLeastOne(name string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return fmt.Errorf("missing %s", name)
		}
		return nil
	}
}

// stoppable is a source that ends with ctx.
type stoppable struct {
	traces.Source
	ctx context.Context
}

func (s stoppable) Next(b *traces.Batch) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	return s.Source.Next(b)
}

// writeTrace writes src to path, shows its progress, and says what it wrote.
func (a *app) writeTrace(path string, src traces.Source) error {
	progress := a.newProgress("write "+path, src.Meta().Jobs)
	defer progress.End()
	meta, err := traces.Write(path, stoppable{src, a.ctx}, traces.WriteOptions{
		Tool: buildVersion().String(), Progress: progress.Set,
	})
	if err != nil {
		return err
	}
	progress.End()
	if !a.quiet {
		fmt.Fprintf(a.stdout, "wrote %s: %d jobs in %v\n", path, meta.Jobs, meta.Span.Round(time.Second))
		if lost := lostIn(path, meta); lost != "" {
			fmt.Fprintf(a.stderr, "note: a CSV file does not tell %s\n", lost)
		}
	}
	return nil
}

// lostIn says what the file at path does not tell of a trace, and which keys of a
// scenario do; "" if it tells everything that a simulation goes by.
func lostIn(path string, meta traces.Meta) string {
	if filepath.Ext(path) == ".parquet" {
		return ""
	}
	var lost []string
	if !meta.Start.IsZero() {
		lost = append(lost, "when the trace begins (start = "+meta.Start.Format(time.RFC3339)+" in a scenario)")
	}
	if speed := meta.ReferenceSpeed; speed > 0 && speed != 1 {
		lost = append(lost, fmt.Sprintf("what core it was measured on (reference_speed = %v in its [trace])", speed))
	}
	return strings.Join(lost, ", nor ")
}

func newTraceImportCommand(a *app) *cobra.Command {
	var output, width string
	var flags importer.Flags
	var format traces.Options
	c := &cobra.Command{
		Use:   "import FILE... -o OUT",
		Short: "read foreign traces leniently and write them as one",
		Long: `Import reads traces in any known format, leniently: it drops rows that no
simulation should see, sorts by arrival, and says in a line per file what it
did. Several files become one trace.

A CSV file that a database wrote is imported by --map, which says which of its
columns holds which of a trace's: arrival_s, service_s (or start_s and finish_s,
whose difference it is), type, priority, estimate_s, deadline_s, bytes_in,
bytes_out, tenant. Times may be dates.`,
		Example: "  skynet trace import wagap-2013.swf.gz -o metacentrum.parquet --timezone Europe/Prague\n" +
			"  skynet trace import jobs.csv -o jobs.parquet --map arrival_s=created_at,start_s=started_at,finish_s=finished_at,type=kind",
		Args: atLeastOne("FILE"),
		RunE: func(_ *cobra.Command, files []string) error {
			opt, err := flags.Options()
			if err != nil {
				return err
			}
			opt.Options = format
			opt.Context = a.ctx
			if opt.Width, err = traces.ParseWidth(width); err != nil {
				return usageError(err)
			}
			if err := spareTraces(output, files...); err != nil {
				return err
			}
			src, err := a.importTraces(files, opt)
			if err != nil {
				return err
			}
			defer src.Close()
			return a.writeTrace(output, src)
		},
	}
	outputFlag(c, &output)
	formatFlag(c, &format)
	flags.Add(c.Flags(), "the CSV file")
	choiceVar(c.Flags(), &width, "width", "one", "make of a job on n cores one job, n jobs, or one with the work of all", []string{"one", "expand", "multiply"})
	return c
}

// formatFlag defines the flags that say how a file is read.
func formatFlag(c *cobra.Command, opt *traces.Options) {
	c.Flags().StringVar(&opt.Format, "format", "", "read `NAME` (csv, parquet, swf) instead of what the file looks like")
	c.Flags().BoolVar(&opt.IgnoreColumns, "ignore-columns", false, "skip columns that a trace does not have")
}

// importTraces imports files and merges them.
func (a *app) importTraces(files []string, opt traces.ImportOptions) (traces.Source, error) {
	var all []traces.Source
	for _, file := range files {
		progress := a.newProgress("read "+file, 0)
		opt.Progress = func(rows int64) error {
			progress.Set(rows)
			return a.ctx.Err()
		}
		src, sum, err := traces.Import(file, opt)
		progress.End()
		if err != nil {
			return nil, err
		}
		if err := a.ctx.Err(); err != nil {
			return nil, err
		}
		if !a.quiet {
			fmt.Fprintln(a.stdout, sum)
		}
		all = append(all, src)
	}
	merged := traces.Merge(all...)
	for i, src := range all {
		if speed := src.Meta().ReferenceSpeed; speed > 0 && merged.Meta().ReferenceSpeed == 0 {
			fmt.Fprintf(a.stderr, "note: service times of %s are of a core of speed %v, and not those of all files: they are joined as they are\n", files[i], speed)
		}
	}
	return merged, nil
}

func newTraceInfoCommand(a *app) *cobra.Command {
	var opt traces.Options
	var offset time.Duration
	var asJSON bool
	c := &cobra.Command{
		Use:   "info FILE",
		Short: "measure a trace: rates, cycles, bursts, service times",
		Args:  exactArgs("FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			if offset < -14*time.Hour || offset > 14*time.Hour {
				return usageError(fmt.Errorf("--utc-offset %v: must be from -14h to 14h", offset))
			}
			opt.Context = a.ctx
			src, err := traces.Open(args[0], opt)
			if err != nil {
				return err
			}
			defer src.Close()
			progress := a.newProgress("measure "+args[0], src.Meta().Jobs)
			defer progress.End()
			stats, err := traces.Measure(&counted{Source: stoppable{src, a.ctx}, progress: progress}, offset)
			if err != nil {
				return err
			}
			if stats.Jobs == 0 {
				return inputError(fmt.Errorf("%s: holds no job", args[0]))
			}
			progress.End()
			if !asJSON {
				_, err = fmt.Fprint(a.stdout, stats)
				return err
			}
			e := json.NewEncoder(a.stdout)
			e.SetIndent("", "  ")
			return e.Encode(stats)
		},
	}
	formatFlag(c, &opt)
	c.Flags().DurationVar(&offset, "utc-offset", 0, "the users' clock is so far ahead of UTC; -7h in California's summer")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// counted is a source that reports how many jobs passed.
type counted struct {
	traces.Source
	progress *Progress
}

func (c *counted) Next(b *traces.Batch) error {
	err := c.Source.Next(b)
	if err == nil {
		c.progress.Add(int64(b.Len()))
	}
	return err
}

// nonempty is a source whose end is an error if it had no job.
type nonempty struct {
	traces.Source
	none string // the error
	any  bool
}

func (n *nonempty) Next(b *traces.Batch) error {
	err := n.Source.Next(b)
	n.any = n.any || err == nil && b.Len() > 0
	if errors.Is(err, io.EOF) && !n.any {
		return inputError(errors.New(n.none))
	}
	return err
}

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

func newTraceCutCommand(a *app) *cobra.Command {
	var output string
	var opt traces.Options
	var from, to time.Duration
	c := &cobra.Command{
		Use:     "cut FILE -o OUT",
		Short:   "write a part of a trace, whose start becomes time 0",
		Example: "  skynet trace cut month.parquet -o week2.parquet --from 168h --to 336h",
		Args:    exactArgs("FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			if from < 0 || to < 0 || to > 0 && to <= from {
				return usageError(fmt.Errorf("--from %v --to %v: must not be negative, and --to must come after --from", from, to))
			}
			opt.Context = a.ctx
			src, err := traces.Open(args[0], opt)
			if err != nil {
				return err
			}
			defer src.Close()
			if err := spareTraces(output, args...); err != nil {
				return err
			}
			none := fmt.Sprintf("%s: holds no job from %v on", args[0], from)
			if to > 0 {
				none = fmt.Sprintf("%s: holds no job from %v to %v", args[0], from, to)
			}
			src = &nonempty{Source: traces.Cut(src, from, to), none: none}
			return a.writeTrace(output, src)
		},
	}
	outputFlag(c, &output)
	formatFlag(c, &opt)
	c.Flags().DurationVar(&from, "from", 0, "the part begins so long after the trace's start")
	c.Flags().DurationVar(&to, "to", 0, "and ends before this; 0 for the trace's end")
	return c
}

func newTraceConvertCommand(a *app) *cobra.Command {
	var output string
	var opt traces.Options
	scale := 1.0
	amplify, jitter, seed := 1, 30*time.Second, uint64(1)
	c := &cobra.Command{
		Use:     "convert FILE -o OUT",
		Short:   "write a trace in another format, scaled or amplified on the way",
		Example: "  skynet trace convert week.csv.gz -o week20.parquet --amplify 20",
		Args:    exactArgs("FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			switch {
			case !(scale >= 1e-9 && scale <= 1e9):
				return usageError(fmt.Errorf("--service-scale %v: must be from 1e-9 to 1e9", scale))
			case amplify < 1 || amplify > 100_000:
				return usageError(fmt.Errorf("--amplify %d: must be from 1 to 100000", amplify))
			case jitter < 0 || jitter > 168*time.Hour:
				return usageError(fmt.Errorf("--jitter %v: must be from 0 to 168h", jitter))
			}
			opt.Context = a.ctx
			src, err := traces.Open(args[0], opt)
			if err != nil {
				return err
			}
			defer src.Close()
			if err := spareTraces(output, args...); err != nil {
				return err
			}
			src = traces.Amplify(traces.Scale(src, scale), amplify, jitter, seed)
			return a.writeTrace(output, src)
		},
	}
	outputFlag(c, &output)
	formatFlag(c, &opt)
	f := c.Flags()
	f.Float64Var(&scale, "service-scale", scale, "multiply every service time by `x`")
	f.IntVar(&amplify, "amplify", amplify, "write every job `k` times")
	f.DurationVar(&jitter, "jitter", jitter, "move each clone by up to this, either way")
	f.Uint64Var(&seed, "seed", seed, "seed of the clones' moves")
	return c
}
