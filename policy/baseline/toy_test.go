package baseline_test

import (
	"context"
	"io"
	"maps"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/baseline"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/traces"
)

// burst is a trace of jobs that all come at once.
type burst struct {
	jobs    int
	service time.Duration
}

func (b *burst) Next(batch *traces.Batch) error {
	if b.jobs == 0 {
		return io.EOF
	}
	*batch = traces.Batch{
		Arrival: make([]int64, b.jobs), Service: make([]int64, b.jobs),
		Kind: make([]uint16, b.jobs), Kinds: []traces.Kind{{Type: "photo"}},
	}
	for i := range batch.Service {
		batch.Service[i] = int64(b.service)
	}
	b.jobs = 0
	return nil
}
func (b *burst) Meta() traces.Meta { return traces.Meta{} }
func (b *burst) Close() error      { return nil }

// toy is the world of the experiment: one job an instance, boots of 5 minutes,
// at most 250 instances, an hour.
func toy() *sim.Config {
	return &sim.Config{
		Name: "toy", Start: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), Duration: time.Hour, Tick: time.Minute, Seed: 1,
		ReferenceSpeed: 1,
		Classes:        []policy.Class{{Name: "all", Priority: -1, Target: time.Minute}},
		Catalog: policy.Catalog{
			Name: "toy", Billing: policy.Hourly,
			Types: []policy.InstanceType{{Name: "one", Cores: 1, Slots: 1, Speed: 1, PerHour: policy.USD}},
		},
		Boot:         map[string]sim.BootModel{"": {Model: "fixed", Value: 5 * time.Minute}},
		MaxInstances: 250, Lease: 30 * time.Second, Beat: 10 * time.Second,
	}
}

// A burst of 100 jobs of a minute shows who counts what boots: rivals that do
// launch 100 instances, those that do not go on until the account is full, and
// a group that needs a metric never starts. The launches are those of the
// formulas typed out by hand, where the two differ the row says why.
func TestBurstWhileAllBoots(t *testing.T) {
	for _, c := range []struct {
		name     string
		params   map[string]any
		launches map[int]int // by minute
		doneAt   time.Duration
	}{
		{"woodpecker", map[string]any{"max": 250}, map[int]int{0: 100, 1: 100, 2: 50}, 6 * time.Minute},
		{"woodpecker", map[string]any{"in_flight": "counted"}, map[int]int{0: 100}, 6 * time.Minute},
		// 250 − running − pending; what boots is both
		{"keda-scaledjob", map[string]any{"max": 250, "strategy": "eager", "queue": "waiting"}, map[int]int{0: 100, 1: 50}, 6 * time.Minute},
		{"keda-scaledjob", map[string]any{"max": 250, "strategy": "accurate", "queue": "waiting"}, map[int]int{0: 100}, 6 * time.Minute},
		{"keda-scaledjob", map[string]any{"max": 250}, map[int]int{0: 100}, 6 * time.Minute},
		// from 0, and a cooldown that ends before the boots do: by the contract's
		// order the queue is empty at the tick at which they do
		{"nomad-target-value", map[string]any{"metric": "queue", "max": 250, "cooldown_on_scale_up": "4m"}, map[int]int{0: 100, 4: 150}, 6 * time.Minute},
		{"nomad-target-value", map[string]any{"metric": "queue-per-instance", "max": 250, "cooldown_on_scale_up": "4m"}, map[int]int{0: 100}, 6 * time.Minute},
		// an alarm of one period; its one instance of the start is launched first
		{"asg-target-tracking", map[string]any{"processing_time": "1m", "latency": "30s", "out_periods": 1, "warmup": "0s"}, map[int]int{0: 1, 5: 197}, 11 * time.Minute},
		{"asg-target-tracking", map[string]any{"min": 0}, map[int]int{}, 0},
		{"asg-step", map[string]any{"min": 0}, map[int]int{}, 0},
		{"jitsi", map[string]any{"min": 0}, map[int]int{}, 0},
		{"asg-target-tracking", map[string]any{"min": 0, "from_zero": "starts"}, map[int]int{0: 1, 7: 32}, 15 * time.Minute},
		// one activation, then twice the size or 4 more every 15 s
		{"hpa", map[string]any{"min": 0, "from_zero": "keda"}, map[int]int{0: 1, 1: 39, 2: 60}, 8 * time.Minute},
		{"drone", nil, map[int]int{0: 100}, 6 * time.Minute},
		{"buildkite", map[string]any{"scale_in": "cooldown"}, map[int]int{0: 100}, 6 * time.Minute},
		{"cluster-autoscaler", nil, map[int]int{0: 100}, 6 * time.Minute},
		{"karpenter", nil, map[int]int{0: 100}, 6 * time.Minute},
		{"arc", map[string]any{"min_runners": 0}, map[int]int{0: 100}, 6 * time.Minute},
		{"gitlab", map[string]any{"idle_count": 0, "scale_factor": 0.0}, map[int]int{0: 100}, 6 * time.Minute},
		// three minutes of alarm, two instances, and then a boot and a cooldown
		{"asg-simple", nil, map[int]int{0: 1, 7: 2, 17: 2, 27: 2}, 34 * time.Minute},
		{"asg-simple", map[string]any{"cooldown": "0s"}, map[int]int{0: 1, 7: 2, 12: 2, 17: 2, 22: 2, 27: 2}, 29 * time.Minute},
		{"asg-simple", map[string]any{"adjustment": "percent", "up_share": 1.0}, map[int]int{0: 1, 7: 1, 17: 2, 27: 4}, 37 * time.Minute},
		{"asg-simple", map[string]any{"min": 0}, map[int]int{}, 0},
		{"asg-simple", map[string]any{"min": 0, "from_zero": "starts"}, map[int]int{0: 1, 7: 2, 17: 2, 27: 2}, 34 * time.Minute},
		// a sample before the window and three within; then one each cooldown,
		// which is as long as the boots
		{"cf-rule", nil, map[int]int{0: 1, 8: 1, 13: 1, 18: 1, 23: 1, 28: 1, 33: 1}, 37 * time.Minute},
		// a cooldown shorter than the boots fires again and again
		{"cf-rule", map[string]any{"adjustment": "percent", "up_percent": 300.0, "cooldown": "1m"}, map[int]int{0: 1, 8: 3, 9: 12, 10: 48, 11: 186}, 17 * time.Minute},
		{"cf-rule", map[string]any{"adjustment": "percent", "up_percent": 300.0, "cooldown": "1m", "cooldown_from": "ready"}, map[int]int{0: 1, 8: 3, 13: 12, 18: 48}, 23 * time.Minute},
		{"cf-rule", map[string]any{"min": 0}, map[int]int{}, 0},
		// the first tick at which the jobs have waited for 30 s
		{"gha-push", nil, map[int]int{1: 100}, 7 * time.Minute},
		{"gha-push", map[string]any{"check": "off"}, map[int]int{0: 100}, 6 * time.Minute},
		{"gha-push", map[string]any{"max": 60}, map[int]int{1: 60}, 8 * time.Minute},
		// ended as orphans, and nobody asks again; then once more, for nothing
		{"gha-push", map[string]any{"boot_time": "1m", "down_period": "1m", "release": "anywhere"}, map[int]int{1: 100}, 0},
		{"gha-push", map[string]any{"boot_time": "1m", "down_period": "1m", "release": "anywhere", "retry": "on"}, map[int]int{1: 100, 6: 100}, 0},
		// 100 jobs of a minute that are late whatever it does: all begin within the
		// minute of workoff, and 30 % more
		{"mpc", nil, map[int]int{0: 130}, 6 * time.Minute},
		{"mpc-oracle", map[string]any{"headroom": 1.0}, map[int]int{0: 100}, 6 * time.Minute},
		// as many as do it in five minutes, and again in what is left of it
		{"mpc", map[string]any{"workoff": "5m", "headroom": 1.0}, map[int]int{0: 50, 1: 25, 2: 13, 3: 6, 4: 3}, 7 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec, ok := baseline.Lookup(c.name)
			if !ok {
				t.Fatal("no such policy")
			}
			values, problems := spec.Check(c.params)
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			cfg := toy()
			p, err := spec.New(cfg.Env(), values)
			if err != nil {
				t.Fatal(err)
			}
			var done doneAt
			res, err := sim.Run(context.Background(), cfg, p, &burst{100, time.Minute}, sim.Options{Timeline: true, Jobs: &done})
			if err != nil {
				t.Fatal(err)
			}
			launches := map[int]int{}
			for _, row := range res.Ticks {
				if n := row.Launches - row.Refused; n > 0 {
					launches[int(row.At/time.Minute)] = n
				}
			}
			if !maps.Equal(launches, c.launches) || done.last != c.doneAt {
				t.Errorf("%v: launched %v by minute, want %v; all done at %v, want %v", c.params, launches, c.launches, done.last, c.doneAt)
			}
		})
	}
}

// doneAt is when the last job was done; 0 unless all were.
type doneAt struct {
	last time.Duration
	lost bool
}

func (d *doneAt) Job(row *sim.JobRow) error {
	d.lost = d.lost || row.Finish < 0
	d.last = max(d.last, row.Finish)
	if d.lost {
		d.last = 0
	}
	return nil
}
