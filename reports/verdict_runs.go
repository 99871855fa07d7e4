package reports

import (
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/skynet-ec2/skynet/sim"
)

// VerdictOfRuns writes what several runs came to: how many kept each promise,
// and the figures with their intervals. verdicts are those of each run.
func VerdictOfRuns(w io.Writer, runs Runs, verdicts [][]sim.Verdict, wallS float64, o Options) error {
	s := o.sheet()
	if len(runs.Runs) == 0 {
		_, err := io.WriteString(w, "no runs\n")
		return err
	}
	first, last := runs.Runs[0], runs.Runs[len(runs.Runs)-1]
	whole := *first
	if jobs, ok := runs.Summary.Figure("jobs", "arrived"); ok {
		whole.Jobs.Arrived = int64(math.Round(jobs.Mean))
	}
	if rate, ok := runs.Summary.Figure("jobs_per_s"); ok {
		whole.JobsPerS = rate.Mean
	}
	s.heading(&whole, wallS, say(fmt.Sprintf("%d runs, seeds %d–%d", len(runs.Runs), first.Seed, last.Seed)))
	s.promisesOfRuns(runs, verdicts)
	var order []sim.Verdict
	if len(verdicts) > 0 {
		order = verdicts[0]
	}
	s.figuresOfRuns(runs.Summary, promiseRows(first, order))
	s.footer(o)
	_, err := io.WriteString(w, s.b.String())
	return err
}

// tally is a promise and the runs that kept it.
type tally struct {
	verdict sim.Verdict
	kept, n int
	broken  []uint64 // seeds
}

// tallies counts for each promise the runs that kept it, and those that kept
// all.
func tallies(runs Runs, verdicts [][]sim.Verdict) (list []*tally, good int) {
	of := map[string]*tally{}
	for i, run := range verdicts {
		all := true
		for _, v := range run {
			key := v.Name + "\x00" + v.Want
			t := of[key]
			if t == nil {
				t = &tally{verdict: v}
				of[key] = t
				list = append(list, t)
			}
			t.n++
			if v.Kept {
				t.kept++
			} else {
				all = false
				t.broken = append(t.broken, runs.Runs[i].Seed)
			}
		}
		if all {
			good++
		}
	}
	return list, good
}

// promisesOfRuns says for each promise how many runs kept it.
func (s *sheet) promisesOfRuns(runs Runs, verdicts [][]sim.Verdict) {
	list, good := tallies(runs, verdicts)
	if len(list) == 0 {
		s.line(title("PROMISES"), indent, 2, say("none"))
		return
	}
	s.line(title("PROMISES"), indent, 2, say(fmt.Sprintf("all kept in %d of %d runs", good, len(verdicts))))
	nameWidth, wantWidth := 0, 0
	for _, t := range list {
		nameWidth = max(nameWidth, min(utf8.RuneCountInString(t.verdict.Name), 32))
		wantWidth = max(wantWidth, min(utf8.RuneCountInString(t.verdict.Want), 32))
	}
	for _, t := range list {
		m, keptPaint := mark(markKept), plain
		if t.kept < t.n {
			m, keptPaint = markBroken, red
		}
		head := part{
			{"  ", plain},
			{m, paintOf(m)},
			{" " + padded(oneLine(t.verdict.Name), nameWidth) + "  ", plain},
			{oneLine(t.verdict.Want), plain},
		}
		parts := []part{{{fmt.Sprintf("kept in %d of %d", t.kept, t.n), keptPaint}}}
		if c, ok := runs.Summary.Figure("classes", t.verdict.Name, "attained"); ok && t.verdict.Class {
			parts = append(parts, say("attained "+plusMinus(c, percents)))
		}
		if len(t.broken) > 0 {
			parts = append(parts, say("broken with seeds "+seeds(t.broken)))
		}
		s.line(head, 6, 4+max(0, wantWidth-utf8.RuneCountInString(t.verdict.Want)), parts...)
	}
}

// seeds lists at most eight.
func seeds(list []uint64) string {
	const most = 8
	text := strings.ReplaceAll(strings.Trim(fmt.Sprint(list[:min(len(list), most)]), "[]"), " ", ", ")
	if len(list) > most {
		text += fmt.Sprintf(" and %d more", len(list)-most)
	}
	return text
}

// A measure is how figures of one kind are written, mean and ± alike.
type measure func(x float64) string

// percents returns a fraction with two decimals. What is not the whole does not
// read as it.
func percents(x float64) string {
	if math.IsNaN(x) {
		return noValue
	}
	if x < 1 && x > 0.9999 {
		return Percent(x, 2)
	}
	return fixed(x*100, 2) + " %"
}

func seconds(x float64) string { return Seconds(&x) }
func factor(x float64) string  { return fixed(x, 3) + "×" }
func plusMinus(i Interval, m measure) string {
	text := m(i.Mean)
	if h := i.Half(); !math.IsNaN(h) {
		text += " ±" + strings.TrimLeft(strings.TrimPrefix(m(h), "$ "), "−+")
	}
	return text
}

// figuresOfRuns writes a table: mean, ±, least and greatest, of the run and of
// each class.
func (s *sheet) figuresOfRuns(summary Summary, promises []promiseRow) {
	s.table(summary.rows(promises))
}

// rows returns the figures of the runs as a table.
func (summary Summary) rows(promises []promiseRow) [][]string {
	rows := [][]string{{"", "mean", "± 95 %", "least", "greatest"}}
	add := func(name string, m measure, path ...string) {
		key := strings.Join(path, "\x00")
		for _, f := range summary {
			if strings.Join(f.Path, "\x00") != key || f.Interval.N == 0 {
				continue
			}
			least, greatest := math.Inf(1), math.Inf(-1)
			for _, v := range f.Values {
				if !math.IsNaN(v) {
					least, greatest = min(least, v), max(greatest, v)
				}
			}
			half := noValue
			if h := f.Interval.Half(); !math.IsNaN(h) {
				half = m(h)
			}
			rows = append(rows, []string{name, m(f.Interval.Mean), half, m(least), m(greatest)})
		}
	}
	add("cost", Money, "cost_usd")
	add("cost ÷ floor", factor, "floor", "over")
	add("slack", percents, "slack", "mean")
	add("instances, mean", Number, "instances", "mean")
	add("instances, max", Number, "instances", "max")
	add("launched", Number, "instances", "launched")
	add("refused", Number, "instances", "refused")
	add("clamped decisions", Number, "guard", "clamped")
	for _, r := range promises {
		if r.class == nil {
			continue
		}
		measured := "sojourn_s"
		if r.class.On == "wait" {
			measured = "wait_s"
		}
		add(r.name+" attained", percents, "classes", r.name, "attained")
		for _, q := range []string{"p50", "p95", "p99", "max"} {
			add(r.name+" "+q, seconds, "classes", r.name, measured, q)
		}
	}
	return rows
}

// table writes rows with the first column to the left and the others to the
// right. The first row is its head.
func (s *sheet) table(rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, cell := range r {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for n, r := range rows {
		for len(r) > 1 && r[len(r)-1] == "" {
			r = r[:len(r)-1] // no spaces at the end of a line
		}
		p := plain
		if n == 0 {
			p = faint
		}
		line := part{{padded(r[0], widths[0]), p}}
		for i, cell := range r[1:] {
			line = append(line, words{strings.Repeat(" ", 2+widths[i+1]-utf8.RuneCountInString(cell)) + cell, p})
		}
		s.write(line)
		s.b.WriteByte('\n')
	}
}
