package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/traces"
)

// A tally is what the sites of a half came to.
type tally struct {
	sites, broken int
	billing       [2]struct { // per second, hourly
		broken, n int
		ln        float64 // sum of ln(cost ÷ floor)
	}
}

// measureSites runs the policy on the sites of the halves asked for and prints a
// table, and below it what the sites of each half came to.
func (o *options) measureSites(spec *policy.Spec, values policy.Values, billings []bool) error {
	switch {
	case !slices.Contains([]string{"A", "B", "AB", "R"}, o.sites):
		return fmt.Errorf("-sites = %q: allowed are A, B, AB and R", o.sites)
	case o.first || o.yardstick || o.search > 0:
		return fmt.Errorf("-first, -bound and -search are for traces: not with -sites")
	}
	var names []string
	first, err := sitesOf(half(o.sites[0]), o.dir)
	if err != nil {
		return err
	}
	for _, s := range first { // B has the same as A
		names = append(names, s.name)
	}
	chosen, err := named("-only", o.only, names)
	if err != nil {
		return err
	}
	fmt.Printf("cost over the floor of work, mean of %d seeds; attained by class in %%, mean (worst seed), ! where that is less than promised\n", o.seeds)
	var total tally
	for _, h := range []half(o.sites) {
		var sum tally
		all, err := sitesOf(h, o.dir)
		if err != nil {
			return err
		}
		for _, i := range chosen {
			packed, err := all[i].jobs(h)
			if err != nil {
				return err
			}
			broken := false
			for _, hourly := range billings {
				row, err := all[i].measure(packed, spec, values, hourly, o.medium, o.seeds)
				if err != nil {
					return fmt.Errorf("site %s: %w", all[i].name, err)
				}
				fmt.Printf("%c %s\n", h, row.text)
				sum.add(hourly, row)
				broken = broken || row.broken
			}
			sum.sites++
			if broken {
				sum.broken++
			}
		}
		if len(o.sites) > 1 {
			fmt.Printf("%c: %s\n", h, sum.text())
		}
		total.merge(&sum)
	}
	fmt.Printf("%s: %s\n", o.sites, total.text())
	return nil
}

// A row is one site under one billing rule.
type row struct {
	text   string
	over   float64 // cost ÷ floor
	broken bool    // a promise was, on one seed or more
}

// measure runs one site under one billing rule.
func (s *site) measure(packed *traces.Packed, spec *policy.Spec, values policy.Values, hourly, medium bool, seeds int) (row, error) {
	began := time.Now()
	results, err := simulate(packed, spec, values, seeds, func(seed uint64) *sim.Config { return s.world(hourly, medium, seed) })
	if err != nil {
		return row{}, err
	}
	var r row
	for _, res := range results {
		r.over += *res.Figures.Floor.Over / float64(seeds)
	}
	var classes strings.Builder
	for _, c := range s.classes {
		mean, worst := 0.0, math.Inf(1)
		for _, res := range results {
			// every class has jobs in the judged time
			a := *res.Figures.Classes[c.Name].Attained
			mean += a / float64(seeds)
			worst = min(worst, a)
		}
		mark := ""
		if worst < c.Attain {
			mark, r.broken = "!", true
		}
		fmt.Fprintf(&classes, "  %s %.2f (%.2f%s) of %g", c.Name, 100*mean, 100*worst, mark, 100*c.Attain)
	}
	r.text = fmt.Sprintf("%-10s %-10s %6.3f%s  (%.1fs)", s.name, billingName(hourly), r.over, classes.String(), time.Since(began).Seconds())
	return r, nil
}

func (t *tally) add(hourly bool, r row) {
	b := &t.billing[0]
	if hourly {
		b = &t.billing[1]
	}
	b.n++
	b.ln += math.Log(r.over)
	if r.broken {
		b.broken++
	}
}

func (t *tally) merge(u *tally) {
	t.sites += u.sites
	t.broken += u.broken
	for i := range t.billing {
		b, v := &t.billing[i], &u.billing[i]
		b.broken += v.broken
		b.n += v.n
		b.ln += v.ln
	}
}

// text says how many sites broke a promise on some seed, and the geometric mean
// of cost ÷ floor: by billing rule, and over all.
func (t *tally) text() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%d of %d sites broke a promise on some seed", t.broken, t.sites)
	ln, n := 0.0, 0
	for i, hourly := range []bool{false, true} {
		if b := &t.billing[i]; b.n > 0 {
			fmt.Fprintf(&out, "; %s %d, geometric mean of cost ÷ floor %.3f", billingName(hourly), b.broken, math.Exp(b.ln/float64(b.n)))
			ln, n = ln+b.ln, n+b.n
		}
	}
	fmt.Fprintf(&out, "; over all %.3f", math.Exp(ln/float64(n)))
	return out.String()
}
