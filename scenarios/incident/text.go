package incident

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/traces"
)

// text is a scenario file in the making.
type text struct{ bytes.Buffer }

func (t *text) say(format string, args ...any) { fmt.Fprintf(t, format+"\n", args...) }

// set writes a key, and behind it, in a column, what it means.
func (t *text) set(key string, value any, comment string, args ...any) {
	line := key + " = " + scenarios.Literal(value)
	if comment == "" {
		t.say("%s", line)
		return
	}
	t.say("%-34s # %s", line, fmt.Sprintf(comment, args...))
}

// at returns an instant as people read it.
func at(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

// scenario writes scenario.toml.
func (s *Story) scenario(w io.Writer, jobs *Jobs, meta traces.Meta, kinds []traces.Kind) error {
	t := &text{}
	t.say("# What fleet %s lived through from %s to %s, made of its journal and of its queue's history.", orNone(s.Header.Fleet), at(s.From), at(s.To))
	t.say("# Run it: skynet simulate %s. What a simulation of it does not show: %s.", ScenarioFile, ReadmeFile)
	t.set("title", fmt.Sprintf("Fleet %s, %s to %s", orNone(s.Header.Fleet), at(s.From), at(s.To)), "")
	t.say("")
	t.set("start", s.Start.UTC(), "the first decision")
	t.set("utc_offset", s.Header.UTCOffset, "the users' clock less UTC")
	t.set("judge_from", s.From.Sub(s.Start), "the time before lets a controller learn what that one knew; it is not judged")
	t.set("duration", s.To.Sub(s.Start), "")
	t.set("tick", s.Header.Tick, "")
	t.set("seed", 1, "of boot lags and of whom faults hit: another seed is another such night")
	t.say("\n[trace]")
	t.set("file", TraceFile, "%d jobs", meta.Jobs)
	if jobs.Pending > 0 || jobs.Running > 0 {
		t.say("# %d jobs that waited and %d that ran at the start arrive at 0, with the work that was left of them: what", jobs.Pending, jobs.Running)
		t.say("# they had waited before is not part of their time here.")
	}
	t.set("reference_speed", 1.0, "work is in core-seconds on the reference core")
	s.classes(t, kinds)
	s.cloud(t)
	s.limits(t)
	for i := range s.Faults {
		s.fault(t, &s.Faults[i])
	}
	if jobs.Retried > 0 {
		t.say("\n# Of %d attempts %d were not the first of their job. To have attempts fail at that rate:", jobs.Attempts, jobs.Retried)
		t.say("# [[failure]]\n# rate = %.4f", float64(jobs.Retried)/float64(max(jobs.Attempts, 1)))
	}
	for _, x := range s.Stops {
		t.say("\n# From %s to %s nothing was carried out: %s.", at(x.From), at(x.To), x.Why)
		t.say("# The simulator's policy always acts.")
	}
	t.say("\n[policy]")
	t.set("file", PolicyFile, "%s", s.Header.Policy.Label)
	t.set("state", StateFile, "what it remembered at the start")
	_, err := w.Write(t.Bytes())
	return err
}

func orNone(name string) string {
	if name == "" {
		return "(no name)"
	}
	return name
}

// classes writes what was promised.
func (s *Story) classes(t *text, kinds []traces.Kind) {
	for i := range s.Header.Classes {
		c := &s.Header.Classes[i]
		t.say("\n[[class]]")
		t.set("name", c.Name, "")
		if len(c.Types) > 0 {
			t.set("type", c.Types, "")
		}
		if c.Priority >= 0 {
			t.set("priority", c.Priority, "")
		}
		t.set("target", c.Target, "")
		t.set("on", c.On.String(), "")
		t.set("attain", c.Attain, "")
		if c.WorstHour > 0 {
			t.set("worst_hour", c.WorstHour, "")
		}
	}
	if !allClassed(s.Header.Classes, kinds) {
		t.say("\n[[class]]                          # jobs that no class of that time matches: nothing is promised to them")
		t.set("name", "no_class", "")
		t.set("target", 24*time.Hour, "")
		t.set("attain", 0.0, "")
	}
}

// cloud writes what was sold, and the fleet at the start.
func (s *Story) cloud(t *text) {
	t.say("\n[cloud]")
	t.set("catalog", CatalogFile, "as the journal's header has it")
	quota, why := s.Quota, "the account's quota, as EC2 told it"
	if quota == 0 {
		quota, why = min(max(s.Header.Guard.FleetMax, 1), 100000), "the guard's fleet_max: the account's quota is not known"
	}
	t.set("max_instances", quota, "%s", why)
	b := s.Boot
	switch high := max(b.P99, b.P50); {
	case b.P50 <= 0:
		t.say("boot = { model = \"fixed\", value = %s } # nothing was known of boot lags", scenarios.Literal(s.Header.BootGuess))
	case high == b.P50:
		t.say("boot = { model = \"fixed\", value = %s } # of %d boots", scenarios.Literal(b.P50), b.Samples)
	default:
		if b.Samples < 20 { // of a few boots the 99th percentile is a guess
			high = min(high, b.P50*5/2)
		}
		t.say("boot = { model = \"lognormal\", median = %s, p99 = %s, max = %s } # of %d boots", scenarios.Literal(b.P50), scenarios.Literal(high), scenarios.Literal(high*5/4), b.Samples)
	}
	n := 0
	for _, x := range s.Standing {
		n += x.Count
	}
	if n > 0 {
		t.say("\n# The fleet at the start: %d instances.", n)
	}
	for _, x := range s.Standing {
		t.say("[[cloud.standing]]")
		t.set("type", x.Type, "")
		if x.Market == policy.Spot {
			t.set("market", x.Market.String(), "")
		}
		t.set("count", x.Count, "")
		t.set("age", x.Age, "")
		if x.ReadyIn > 0 {
			t.set("ready_in", x.ReadyIn, "it was booting")
		}
		t.say("")
	}
	if s.Spot {
		t.say("[cloud.spot]                       # prices are drawn: those of that time are not in the journal\ndiscount = 0.35")
	}
}

// limits writes the guard and the budgets.
func (s *Story) limits(t *text) {
	g := &s.Header.Guard
	if g.LaunchMax != policy.Unlimited {
		t.say("\n[guard]")
		t.set("launch_max", g.LaunchMax, "")
		t.set("in_flight_max", g.InFlightMax, "")
		t.set("fleet_max", g.FleetMax, "")
		t.set("cores_max", g.CoresMax, "")
		t.set("hour_max_usd", g.HourMax.Dollars(), "")
		t.set("day_max_usd", g.DayMax.Dollars(), "")
		t.set("month_max_usd", g.MonthMax.Dollars(), "")
		t.set("drain_max", g.DrainMax, "")
		t.set("stale_after", g.StaleAfter, "")
		t.set("breaker_boots", g.BreakerBoots, "")
		t.set("breaker_stall", g.BreakerStall, "")
		if g.BeyondBounds {
			t.set("beyond_bounds", true, "")
		}
	}
	if s.BudgetHour > 0 || s.BudgetDay > 0 || s.BudgetMonth > 0 {
		t.say("\n[budget]")
		for _, x := range []struct {
			key string
			usd policy.MicroUSD
		}{{"hour_usd", s.BudgetHour}, {"day_usd", s.BudgetDay}, {"month_usd", s.BudgetMonth}} {
			if x.usd > 0 {
				t.set(x.key, x.usd.Dollars(), "")
			}
		}
	}
}

// fault writes a fault.
func (s *Story) fault(t *text, f *Fault) {
	t.say("\n# %s to %s: %s.", at(s.Start.Add(f.From)), at(s.Start.Add(f.To)), f.Why)
	t.say("[[fault]]")
	t.set("kind", f.Kind, "")
	t.set("from", f.From, "")
	t.set("to", f.To, "")
	for _, x := range []struct {
		key  string
		list []string
	}{{"types", f.Types}, {"zones", f.Zones}, {"signals", f.Signals}} {
		if len(x.list) > 0 {
			t.set(x.key, x.list, "")
		}
	}
	if f.Probability > 0 {
		t.set("probability", f.Probability, "")
	}
	if f.Factor > 0 {
		t.set("factor", f.Factor, "")
	}
}

// readme writes README.md.
func (s *Story) readme(w io.Writer, jobs *Jobs, meta traces.Meta, tool string) error {
	t := &text{}
	m := &s.Measured
	t.say("# Fleet %s, %s to %s\n", orNone(s.Header.Fleet), at(s.From), at(s.To))
	t.say("Made by %s of the controller's journal and the queue's history. `skynet simulate %s` runs it.\n", tool, ScenarioFile)
	t.say("| | |\n|---|---|")
	t.say("| begins | %s; what follows %s is judged |", at(s.Start), at(s.From))
	t.say("| policy | %s, with the state it had |", s.Header.Policy.Label)
	t.say("| jobs | %d; %d waited and %d ran at the start |", meta.Jobs, jobs.Pending, jobs.Running)
	t.say("| decisions | %d judged; %d instances launched, %d refused |", m.Decisions, m.Launched, m.Refused)
	t.say("| measured | $ %.2f, slack %.3f |", m.CostUSD, m.Slack)
	t.say("\n## Faults\n")
	for i := range s.Faults {
		f := &s.Faults[i]
		t.say("- %s from %s to %s%s: %s.", f.Kind, at(s.Start.Add(f.From)), at(s.Start.Add(f.To)), of(f), f.Why)
	}
	if len(s.Faults) == 0 {
		t.say("None was journaled.")
	}
	t.say("\n## What a simulation of it does not show\n")
	for _, note := range s.AllNotes(jobs) {
		t.say("- %s.", note)
	}
	t.say("\nOf faults the journal tells what the controller saw, at its decisions: a fault begins and ends at one. How a reply")
	t.say("was lost, or that a signal read zero, it cannot tell from what was so. Which instances a fault hits, and how long")
	t.say("each boot takes, is drawn anew from `seed`.")
	_, err := w.Write(t.Bytes())
	return err
}

// of says which types and zones a fault concerns.
func of(f *Fault) string {
	if all := append(append([]string(nil), f.Types...), f.Zones...); len(all) > 0 {
		return " (" + strings.Join(all, ", ") + ")"
	}
	return ""
}

// jobNotes says what of the jobs a simulation does not show.
func (s *Story) jobNotes(jobs *Jobs) []string {
	notes := append([]string(nil), jobs.Used...)
	if jobs.NotDone > 0 {
		notes = append(notes, fmt.Sprintf("%d jobs that were cancelled or failed for good are left out", jobs.NotDone))
	}
	if n := s.Measured.Pending + s.Measured.Running; n > 0 {
		notes = append(notes, fmt.Sprintf("at the last decision %d jobs waited or ran: those that were not done when the history was read are not in the trace", n))
	}
	return notes
}

// AllNotes returns everything that a simulation of the story does not show.
func (s *Story) AllNotes(jobs *Jobs) []string {
	return append(append([]string(nil), s.Notes...), s.jobNotes(jobs)...)
}
