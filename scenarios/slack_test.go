package scenarios

import (
	"fmt"
	"math"
	"testing"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
)

// The slack rule promises that its 24-hour mean is never more than half a point
// below its target, nor two above.
const (
	slackLowest  = 0.25 - 0.005
	slackHighest = 0.25 + 0.02
	// slackShort is by how much it may miss what the load allows: a tenth of the
	// band.
	slackShort = 0.0025
)

// TestSlackBand plays photo-week-slack25 on several seeds, billed by the hour
// and by the second, and at a quarter of its size.
//
// The whole site stays in the band. A quarter of it keeps eight slots busy on
// average and two at night, where the smallest instance has two. There the mean may exceed the band by as much as a fleet
// would that knows the load and from the band's edge on has just enough
// instances.
func TestSlackBand(t *testing.T) {
	for _, c := range []struct {
		billing policy.Billing
		scale   float64
		seeds   []uint64
	}{
		{policy.Hourly, 1, []uint64{1, 2, 3, 4, 8}},
		{policy.PerSecond, 1, []uint64{1}},
		{policy.Hourly, 0.25, []uint64{1, 8}},
	} {
		for _, seed := range c.seeds {
			t.Run(fmt.Sprintf("%s×%v/%d", c.billing.Name, c.scale, seed), func(t *testing.T) {
				t.Parallel()
				s, err := Load("photo-week-slack25.toml")
				if err != nil {
					t.Fatal(err)
				}
				s.Generate.Scale, s.Seed, s.catalog.Billing = c.scale, seed, c.billing
				_, r := playScenario(t, s, nil)
				low, high := r.Figures.Slack.Min24h, r.Figures.Slack.Max24h
				if low == nil || high == nil {
					t.Fatal("there is no 24 h mean")
				}
				if *low < slackLowest {
					t.Errorf("the 24 h mean falls to %.2f %%", 100**low)
				}
				if c.scale >= 1 && *high > slackHighest {
					t.Errorf("the 24 h mean rises to %.2f %%", 100**high)
				}
				if over, at := overLean(r.Ticks); over > slackShort {
					t.Errorf("the 24 h mean at minute %d is %.2f points higher than the load allows", at, 100*over)
				}
			})
		}
	}
}

// overLean returns by how much the 24 h mean of slack exceeds the highest that
// is allowed, or where more what a lean fleet would have, at most and at which
// tick. The ticks are minutes.
//
// The lean fleet is the run's own until the mean left the band. What is paid
// then goes within an hour, evenly, and from there on it has the instances of
// two slots, paid by the hour, that the busiest five minutes of each of its
// hours need.
func overLean(ticks []sim.TickRow) (most float64, at int) {
	const day, hour, peak, slots = 1440, 60, 5, 2.0
	need := make([]float64, len(ticks)) // slot-seconds of a lean minute
	for i := range ticks {
		high := 0.0
		for j := max(0, i-hour+1); j <= i; j++ {
			sum := 0.0
			for k := max(0, j-peak+1); k <= j; k++ {
				sum += ticks[k].BusySlotS
			}
			high = max(high, sum/60/peak)
		}
		need[i] = 60 * slots * math.Ceil(high/slots)
	}
	left := day
	for i := day + 1; i < len(ticks); i++ {
		if ticks[i].Slack24h <= slackHighest {
			left = i
			continue
		}
		busy, ready := 0.0, 0.0
		for j := i - day + 1; j <= i; j++ {
			busy += ticks[j].BusySlotS
			paid := ticks[j].BusySlotS + ticks[j].IdleSlotS
			if gone := float64(j-left) / hour; gone > 0 {
				edge := ticks[left].BusySlotS + ticks[left].IdleSlotS
				paid = max(need[j], edge*(1-gone))
			}
			ready += paid
		}
		if over := ticks[i].Slack24h - max(slackHighest, 1-busy/ready); over > most {
			most, at = over, i
		}
	}
	return most, at
}

// A fleet that is left alone above the band is told from one that cannot help
// it.
func TestOverLeanBites(t *testing.T) {
	// half of six slots busy: the lean fleet has four, and the mean falls
	ticks := make([]sim.TickRow, 4000)
	for i := range ticks {
		ticks[i] = sim.TickRow{BusySlotS: 180, IdleSlotS: 180, Slack24h: 0.5}
	}
	if over, _ := overLean(ticks); math.Abs(over-0.23) > 1e-9 {
		t.Errorf("six slots for three: %.4f over, want 0.23: the lean fleet's mean is 25 %%", over)
	}
	// three of four: there is no smaller instance
	for i := range ticks {
		ticks[i] = sim.TickRow{BusySlotS: 126, IdleSlotS: 114, Slack24h: 0.475}
	}
	if over, _ := overLean(ticks); over > 1e-9 {
		t.Errorf("four slots for 2.1: %.4f over, want 0: two instances are the least", over)
	}
}
