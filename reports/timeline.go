package reports

import (
	"bufio"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
)

// A column of the timeline: its name, which ends in the unit unless it counts
// things, and what it says of a tick.
type column struct {
	name, means string
	append      func(b []byte, r *sim.TickRow) []byte
}

// timeline is documented by TimelineColumns.
var timeline = []column{
	{"at_s", "time since the trace's start, seconds", func(b []byte, r *sim.TickRow) []byte { return appendSeconds(b, r.At) }},
	{"instances", "instances alive, booting and draining ones too", count(func(r *sim.TickRow) int { return r.Instances })},
	{"ready_slots", "slots of ready instances; draining ones are not among them", count(func(r *sim.TickRow) int { return r.Ready })},
	{"busy_slots", "slots that run a job, on ready and on draining instances", count(func(r *sim.TickRow) int { return r.Busy })},
	{"booting_slots", "slots of instances that boot", count(func(r *sim.TickRow) int { return r.Booting })},
	{"draining_slots", "slots of instances that drain", count(func(r *sim.TickRow) int { return r.Draining })},
	{"pending_jobs", "jobs that wait", func(b []byte, r *sim.TickRow) []byte { return strconv.AppendInt(b, r.Pending, 10) }},
	{"demand_jobs", "jobs that run or wait", count(func(r *sim.TickRow) int { return r.Demand })},
	{"launches", "instances launched at this tick", count(func(r *sim.TickRow) int { return r.Launches })},
	{"drains", "instances drained at this tick", count(func(r *sim.TickRow) int { return r.Drains })},
	{"undrains", "instances taken back into service at this tick", count(func(r *sim.TickRow) int { return r.Undrains })},
	{"clamped", "launches and drains that the guard removed", count(func(r *sim.TickRow) int { return r.Clamped })},
	{"refused", "instances that EC2 did not sell", count(func(r *sim.TickRow) int { return r.Refused })},
	{"slack", "idle fraction of ready slot-time since the tick before; empty without any", number(func(r *sim.TickRow) float64 { return r.Slack })},
	{"slack_24h", "the same over the last 24 hours", number(func(r *sim.TickRow) float64 { return r.Slack24h })},
	{"cost_usd", "paid so far, dollars: windows begun", func(b []byte, r *sim.TickRow) []byte { return appendDollars(b, r.Cost) }},
	{"busy_slot_s", "slot-seconds busy since the tick before", number(func(r *sim.TickRow) float64 { return r.BusySlotS })},
	{"idle_slot_s", "slot-seconds ready and idle", number(func(r *sim.TickRow) float64 { return r.IdleSlotS })},
	{"boot_slot_s", "slot-seconds booting", number(func(r *sim.TickRow) float64 { return r.BootSlotS })},
	{"gone_slot_s", "slot-seconds paid for but gone: left over when instances ended", number(func(r *sim.TickRow) float64 { return r.GoneSlotS })},
	{"offered_cores", "work that arrived since the tick before, estimated, in reference cores", number(func(r *sim.TickRow) float64 { return r.Offered })},
	{"forecast_cores", "work expected in the tick when an instance launched now could help, reference cores; empty where the policy does not forecast", number(func(r *sim.TickRow) float64 { return r.ForecastMean })},
	{"forecast_high_cores", "its 90th percentile", number(func(r *sim.TickRow) float64 { return r.ForecastHigh })},
	{"forecast_actual_cores", "the work that arrived in that tick", number(func(r *sim.TickRow) float64 { return r.ForecastActual })},
}

// TimelineColumns returns the names and meanings of the columns that
// WriteTimeline writes, in order.
func TimelineColumns() (names, meanings []string) {
	for _, c := range timeline {
		names = append(names, c.name)
		meanings = append(meanings, c.means)
	}
	return names, meanings
}

// WriteTimeline writes the state at every tick to a CSV file.
func WriteTimeline(path string, ticks []sim.TickRow) error {
	return WriteFile(path, func(w io.Writer) error { return timelineTo(w, ticks) })
}

func timelineTo(w io.Writer, ticks []sim.TickRow) error {
	b := bufio.NewWriterSize(w, 1<<16)
	line := make([]byte, 0, 512)
	for i, c := range timeline {
		if i > 0 {
			line = append(line, ',')
		}
		line = append(line, c.name...)
	}
	for i := range ticks {
		b.Write(append(line, '\n')) // b remembers an error until Flush
		line = line[:0]
		for k, c := range timeline {
			if k > 0 {
				line = append(line, ',')
			}
			line = c.append(line, &ticks[i])
		}
	}
	b.Write(append(line, '\n'))
	return b.Flush()
}

func count(of func(*sim.TickRow) int) func([]byte, *sim.TickRow) []byte {
	return func(b []byte, r *sim.TickRow) []byte { return strconv.AppendInt(b, int64(of(r)), 10) }
}

// number writes up to nine digits, and nothing for a number that has no value.
func number(of func(*sim.TickRow) float64) func([]byte, *sim.TickRow) []byte {
	return func(b []byte, r *sim.TickRow) []byte {
		x := of(r)
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return b
		}
		return strconv.AppendFloat(b, x, 'g', 9, 64)
	}
}

// appendSeconds writes a time in seconds with its exact decimals.
func appendSeconds(b []byte, d time.Duration) []byte {
	return appendDecimals(b, int64(d), 9)
}

// appendDollars writes an amount exactly.
func appendDollars(b []byte, m policy.MicroUSD) []byte {
	return appendDecimals(b, int64(m), 6)
}

// appendDecimals writes n ÷ 10^decimals without trailing zeros.
func appendDecimals(b []byte, n int64, decimals int) []byte {
	if n < 0 {
		b = append(b, '-')
	}
	u := uint64(n)
	if n < 0 {
		u = -u
	}
	power := uint64(1)
	for range decimals {
		power *= 10
	}
	b = strconv.AppendUint(b, u/power, 10)
	rest := u % power
	if rest == 0 {
		return b
	}
	b = append(b, '.')
	for rest > 0 {
		power /= 10
		b = append(b, '0'+byte(rest/power))
		rest %= power
	}
	return b
}
