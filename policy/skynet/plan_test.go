package skynet

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestStepOfFindsTheStep(t *testing.T) {
	if got := stepOf(-5); got != 0 {
		t.Errorf("stepOf(-5) = %d: the past belongs to the first step", got)
	}
	if got := stepOf(1e9); got != maxSteps-1 {
		t.Errorf("stepOf(1e9) = %d: beyond the grid is its last step", got)
	}
	start := 0.0
	for i := range grid.end {
		if got := stepOf(grid.end[i]); got != i {
			t.Errorf("stepOf(%v) = %d, want %d: a step holds its end", grid.end[i], got, i)
		}
		if got := stepOf(start + 0.5); got != i {
			t.Errorf("stepOf(%v) = %d, want %d", start+0.5, got, i)
		}
		start = grid.end[i]
	}
	if start != gridEnd {
		t.Errorf("the grid ends at %v, want %v", start, gridEnd)
	}
}

// drawnPlan draws a plan of up to four lines with waiting and arriving work.
func drawnPlan(t *rapid.T) (*plan, checks) {
	p := &plan{steps: fineSteps + minuteSteps, lineCount: rapid.IntRange(1, 4).Draw(t, "lines")}
	for j := range p.lineCount {
		ln := &p.lines[j]
		ln.urgent = rapid.Bool().Draw(t, "urgent")
		ln.patient = !ln.urgent || rapid.Bool().Draw(t, "patient")
		ln.spare = rapid.SampledFrom([]float64{0, 0, 10, 1000}).Draw(t, "spare")
		ln.waiting = rapid.Float64Range(0, 5000).Draw(t, "waiting")
		budget := rapid.Float64Range(1, 1500).Draw(t, "budget")
		rate := 0.0
		if ln.urgent {
			rate = rapid.Float64Range(0, 30).Draw(t, "rate")
		}
		more := rapid.Float64Range(0.3, 3).Draw(t, "more")
		for i := range p.steps {
			ln.expected[i] = rate * grid.width[i]
			ln.reserveFactor[i] = more
			ln.notDue[i] = rate * more * min(budget, grid.end[i])
			if grid.end[i] < budget {
				ln.notDue[i] += ln.waiting
			}
		}
	}
	for i := range p.fleetSlots {
		p.fleetSlots[i] = rapid.Float64Range(0, 40).Draw(t, "there")
		if i > 0 {
			p.fleetSlots[i] = max(p.fleetSlots[i], p.fleetSlots[i-1])
		}
	}
	busy := rapid.Float64Range(0, 10).Draw(t, "busy")
	for i := range p.running {
		p.running[i] = max(busy-float64(i), 0)
	}
	from := rapid.Float64Range(0, 900)
	k := checks{patientFrom: stepOf(from.Draw(t, "from")), tolerance: 1.6}
	for j := range p.lineCount {
		at := from.Draw(t, "urgent from")
		k.urgent[j] = span{stepOf(at), stepOf(at + 60)}
	}
	return p, k
}

// dumbHolds is the plan in the plainest form: one second at a time, no tails. It
// checks one urgent line, or all that can wait (line −1).
func dumbHolds(p *plan, c capacity, k checks, line int) bool {
	waiting := make([]float64, p.lineCount)
	for j := range p.lineCount {
		waiting[j] = p.lines[j].waiting
	}
	for i := range p.steps {
		slots := c.constant - p.running[i]
		if c.useFleet {
			slots += p.fleetSlots[i]
		}
		for second := range int(grid.width[i]) {
			room := max(slots, 0)
			for j := range p.lineCount {
				arriving := p.lines[j].expected[i] / grid.width[i]
				if line >= 0 {
					arriving *= p.lines[line].reserveFactor[i]
				}
				waiting[j] += arriving
				served := min(waiting[j], room)
				waiting[j] -= served
				room -= served
			}
			if second < int(grid.width[i])-1 {
				continue
			}
			for j := range p.lineCount {
				ln := &p.lines[j]
				checked, may := ln.patient && i >= k.patientFrom, ln.spare
				if line >= 0 {
					checked, may = j == line && i >= k.urgent[j].from && i <= k.urgent[j].to, 0
				}
				// a hair's breadth: the two add in different orders
				if checked && waiting[j] > ln.notDue[i]+may+k.tolerance+1e-6 {
					return false
				}
			}
		}
	}
	return true
}

// plainHolds is holds in the plainest order: every line from the first step on.
func plainHolds(p *plan, c capacity, k checks) bool {
	patient := false
	for j := range p.lineCount {
		ln := &p.lines[j]
		patient = patient || ln.patient && ln.waiting > 0
		if ln.urgent && !plainServe(p, c, j+1, &ln.reserveFactor, k.urgent[j].from, min(k.urgent[j].to, p.steps-1), k.tolerance) {
			return false
		}
	}
	return !patient || plainServe(p, c, p.lineCount, nil, k.patientFrom, p.steps-1, k.tolerance)
}

func plainServe(p *plan, c capacity, n int, more *[maxSteps]float64, from, last int, slack float64) bool {
	var waiting, holding [linesMax]float64
	for j := range n {
		waiting[j] = p.lines[j].waiting
	}
	for i := 0; i <= last; i++ {
		width, slots := grid.width[i], c.constant-p.running[i]
		if c.useFleet {
			slots += p.fleetSlots[i]
		}
		if i > c.extraFrom {
			slots += c.extra
		} else if i == c.extraFrom {
			slots += float64(c.extraPart * c.extra)
		}
		room := max(slots, 0) * width
		for j := range n {
			ended := min(float64(holding[j]*min(float64(p.lines[j].tailRate*width), 1)), room)
			holding[j] -= ended
			room -= ended
		}
		for j := range n {
			ln, times := &p.lines[j], 1.0
			if more != nil {
				times = more[i]
			}
			waiting[j] += float64(ln.expected[i] * times)
			served := min(waiting[j], room)
			room -= served
			waiting[j] -= served
			holding[j] += float64(ln.tailPerHead * served)
			checked, may := more != nil && j == n-1, 0.0
			if more == nil {
				checked, may = ln.patient, ln.spare
			}
			if i >= from && checked && waiting[j] > ln.notDue[i]+may+slack {
				return false
			}
		}
	}
	return true
}

// TestPlanTakesNoShortcut holds the plan against one that goes through every line
// from the first step on: to the last bit, with tails too, where more capacity may
// begin a tail that stands in another line's way.
func TestPlanTakesNoShortcut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, k := drawnPlan(t)
		for j := range p.lineCount {
			if rapid.Bool().Draw(t, "tails") {
				p.lines[j].tailPerHead = rapid.Float64Range(0, 20).Draw(t, "tail")
				p.lines[j].tailRate = rapid.Float64Range(1e-4, 0.5).Draw(t, "ending")
			}
		}
		c := capacity{useFleet: true, constant: rapid.Float64Range(0, 30).Draw(t, "always"), extraFrom: maxSteps}
		if got, want := p.holds(c, k), plainHolds(p, c, k); got != want {
			t.Fatalf("holds %v, one line after the other %v", got, want)
		}
		lag := rapid.Float64Range(0, 900).Draw(t, "lag")
		got := p.shortfall(c, lag, k)

		c.extraFrom = stepOf(lag)
		c.extraPart = min(max((grid.end[c.extraFrom]-lag)/grid.width[c.extraFrom], 0), 1)
		low, high := 0.0, 1.0
		for c.extra = high; high < 1<<24 && !plainHolds(p, c, k); c.extra = high {
			low, high = high, 2*high
		}
		for high-low > max(0.25, high/128) {
			c.extra = 0.5 * (low + high)
			if plainHolds(p, c, k) {
				high = c.extra
			} else {
				low = c.extra
			}
		}
		if got != high {
			t.Fatalf("short of %v, one line after the other of %v", got, high)
		}
	})
}

func TestPlanAgreesWithASecondBySecondOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, k := drawnPlan(t)
		c := capacity{useFleet: true, constant: rapid.Float64Range(0, 60).Draw(t, "always"), extraFrom: maxSteps}
		patient, want := false, true
		for j := range p.lineCount {
			ln := &p.lines[j]
			if ln.urgent {
				want = want && dumbHolds(p, c, k, j)
			}
			patient = patient || ln.patient && ln.waiting > 0
		}
		want = want && (!patient || dumbHolds(p, c, k, -1))
		if got := p.holds(c, k); got != want {
			// a tie within the rounding of the sums decides nothing
			k.tolerance += 1e-5
			if p.holds(c, k) == want {
				return
			}
			t.Fatalf("holds = %v, second by second %v", got, want)
		}
	})
}

// Without tails, more capacity never breaks a plan, and more waiting work never
// asks for less capacity.
func TestPlanIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, k := drawnPlan(t)
		lag := rapid.Float64Range(0, 300).Draw(t, "lag")
		base := capacity{useFleet: true, extraFrom: maxSteps}
		if p.holds(base, k) {
			more := base
			more.constant = rapid.Float64Range(0, 20).Draw(t, "more")
			if !p.holds(more, k) {
				t.Fatal("more capacity breaks a plan that holds")
			}
			return
		}
		need := p.shortfall(base, lag, k)
		j := rapid.IntRange(0, p.lineCount-1).Draw(t, "line")
		p.lines[j].waiting += rapid.Float64Range(0, 3000).Draw(t, "more work")
		if again := p.shortfall(base, lag, k); again < need-max(0.25, need/64) {
			t.Fatalf("more waiting work needs %v slots, less of it %v", again, need)
		}
	})
}

func TestShortfallIsEnoughAndNotMuchMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, k := drawnPlan(t)
		base := capacity{useFleet: true, extraFrom: maxSteps}
		for j := range k.urgent {
			s := &k.urgent[j]
			s.from = max(s.from, stepOf(200))
			s.to = max(s.to, s.from)
		}
		k.patientFrom = k.urgent[0].from
		if p.holds(base, k) {
			return
		}
		need := p.shortfall(base, 100, k)
		with := base
		with.extraFrom, with.extraPart = stepOf(100), 0
		with.extra = need
		if !p.holds(with, k) {
			t.Fatalf("%v slots from 100 s on are not enough", need)
		}
		if with.extra = need - 2*max(0.25, need/128); with.extra > 0 && p.holds(with, k) {
			t.Fatalf("%v slots are enough, %v were asked for", with.extra, need)
		}
	})
}

// Who is short is known however little: of two urgent lines and one that can wait,
// the one whose work is late.
func TestTheShortLineIsKnown(t *testing.T) {
	for short, want := range []int{0, 1, -1} {
		for _, work := range []float64{2, 200, 20_000} { // less than the first capacity tried serves, and more
			p := &plan{steps: fineSteps + minuteSteps, lineCount: 3}
			for j := range p.lineCount {
				p.lines[j].urgent, p.lines[j].patient, p.lines[j].reserveFactor = j < 2, j == 2, noReserve
			}
			p.lines[short].waiting = work
			k := checks{urgent: sameSpan(stepOf(60), stepOf(60)), patientFrom: stepOf(60)}
			now := capacity{extraFrom: maxSteps}
			if p.holds(now, k) {
				t.Fatalf("line %d: %v slot-seconds are served by nothing", short, work)
			}
			need := p.shortfall(now, 0, k)
			if got := p.shortLine(); got != want {
				t.Errorf("line %d is short of %v slots: line %d is said to be, want %d", short, need, got, want)
			}
		}
	}
}

// A job of an hour that may wait half a minute asks for one slot, not for 120.
// The plan serves heads one after another, not side by side, and errs on more.
func TestLongJobsHoldTheirSlotAndNoMore(t *testing.T) {
	head, tail := splitAtBudget(flow(10, 10*3600), 1, 30)
	if head != 300 || tail != 10*3600-300 {
		t.Fatalf("head %v and tail %v of ten jobs of an hour, want 300 and 35700 slot-seconds", head, tail)
	}
	p := &plan{steps: fineSteps + minuteSteps, lineCount: 1}
	ln := &p.lines[0]
	ln.urgent, ln.waiting = true, head
	ln.tailPerHead, ln.tailRate = tail/head, tail/tailHold(tail, 10)
	k := checks{urgent: sameSpan(stepOf(30), stepOf(30)), tolerance: 1}
	for i := range ln.notDue {
		if grid.end[i] < 30 {
			ln.notDue[i] = head
		}
	}
	if p.holds(capacity{constant: 9, extraFrom: maxSteps}, k) {
		t.Error("nine slots start ten jobs in time")
	}
	if !p.holds(capacity{constant: 15, extraFrom: maxSteps}, k) {
		t.Error("fifteen slots do not start ten jobs in time")
	}
	if math.IsNaN(ln.tailRate) {
		t.Error("no rate for the tails' end")
	}
}
