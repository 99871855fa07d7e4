package reports

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// delta writes a difference and its p: ~ where it may be chance.
func delta(c Change, show measure) []string {
	p := float64(c.P)
	if math.IsNaN(p) {
		if math.IsNaN(float64(c.Mean)) {
			return []string{noValue, ""}
		}
		return []string{show(float64(c.Mean)), "no interval"}
	}
	if !(p < 0.05) {
		return []string{"~", pText(p)}
	}
	return []string{plusMinus(c.interval(), show), pText(p)}
}

// pText writes a p-value.
func pText(p float64) string {
	switch {
	case math.IsNaN(p):
		return noValue
	case p < 0.001:
		return "p<0.001"
	}
	return "p=" + strconv.FormatFloat(p, 'g', 2, 64)
}

// signed writes + before what is above 0.
func signed(x float64, show measure) string {
	if x > 0 {
		return "+" + show(x)
	}
	return show(x)
}

// relative writes a fraction as a change in percent; points a difference of
// fractions in percentage points.
func relative(x float64) string {
	return signed(x, func(x float64) string { return fixed(x*100, 1) + " %" })
}

func points(x float64) string {
	return signed(x, func(x float64) string { return fixed(x*100, 2) + " pp" })
}

// bound names what costs are compared with.
func (r *CompareRow) bound() string {
	if r.Bound == "floor" {
		return "floor"
	}
	return "bound"
}

func keptText(r *CompareRow) string {
	m := markKept
	if !r.Kept {
		m = markBroken
	}
	return fmt.Sprintf("%s %d of %d", m, r.KeptRuns, r.Runs)
}

func overText(r *CompareRow) string {
	if math.IsNaN(float64(r.OverBound)) {
		return noValue
	}
	return plusMinus(Interval{Mean: float64(r.OverBound), Lo: float64(r.OverBoundLo), Hi: float64(r.OverBoundHi)}, factor)
}

func budgetText(r *CompareRow) string {
	if math.IsNaN(float64(r.Budget)) {
		return noValue
	}
	return fixed(float64(r.Budget)*100, 0) + " % (" + r.BudgetOf + ")"
}

// againstText is the difference in judged cost to the first policy, in brackets
// where it may be chance.
func againstText(r *CompareRow) string {
	if r.Against == nil {
		return ""
	}
	c := r.Against.Cost
	c.P = c.PHolm
	parts := delta(c, relative)
	if parts[0] == "~" {
		parts[0] = "~ (" + relative(float64(c.Mean)) + ")"
	}
	return strings.TrimSpace(strings.Join(parts, " "))
}

// factorOf writes a factor, or that there is none.
func factorOf(x Maybe) string {
	if math.IsNaN(float64(x)) {
		return noValue
	}
	return factor(float64(x))
}

func ratioText(x Maybe) string { return fixed(float64(x), 3) }
