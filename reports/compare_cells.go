package reports

import (
	"math"

	"github.com/skynet-ec2/skynet/reports/stats"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/sim/trial"
)

// weeksFrom is the number of days from which whole weeks are resampled: days of
// a long run depend on each other by the week's course.
const weeksFrom = 28

// drawsMax is how often seeds are resampled, and blocks.
const drawsMax = 500

// cells are a policy's judged days by seed and block.
type cells struct {
	cost, work, length [][]float64 // length in seconds
	ready, busy        [][]float64
	judged, inTime     [][][]float64 // by class
	ofSeed, ofBlock    [][]counts    // by class
}

// daysOf returns how many days every trial has: where some end later, their
// last days are one.
func daysOf(c *Contest) int {
	days := math.MaxInt
	for i := range c.Entries {
		for _, t := range c.Entries[i].Trials {
			days = min(days, len(t.Days))
		}
	}
	return days
}

// halfDayS is the shortest day that counts as one, seconds.
const halfDayS = 12 * 3600

// blocksOf returns the block that each of the first days of a trial belongs to,
// how many there are, and what they are. A first or last day of less than half
// a day goes with its neighbour.
func blocksOf(t *trial.Trial, days int) (of []int, n int, name string) {
	if days >= weeksFrom {
		n = days / 7
		for d := range days {
			of = append(of, min(d/7, n-1))
		}
		return of, n, "week"
	}
	n = days
	first, last := 0, days-1
	if n > 1 && t.Days[0].LengthS < halfDayS {
		first = 1
	}
	if n > 1+first {
		length := 0.0
		for _, d := range t.Days[last:] {
			length += d.LengthS
		}
		if length < halfDayS {
			last--
		}
	}
	for d := range days {
		of = append(of, min(max(d, first), last)-first)
	}
	return of, max(0, last-first+1), "day"
}

// newCells returns the cells of trials, over the given days.
func newCells(trials []*trial.Trial, classes, days int, blockOf []int, blocks int) *cells {
	table := func() [][]float64 {
		t := make([][]float64, len(trials))
		for s := range t {
			t[s] = make([]float64, blocks)
		}
		return t
	}
	c := &cells{cost: table(), work: table(), length: table(), ready: table(), busy: table()}
	for range classes {
		c.judged, c.inTime = append(c.judged, table()), append(c.inTime, table())
		c.ofSeed, c.ofBlock = append(c.ofSeed, make([]counts, len(trials))), append(c.ofBlock, make([]counts, blocks))
	}
	if days == 0 {
		return c
	}
	for s, t := range trials {
		for i := range t.Days {
			d, b := &t.Days[i], blockOf[min(i, days-1)]
			c.cost[s][b] += d.CostUSD
			c.work[s][b] += d.WorkCoreS
			c.length[s][b] += d.LengthS
			c.ready[s][b] += d.Ready
			c.busy[s][b] += d.Busy
			for k := range d.Classes {
				c.judged[k][s][b] += float64(d.Classes[k].Judged)
				c.inTime[k][s][b] += float64(d.Classes[k].InTime)
				c.ofSeed[k][s].add(&d.Classes[k].Times)
				c.ofBlock[k][b].add(&d.Classes[k].Times)
			}
		}
	}
	return c
}

// quotient returns for a draw the sum of one table over that of another.
func quotient(d *stats.Draws, i int, over, under [][]float64) float64 {
	return d.Sum(i, over) / d.Sum(i, under)
}

// counts are times by bucket, of one seed over all blocks or of one block over
// all seeds.
type counts [sim.TimesBuckets]float64

func (c *counts) add(t *sim.Times) {
	for b, n := range t.Counts {
		c[t.First+b] += float64(n)
	}
}

// p95 returns for a draw the 95th percentile of a class's times in seconds,
// interpolated within buckets of 4 %.
func (c *cells) p95(d *stats.Draws, i, class int) float64 {
	parts, weights := c.ofBlock[class], d.Block[i]
	if i < d.OfSeeds {
		parts, weights = c.ofSeed[class], d.Seed[i]
	}
	var sum counts
	total := 0.0
	for k := range parts {
		if weights[k] == 0 {
			continue
		}
		for b, n := range &parts[k] {
			sum[b] += weights[k] * n
			total += weights[k] * n
		}
	}
	rank, seen := 0.95*total, 0.0
	for b, n := range &sum {
		if n > 0 && seen+n >= rank {
			from, to := sim.TimesEdge(b), sim.TimesEdge(b+1)
			return from + (to-from)*(rank-seen)/n
		}
		seen += n
	}
	return math.NaN()
}
