package skynet

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/skynet-ec2/skynet/policy"
)

// TestStories plays the scripts in testdata/story. `go test -rewrite` rewrites
// what a script expects; read the difference before you believe it.
//
//	world    starts a world: billing, boot, tick; then lines "class …"
//	load     what arrives from now on: type, priority, mean (core-seconds), per_minute,
//	         and swing: so much more and less of it in turn, five minutes each
//	jobs     jobs that wait now: type, priority, n, age
//	fleet    instances that exist now: n, type, age, busy, phase, taken: EC2 takes it back in so long
//	refuse   what EC2 says to launches of a type: why; ok: sells again
//	set      what is wrong or allowed: queue=blind|zero|ok, quota, fast
//	history  the last 24 hours: slots ready on average, and the slack of them
//	step     one step, shown whole and not applied
//	reserve  the load expected and planned for of each urgent line and those before it
//	play     ticks minutes, one line for each decision that changes something
func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata/story", func(t *testing.T, path string) {
		var w *world
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "world" {
				w = storyWorld(t, d)
				return "ok"
			}
			return w.command(t, d)
		})
	})
}

// storyWorld reads "world billing=hourly boot=2m key=value…" with one class a
// line: name target=30s on=wait attain=0.99 [priority=0] [type=photo].
func storyWorld(t *testing.T, d *datadriven.TestData) *world {
	var classes []policy.Class
	for _, text := range strings.Split(d.Input, "\n") {
		fields := strings.Fields(text)
		if len(fields) == 0 {
			continue
		}
		c := policy.Class{Name: fields[0], Priority: -1, On: policy.Wait, Attain: 0.95}
		for _, f := range fields[1:] {
			key, value, _ := strings.Cut(f, "=")
			switch key {
			case "target":
				c.Target = mustDuration(t, value)
			case "on":
				if err := c.On.UnmarshalText([]byte(value)); err != nil {
					d.Fatalf(t, "%v", err)
				}
			case "attain":
				c.Attain = mustFloat(t, value)
			case "priority":
				c.Priority = int(mustFloat(t, value))
			case "type":
				c.Types = strings.Split(value, ",")
			default:
				d.Fatalf(t, "unknown key %q", key)
			}
		}
		classes = append(classes, c)
	}
	billing, raw := policy.Hourly, map[string]any{}
	boot := 2 * time.Minute
	for _, arg := range d.CmdArgs {
		switch arg.Key {
		case "billing":
			billing, _ = policy.BillingByName(arg.Vals[0])
		case "boot":
			boot = mustDuration(t, arg.Vals[0])
		default:
			raw[arg.Key] = paramValue(t, arg.Key, arg.Vals)
		}
	}
	w := newWorld(billing, classes)
	w.boot = boot
	v, problems := Spec.Check(raw)
	if len(problems) > 0 {
		d.Fatalf(t, "%v", problems)
	}
	if err := w.start(v); err != nil {
		d.Fatalf(t, "%v", err)
	}
	return w
}

func paramValue(t *testing.T, key string, vals []string) any {
	p := Spec.Param(key)
	if p == nil {
		t.Fatalf("unknown parameter %q", key)
	}
	switch p.Kind {
	case policy.Number, policy.Integer:
		return mustFloat(t, vals[0])
	case policy.TypeList:
		return vals
	}
	return vals[0]
}

func (w *world) command(t *testing.T, d *datadriven.TestData) string {
	args := map[string]string{}
	for _, a := range d.CmdArgs {
		args[a.Key] = strings.Join(a.Vals, ",")
	}
	number := func(key string, otherwise float64) float64 {
		if s, ok := args[key]; ok {
			return mustFloat(t, s)
		}
		return otherwise
	}
	age := time.Duration(0)
	if s, ok := args["age"]; ok {
		age = mustDuration(t, s)
	}
	switch d.Cmd {
	case "load":
		k := w.kind(args["type"], int(number("priority", 0)))
		k.mean = number("mean", k.mean)
		k.perMinute = number("per_minute", k.perMinute)
		k.known = int64(number("known", float64(k.known)))
		k.swing = number("swing", k.swing)
		return "ok"
	case "jobs":
		k := w.kind(args["type"], int(number("priority", 0)))
		k.waiting = append(k.waiting, cohort{w.o.Now.Add(-age), number("n", 0)})
		return "ok"
	case "fleet":
		return w.fleetCommand(t, d, args, age)
	case "refuse":
		typ := w.env.Catalog.Index(args["type"])
		w.refuse[typ] = strings.TrimSuffix(args["why"], "ok")
		return "ok"
	case "set":
		w.blind, w.zeroed = args["queue"] == "blind", args["queue"] == "zero"
		w.o.EC2.Quota = int(number("quota", float64(w.o.EC2.Quota)))
		_, w.o.FastTicks = args["fast"]
		return "ok"
	case "history":
		ready := number("slots", 0) * 86400
		w.o.History.Reading = policy.Reading{At: w.o.Now, Complete: true}
		w.o.History.SlackOver, w.o.History.Slack24h = 24*time.Hour, number("slack", 0)
		w.o.History.ReadySlotSeconds, w.o.History.BusySlotSeconds = ready, ready*(1-number("slack", 0))
		return "ok"
	case "step":
		return w.show(w.policy.Step(w.observe()), true)
	case "reserve":
		return w.reserves()
	case "play":
		return w.play(int(number("ticks", 1)), args)
	}
	d.Fatalf(t, "unknown command %q", d.Cmd)
	return ""
}

func (w *world) fleetCommand(t *testing.T, d *datadriven.TestData, args map[string]string, age time.Duration) string {
	if _, ok := args["gone"]; ok {
		w.o.Fleet.Instances = nil
		return "ok"
	}
	typ := 4
	if s, ok := args["type"]; ok {
		typ = w.env.Catalog.Index(s)
	}
	phase := policy.Ready
	if s, ok := args["phase"]; ok {
		if err := phase.UnmarshalText([]byte(s)); err != nil {
			d.Fatalf(t, "%v", err)
		}
	}
	for range int(mustFloat(t, args["n"])) {
		w.add(typ, w.o.Now.Add(-age), phase)
		in := &w.o.Fleet.Instances[len(w.o.Fleet.Instances)-1]
		if s, ok := args["busy"]; ok {
			in.Busy = int(mustFloat(t, s))
			in.IdleIn = 20 * time.Second
		}
		if s, ok := args["taken"]; ok {
			in.InterruptAt = w.o.Now.Add(mustDuration(t, s))
		}
		if s, ok := args["seen"]; ok {
			in.LastSeen = w.o.Now.Add(-mustDuration(t, s))
		}
	}
	return "ok"
}

// reserves shows the last step's forecast of each urgent line.
func (w *world) reserves() string {
	var b strings.Builder
	p, level := w.policy, 0.0
	for j := range p.lines {
		if !p.lines[j].urgent {
			continue
		}
		level += p.st.Lines[j].Head
		mean := level * p.forecast.ratio
		fmt.Fprintf(&b, "up to priority %d: %.1f slots expected, %.1f planned for (%.2f×)\n",
			p.lines[j].priority, mean, p.forecast.reserves[j].plannedLoad(mean), p.forecast.reserves[j].plannedLoad(mean)/mean)
	}
	return b.String()
}

// play steps and applies for a number of minutes and shows what changed
// something, and at the end the fleet.
func (w *world) play(ticks int, args map[string]string) string {
	_, quiet := args["quiet"]
	_, terse := args["terse"]
	var b strings.Builder
	for range ticks {
		d := w.policy.Step(w.observe())
		if !quiet && !d.IsZero() {
			text := w.show(d, !terse)
			fmt.Fprintf(&b, "%s %s\n", w.clock(), strings.ReplaceAll(text, "\n", "\n      "))
		}
		w.apply(d)
		w.pass()
	}
	w.observe()
	fmt.Fprintf(&b, "%s %s", w.clock(), w.fleetLine())
	return b.String()
}

func (w *world) clock() string {
	since := w.o.Now.Sub(monday)
	return fmt.Sprintf("%02d:%02d", int(since.Hours()), int(since.Minutes())%60)
}

func (w *world) fleetLine() string {
	var counts [5]int
	for _, in := range w.o.Fleet.Instances {
		counts[in.Phase]++
	}
	waiting := 0.0
	for i := range w.kinds {
		for _, c := range w.kinds[i].waiting {
			waiting += c.jobs
		}
	}
	return fmt.Sprintf("%d ready (%d of %d slots busy), %d booting, %d draining, %.0f jobs wait",
		counts[policy.Ready], w.o.Fleet.BusySlots, w.o.Fleet.ReadySlots, counts[policy.Booting], counts[policy.Draining], waiting)
}

// show writes a decision, with its reasons where asked.
func (w *world) show(d policy.Decision, why bool) string {
	var parts []string
	for _, l := range d.Launches {
		s := fmt.Sprintf("launch %d×%s", l.Count, w.env.Catalog.Types[l.Type].Name)
		for _, e := range l.Else {
			s += fmt.Sprintf(", else %d/%d %s", e.Num, e.Den, w.env.Catalog.Types[e.Type].Name)
		}
		parts = append(parts, s)
	}
	if len(d.Drains) > 0 {
		parts = append(parts, "drain "+ids(d.Drains))
	}
	if len(d.Undrains) > 0 {
		parts = append(parts, "undrain "+ids(d.Undrains))
	}
	if d.NextTick > 0 {
		parts = append(parts, fmt.Sprintf("next tick in %v", d.NextTick))
	}
	if len(parts) == 0 {
		parts = append(parts, "sleep")
	}
	var b strings.Builder
	b.WriteString(strings.Join(parts, "; "))
	if why {
		for i := range d.Because {
			b.WriteString("\n  " + d.Because[i].String())
		}
	}
	return b.String()
}

func ids(list []policy.InstanceID) string {
	var s []string
	for _, id := range list {
		s = append(s, "#"+strconv.Itoa(int(id)))
	}
	return strings.Join(s, " ")
}

func mustFloat(t *testing.T, s string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func mustDuration(t *testing.T, s string) time.Duration {
	t.Helper()
	x, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return x
}
