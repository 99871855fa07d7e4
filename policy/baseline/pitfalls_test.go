package baseline

import (
	"maps"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// A pitfall is a mistake that a rival is known for, and what repairs it: the same
// minutes, with the instances that each ends with, or asks for.
type pitfall struct {
	name            string
	spec            *policy.Spec
	both            map[string]any // parameters of the two
	known, repaired map[string]any
	run             func(w *world) int
	wantKnown, want int
}

func pitfalls() []pitfall {
	type p = map[string]any
	// so many jobs wait for so many minutes while instances boot for boot
	waiting := func(minutes, boot, jobs int) func(w *world) int {
		return func(w *world) int {
			w.boot = boot
			return w.minutes(minutes, jobs, 0)
		}
	}
	// the queue says 400, and that it said so is long ago
	stale := func(w *world) int {
		w.minutes(3, 20, 0)
		w.blindQueue = true
		w.bench.o.Queue.Kinds[0].Pending.Jobs = 400
		return w.minutes(1, 0, 0)
	}
	blindFleet := func(w *world) int {
		w.minutes(10, 0, 30)
		before := len(w.bench.o.Fleet.Instances)
		w.blindFleet = true
		return w.minutes(1, 0, 30) - before
	}
	return []pitfall{
		{
			"a busy fleet without a backlog is scaled in", &ASGTargetTracking,
			p{"latency": "10s"},
			nil,
			p{"metric": "backlog+running"},
			func(w *world) int {
				w.minutes(20, 40, 0)
				return w.minutes(60, 0, 40)
			}, 1, 10,
		},
		// by hand: 120 jobs at 12 an instance, and at 6: they take 20 s and not 10
		{"a processing time that somebody measured once", &ASGTargetTracking, nil, nil, p{"processing": "measured"}, waiting(20, 2, 120), 10, 20},
		{
			"an outage that reports 0 scales the fleet in", &HPA, nil,
			p{"unreadable": "zero"},
			nil,
			func(w *world) int {
				w.minutes(10, 0, 40)
				w.blindQueue = true
				return w.minutes(10, 0, 40)
			}, 1, 10,
		},
		{"Jobs that could not be listed are created again", &KedaScaledJob, p{"target": 1.0}, nil, p{"unreadable": "hold"}, blindFleet, 8, 0},
		{"default starves what waits while as much runs", &KedaScaledJob, p{"queue": "waiting"}, nil, p{"strategy": "accurate"}, func(w *world) int {
			w.minutes(3, 40, 0)
			return w.minutes(1, 40, 40)
		}, 10, 20},
		{"eager asks for what is pending again", &KedaScaledJob, p{"queue": "waiting"}, p{"strategy": "eager"}, p{"strategy": "accurate"}, waiting(3, 5, 40), 30, 10},
		{"a boost with boots slower than the poll is a ratchet", &Buildkite, nil, p{"boost": "on"}, nil, waiting(11, 20, 4), 11, 1},
		{"metrics are believed as last read", &Buildkite, nil, nil, p{"unreadable": "hold"}, stale, 100, 5},
		{"a listener that is stuck goes on with what it had", &ARC, p{"min_runners": 0}, nil, p{"unreadable": "hold"}, stale, 100, 5},
		{"nodes that boot for longer than the cooldown are added again", &Escalator, nil, nil, p{"booting": "counted"}, func(w *world) int {
			w.minutes(10, 0, 2)
			w.boot = 9 // 44 jobs for one node of 4: 15 more, every other minute
			return w.minutes(9, 40, 4)
		}, 76, 16},
		{"a size that persists climbs while EC2 refuses", &Escalator, nil, nil, p{"booting": "counted"}, func(w *world) int {
			w.minutes(10, 0, 2)
			w.refused = true
			w.minutes(30, 40, 4)
			return w.asked
		}, 99, 15},
		{"a buffer alone never launches", &Drone, p{"buffer": 4}, nil, p{"buffer_counts": "always"}, func(w *world) int {
			w.minutes(5, 4, 0)
			return w.minutes(5, 0, 4)
		}, 1, 2},
		{"agents that boot are forgotten", &Woodpecker, nil, nil, p{"in_flight": "counted"}, waiting(3, 5, 40), 30, 10},
		{"in preemptive mode what waits does not count", &GitLab, nil, p{"pending": "waits"}, nil, waiting(10, 2, 40), 1, 11},
		{"a query that fails launches the group again", &Jitsi, p{"min": 10, "max": 30}, nil, p{"unreadable": "hold"}, blindFleet, 10, 0},
		// 1, 100, and 250 by max: #413
		{"a raw queue compounds", &NomadTargetValue, p{"target_jobs": 0.25, "max": 250}, p{"metric": "queue"}, p{"metric": "queue-per-instance"}, waiting(12, 30, 100), 250, 100},
		{"a pool that keeps up is halved", &AzureBatch, nil, nil, p{"count": "waiting+running"}, func(w *world) int {
			w.minutes(16, 40, 0)
			return w.minutes(46, 0, 40)
		}, 1, 10},
	}
}

// Every mistake shows, and its option repairs it.
func TestPitfalls(t *testing.T) {
	for _, c := range pitfalls() {
		t.Run(c.spec.Name+" "+c.name, func(t *testing.T) {
			for _, of := range []struct {
				raw  map[string]any
				want int
			}{{c.known, c.wantKnown}, {c.repaired, c.want}} {
				raw := maps.Clone(c.both)
				if raw == nil {
					raw = map[string]any{}
				}
				maps.Copy(raw, of.raw)
				if got := c.run(newWorld(t, c.spec, raw)); got != of.want {
					t.Errorf("%v: %d instances, want %d", raw, got, of.want)
				}
			}
		})
	}
}

// Without an instance there is no metric: a group at zero stays there, however
// much waits, unless it is told to start.
func TestZeroStays(t *testing.T) {
	for _, c := range []struct {
		spec   *policy.Spec
		starts string
	}{
		{&ASGTargetTracking, fromZeroStarts},
		{&ASGStep, fromZeroStarts},
		{&ASGSimple, fromZeroStarts},
		{&ASGPredictive, fromZeroStarts},
		{&ASGWarmPool, fromZeroStarts},
		{&CFRule, fromZeroStarts},
		{&Jitsi, fromZeroStarts},
		{&HPA, "keda"},
	} {
		raw := map[string]any{"min": 0}
		if c.spec == &ASGWarmPool {
			raw["pool_min"] = 0
		}
		if n := newWorld(t, c.spec, raw).minutes(60, 40, 0); n != 0 {
			t.Errorf("%s: %d instances, want none", c.spec.Name, n)
		}
		raw["from_zero"] = c.starts
		if n := newWorld(t, c.spec, raw).minutes(60, 40, 4); n == 0 {
			t.Errorf("%s, from_zero = %s: no instance", c.spec.Name, c.starts)
		}
	}
}

// What a metric was before it was missing does not count towards an alarm.
func TestMissingDataEndsAnAlarm(t *testing.T) {
	for _, c := range []struct {
		spec   *policy.Spec
		raw    map[string]any
		blinds func(w *world, blind bool)
	}{
		{&ASGTargetTracking, nil, func(w *world, blind bool) { w.blindQueue = blind }},
		{&ASGStep, nil, func(w *world, blind bool) { w.blindFleet = blind }},
		{&ASGSimple, nil, func(w *world, blind bool) { w.blindFleet = blind }},
		{&Jitsi, map[string]any{"unreadable": "hold", "up_periods": 3}, func(w *world, blind bool) { w.blindFleet = blind }},
	} {
		w := newWorld(t, c.spec, c.raw)
		w.minutes(20, 0, 2) // between the thresholds
		quiet := w.minutes(2, 400, 40)
		c.blinds(w, true)
		w.minutes(10, 400, 40)
		c.blinds(w, false)
		if n := w.minutes(2, 400, 40); n != quiet {
			t.Errorf("%s: %d instances two minutes after a gap, want %d still", c.spec.Name, n, quiet)
		}
		if n := w.minutes(1, 400, 40); n <= quiet {
			t.Errorf("%s: %d instances after three minutes of data, want more", c.spec.Name, n)
		}
	}
}

// KEDA: any job wakes it from zero, and it sleeps cooldown after the last; the
// Horizontal Pod Autoscaler below it keeps one replica at least.
func TestKEDAFromZero(t *testing.T) {
	w := newWorld(t, &HPA, map[string]any{"min": 0, "from_zero": "keda", "cooldown": "10m"})
	if n := w.minutes(1, 1, 0); n != 1 {
		t.Errorf("%d instances for one job, want 1", n)
	}
	w.minutes(10, 0, 12)
	if n := w.minutes(10, 0, 0); n != 1 {
		t.Errorf("%d instances 10 minutes after the last job, want the least replica", n)
	}
	if n := w.minutes(1, 0, 0); n != 0 {
		t.Errorf("%d instances 11 minutes after the last job, want none", n)
	}
	w = newWorld(t, &HPA, map[string]any{"min": 2, "from_zero": "keda", "cooldown": "0s", "down_window": "30m"})
	w.minutes(10, 0, 40)
	if n := w.minutes(20, 0, 0); n != 10 {
		t.Errorf("%d instances within the down window, want 10: with a minimum nothing is put to sleep", n)
	}
}

// lose makes the first instances silent.
func (w *world) lose(n int) {
	for i := range n {
		in := &w.bench.o.Fleet.Instances[i]
		in.Phase, in.Busy = policy.Lost, 0
	}
}

// More than 3 and more than 45 % of the nodes not ready stop everything.
func TestCAHalts(t *testing.T) {
	for _, c := range []struct {
		lost  int
		halts bool
	}{{3, false}, {4, false}, {5, true}} { // of 10
		w := newWorld(t, &ClusterAutoscaler, nil)
		w.minutes(5, 40, 0)
		w.lose(c.lost)
		before := len(w.fleet)
		if n := w.minutes(1, 200, 0); (n == before) != c.halts {
			t.Errorf("%d of %d nodes are not ready: %d after 200 pods more; want it to halt: %v", c.lost, before, n, c.halts)
		}
	}
}

// Empty nodes go when they have been unneeded for 10 minutes, none within 10 of an
// addition, and 10 of them in each of its periods of 10 s.
func TestCARemoves(t *testing.T) {
	for _, c := range []struct {
		period string
		want   int
	}{{"10s", 40}, {"1m", 90}} {
		w := newWorld(t, &ClusterAutoscaler, map[string]any{"period": c.period})
		if n := w.minutes(1, 400, 0); n != 100 {
			t.Fatalf("%d nodes for 400 pods, want 100", n)
		}
		if n := w.minutes(11, 0, 0); n != 100 { // they have been ready for 9 minutes
			t.Errorf("period %s: %d nodes after 10 minutes without a pod, want 100", c.period, n)
		}
		if n := w.minutes(1, 0, 0); n != c.want {
			t.Errorf("period %s: %d nodes a minute later, want %d", c.period, n, c.want)
		}
	}
}

// A tenth of the nodes, rounded up, is consolidated at once, and none before the
// room has been there for consolidate_after.
func TestKarpenterConsolidates(t *testing.T) {
	w := newWorld(t, &Karpenter, map[string]any{"consolidate_after": "5m"})
	w.minutes(3, 100, 0)
	if n := w.minutes(5, 0, 10); n != 25 {
		t.Errorf("%d nodes five minutes after the pods ended, want 25", n)
	}
	for i, want := range []int{22, 19, 17, 15, 13} {
		if n := w.minutes(1, 0, 10); n != want {
			t.Errorf("step %d: %d nodes, want %d", i, n, want)
		}
	}
	if n := w.minutes(30, 0, 10); n != 3 {
		t.Errorf("%d nodes for 10 pods in the end, want 3", n)
	}
}

// More than two instances lost since its last run keep Clusterman from scaling
// down at that run, and no longer.
func TestClustermanLost(t *testing.T) {
	for _, c := range []struct{ lost, then int }{{2, 3}, {3, 10}} {
		w := newWorld(t, &Clusterman, map[string]any{"weight_step": 1000})
		w.minutes(11, 0, 28)
		if n := len(w.bench.o.Fleet.Instances); n != 10 {
			t.Fatalf("%d instances for 28 of 40 slots, want 10", n)
		}
		w.minutes(4, 0, 28)
		w.lose(c.lost)
		if n := w.minutes(1, 0, 8); n != c.then {
			t.Errorf("%d lost: %d instances at that run, want %d", c.lost, n, c.then)
		}
	}
}

// Drone releases down to min of all, and nothing while fewer than that run.
func TestDroneLeave(t *testing.T) {
	for _, c := range []struct{ servers, running, excess, least, want int }{
		{10, 10, 4, 0, 4},
		{10, 10, 4, 8, 2},
		{10, 10, 20, 2, 8},
		{10, 4, 6, 0, 0}, // six still boot
		{10, 6, 6, 0, 6},
		{2, 2, 1, 2, 0},
	} {
		if got := droneLeave(c.servers, c.running, c.excess, c.least); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
	}
}

// Servers leave from 55 minutes on, the newest of those first.
func TestDroneMinAge(t *testing.T) {
	w := newWorld(t, &Drone, map[string]any{"victims": "idle"})
	w.minutes(5, 40, 0)
	if n := w.minutes(50, 0, 0); n != 10 {
		t.Errorf("%d servers before they are 55 minutes old, want 10", n)
	}
	if n := w.minutes(1, 0, 4); n != 1 {
		t.Errorf("%d servers after it, want the busy one", n)
	}
}

// Jitsi moves by its quantity when all of its periods say so, and then not before
// its grace is over.
func TestJitsiGrace(t *testing.T) {
	w := newWorld(t, &Jitsi, map[string]any{"up_quantity": 3, "grace": "6m"})
	if n := w.minutes(6, 0, 4); n != 1 {
		t.Errorf("%d instances, want 1: the first launch began a grace of 6 minutes", n)
	}
	for minute, want := range []int{4, 4, 4, 4, 4, 4, 7} {
		if n := w.minutes(1, 0, 40); n != want {
			t.Errorf("minute %d: %d instances, want %d", minute, n, want)
		}
	}
}

// With min = 8 that still boot, or of which some are tainted, Escalator reports an
// error or takes back, and asks for none twice.
func TestEscalatorBelowMin(t *testing.T) {
	w := newWorld(t, &Escalator, map[string]any{"min": 8})
	w.boot = 6
	if n := w.minutes(6, 40, 0); n != 8 {
		t.Errorf("%d nodes while 8 boot, want 8: fewer than min is an error, and not a reason to add", n)
	}
	w.boot = 0
	w.minutes(2, 0, 28) // all are used
	for i := range 2 {
		w.bench.o.Fleet.Instances[i].Phase = policy.Draining
	}
	w.begin(0, 16)
	if d := w.bench.policy.Step(&w.bench.o); len(d.Undrains) != 2 || len(d.Launches) > 0 {
		t.Errorf("with 6 of 8 untainted: takes back %v and launches %v, want 2 and none", d.Undrains, d.Launches)
	}
}

// GitLab: no more than max_growth instances in a period, and none leaves before it
// was idle for idle_time.
func TestGitLabGrowthAndIdleTime(t *testing.T) {
	w := newWorld(t, &GitLab, map[string]any{"max_growth": 3, "idle_count": 0, "idle_time": "15m"})
	for minute, want := range []int{3, 6, 9, 10, 10} {
		if n := w.minutes(1, 40, 0); n != want {
			t.Errorf("minute %d: %d instances, want %d", minute, n, want)
		}
	}
	w.minutes(1, 0, 0)
	if n := w.minutes(9, 0, 0); n != 10 {
		t.Errorf("%d instances before 15 minutes idle, want 10", n)
	}
	if n := w.minutes(6, 0, 0); n != 0 {
		t.Errorf("%d instances after, want none", n)
	}
}

// Of 2008: no reading is a reading of zero, no call is larger than 250, and what
// boots is asked for again.
func TestNaive2008(t *testing.T) {
	spec := &Naive2008
	b := newBench(t, spec, nil)
	b.o.Now = b.o.Now.Add(time.Minute)
	b.o.Queue.Kinds[0].Pending = policy.Flow{Jobs: 10, Work: 900} // 30 cores of work for 30 s
	launched := func() int {
		d := b.policy.Step(&b.o)
		if len(d.Launches) == 0 {
			return 0
		}
		return d.Launches[0].Count
	}
	if n := launched(); n != 10 { // 30 ÷ 0.75 = 40 cores
		t.Errorf("launches %d instances of 4 cores, want 10", n)
	}
	for id := range policy.InstanceID(10) {
		b.o.Fleet.Instances = append(b.o.Fleet.Instances, policy.Instance{ID: id, Phase: policy.Booting, Slots: 4})
	}
	if n := launched(); n != 10 {
		t.Errorf("launches %d instances while 10 boot, want another 10", n)
	}
	b.o.Queue.Kinds[0].Pending.Work = 1e9
	if n := launched(); n != 250 {
		t.Errorf("launches %d instances in one call, want 250", n)
	}
	b.o.Queue.Kinds = nil
	for i := range b.o.Fleet.Instances {
		b.o.Fleet.Instances[i].Phase = policy.Ready
	}
	if d := b.policy.Step(&b.o); len(d.Drains) != 10 {
		t.Errorf("drains %v with a queue that could not be read, want all 10", d.Drains)
	}
}
