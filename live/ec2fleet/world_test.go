package ec2fleet

import (
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/skynet-ec2/skynet/live/fleet"
	"github.com/skynet-ec2/skynet/live/fleet/fleettest"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/sim/cloud"
	"github.com/skynet-ec2/skynet/sim/ec2api"
)

// bubble is the fake clock of testing/synctest.
type bubble struct{}

func (bubble) Now() time.Time { return time.Now() }
func (bubble) AfterFunc(d time.Duration, f func()) func() bool {
	return time.AfterFunc(d, f).Stop
}

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
	if r.server, err = ec2api.New(c, ec2api.Options{Clock: bubble{}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.server.Close)
	return r
}

// account is what a client of the region is made with.
func (r *region) account() aws.Config {
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String("http://ec2.test"),
		Credentials: credentials.NewStaticCredentialsProvider(ec2api.TestAccessKey, ec2api.TestSecretKey, ""),
		HTTPClient:  &http.Client{Transport: ec2api.Transport{Handler: r.server}},
	}
}

// writer opens a fleet, as a controller that has just started does.
func (r *region) writer(change ...func(*Config)) *Writer {
	r.Helper()
	config := r.config
	for _, f := range change {
		f(&config)
	}
	w, err := Open(r.account(), config)
	if err != nil {
		r.Fatal(err)
	}
	return w
}

func (r *region) Fleet() fleet.Fleet { return r.writer() }

// look reads the truth.
func (r *region) look(f func(*cloud.Cloud)) { r.server.With(f) }

func (r *region) Alive() []string {
	var ids []string
	r.look(func(c *cloud.Cloud) {
		for _, in := range c.Instances() {
			if s := in.State(); s == cloud.Pending || s == cloud.Running {
				ids = append(ids, in.ID)
			}
		}
	})
	return ids
}

// Launched counts by tag; the tests are over before EC2 forgets an instance.
func (r *region) Launched(intent string) int {
	n := 0
	r.look(func(c *cloud.Cloud) {
		for _, in := range c.Instances() {
			if tag(in, TagIntent) == intent {
				n++
			}
		}
	})
	return n
}

func tag(in *cloud.Instance, key string) string {
	for _, t := range in.Tags {
		if t.Key == key {
			return t.Value
		}
	}
	return ""
}

func (r *region) Break(call fleet.Call, how ...fleet.Breakage) {
	action := map[fleet.Call]string{fleet.Listing: "DescribeInstances", fleet.Launching: "RunInstances", fleet.Terminating: "TerminateInstances"}[call]
	r.look(func(c *cloud.Cloud) {
		for _, b := range how {
			f := cloud.ActionFault{Action: action, Count: 1}
			switch b {
			case fleet.ErrorBefore:
				f.Code = "InternalError"
			case fleet.ErrorAfter:
				f.Code, f.After = "InternalError", true
			case fleet.LostReply:
				f.Lost, f.After = true, true
			case fleet.Throttle:
				f.Code = "RequestLimitExceeded"
			case fleet.NoCapacity:
				f.Code = "InsufficientInstanceCapacity"
			case fleet.NoQuota:
				f.Code = "VcpuLimitExceeded"
			case fleet.Forbid:
				f.Code = "UnauthorizedOperation"
			}
			c.AddFault(f)
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
