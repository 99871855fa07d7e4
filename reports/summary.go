package reports

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"

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
