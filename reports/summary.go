package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/skynet-ec2/skynet/sim"
)

// Interval is a mean over runs with its 95 % confidence interval, from Student's
// t distribution: what would be expected of another seed's mean, not its range.
type Interval struct {
	// N runs had a value.
	N    int
	Mean float64
	// Lo and Hi bound the interval; NaN when fewer than two runs had a value.
	Lo, Hi float64
}

// IntervalOf returns the mean of the values that are numbers, and its interval.
// Without any the mean is NaN.
func IntervalOf(values []float64) Interval {
	var v []float64
	for _, x := range values {
		if !math.IsNaN(x) && !math.IsInf(x, 0) {
			v = append(v, x)
		}
	}
	i := Interval{N: len(v), Mean: math.NaN(), Lo: math.NaN(), Hi: math.NaN()}
	switch len(v) {
	case 0:
		return i
	case 1:
		i.Mean = v[0]
		return i
	}
	mean, deviation := stat.MeanStdDev(v, nil)
	n := float64(len(v))
	half := 0.0
	if deviation > 0 {
		half = distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.Quantile(0.975) * deviation / math.Sqrt(n)
	}
	i.Mean, i.Lo, i.Hi = mean, mean-half, mean+half
	return i
}

// Half returns half the interval's width: the ± of people. NaN where it has
// none.
func (i Interval) Half() float64 { return (i.Hi - i.Lo) / 2 }

// MarshalJSON writes {"mean":…,"lo":…,"hi":…,"n":…}, null for what has no value.
func (i Interval) MarshalJSON() ([]byte, error) {
	value := func(x float64) *float64 {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil
		}
		return &x
	}
	return json.Marshal(struct {
		Mean *float64 `json:"mean"`
		Lo   *float64 `json:"lo"`
		Hi   *float64 `json:"hi"`
		N    int      `json:"n"`
	}{value(i.Mean), value(i.Lo), value(i.Hi), i.N})
}

// Runs are the results of one scenario with several seeds, as
// `simulate --runs N --json` writes them.
type Runs struct {
	Runs []*sim.Figures `json:"runs"`
	// Summary has the shape of the figures, with an interval in place of every
	// number. The seed and lists are left out.
	Summary Summary `json:"summary"`
}

// Summarize returns the runs with the interval of every figure.
func Summarize(runs []*sim.Figures) (Runs, error) {
	r := Runs{Runs: runs}
	index := map[string]int{}
	values := [][]float64{}
	for i, f := range runs {
		text, err := json.Marshal(f)
		if err != nil {
			return Runs{}, err
		}
		err = leaves(text, func(path []string, value float64) {
			if path[0] == "seed" {
				return
			}
			key := strings.Join(path, "\x00")
			at, known := index[key]
			if !known {
				at = len(values)
				index[key] = at
				r.Summary = append(r.Summary, SummaryFigure{Path: append([]string(nil), path...)})
				values = append(values, nan(len(runs)))
			}
			values[at][i] = value
		})
		if err != nil {
			return Runs{}, err
		}
	}
	for i := range r.Summary {
		r.Summary[i].Interval = IntervalOf(values[i])
		r.Summary[i].Values = values[i]
	}
	return r, nil
}

func nan(n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = math.NaN()
	}
	return v
}

// leaves calls each with every number in objects of the JSON text, in its
// order; null is NaN. The path is reused.
func leaves(text []byte, each func(path []string, value float64)) error {
	d := json.NewDecoder(bytes.NewReader(text))
	var path []string
	var value func() error
	value = func() error {
		token, err := d.Token()
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case float64:
			each(path, t)
		case nil:
			each(path, math.NaN())
		case json.Delim:
			for d.More() {
				if t == '{' {
					key, err := d.Token()
					if err != nil {
						return err
					}
					path = append(path, key.(string))
					err = value()
					path = path[:len(path)-1]
					if err != nil {
						return err
					}
				} else if err := skip(d); err != nil {
					return err
				}
			}
			_, err = d.Token()
			return err
		}
		return nil
	}
	return value()
}

// skip reads one value and forgets it.
func skip(d *json.Decoder) error {
	var v json.RawMessage
	return d.Decode(&v)
}

// Summary is the interval of every figure, in the figures' order. It is written
// as nested objects, like the figures themselves.
type Summary []SummaryFigure

// SummaryFigure is one figure over several runs.
type SummaryFigure struct {
	// Path of the figure's JSON: {"classes", "upload", "attained"}.
	Path     []string
	Interval Interval
	// Values by run; NaN where the figure has none.
	Values []float64
}

// Figure returns the interval at a path, and whether there is one.
func (s Summary) Figure(path ...string) (Interval, bool) {
	key := strings.Join(path, "\x00")
	for i := range s {
		if strings.Join(s[i].Path, "\x00") == key {
			return s[i].Interval, true
		}
	}
	return Interval{}, false
}

// MarshalJSON nests the intervals by their paths.
func (s Summary) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	if err := s.nest(&b, 0); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// nest writes the figures as an object of what their paths say at depth. A
// figure that only some runs have may stand apart from its siblings.
func (s Summary) nest(b *bytes.Buffer, depth int) error {
	b.WriteByte('{')
	written := map[string]bool{}
	for _, f := range s {
		name := f.Path[depth]
		if written[name] {
			continue
		}
		if len(written) > 0 {
			b.WriteByte(',')
		}
		written[name] = true
		key, err := json.Marshal(name)
		if err != nil {
			return err
		}
		b.Write(key)
		b.WriteByte(':')
		if len(f.Path) == depth+1 {
			value, err := f.Interval.MarshalJSON()
			if err != nil {
				return err
			}
			b.Write(value)
			continue
		}
		var inside Summary
		for _, g := range s {
			if len(g.Path) > depth+1 && g.Path[depth] == name {
				inside = append(inside, g)
			}
		}
		if err := inside.nest(b, depth+1); err != nil {
			return err
		}
	}
	b.WriteByte('}')
	return nil
}

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

// promisesOfRuns says for each promise how many runs kept it.
func (s *sheet) promisesOfRuns(runs Runs, verdicts [][]sim.Verdict) {
	type tally struct {
		verdict sim.Verdict
		kept, n int
		broken  []uint64 // seeds
	}
	var list []*tally
	of := map[string]*tally{}
	good := 0
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

func percents(x float64) string { return fixed(x*100, 2) + " %" }
func seconds(x float64) string  { return Seconds(&x) }
func factor(x float64) string   { return fixed(x, 3) + "×" }
func plusMinus(i Interval, m measure) string {
	text := m(i.Mean)
	if h := i.Half(); !math.IsNaN(h) {
		text += " ±" + strings.TrimPrefix(strings.TrimPrefix(m(h), "$ "), "−")
	}
	return text
}

// figuresOfRuns writes a table: mean, ±, least and greatest, of the run and of
// each class.
func (s *sheet) figuresOfRuns(summary Summary, promises []promiseRow) {
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
	s.table(rows)
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
