package ec2fleet

import (
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/fleet"
	"github.com/skynet-ec2/skynet/live/fleet/fleettest"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/sim/cloud"
	"github.com/skynet-ec2/skynet/sim/ec2api"
	"github.com/skynet-ec2/skynet/sim/ec2api/ec2test"
)

// region is the simulated EC2 as a world for fleets.
type region struct {
	*testing.T
	server *ec2api.Server
	config Config
}

// newRegion returns a region of its own: two zones that sell the types of 2008,
// spot too.
func newRegion(t *testing.T, change func(*cloud.Config)) *region {
	cfg := cloud.Config{Start: time.Now(), World: &sim.Config{
		Seed: 1, Catalog: policy.EC2in2008(), Zones: []string{"a", "b"}, MaxInstances: 1000,
		Boot: map[string]sim.BootModel{"": {Model: "fixed", Value: 100 * time.Second}},
		Spot: &sim.SpotMarket{Discount: 0.4, Revert: time.Hour, Notice: 2 * time.Minute},
	}}
	if change != nil {
		change(&cfg)
	}
	c, err := cloud.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r := &region{T: t, config: Config{Cluster: "test", Role: "render", Catalog: &cfg.World.Catalog}}
	template, refused := c.CreateTemplate("worker", "", "", "", cloud.Spec{Image: c.Image().ID, Shutdown: "terminate"}, nil, false)
	if refused != nil {
		t.Fatal(refused)
	}
	r.config.Launch = Launch{Template: template.ID, Version: "1", UserData: []byte(`{"queue": "http://queue.test"}`)}
	for _, z := range c.Zones() {
		r.config.Launch.Subnets = append(r.config.Launch.Subnets, Subnet{z.Subnet, z.Name})
	}
	if r.server, err = ec2api.New(c, ec2api.Options{Clock: ec2test.Clock{Time: time.Now, After: time.AfterFunc}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.server.Close)
	return r
}

// writer opens a fleet, as a controller that has just started does.
func (r *region) writer(change ...func(*Config)) *Writer {
	r.Helper()
	config := r.config
	for _, f := range change {
		f(&config)
	}
	w, err := Open(ec2test.Account(r.server), config)
	if err != nil {
		r.Fatal(err)
	}
	return w
}

func (r *region) Fleet() fleet.Fleet { return r.writer() }

// look reads the truth.
func (r *region) look(f func(*cloud.Cloud)) { r.server.With(f) }

func (r *region) Alive() []string { return ec2test.IDs(ec2test.Alive(r.server)) }

// Launched counts by tag; the tests are over before EC2 forgets an instance.
func (r *region) Launched(intent string) int { return ec2test.ByTag(r.server, TagIntent)[intent] }

func (r *region) Break(call fleet.Call, how ...fleet.Breakage) {
	r.look(func(c *cloud.Cloud) {
		for _, b := range how {
			c.AddFault(cloud.ActionFault{Action: call.Action(), Count: 1, Code: b.Code(), After: b.Done(), Lost: b == fleet.LostReply})
		}
	})
}

// Lag draws lags around a quarter of d.
func (r *region) Lag(d time.Duration) { r.look(func(c *cloud.Cloud) { c.SetListLag(d / 4) }) }

func (r *region) Foreign() string {
	var id string
	r.look(func(c *cloud.Cloud) {
		got, err := c.RunInstances(cloud.RunRequest{Min: 1, Max: 1, Spec: cloud.Spec{
			Image: c.Image().ID, Type: "m1.small", Tags: []cloud.Tag{{Key: TagFleet, Value: "production/render"}},
		}})
		if err != nil {
			r.Fatal(err)
		}
		id = got.Instances[0].ID
	})
	return id
}

func TestConforms(t *testing.T) {
	fleettest.Run(t, "c1.xlarge", "m1.small", "us-east-1a", func(t *testing.T) fleettest.World { return newRegion(t, nil) })
}
