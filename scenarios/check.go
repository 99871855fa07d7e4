package scenarios

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy/spell"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/scenarios/recording"
	"github.com/skynet-ec2/skynet/sim"
)

// The checks of this file are those that one key alone cannot decide. They
// leave out what the decoder has already reported.

// clean reports whether nothing at or below path has been reported.
func (d *document) clean(path string) bool {
	for i := range d.problems {
		rest, below := strings.CutPrefix(d.problems[i].Key, path)
		if below && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return false
		}
	}
	return true
}

func (s *Scenario) checkTrace(d *document, with Replace) {
	if s.Duration > 0 && s.JudgeFrom >= s.Duration && with.Trace == "" {
		d.bad("judge_from", s.JudgeFrom, "less than duration ("+FormatDuration(s.Duration)+")")
	}
	if t := s.Trace; t != nil && len(t.Cut) == 2 && t.Cut[0] >= t.Cut[1] {
		d.bad("trace.cut", []string{FormatDuration(t.Cut[0]), FormatDuration(t.Cut[1])}, "a time and a later one")
	}
	if with.Trace != "" {
		return
	}
	switch {
	case s.Trace != nil && s.Generate != nil:
		d.wrong("generate", "there is a [trace] table as well: a scenario has one of them")
	case s.Trace == nil && s.Generate == nil && !d.given["trace"] && !d.given["generate"]:
		d.problems = append(d.problems, Problem{File: d.file, Reason: "neither a [trace] nor a [generate] table: a scenario has one of them"})
	case s.Trace != nil:
		s.checkRecording(d)
	}
	if g := s.Generate; g != nil && g.Duration == 0 && s.Duration == 0 && d.clean("duration") && d.clean("generate.duration") {
		d.wrong("generate.duration", "missing: give it here, or the scenario's duration")
	}
}

// checkRecording: a trace is a file that is there, or named by its URL and its
// content.
func (s *Scenario) checkRecording(d *document) {
	t := s.Trace
	if t.URL != "" && !recording.ValidURL(t.URL) {
		d.bad("trace.url", t.URL, "the http or https URL of a file")
	}
	if t.SHA256 != "" && !recording.ValidSHA256(t.SHA256) {
		d.bad("trace.sha256", t.SHA256, "64 hexadecimal digits, small letters")
	}
	switch {
	case t.File != "" && (t.URL != "" || t.SHA256 != ""):
		d.wrong("trace.file", "url or sha256 is given as well: the trace is in a file, or named by both of them")
	case t.File != "":
		if _, err := os.Stat(beside(s.Path, t.File)); err != nil {
			d.wrong("trace.file", fmt.Sprintf("%q: %v", t.File, plain(err)))
		}
	case !d.clean("trace.file") || !d.clean("trace.url") || !d.clean("trace.sha256"):
	case t.URL == "" && t.SHA256 == "":
		d.wrong("trace.file", "missing: give it, or url and sha256")
	case t.URL == "":
		d.wrong("trace.url", "missing: sha256 says what the trace is, not where")
	case t.SHA256 == "":
		d.wrong("trace.sha256", "missing: a trace that is downloaded is named by its content as well")
	}
}

// plain returns what is behind an error about a file, without the path; of one that
// is not there also which one beside it has nearly its name.
func plain(err error) error {
	var path *os.PathError
	if !errors.As(err, &path) {
		return err
	}
	if errors.Is(path.Err, fs.ErrNotExist) {
		dir, name := filepath.Split(path.Path)
		beside, _ := os.ReadDir(cmp.Or(dir, "."))
		var names []string
		for _, entry := range beside {
			names = append(names, entry.Name())
		}
		return fmt.Errorf("%w%s", path.Err, spell.DidYouMean(name, names))
	}
	return path.Err
}

func (s *Scenario) checkClasses(d *document) {
	if len(s.Classes) == 0 {
		if d.given["class"] && d.clean("class") {
			d.bad("class", []any{}, "at least one [[class]]")
		}
		return
	}
	all := s.classes()
	var sound []policy.Class // without those that the decoder refused
	for i := range all {
		at := element("class", i+1)
		d.name(at+".name", all[i].Name)
		for j := range i {
			if all[j].Name == all[i].Name && all[i].Name != "" {
				d.bad(at+".name", all[i].Name, "another name: class "+fmt.Sprint(j+1)+" has it")
				break
			}
		}
		if !d.clean(at+".type") || !d.clean(at+".priority") {
			continue
		}
		if shadowed(&all[i], sound) {
			d.wrong(at, "no job can reach it: the classes before match all its jobs")
		}
		sound = append(sound, all[i])
	}
	s.checkGenerated(d, all)
}

// shadowed reports whether every job that c matches is matched by one before.
func shadowed(c *policy.Class, before []policy.Class) bool {
	types := slices.Clone(c.Types)
	if len(types) == 0 {
		types = append(types, "\x00") // a type that nobody names
		for i := range before {
			types = append(types, before[i].Types...)
		}
	}
	for _, t := range types {
		for p := range 256 {
			if c.Matches(t, p) && policy.ClassOf(before, t, p) < 0 {
				return false
			}
		}
	}
	return true
}

// checkGenerated compares the classes with the kinds of job that the scenario
// generates.
func (s *Scenario) checkGenerated(d *document, classes []policy.Class) {
	if s.Generate == nil || !d.clean("generate") || !d.clean("class") || !d.clean("duration") {
		return
	}
	if err := s.generator(s.Seed).Validate(); err != nil {
		for _, line := range strings.Split(err.Error(), "\n") {
			key, reason, _ := strings.Cut(line, ": ")
			key, value, _ := strings.Cut(key, " = ")
			key = strings.Replace(key, "class[", "stream[", 1) // the word of package traces
			d.problems = append(d.problems, Problem{
				File: d.file, Line: d.lines.of("generate." + key), Key: "generate." + key, Value: value, Reason: reason,
			})
		}
		return
	}
	reached := make([]bool, len(classes))
	var types []string
	for _, k := range s.Generate.kinds() {
		types = append(types, k.Type)
		i := policy.ClassOf(classes, k.Type, int(k.Priority))
		if i < 0 {
			d.wrong("class", fmt.Sprintf("generated jobs of type %q, priority %d match no class: add one without type and priority, which catches the rest", k.Type, k.Priority))
			continue
		}
		reached[i] = true
	}
	for i := range classes {
		c := &classes[i]
		if reached[i] || len(c.Types) == 0 && c.Priority < 0 {
			continue // a class that catches the rest may find none
		}
		at := element("class", i+1)
		p := Problem{File: d.file, Line: d.lines.of(at), Key: at, Reason: "no generated job can reach it"}
		for _, t := range c.Types {
			if !slices.Contains(types, t) {
				p.Nearest = spell.Nearest(t, types)
				p.Line = d.lines.of(at + ".type")
				p.Reason = fmt.Sprintf("no generated job can reach it: none has the type %q", t)
			}
		}
		d.problems = append(d.problems, p)
	}
}

// generated returns for how long jobs are generated.
func (s *Scenario) generated() time.Duration {
	if s.Generate.Duration > 0 {
		return s.Generate.Duration
	}
	return max(s.Duration, 1)
}

// name reports a name that could not stand in the path of a figure.
func (d *document) name(path, name string) {
	for i := range len(name) {
		if !isBare(name[i]) || len(name) > 64 {
			d.bad(path, name, "at most 64 letters, digits, _ and -")
			return
		}
	}
}

func (s *Scenario) checkFaults(d *document) {
	for i := range s.Faults {
		f := &s.Faults[i]
		at := element("fault", i+1)
		if !d.clean(at) {
			continue
		}
		switch {
		case f.To > 0 && f.From >= f.To:
			d.bad(at+".from", f.From, "before to ("+FormatDuration(f.To)+")")
		case s.Duration > 0 && f.From >= s.Duration:
			d.bad(at+".from", f.From, "within the run ("+FormatDuration(s.Duration)+")")
		case s.Duration > 0 && f.To > s.Duration:
			d.bad(at+".to", f.To, "within the run ("+FormatDuration(s.Duration)+")")
		}
		d.instanceTypes(at+".types", f.Types, &s.catalog)
		d.words(at+".zones", f.Zones, s.Cloud.Zones, "a zone of the cloud")
		d.words(at+".signals", f.Signals, sim.SignalNames(), "a signal")
		if f.Rate > 0 && f.Probability > 0 {
			d.wrong(at+".probability", "rate is given as well: workers crash at a rate, or once with a probability")
		}
		if f.Kind == string(sim.Interrupt) && s.Cloud.Spot == nil {
			d.wrong(at+".kind", "there is no spot market: add a [cloud.spot] table")
		}
	}
	for i := range s.Failures {
		f := &s.Failures[i]
		if f.Poison > 0 && s.Queue.MaxAttempts == 0 && d.clean("queue") {
			d.wrong(element("failure", i+1)+".poison", "queue.max_attempts must be given: a poisoned job would run for ever")
		}
	}
}

// words reports the words that are none of the known ones.
func (d *document) words(path string, words, known []string, what string) {
	for i, w := range words {
		if !slices.Contains(known, w) {
			at := element(path, i+1)
			if _, list := d.lines[at]; !list {
				at = path // a single word
			}
			d.badWord(at, w, known, what+": "+strings.Join(known, ", "))
		}
	}
}

// instanceTypes reports the names that are no type of the catalog.
func (d *document) instanceTypes(path string, names []string, c *policy.Catalog) {
	if len(c.Types) > 0 { // otherwise the catalog has been reported
		d.words(path, names, c.Names(), "a type of "+c.Name)
	}
}

func (s *Scenario) checkWindows(d *document) {
	for i := range s.Window {
		w := &s.Window[i]
		at := element("window", i+1)
		if !d.clean(at) {
			continue
		}
		d.name(at+".name", w.Name)
		for j := range i {
			if s.Window[j].Name == w.Name {
				d.bad(at+".name", w.Name, "another name: window "+fmt.Sprint(j+1)+" has it")
			}
		}
		switch {
		case w.From.Weekly != w.To.Weekly:
			d.bad(at+".to", w.To.String(), "written as from is: both a weekday and hour, or both a time since the start")
		case w.From.At == w.To.At, !w.From.Weekly && w.From.At > w.To.At:
			d.bad(at+".to", w.To.String(), "after from ("+w.From.String()+")")
		case !w.From.Weekly && s.Duration > 0 && w.From.At >= s.Duration:
			d.bad(at+".from", w.From.String(), "within the run ("+FormatDuration(s.Duration)+")")
		}
	}
}

func (s *Scenario) checkPromises(d *document) {
	n := &names{types: s.catalog.Names()}
	for i := range s.Classes {
		n.classes = append(n.classes, s.Classes[i].Name)
	}
	for i := range s.Window {
		n.windows = append(n.windows, s.Window[i].Name)
	}
	var known []string
	for i := range s.Promises {
		p := &s.Promises[i]
		at := element("promise", i+1)
		for _, m := range [...]struct{ key, path string }{{"metric", p.Metric}, {"per", p.Per}} {
			if m.path == "" || isMetric(m.path, n) {
				continue
			}
			if known == nil {
				known = metrics(n)
			}
			d.badWord(at+"."+m.key, m.path, known, "a figure of the results (docs/scenario.md lists them)")
		}
		switch {
		case p.Min == nil && p.Max == nil && d.clean(at):
			d.wrong(at, "neither min nor max: it promises nothing")
		case p.Min != nil && p.Max != nil && *p.Min > *p.Max:
			d.bad(at+".min", *p.Min, "at most max ("+tomlFloat(*p.Max)+")")
		}
	}
}

func (s *Scenario) checkGuard(d *document) {
	g := s.Guard
	if g == nil || !d.clean("guard") || g.FleetMax == nil && !d.clean("cloud.max_instances") {
		return
	}
	limits := g.limits(s.Cloud.MaxInstances)
	for _, err := range limits.Validate() {
		d.param("guard", err)
	}
	s.guard = &limits
}

// limits returns the guard that the table says. A limit that is left out takes
// the value that suits fleet_max, and that, if it is left out, most.
func (g *Guard) limits(most int) policy.Guard {
	fleet := min(most, 5000)
	if g.FleetMax != nil {
		fleet = *g.FleetMax
	}
	limits := policy.Bounded(min(fleet, 5000))
	limits.FleetMax = fleet
	set := func(to, from *int) {
		if from != nil {
			*to = *from
		}
	}
	money := func(to *policy.MicroUSD, from *float64) {
		if from != nil {
			*to, _ = policy.FromDollars(*from) // the decoder keeps it within bounds
		}
	}
	// a limit that was not given follows one that was
	switch {
	case g.LaunchMax != nil:
		limits.LaunchMax = *g.LaunchMax
		limits.InFlightMax = max(min(2*limits.LaunchMax, fleet), limits.LaunchMax)
	case g.InFlightMax != nil:
		limits.LaunchMax = min(limits.LaunchMax, *g.InFlightMax)
	}
	set(&limits.InFlightMax, g.InFlightMax)
	set(&limits.CoresMax, g.CoresMax)
	set(&limits.DrainMax, g.DrainMax)
	set(&limits.BreakerBoots, g.BreakerBoots)
	money(&limits.HourMax, g.HourMax)
	money(&limits.DayMax, g.DayMax)
	money(&limits.MonthMax, g.MonthMax)
	if g.HourMax == nil {
		limits.HourMax = min(limits.HourMax, limits.DayMax, limits.MonthMax)
	}
	if g.DayMax == nil {
		limits.DayMax = min(limits.DayMax, limits.MonthMax)
	}
	if g.StaleAfter != nil {
		limits.StaleAfter = *g.StaleAfter
	}
	if g.BreakerStall != nil {
		limits.BreakerStall = *g.BreakerStall
	}
	limits.BeyondBounds = g.BeyondBounds
	return limits
}

// param reports what a package of ours says of a parameter in the table at
// path.
func (d *document) param(path string, err error) {
	var p *policy.ParamError
	if errors.As(err, &p) {
		d.bad(join(path, p.Name), p.Value, p.Allowed)
		return
	}
	d.wrong(path, err.Error())
}
