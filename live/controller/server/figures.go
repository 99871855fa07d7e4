package server

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/live/fleet"
	"github.com/skynet-ec2/skynet/policy"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// sums are what was counted since the process began.
type sums struct {
	decisions, launched, refused, short, drained, undrained, terminated, neverWorked, apart, errors int64
	clampedLaunches, clampedDrains                                                                  int64
	held                                                                                            map[controller.Hold]int64
	doubtful                                                                                        map[fleet.Kind]int64 // sweeps' findings that somebody has to look at
	started, late                                                                                   []int64              // by class
}

func newSums(c *controller.Config) sums {
	return sums{
		held: map[controller.Hold]int64{}, doubtful: map[fleet.Kind]int64{},
		started: make([]int64, len(c.Env.Classes)), late: make([]int64, len(c.Env.Classes)),
	}
}

// add counts a tick.
func (s *sums) add(k *controller.Controller, r *controller.Result) {
	s.decisions++
	s.launched += int64(r.Outcome.Launched)
	s.refused += int64(r.Outcome.Refused)
	s.short += int64(r.Outcome.Short)
	s.drained += int64(r.Outcome.Drained)
	s.undrained += int64(r.Outcome.Undrained)
	s.terminated += int64(len(r.Terminated) + len(r.Reaped))
	s.clampedLaunches += int64(r.Removed.Launches)
	s.clampedDrains += int64(r.Removed.Drains)
	s.errors += int64(len(r.Outcome.Errors))
	if r.Hold != controller.NotHeld {
		s.held[r.Hold]++
	}
	if r.Apart.Is() {
		s.apart++
	}
	for _, f := range r.Found {
		if f.Kind == fleet.NeverWorked {
			s.neverWorked++
		}
		if f.Kind.Alarms() {
			s.doubtful[f.Kind]++
		}
	}
	kinds := k.Observation().Queue.Kinds
	for i := range kinds {
		if of := kinds[i].Class; of >= 0 && of < len(s.started) {
			s.started[of] += kinds[i].Started
			s.late[of] += kinds[i].StartedLate
		}
	}
}

// clone returns sums that no tick changes.
func (s *sums) clone() sums {
	c := *s
	c.held, c.doubtful, c.started, c.late = maps.Clone(s.held), maps.Clone(s.doubtful), slices.Clone(s.started), slices.Clone(s.late)
	return c
}

// collector describes the controller's figures and collects them when asked.
type collector struct {
	server *Server
	fleet  prometheus.Labels
	descs  map[string]*prometheus.Desc
}

// figures returns what answers /metrics. Every series carries the fleet's name.
func (s *Server) figures() http.Handler {
	c := &collector{s, prometheus.Labels{"fleet": s.c.Fleet}, map[string]*prometheus.Desc{}}
	for _, f := range all {
		c.descs[f.name] = prometheus.NewDesc("skynet_controller_"+f.name, f.help, f.labels, c.fleet)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(c, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
}

// all are the figures there are, but for the prefix skynet_controller_.
var all = []struct {
	name, help string
	labels     []string
}{
	{"leader", "1 if this process led the fleet at its last tick.", nil},
	{"epoch", "Number of this process's lead; 0: it has not led.", nil},
	{"stopped", "1 while somebody has stopped it (the kill switch): it launches and terminates nothing.", nil},
	{"info", "1; its labels say what decides.", []string{"mode", "policy", "shadow"}},
	{"tick_seconds", "Time from one decision to the next.", nil},
	{"decision_age_seconds", "Time since the last decision; absent before the first, as in a process that stands by.", nil},
	{"decisions_total", "Decisions made.", nil},
	{"instances_launched_total", "Instances launched, confirmed or on their way.", nil},
	{"instances_refused_total", "Instances that EC2 refused, of first choices and of substitutes.", nil},
	{"instances_short_total", "Refused instances that nothing stood in for.", nil},
	{"instances_drained_total", "Instances taken out of service.", nil},
	{"instances_undrained_total", "Draining instances taken back into service.", nil},
	{"instances_terminated_total", "Instances ended.", nil},
	{"instances_never_worked_total", "Instances given up because no word of their worker ever came.", nil},
	{"clamped_total", "Instances whose launch or drain the guard removed from decisions.", []string{"what"}},
	{"held_total", "Decisions of which nothing was carried out.", []string{"reason"}},
	{"doubtful_total", "Findings of sweeps that make the ledger, EC2's list or the release doubtful.", []string{"finding"}},
	{"provider_trouble", "1 if at the last tick the provider told of trouble.", nil},
	{"errors_total", "Errors of carrying decisions out.", nil},
	{"shadow_apart_total", "Decisions that the shadow would have made otherwise.", nil},
	{"instances", "Instances by phase.", []string{"phase"}},
	{"slots_ready", "Slots of ready instances.", nil},
	{"slots_busy", "Those of them that run a job.", nil},
	{"slack_24h_ratio", "Mean idle part of the ready slots over the last 24 hours, or since the start; absent before there was a ready slot.", nil},
	{"boot_seconds", "Learned time from a launch to the worker's first word; absent before the first boot.", []string{"quantile"}},
	{"boot_overdue_instances", "Instances that boot for longer than the learned p99.", nil},
	{"reading_age_seconds", "Time since the queue, or EC2's list, was last read whole; since the process began if it never was.", []string{"of"}},
	{"reading_complete", "1 if it was read whole at the last tick.", []string{"of"}},
	{"spent_usd", "Dollars spent in this clock hour, day and month: windows or seconds begun.", []string{"window"}},
	{"budget_usd", "Budgets for the same; absent where there is none.", []string{"window"}},
	{"cap_usd", "What the guard, and the file of caps, allow for the same; absent where it is unlimited.", []string{"window"}},
	{"class_target_seconds", "Target of a class, from submission to result.", []string{"class"}},
	{"class_attain_ratio", "Part of a class's jobs that must meet its target.", []string{"class"}},
	{"class_oldest_wait_seconds", "How long the class's first job in line has waited.", []string{"class"}},
	{"type_speed", "How fast a slot of an instance type is, in reference cores: learned from completions, else the catalog's.", []string{"type"}},
	{"drift_age_seconds", "Time since a day was last compared with what the simulator says of it; absent before the first.", nil},
	{"drift_compared", "1 if that day could be compared.", nil},
	{"drift_beyond_bounds", "1 if what the simulator says of it is further from what happened than the bounds.", nil},
	{"drift_ratio", "How far what the simulator says is from what happened, as a fraction of it; of latency: the 95th percentile of a job type.", []string{"of", "type"}},
	{"class_will_miss_jobs", "Jobs in line that miss their target unless they start within a minute.", []string{"class"}},
	{"class_started_total", "Jobs of the class that started.", []string{"class"}},
	{"class_started_late_total", "Those that by then had missed their target, or were expected to.", []string{"class"}},
}

// Describe is of prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		out <- d
	}
}

// Collect is of prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	s := c.server
	s.mu.Lock()
	last, sum := s.seen, s.sums.clone()
	s.mu.Unlock()
	x := exposition{c: c, out: out, now: s.c.Now()}
	status := s.Status()
	x.gauge("info", 1, status.Mode, status.Policy, status.Shadow)
	x.gauge("tick_seconds", status.TickS)
	x.gauge("stopped", one(status.Stop != nil))
	x.sums(&sum)
	if status.Drift != nil {
		x.drift(status.Drift)
	}
	x.caps()
	if last == nil {
		x.gauge("leader", 0)
		x.gauge("epoch", 0)
		return
	}
	x.seen(last)
}

// exposition is one answer to Prometheus.
type exposition struct {
	c   *collector
	out chan<- prometheus.Metric
	now time.Time
}

func (x *exposition) gauge(name string, v float64, labels ...string) {
	x.out <- prometheus.MustNewConstMetric(x.c.descs[name], prometheus.GaugeValue, v, labels...)
}

func (x *exposition) count(name string, n int64, labels ...string) {
	x.out <- prometheus.MustNewConstMetric(x.c.descs[name], prometheus.CounterValue, float64(n), labels...)
}

// sums exposes what was counted since the process began.
func (x *exposition) sums(sum *sums) {
	x.count("decisions_total", sum.decisions)
	x.count("instances_launched_total", sum.launched)
	x.count("instances_refused_total", sum.refused)
	x.count("instances_short_total", sum.short)
	x.count("instances_drained_total", sum.drained)
	x.count("instances_undrained_total", sum.undrained)
	x.count("instances_terminated_total", sum.terminated)
	x.count("instances_never_worked_total", sum.neverWorked)
	x.count("clamped_total", sum.clampedLaunches, "launches")
	x.count("clamped_total", sum.clampedDrains, "drains")
	for _, h := range controller.Holds {
		x.count("held_total", sum.held[h], h.String())
	}
	for _, k := range fleet.Alarming {
		x.count("doubtful_total", sum.doubtful[k], k.String())
	}
	x.count("errors_total", sum.errors)
	x.count("shadow_apart_total", sum.apart)
	classes := x.c.server.c.Env.Classes
	for i := range classes {
		class := &classes[i]
		x.gauge("class_target_seconds", class.Target.Seconds(), class.Name)
		x.gauge("class_attain_ratio", class.Attain, class.Name)
		x.count("class_started_total", sum.started[i], class.Name)
		x.count("class_started_late_total", sum.late[i], class.Name)
	}
}

// drift exposes what became of the last comparison with the simulator.
func (x *exposition) drift(d *controller.Drift) {
	x.gauge("drift_age_seconds", x.now.Sub(d.At).Seconds())
	x.gauge("drift_compared", one(d.Problem == ""))
	x.gauge("drift_beyond_bounds", one(d.Problem == "" && !d.Kept))
	if d.Problem != "" {
		return
	}
	x.gauge("drift_ratio", d.Cost, "cost", "")
	x.gauge("drift_ratio", d.Slack, "slack", "")
	for name, off := range d.Latency {
		x.gauge("drift_ratio", off, "latency", name)
	}
}

// caps exposes the limits on money that stand now.
func (x *exposition) caps() {
	caps := x.c.server.caps()
	for _, of := range []struct {
		window string
		most   policy.MicroUSD
	}{{"hour", caps.HourMax}, {"day", caps.DayMax}, {"month", caps.MonthMax}} {
		if of.most < policy.Unlimited {
			x.gauge("cap_usd", of.most.Dollars(), of.window)
		}
	}
}

// seen exposes what the last decision saw.
func (x *exposition) seen(last *Seen) {
	s := x.c.server
	x.gauge("leader", one(last.Leads))
	x.gauge("epoch", float64(last.Epoch))
	x.gauge("decision_age_seconds", x.now.Sub(last.Last.At).Seconds())
	x.gauge("provider_trouble", one(last.Last.Outcome.Provider != ""))
	for _, p := range phases {
		x.gauge("instances", float64(last.Instances[p.String()]), p.String())
	}
	x.gauge("slots_ready", float64(last.Slots.Ready))
	x.gauge("slots_busy", float64(last.Slots.Busy))
	if last.Slots.Known {
		x.gauge("slack_24h_ratio", last.Slots.Slack24h)
	}
	if last.Boot.Samples > 0 {
		x.gauge("boot_seconds", last.Boot.P50S, "0.5")
		x.gauge("boot_seconds", last.Boot.P99S, "0.99")
	}
	x.gauge("boot_overdue_instances", float64(last.Boot.Overdue))
	for _, r := range []struct {
		of string
		Reading
	}{{"queue", last.Queue}, {"ec2", last.EC2}} {
		at := r.At
		if at.Before(s.begun) {
			at = s.begun
		}
		x.gauge("reading_age_seconds", max(0, x.now.Sub(at)).Seconds(), r.of)
		x.gauge("reading_complete", one(r.Complete), r.of)
	}
	for _, w := range []struct {
		name          string
		spent, budget float64
	}{{"hour", last.Spent.Hour, last.Budget.Hour}, {"day", last.Spent.Day, last.Budget.Day}, {"month", last.Spent.Month, last.Budget.Month}} {
		x.gauge("spent_usd", w.spent, w.name)
		if w.budget > 0 {
			x.gauge("budget_usd", w.budget, w.name)
		}
	}
	for i := range last.Speeds {
		x.gauge("type_speed", last.Speeds[i].Speed, last.Speeds[i].Type)
	}
	for i := range last.classes {
		name := s.c.Env.Classes[i].Name
		x.gauge("class_oldest_wait_seconds", last.classes[i].oldest.Seconds(), name)
		x.gauge("class_will_miss_jobs", float64(last.classes[i].misses), name)
	}
}

// caps returns the limits of money that stand now: the guard's, and those of the
// file of caps while it can be read.
func (s *Server) caps() policy.Guard {
	g := s.c.Guard
	if s.c.Caps == nil {
		return g
	}
	if other, err := s.c.Caps(); err == nil {
		g.HourMax, g.DayMax, g.MonthMax = min(g.HourMax, other.HourMax), min(g.DayMax, other.DayMax), min(g.MonthMax, other.MonthMax)
	}
	return g
}

// Figures returns the names of all figures of a controller, as /metrics shows
// them.
func Figures() []string {
	var names []string
	for _, f := range all {
		names = append(names, "skynet_controller_"+f.name)
	}
	return names
}

func one(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
