package reports

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/skynet-ec2/skynet/sim"
)

// Options say how results are shown. The zero Options are right for a file.
type Options struct {
	// Reproduce is the command that gives the same results again; may be empty.
	Reproduce string
	// Report is where the page with the plots is; may be empty.
	Report string
	// Color paints what a terminal shows.
	Color bool
	// Width is the most columns of a line; 0: 110. A word that is longer stays
	// whole.
	Width int
	// SlackTarget is the mean slack over 24 h that the policy steers to, for the
	// band in the plot of slack; 0: none.
	SlackTarget float64
	// LowerUSD is a lower bound on the judged cost of any policy that keeps the
	// promises, in dollars; 0: not known.
	LowerUSD float64
}

func (o Options) sheet() *sheet {
	s := &sheet{width: o.Width, color: o.Color}
	if s.width <= 0 {
		s.width = widthDefault
	}
	return s
}

// indent is where the figures of a verdict begin: after the longest head.
const indent = 10

// Verdict writes what a run came to, for people: first whether the promises
// were kept, then what it cost, the fleet, and what the guard did.
func Verdict(w io.Writer, res *sim.Result, verdicts []sim.Verdict, o Options) error {
	s, f := o.sheet(), &res.Figures
	s.heading(f, f.WallS, say(fmt.Sprintf("seed %d", f.Seed)))
	s.promises(f, verdicts)
	s.cost(f, o.LowerUSD)
	s.fleet(f)
	s.guard(res)
	s.jobs(f)
	s.footer(o)
	_, err := io.WriteString(w, s.b.String())
	return err
}

// title begins a line of the verdict.
func title(text string) part { return part{{text, bold}} }

// heading says what was simulated, and how long that took.
func (s *sheet) heading(f *sim.Figures, wall float64, seed part) {
	name := oneLine(f.Scenario)
	left := part{
		{name, bold},
		{fmt.Sprintf(": %s, %s jobs, policy %s, ", Seconds(&f.DurationS), Count(f.Jobs.Arrived), oneLine(f.Policy)), plain},
	}
	left = append(left, seed...)
	var took part
	if wall > 0 {
		took = part{{fmt.Sprintf("%s (%s)", Seconds(&wall), Rate(f.JobsPerS, "jobs")), faint}}
	}
	gap := 3
	if room := s.width - left.width() - took.width(); room > gap {
		gap = room // to the right edge
	}
	s.line(left, 0, gap, took)
}

// promises first.
func (s *sheet) promises(f *sim.Figures, verdicts []sim.Verdict) {
	rows := promiseRows(f, verdicts)
	if len(rows) == 0 {
		s.line(title("PROMISES"), indent, 2, say("none"))
		return
	}
	broken := 0
	for _, r := range rows {
		if r.mark == markBroken {
			broken++
		}
	}
	var summary part
	if broken > 0 {
		summary = part{{fmt.Sprintf("%d of %d broken", broken, len(verdicts)), red}}
	}
	s.line(title("PROMISES"), indent, 2, summary)

	const nameMax = 32
	classWidth, otherWidth, gotWidth := 0, 0, 0 // classes are short of room, other promises are not
	for _, r := range rows {
		name := min(utf8.RuneCountInString(r.name), nameMax)
		if r.class == nil {
			otherWidth = max(otherWidth, name)
			continue
		}
		classWidth = max(classWidth, name)
		gotWidth = max(gotWidth, utf8.RuneCountInString(r.got))
	}
	for _, r := range rows {
		nameWidth := classWidth
		if r.class == nil {
			nameWidth = otherWidth
		}
		head := part{{"  ", plain}, {r.mark, paintOf(r.mark)}, {" " + padded(r.name, nameWidth) + "  ", plain}, {r.got, paintOf(r.mark)}}
		if r.mark != markBroken {
			head[3].paint = plain
		}
		var parts []part
		after := 4
		if c := r.class; c != nil {
			after += gotWidth - utf8.RuneCountInString(r.got) // times stand below each other
			t := &c.Sojourn
			if c.On == "wait" {
				t = &c.Wait
			}
			parts = []part{say(fmt.Sprintf("p50 %s  p95 %s  p99 %s  max %s", Seconds(t.P50), Seconds(t.P95), Seconds(t.P99), Seconds(t.Max)))}
			if r.mark == markBroken {
				parts = append(parts, worst(c))
			}
		}
		s.line(head, 6, after, parts...)
	}
}

// worst says when a broken promise was broken most.
func worst(c *sim.ClassFigures) part {
	text := fmt.Sprintf("%s late", Count(c.Late))
	if c.WorstHour != nil {
		text += fmt.Sprintf("  worst hour %s", attainment(*c.WorstHour))
		if c.WorstHourAt != "" {
			text += " (" + c.WorstHourAt + ")"
		}
	}
	return say(text)
}

// mark says at a glance whether a promise was kept.
type mark = string

const (
	markKept   = "✓"
	markBroken = "✗"
	markShown  = "·" // nothing promised
)

// paintOf a mark on a terminal.
func paintOf(m mark) paint {
	switch m {
	case markKept:
		return green
	case markBroken:
		return red
	}
	return faint
}

// promiseRow is a promise, or a class that nothing is promised to.
type promiseRow struct {
	mark      mark
	name, got string
	class     *sim.ClassFigures // nil: not a class
}

// promiseRows returns the verdicts in order, then the classes without one, by
// name.
func promiseRows(f *sim.Figures, verdicts []sim.Verdict) []promiseRow {
	var rows []promiseRow
	judged := map[string]bool{}
	for _, v := range verdicts {
		r := promiseRow{mark: markBroken, name: oneLine(v.Name), got: oneLine(fmt.Sprintf("%s (%s)", v.Got, v.Want))}
		if v.Kept {
			r.mark = markKept
		}
		if c := f.Classes[v.Name]; v.Class && c != nil {
			r.class = c
			r.got = within(c, fmt.Sprintf(" (≥ %s)", exactPercent(c.Attain)))
			judged[v.Name] = true
		}
		rows = append(rows, r)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Classes)) {
		if c := f.Classes[name]; !judged[name] && c != nil && c.Jobs > 0 {
			rows = append(rows, promiseRow{mark: markShown, name: oneLine(name), class: c, got: within(c, "")})
		}
	}
	return rows
}

// within says how many of a class's jobs were in time.
func within(c *sim.ClassFigures, wanted string) string {
	if c.Attained == nil || math.IsNaN(*c.Attained) {
		if c.Jobs > 0 { // each waits or runs, and is not late yet
			return "no job done" + wanted
		}
		return "no jobs" + wanted
	}
	target := Target(time.Duration(math.Round(c.TargetS * 1e9)))
	if c.On == "wait" {
		target += " of wait"
	}
	return attainment(*c.Attained) + " within " + target + wanted
}

// exactPercent returns a promised fraction as it was written.
func exactPercent(share float64) string {
	return Number(math.Round(share*1e8)/1e6) + " %"
}

// cost writes the bill, and what it is compared with: a lower bound if one is
// known, and the floor of work.
func (s *sheet) cost(f *sim.Figures, lower float64) {
	bill := say(Money(f.CostUSD))
	var judged, least, floor, split part
	if lower > 0 {
		least = say(fmt.Sprintf("bound %s (%s×)", Money(lower), fixed(f.Judged.CostUSD/lower, 2)))
	}
	if f.Judged.FromS > 0 {
		judged = say(fmt.Sprintf("judged %s", Money(f.Judged.CostUSD)))
	}
	if f.Floor.Over != nil {
		floor = say(fmt.Sprintf("floor %s (%s×)", Money(f.Floor.CostUSD), fixed(*f.Floor.Over, 2)))
	}
	if p := f.Paid; p.Busy+p.Slack+p.Boot+p.Gone > 0 {
		busy, slack, boot, gone := split100(p)
		split = say(fmt.Sprintf("busy %d %%  slack %d %%  boot %d %%  paid but gone %d %%", busy, slack, boot, gone))
	}
	s.line(title("COST"), indent, 3, bill, judged, least, floor, split)
}

// split100 returns the shares of paid time in whole percents that sum to 100:
// each rounded down, the remainder given to those that lost most.
func split100(p sim.PaidFigures) (busy, slack, boot, gone int) {
	shares := []float64{p.Busy, p.Slack, p.Boot, p.Gone}
	total := 0.0
	for _, v := range shares {
		total += max(v, 0)
	}
	whole, left := make([]int, len(shares)), 100
	lost := make([]float64, len(shares))
	for i, v := range shares {
		exact := max(v, 0) / total * 100
		whole[i] = int(math.Floor(exact + 1e-9))
		lost[i] = exact - float64(whole[i])
		left -= whole[i]
	}
	for ; left > 0; left-- {
		most := 0
		for i := range lost {
			if lost[i] > lost[most] {
				most = i
			}
		}
		whole[most]++
		lost[most] = -1
	}
	return whole[0], whole[1], whole[2], whole[3]
}

func (s *sheet) fleet(f *sim.Figures) {
	i := &f.Instances
	var rare []part
	for _, r := range []struct {
		n    int
		what string
	}{{i.Interrupted, "interrupted"}, {i.Crashed, "crashed"}, {i.NeverBooted, "never booted"}} {
		if r.n > 0 {
			rare = append(rare, say(r.what+" "+Count(r.n)))
		}
	}
	s.line(title("FLEET"), indent, 3, append([]part{
		say(fmt.Sprintf("min %s  mean %s  max %s", Count(i.Min), fixed(i.Mean, 1), Count(i.Max))),
		say(fmt.Sprintf("launched %s  drained %s  refused %s", Count(i.Launched), Count(i.Drained), Count(i.Refused))),
	}, rare...)...)
}

func (s *sheet) guard(res *sim.Result) {
	g := &res.Figures.Guard
	if g.Clamped == 0 {
		return
	}
	var removed []string
	if g.Launches > 0 {
		removed = append(removed, times(g.Launches, "launch"))
	}
	if g.Drains > 0 {
		removed = append(removed, times(g.Drains, "drain"))
	}
	text := fmt.Sprintf("clamped %s: %s removed", times(g.Clamped, "decision"), strings.Join(removed, " and "))
	if at := firstClamp(res); at != "" {
		text += " (first " + at + ")"
	}
	s.line(title("GUARD"), indent, 3, say(text))
}

// firstClamp returns when the guard first reduced a decision, on the users'
// clock: with the date where the weekday does not say it.
func firstClamp(res *sim.Result) string {
	at, err := time.Parse(time.RFC3339, res.Figures.Guard.FirstAt)
	if err != nil {
		return oneLine(res.Figures.Guard.FirstAt)
	}
	if res.Config != nil {
		at = at.UTC().Add(res.Config.UTCOffset)
	}
	if res.Figures.DurationS > 7*24*3600 {
		return at.Format("Mon 2 Jan 15:04")
	}
	return at.Format("Mon 15:04")
}

// times returns "1 decision", "4 decisions", "2 launches".
func times(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if strings.HasSuffix(what, "ch") {
		what += "e"
	}
	return Count(n) + " " + what + "s"
}

// jobs speaks up only where not all of them were done at once.
func (s *sheet) jobs(f *sim.Figures) {
	j := &f.Jobs
	var parts []part
	for _, r := range []struct {
		n    int64
		what string
	}{{j.Lost, "lost"}, {j.Pending, "not done at the end"}, {j.Retried, "retried"}} {
		if r.n > 0 {
			parts = append(parts, say(Count(r.n)+" "+r.what))
		}
	}
	if j.GaveUp {
		parts = append(parts, say("given up: none was done for 7 d"))
	}
	if len(parts) > 0 {
		s.line(title("JOBS"), indent, 3, parts...)
	}
}

func (s *sheet) footer(o Options) {
	var parts []part
	if o.Reproduce != "" {
		parts = append(parts, part{{"reproduce: ", faint}, {o.Reproduce, plain}})
	}
	if o.Report != "" {
		parts = append(parts, part{{"report: ", faint}, {o.Report, plain}})
	}
	if len(parts) > 0 {
		s.line(parts[0], 0, 4, parts[1:]...)
	}
}
