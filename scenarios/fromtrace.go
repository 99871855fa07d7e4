package scenarios

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/traces"

	"golang.org/x/text/unicode/norm"
)

// classesMost is how many types ExampleFor gives a class of their own.
const classesMost = 8

// perSecondFrom is when EC2 began to bill Linux instances by the second.
var perSecondFrom = time.Date(2017, 10, 2, 0, 0, 0, 0, time.UTC)

// ExampleFor returns a commented scenario for a recorded trace: a class for
// each of its busiest types, with targets that its service times allow, the
// cloud of its time, and a guard that its busiest hour fits into. Comments say
// where every number came from. file is how the scenario is to name the trace.
// It reads src to its end.
func ExampleFor(title, file string, src traces.Source) ([]byte, error) {
	s, err := surveyTrace(&ownClock{Source: src, file: file})
	if err != nil {
		return nil, err
	}
	if s.jobs == 0 {
		return nil, fmt.Errorf("%s: no jobs in it", file)
	}
	meta := src.Meta()
	e := example{survey: s, catalog: policy.EC2in2008(), billing: "hourly", boot: `median = "95s", p99 = "230s", max = "300s"`}
	e.era = "the types of 2008"
	if meta.Start.After(perSecondFrom) {
		e.catalog, e.billing, e.boot = policy.EC2in2026(), "per-second", `median = "28s", p99 = "62s", max = "120s"`
		e.era = "today's types"
	}
	e.header(title)
	e.time(meta)
	e.trace(file, meta)
	e.classes()
	e.cloud()
	e.text(`
[[promise]]                      # beyond the classes' targets: a bound on any figure of simulate --json
metric = "jobs.lost"
max = 0.0

[policy]                         # who decides; skynet tune searches its parameters
name = "skynet"
`)
	return e.Bytes(), nil
}

// example is a scenario in the making.
type example struct {
	bytes.Buffer
	*survey
	catalog            policy.Catalog
	era, billing, boot string
	reference          float64 // speed of the core that service times are of
}

func (e *example) text(s string) { e.WriteString(s) }

// line writes a setting, and behind it, in a column, what it means.
func (e *example) line(setting, comment string, args ...any) {
	fmt.Fprintf(e, "%-32s # %s\n", setting, fmt.Sprintf(comment, args...))
}

func (e *example) header(title string) {
	e.text(`# What to expect: say here, before any number, how a good policy should fare and why.
# Every key: docs/scenario.md. Check this file: skynet scenario lint FILE. Run it: skynet simulate FILE.
# Numbers below were derived from the trace, or are assumed where the comment says so: correct what you know better.
title = ` + quoted(title) + "\n\n")
}

// time writes when the trace began and what of it is judged.
func (e *example) time(meta traces.Meta) {
	if meta.Start.IsZero() {
		e.line("# start = 2008-06-02T00:00:00Z", "when the trace begins, UTC: it does not say; the hours of the week follow it")
	} else {
		e.line("start = "+tomlValue(meta.Start), "when the trace begins, UTC: as it says itself")
	}
	e.line(`# utc_offset = "-7h"`, "the users' clock less UTC, if days and hours are to be theirs")
	if judged := min(2*time.Hour, (e.span / 10).Truncate(time.Minute)); judged > 0 {
		e.line("judge_from = "+tomlValue(judged), "the time before is billed, not judged: the fleet starts from nothing")
	} else {
		e.line(`# judge_from = "2h"`, "the time before would be billed, not judged; this trace is short")
	}
	e.line(`# duration = "24h"`, "left out: until the trace ends (%s) and its last job is done", roughly(e.span))
	e.line(`tick = "1m"`, "time between two decisions")
	e.line("seed = 1", "of boot lags and whatever else is drawn; the jobs are the trace's")
}

// trace writes where the jobs are, and how fast the cores were that ran them.
func (e *example) trace(file string, meta traces.Meta) {
	e.text("\n[trace]\n")
	e.line("file = "+quoted(file), "%s jobs, relative to this file's folder", grouped(e.jobs))
	why := "assumed: the slowest core of " + e.catalog.Name
	if e.reference = meta.ReferenceSpeed; e.reference > 0 {
		why = "as the trace says"
	} else {
		e.reference = slices.MinFunc(e.catalog.Types, func(a, b policy.InstanceType) int { return int(math.Copysign(1, a.Speed-b.Speed)) }).Speed
	}
	e.line("reference_speed = "+tomlFloat(e.reference), "of the core that service times were measured on, %s;", why)
	e.line("", "work and cost follow it in proportion. %s", e.speeds())
}

// speeds names a type of each speed that the catalog sells.
func (e *example) speeds() string {
	var known []string
	var seen []float64
	for _, t := range e.catalog.Types {
		if !slices.Contains(seen, t.Speed) {
			seen = append(seen, t.Speed)
			known = append(known, fmt.Sprintf("%s %v", t.Name, t.Speed))
		}
	}
	return strings.Join(known, ", ")
}

// classes writes what each type is promised.
func (e *example) classes() {
	e.text(`
# A class is what a promise is made to; the first that matches a job wins. Targets are four times the 95th
# percentile of service, rounded up, and at least 30 s for types with jobs of priority 0, 2 m for those of 1,
# 30 m for all others. What a user would bear is for you to say.
`)
	taken := map[string]bool{"rest": true}
	own := e.types[:min(len(e.types), classesMost)]
	for _, t := range own {
		name := className(t.name)
		for n := 2; taken[name]; n++ {
			name = fmt.Sprintf("%.60s_%d", className(t.name), n)
		}
		taken[name] = true
		e.text("\n[[class]]\n")
		e.line("name = "+quoted(name), "%s jobs, %s of the work, priority %s", grouped(t.jobs), share(t.seconds, e.total()), t.priority())
		e.line("type = "+quoted(t.name), "service: mean %s, half within %s, 95 %% within %s, longest %s",
			roughly(time.Duration(t.seconds/float64(t.jobs)*1e9)), roughly(t.quantile(0.5)), roughly(t.quantile(0.95)), roughly(t.max))
		e.line("target = "+tomlValue(t.target()), "from arrival to done")
		e.line("attain = 0.95", "the fraction of its jobs within target")
	}
	target := time.Hour
	left := int64(0)
	for _, t := range e.types[len(own):] {
		target, left = max(target, t.target()), left+t.jobs
	}
	what := "whatever else comes; a job without a class is an error"
	if left > 0 {
		what = fmt.Sprintf("%s jobs of %d more types, and whatever else comes", grouped(left), len(e.types)-len(own))
	}
	e.text("\n[[class]]\n")
	e.line(`name = "rest"`, "%s", what)
	e.line("target = "+tomlValue(target), "four times its 95th percentiles, at least an hour")
	e.text("attain = 0.95\n")
}

// cloud writes what is sold, and how much of it may be bought.
func (e *example) cloud() {
	e.text("\n[cloud]\n")
	e.line("catalog = "+quoted(e.catalog.Name), "%s; or ec2-2008, ec2-2026, a file, [[cloud.type]] tables", e.era)
	e.line("billing = "+quoted(e.billing), "hourly: started hours whole; per-second: seconds, at least 60")
	fmt.Fprintf(e, "# launch to ready, assumed: measure yours\nboot = { model = \"lognormal\", %s }\n", e.boot)
	cores, at := e.peak()
	cheapest := slices.MinFunc(e.catalog.Types, func(a, b policy.InstanceType) int {
		switch {
		case a.UnitPrice() < b.UnitPrice(), a.UnitPrice() == b.UnitPrice() && a.Capacity() < b.Capacity():
			return -1
		}
		return 1
	})
	work := cores * e.reference
	fleet := min(roundUp(max(20, 4*work/cheapest.Capacity())), 5000)
	hour := min(roundUp(max(10, 4*work*cheapest.UnitPrice())), 5000)
	e.line(fmt.Sprintf("max_instances = %d", max(500, int(fleet))), "what EC2 would let you have: your quota")
	e.text("\n[guard]                          # the last word on what any policy may do\n")
	e.line(fmt.Sprintf("fleet_max = %d", int(fleet)), "instances at once. The busiest hour, %s after the start, keeps %s", roughly(at), threeDigits(cores))
	e.line("", "cores of speed %v busy; this is four times that in %s, from 20 to 5000", e.reference, cheapest.Name)
	e.line(fmt.Sprintf("launch_max = %d", min(int(fleet)/2, 500)), "instances by one decision: half of that, at most 500")
	e.line("hour_max_usd = "+tomlFloat(hour), "price of an hour of everything alive: four times that hour's work, from 10 to 5000")
}

// total returns the service time of all jobs, in seconds.
func (s *survey) total() float64 {
	sum := 0.0
	for _, t := range s.types {
		sum += t.seconds
	}
	return sum
}

// priority returns the priorities of a type's jobs in words.
func (t *typeSurvey) priority() string {
	var all []string
	for p, there := range t.priorities {
		if there {
			all = append(all, fmt.Sprint(p))
		}
	}
	if len(all) > 4 {
		return all[0] + " to " + all[len(all)-1]
	}
	return strings.Join(all, ", ")
}

// roundUp returns the next of 1, 2, 5, 10, 20 … times a power of ten.
func roundUp(v float64) float64 {
	for unit := 1.0; ; unit *= 10 {
		for _, step := range []float64{1, 2, 5} {
			if step*unit >= v {
				return step * unit
			}
		}
	}
}

// roughly returns d to three digits or so.
func roughly(d time.Duration) string {
	switch {
	case d >= 10*time.Hour:
		d = d.Round(time.Hour)
	case d >= 10*time.Minute:
		d = d.Round(time.Minute)
	case d >= 10*time.Second:
		d = d.Round(time.Second)
	case d >= time.Second:
		d = d.Round(10 * time.Millisecond)
	default:
		d = d.Round(time.Microsecond)
	}
	return FormatDuration(d)
}

// threeDigits returns v to three digits or, from a thousand on, whole.
func threeDigits(v float64) string {
	if v >= 1000 {
		return grouped(int64(math.Round(v)))
	}
	return fmt.Sprintf("%.3g", v)
}

// grouped returns n with its thousands apart.
func grouped(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}

// share returns a part of a whole in percent.
func share(part, whole float64) string { return fmt.Sprintf("%.3g %%", 100*part/whole) }

// className returns a class's name for a job type: its letters without their
// accents, and a _ for what else stands between them.
func className(jobType string) string {
	var name strings.Builder
	gap := false
	for _, r := range norm.NFD.String(jobType) {
		switch {
		case r < 0x80 && isBare(byte(r)):
			if gap && name.Len() > 0 {
				name.WriteByte('_')
			}
			gap = false
			name.WriteRune(r)
		case !unicode.Is(unicode.Mn, r):
			gap = true
		}
	}
	if name.Len() == 0 {
		return "unnamed" // in letters that no class's name may have
	}
	return name.String()[:min(name.Len(), 64)]
}
