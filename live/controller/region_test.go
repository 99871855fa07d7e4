package controller_test

import (
	"context"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/ec2fleet"
	"github.com/skynet-ec2/skynet/live/fleet"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/sim/cloud"
	"github.com/skynet-ec2/skynet/sim/ec2api"
	"github.com/skynet-ec2/skynet/sim/ec2api/ec2test"
)

// region is the simulated EC2 behind its protocol: the real fleet (package
// ec2fleet) calls it through the AWS SDK, with signatures, over a transport that
// has no socket. Its instances boot real workers of the queue's protocol.
type region struct {
	*testing.T
	server *ec2api.Server
	config ec2fleet.Config
	calls  map[string]int // by action and code
	mu     sync.Mutex     // guards calls and live
	live   map[string]context.CancelFunc
	born   map[string]time.Time     // when the workers began
	lived  map[string]time.Duration // of those that were ended, from launch on
	boot   time.Duration
	work   func(ctx context.Context, m ec2api.Machine)
}

// onEC2 puts a world's fleet into a region of its own: two zones that sell the
// types of the world's catalog, spot too.
func onEC2(w *world, seed uint64, change func(*cloud.Config)) *region {
	w.t.Helper()
	cfg := cloud.Config{Start: time.Now(), World: &sim.Config{
		Seed: seed, Catalog: w.env.Catalog, Zones: []string{"a", "b"}, MaxInstances: 1000,
		Boot: map[string]sim.BootModel{"": {Model: "fixed", Value: w.boot}},
		Spot: &sim.SpotMarket{Discount: 0.4, Revert: time.Hour, Notice: 2 * time.Minute},
	}}
	if change != nil {
		change(&cfg)
	}
	c, err := cloud.New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	r := &region{
		T: w.t, boot: w.boot, calls: map[string]int{}, live: map[string]context.CancelFunc{}, born: map[string]time.Time{}, lived: map[string]time.Duration{},
		config: ec2fleet.Config{Cluster: "test", Role: "render", Catalog: &w.env.Catalog, Now: w.now},
		work: func(ctx context.Context, m ec2api.Machine) {
			w.work(ctx, m.ID, m.Type, m.Slots, time.Duration(float64(w.run)*2.5/m.Speed))
		},
	}
	template, refused := c.CreateTemplate("worker", "", "", "", cloud.Spec{Image: c.Image().ID, Shutdown: "terminate"}, nil, false)
	if refused != nil {
		w.t.Fatal(refused)
	}
	r.config.Launch = ec2fleet.Launch{Template: template.ID, Version: "1"}
	for _, z := range c.Zones() {
		r.config.Launch.Subnets = append(r.config.Launch.Subnets, ec2fleet.Subnet{ID: z.Subnet, Zone: z.Name})
	}
	if r.server, err = ec2api.New(c, ec2api.Options{Clock: ec2test.Clock{Time: time.Now, After: time.AfterFunc}, Launcher: r, Observe: r.count}); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(r.server.Close)
	w.region, w.boot, w.boots = r, 0, true
	w.notice = r.notice
	return r
}

// Start implements ec2api.Launcher.
func (r *region) Start(m ec2api.Machine) {
	ctx, cancel := context.WithCancel(r.Context())
	r.mu.Lock()
	r.live[m.ID] = cancel
	r.born[m.ID] = time.Now()
	r.mu.Unlock()
	go r.work(ctx, m)
}

// Stop implements ec2api.Launcher: the power is cut, as Kill does.
func (r *region) Stop(id string) { r.Kill(id) }

// Kill implements ec2api.Launcher.
func (r *region) Kill(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if cancel := r.live[id]; cancel != nil {
		cancel()
		r.lived[id] = time.Since(r.born[id]) + r.boot
		delete(r.live, id)
	}
}

// lives returns how long those lived that were ended after they had worked, from
// their launch on.
func (r *region) lives() map[string]time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.lived)
}

// notice is what an instance's metadata says of its end.
func (r *region) notice(id string) (at time.Time) {
	r.look(func(c *cloud.Cloud) {
		if in := c.Instance(id); in != nil && !in.Notice.IsZero() {
			at = in.Interrupt
		}
	})
	return at
}

func (r *region) count(action, code string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls[action+code]++
}

// called returns how many calls of an action were answered so; code "": without
// an error.
func (r *region) called(action, code string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls[action+code]
}

// Fleet opens a fleet, as a controller that has just started does.
func (r *region) Fleet() fleet.Fleet {
	r.Helper()
	w, err := ec2fleet.Open(ec2test.Account(r.server), r.config)
	if err != nil {
		r.Fatal(err)
	}
	return w
}

// look reads, or changes, the truth.
func (r *region) look(f func(*cloud.Cloud)) { r.server.With(f) }

// alive returns the instances that run.
func (r *region) alive() []*cloud.Instance { return ec2test.Alive(r.server) }

// Alive implements ground.
func (r *region) Alive() []string { return ec2test.IDs(r.alive()) }

// perHour is what everything that runs costs an hour, at today's price.
func (r *region) perHour(catalog *policy.Catalog) (sum policy.MicroUSD) {
	for _, in := range r.alive() {
		sum += catalog.Types[in.Type].PerHour
	}
	return sum
}

// byIntent counts what was ever launched, as far back as EC2 remembers, by the
// intent it was launched for.
func (r *region) byIntent() map[string]int { return ec2test.ByTag(r.server, ec2fleet.TagIntent) }

// ever counts every launch there was.
func (r *region) ever() (n int) {
	for _, of := range r.byIntent() { // map order: a sum of whole numbers
		n += of
	}
	return n
}

// Launched implements ground.
func (r *region) Launched(intent string) int { return r.byIntent()[intent] }

// Break implements ground.
func (r *region) Break(call fleet.Call, how ...fleet.Breakage) {
	for _, b := range how {
		r.fault(cloud.ActionFault{Action: call.Action(), Count: 1, Code: b.Code(), After: b.Done(), Lost: b == fleet.LostReply})
	}
}

func (r *region) fault(f cloud.ActionFault) { r.look(func(c *cloud.Cloud) { c.AddFault(f) }) }

// weather puts a fault of the scenarios' kinds in force, from now on.
func (r *region) weather(f sim.Fault) {
	r.Helper()
	r.look(func(c *cloud.Cloud) {
		if _, err := c.AddScenarioFault(f); err != nil {
			r.Fatal(err)
		}
	})
}

// Lag implements ground; lags are drawn around a quarter of d.
func (r *region) Lag(d time.Duration) { r.look(func(c *cloud.Cloud) { c.SetListLag(d / 4) }) }
