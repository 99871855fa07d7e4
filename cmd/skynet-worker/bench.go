package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/live/handler"
	"github.com/skynet-ec2/skynet/live/input"
	"github.com/skynet-ec2/skynet/live/photo/sample"
	"github.com/skynet-ec2/skynet/traces/whole"
)

// benchVerb measures what the handlers do on this machine.
type benchVerb struct {
	*cli.App
	instanceFlags
	photos    []string
	time      time.Duration
	json      string
	reference string
	usd       float64
}

func newBenchCommand(a *cli.App) *cobra.Command {
	b := &benchVerb{App: a}
	c := &cobra.Command{
		Use:   "bench",
		Short: "measure what this machine does of sample jobs, and what that costs",
		Long: `Bench runs the real handlers, on as many slots as a worker would, and prints jobs
and work per second and the price of a core-second of work.

Work is counted in seconds of a reference core. Which one that is, --reference
says: the --json file of a bench on the machine whose core is to be 1.0. Without
it the instance type's speed is taken from its catalog; of an unknown type, this
machine's own core is the reference.`,
		Example: `  skynet-worker bench
  skynet-worker bench --ec2 --json c7i.json --reference m1.json
  skynet-worker bench --photo holiday.jpg --instance-type c7i.xlarge`,
		Args: cli.ExactArgs(),
		RunE: func(*cobra.Command, []string) error { return b.run() },
	}
	f := c.Flags()
	f.SortFlags = false
	b.instanceFlags.add(f)
	f.StringSliceVar(&b.photos, "photo", nil, "work on this `file`, not on a made-up photo of 12 megapixels; may be repeated")
	f.DurationVar(&b.time, "time", 5*time.Second, "measure each kind of job for this `time`")
	f.StringVar(&b.json, "json", "", "write the figures to this `file`; - is standard output")
	f.StringVar(&b.reference, "reference", "", "the --json `file` of the machine whose core is the reference")
	f.Float64Var(&b.usd, "usd-per-hour", 0, "the instance's price, in `USD`; default: its catalog's")
	return c
}

// benchJobs are the sample jobs.
var benchJobs = []struct{ name, args string }{
	{"resize", `{"sizes":[{"name":"thumb","width":150,"height":150,"fit":"cover"},{"name":"small","width":400,"height":400},{"name":"medium","width":800,"height":800},{"name":"large","width":1600,"height":1600}]}`},
	{"rotate", `{"degrees":90}`},
	{"watermark", `{"text":"© example"}`},
}

// benchReport is what bench found.
type benchReport struct {
	InstanceType  string       `json:"instance_type,omitempty"`
	Slots         int          `json:"slots"`
	Speed         float64      `json:"speed"`          // of a core while it works, in reference cores
	SpeedSource   string       `json:"speed_source"`   // how that is known
	UsdPerHour    float64      `json:"usd_per_hour"`   // 0: not known
	WorkPerS      float64      `json:"work_per_s"`     // reference core-seconds per second, all slots, as measured
	UsdPerCoreSec float64      `json:"usd_per_core_s"` // of work, at full load; 0: not known
	Kinds         []benchFound `json:"kinds"`
}

// benchFound is what was found of one kind of job.
type benchFound struct {
	Type     string  `json:"type"`
	Jobs     int     `json:"jobs"`
	JobsPerS float64 `json:"jobs_per_s"` // all slots
	CPUPerS  float64 `json:"cpu_per_s"`  // processor seconds used per second
	CPUS     float64 `json:"cpu_s"`      // of one job, on a core of this machine
	SlotS    float64 `json:"slot_s"`     // of one job, in its slot
}

func (b *benchVerb) run() error {
	if b.time <= 0 || b.usd < 0 || math.IsNaN(b.usd) {
		return cli.UsageError(fmt.Errorf("--time %v, --usd-per-hour %v: must be more than 0", b.time, b.usd))
	}
	s, err := b.learn(b.Ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "skynet-bench-*")
	if err != nil {
		return cli.OutsideError(err)
	}
	defer os.RemoveAll(dir)
	photos, err := b.samples(dir)
	if err != nil {
		return err
	}
	set := handler.Defaults(false)
	set.Fetch = &input.Fetcher{Folders: []string{"/"}}
	report := benchReport{InstanceType: s.identity.Type, Slots: s.Slots}
	for _, job := range benchJobs {
		found, err := b.measure(set, job.name, job.args, photos, s.Slots, dir)
		if err != nil {
			return err
		}
		report.Kinds = append(report.Kinds, found)
	}
	if err := b.price(&report); err != nil {
		return err
	}
	if b.json != "-" {
		report.print(b.Stdout)
	}
	return b.write(report)
}

// samples returns the addresses of the photos to work on.
func (b *benchVerb) samples(dir string) ([]string, error) {
	paths := b.photos
	if len(paths) == 0 {
		made := filepath.Join(dir, "sample.jpg")
		if err := os.WriteFile(made, sample.JPEG(sample.Options{Width: 4000, Height: 3000, Orientation: 6}), 0o600); err != nil {
			return nil, cli.OutsideError(err)
		}
		paths = []string{made}
	}
	var uris []string
	for _, p := range paths {
		p, err := filepath.Abs(p)
		if err != nil {
			return nil, err
		}
		if _, err := os.Stat(p); err != nil {
			return nil, err
		}
		uris = append(uris, fileURI(p))
	}
	return uris, nil
}

// measure does jobs of one kind on every slot until the time is over, one on
// each at least.
func (b *benchVerb) measure(set *handler.Set, kind, args string, photos []string, slots int, dir string) (benchFound, error) {
	ctx, cancel := context.WithTimeout(b.Ctx, b.time)
	defer cancel()
	var number, cpu, busy atomic.Int64
	var once sync.Once
	var failed error
	var all sync.WaitGroup
	started := time.Now()
	for range slots {
		all.Go(func() {
			for { // one at least: a busy machine may begin when the time is over
				n := number.Add(1)
				began := time.Now()
				r, err := benchJob(b.Ctx, set, kind, args, photos[int(n)%len(photos)], n, dir)
				if err != nil {
					once.Do(func() { failed = fmt.Errorf("bench: job %d, %s: %w", n, kind, err); cancel() })
					return
				}
				cpu.Add(int64(r.CPU))
				busy.Add(int64(time.Since(began)))
				if ctx.Err() != nil {
					return
				}
			}
		})
	}
	all.Wait()
	took := time.Since(started).Seconds()
	if failed != nil {
		return benchFound{}, failed
	}
	if b.Ctx.Err() != nil {
		return benchFound{}, b.Ctx.Err()
	}
	n := float64(number.Load())
	return benchFound{
		Type: kind, Jobs: int(n), JobsPerS: n / took,
		CPUPerS: time.Duration(cpu.Load()).Seconds() / took, CPUS: time.Duration(cpu.Load()).Seconds() / n,
		SlotS: time.Duration(busy.Load()).Seconds() / n,
	}, nil
}

// benchJob does one job as a worker would.
func benchJob(ctx context.Context, set *handler.Set, kind, args, photo string, n int64, dir string) (handler.Result, error) {
	place := filepath.Join(dir, fmt.Sprintf("%s-%d", kind, n))
	out, scratch := filepath.Join(place, "out"), filepath.Join(place, "scratch")
	if err := errors.Join(os.MkdirAll(out, 0o700), os.MkdirAll(scratch, 0o700)); err != nil {
		return handler.Result{}, err
	}
	defer os.RemoveAll(place)
	at, err := json.Marshal(photo)
	if err != nil {
		return handler.Result{}, err
	}
	full := `{"input":` + string(at) + "," + strings.TrimPrefix(args, "{")
	return set.Run(ctx, handler.Job{ID: n, Type: kind, Attempt: 1, Args: json.RawMessage(full)}, out, scratch)
}

// price adds the machine's speed, and what its work costs.
func (b *benchVerb) price(r *benchReport) error {
	r.Speed, r.SpeedSource = 1, "this machine is the reference"
	t, catalog, known := typeOf(r.InstanceType)
	if known {
		r.Speed, r.SpeedSource = t.Speed, "catalog "+catalog
		r.UsdPerHour = t.PerHour.Dollars()
	}
	if b.usd > 0 {
		r.UsdPerHour = b.usd
	}
	if b.reference != "" {
		text, err := os.ReadFile(b.reference)
		if err != nil {
			return err
		}
		var base benchReport
		if err := json.Unmarshal(text, &base); err != nil {
			return cli.InputError(fmt.Errorf("--reference %s: %w", b.reference, err))
		}
		if r.Speed, err = against(*r, base); err != nil {
			return cli.InputError(fmt.Errorf("--reference %s: %w", b.reference, err))
		}
		r.SpeedSource = "measured against " + filepath.Base(b.reference)
	}
	// what the slots really got of the processors counts, not what they should have
	used := 0.0
	for _, k := range r.Kinds {
		used += k.CPUPerS / float64(len(r.Kinds))
	}
	r.WorkPerS = r.Speed * used
	if r.UsdPerHour > 0 && r.WorkPerS > 0 { // where processor time is not measured the price is not known
		r.UsdPerCoreSec = r.UsdPerHour / 3600 / r.WorkPerS
	}
	return nil
}

// against returns the speed of a core, where one of the other machine has 1.0:
// the geometric mean over the kinds of jobs that both know.
func against(r, base benchReport) (float64, error) {
	sum, n := 0.0, 0
	for _, mine := range r.Kinds {
		for _, theirs := range base.Kinds {
			if mine.Type == theirs.Type && theirs.CPUS > 0 && mine.CPUS > 0 {
				sum += math.Log(theirs.CPUS / mine.CPUS)
				n++
			}
		}
	}
	if n == 0 {
		return 0, errors.New("no kind of job in common whose processor time is known")
	}
	return math.Exp(sum / float64(n)), nil
}

func (r benchReport) print(w io.Writer) {
	kind := r.InstanceType
	if kind == "" {
		kind = "of no known type"
	}
	fmt.Fprintf(w, "%d slots, instance %s\n\n", r.Slots, kind)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "job type\tjobs\tjobs/s\tcpu s/job\tslot s/job\tUSD/1000 jobs\t")
	for _, k := range r.Kinds {
		price := "-"
		if r.UsdPerHour > 0 {
			price = fmt.Sprintf("%.4f", 1000*r.UsdPerHour/3600/k.JobsPerS)
		}
		fmt.Fprintf(t, "%s\t%d\t%.2f\t%.3f\t%.3f\t%s\t\n", k.Type, k.Jobs, k.JobsPerS, k.CPUS, k.SlotS, price)
	}
	t.Flush()
	fmt.Fprintf(w, "\nspeed %.3f of the reference core (%s)\nwork  %.3f core-seconds/s\n", r.Speed, r.SpeedSource, r.WorkPerS)
	if r.UsdPerCoreSec > 0 {
		fmt.Fprintf(w, "price %.4g USD per core-second (%.4f USD/h)\n", r.UsdPerCoreSec, r.UsdPerHour)
	} else {
		fmt.Fprintln(w, "price not known: --instance-type or --usd-per-hour says it")
	}
}

func (b *benchVerb) write(r benchReport) error {
	if b.json == "" {
		return nil
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if b.json == "-" {
		_, err := b.Stdout.Write(text)
		return err
	}
	f, err := whole.Create(b.json)
	if err != nil {
		return cli.InputError(err)
	}
	if _, err := f.Write(text); err != nil {
		f.Abort()
		return err
	}
	return f.Commit()
}
