package scenarios

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
)

// expecting returns a scenario of a day, which starts on a Tuesday at midnight
// on its users' clock, with these [[expect]] tables.
func expecting(t *testing.T, tables string) (*Scenario, error) {
	t.Helper()
	return read("day.toml", []byte(`start = 2008-06-03T07:00:00Z
utc_offset = "-7h"
duration = "24h"
[generate]
model = "photo-site"
[[class]]
name = "all"
target = "1m"
attain = 0.5
`+tables), Replace{})
}

// history is a day at ten-minute ticks, in which instances are launched at 10:00,
// 10:10 and 20:00 and one ends at 21:00.
func history() *sim.Result {
	catalog := policy.EC2in2008()
	r := &sim.Result{Config: &sim.Config{
		Start: time.Date(2008, 6, 3, 7, 0, 0, 0, time.UTC), UTCOffset: -7 * time.Hour, Catalog: catalog,
	}}
	launched := map[time.Duration][]policy.Launch{
		10 * time.Hour:                {{Type: 0, Count: 2}, {Type: 4, Count: 1}},
		10*time.Hour + 10*time.Minute: {{Type: 4, Count: 4}},
		20 * time.Hour:                {{Type: 1, Count: 1}},
	}
	alive := 0
	for at := time.Duration(0); at < 24*time.Hour; at += 10 * time.Minute {
		row := sim.TickRow{At: at, Instances: alive, Ready: 8 * alive, Pending: int64(at / time.Hour)}
		d := policy.Decision{Launches: launched[at]}
		if row.Launches = d.Instances(); row.Launches > 0 {
			r.Decisions = append(r.Decisions, sim.DecisionRow{At: at, Decision: d})
			for _, l := range d.Launches {
				for range l.Count {
					r.Launched = append(r.Launched, sim.LaunchedRow{At: at, Type: l.Type})
				}
			}
			alive += row.Launches
		}
		r.Ticks = append(r.Ticks, row)
	}
	r.Ended = []sim.EndedRow{{At: 21*time.Hour + time.Second, Type: 1}}
	return r
}

func TestExpectations(t *testing.T) {
	for _, x := range []struct {
		table string
		got   string
		kept  bool
	}{
		{`what = "launches", min = 8`, "8", true},
		{`what = "launches", min = 9`, "8", false},
		{`what = "launches", by = "Tue 10:10", min = 7`, "7", true},
		{`what = "launches", by = "10h9m", min = 7`, "3", false},
		{`what = "launches", to = "Tue 10:10", max = 3`, "3", true}, // the end is left out
		{`what = "launches", from = "Tue 10:10", to = "20h", min = 4, max = 4`, "4", true},
		{`what = "launches", type = "c1.xlarge", min = 5, max = 5`, "5", true},
		{`what = "launches", type = ["m1.small", "m1.large"], from = "11h", max = 1`, "1", true},
		{`what = "terminations", from = "20h", by = "21h", max = 0`, "0", true},
		{`what = "terminations", from = "20h", max = 0`, "1", false},
		{`what = "terminations", type = "m1.large", min = 1`, "1", true},
		{`what = "terminations", type = "m1.small", max = 0`, "0", true},
		{`what = "drains", max = 0`, "0", true},
		{`what = "ready", from = "11h", to = "20h", min = 56`, "56", true}, // at every tick
		{`what = "ready", from = "10h", to = "20h", min = 56`, "0", false},
		{`what = "ready", by = "10h10m", min = 24`, "24", true}, // at some tick
		{`what = "ready", by = "10h10m", min = 25`, "24", false},
		{`what = "instances", max = 7`, "8", false},
		{`what = "instances", from = "Tue 12:00", to = "Tue 13:00", min = 7, max = 7`, "7", true},
		{`what = "pending", from = "20h", by = "22h", max = 20`, "20", true},
		{`what = "pending", from = "22h", by = "23h", max = 20`, "22", false},
		{`what = "ready", from = "23h55m", min = 1`, "no tick", false},
		{`what = "launches", from = "Mon 10:00", max = 0`, "no tick", false}, // the first Monday is after the run
	} {
		table := strings.NewReplacer(", min", "\nmin", ", max", "\nmax", ", by", "\nby", ", from", "\nfrom", ", to", "\nto", ", type", "\ntype").Replace(x.table)
		s, err := expecting(t, "[[expect]]\n"+table+"\n")
		if err != nil {
			t.Errorf("%s: %v", x.table, err)
			continue
		}
		list := s.JudgeRun(history())
		v := list[len(list)-1]
		if v.Got != x.got || v.Kept != x.kept || v.Kept != (v.Margin >= 0) {
			t.Errorf("%s: got %s, kept %t, margin %v; want %s, %t", x.table, v.Got, v.Kept, v.Margin, x.got, x.kept)
		}
		if v.Line == 0 {
			t.Errorf("%s: nobody knows where it stands", x.table)
		}
	}
}

// TestExpectationsNames: what results call an expectation without a name.
func TestExpectationsNames(t *testing.T) {
	s, err := expecting(t, `
[[expect]]
what = "launches"
type = "c1.xlarge"
from = "Tue 21:00"
by = "Tue 21:05"
min = 4

[[expect]]
name = "sleeps at night"
what = "ready"
max = 8
`)
	if err != nil {
		t.Fatal(err)
	}
	list := s.JudgeRun(history())
	for i, want := range []string{"launches of c1.xlarge from Tue 21:00 by Tue 21:05 ≥ 4, line 11", "sleeps at night ≤ 8, line 18"} {
		v := list[len(list)-2+i]
		if got := fmt.Sprintf("%s %s, line %d", v.Name, v.Want, v.Line); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	s.replaced = true
	if n := len(s.JudgeRun(history())); n != len(s.Judge(&history().Figures)) {
		t.Error("another trace is expected to be what this one was")
	}
}

func TestExpectationsMistakes(t *testing.T) {
	for table, want := range map[string]string{
		`what = "lanches"
		 min = 1`: `expect[1].what = "lanches": must be one of launches, drains, undrains, terminations, refused, clamped, instances, ready, booting, busy, draining, pending (did you mean "launches"?)`,
		`what = "ready"`: `expect[1]: neither min nor max: it expects nothing`,
		`what = "ready"
		 mni = 3`: `expect[1].mni: unknown key (did you mean "min"?)`,
		`min = 3`: `expect[1].what: missing: it must be given`,
		`what = "ready"
		 min = 3
		 max = 2`: `expect[1].min = 3.0: must be at most max (2.0)`,
		`what = "ready"
		 by = "2h"
		 to = "3h"
		 min = 3`: `expect[1].by: to is given as well: the time ends by one of them`,
		`what = "ready"
		 by = "2h"
		 min = 3
		 max = 4`: `expect[1].by: ready comes within one bound by a moment, min or max: to asks for both at every tick`,
		`what = "launches"
		 type = "c1.xlage"
		 min = 3`: `expect[1].type = "c1.xlage": must be a type of ec2-2008: m1.small, m1.large, m1.xlarge, c1.medium, c1.xlarge (did you mean "c1.xlarge"?)`,
		`what = "ready"
		 type = "c1.xlarge"
		 min = 3`: `expect[1].type: what = "ready" has no such key`,
		`what = "ready"
		 from = "25h"
		 min = 3`: `expect[1].from = "25h": must be within the run (24h)`,
		`what = "ready"
		 from = "3h"
		 to = "2h"
		 min = 3`: `expect[1].to = "2h": must be after from (3h)`,
		`what = "ready"
		 by = "Tu 21:05"
		 min = 3`: `expect[1].by = "Tu 21:05": must be a weekday and hour, such as "Wed 02:00", or a time since the trace's start, such as "30h"`,
		`what = "ready"
		 min = -1`: `expect[1].min = -1: must be a number from 0 to 1e15`,
	} {
		_, err := expecting(t, "[[expect]]\n"+table+"\n")
		var problems Problems
		if !errors.As(err, &problems) || len(problems) != 1 || !strings.HasSuffix(problems[0].Error(), want) || problems[0].Line == 0 {
			t.Errorf("%s\ngives %v\nwant %s", table, err, want)
		}
	}
}

// TestExpectationsTellNoWorlds: what is expected, and what is promised, changes
// no run.
func TestExpectationsTellNoWorlds(t *testing.T) {
	bare, err := expecting(t, "")
	if err != nil {
		t.Fatal(err)
	}
	expects, err := expecting(t, "[[expect]]\nwhat = \"ready\"\nmin = 1\n")
	if err != nil {
		t.Fatal(err)
	}
	promises, err := expecting(t, "[[promise]]\nmetric = \"cost_usd\"\nmax = 1.0\n")
	if err != nil {
		t.Fatal(err)
	}
	ticks, err := expecting(t, "[cloud]\nmax_instances = 7\n")
	if err != nil {
		t.Fatal(err)
	}
	if bare.Hash() != expects.Hash() || bare.WorldHash() != expects.WorldHash() {
		t.Error("an expectation makes another world")
	}
	if bare.Hash() == promises.Hash() || bare.WorldHash() != promises.WorldHash() {
		t.Error("a promise is part of the scenario, not of its world")
	}
	if bare.WorldHash() == ticks.WorldHash() {
		t.Error("another cloud is the same world")
	}
}
