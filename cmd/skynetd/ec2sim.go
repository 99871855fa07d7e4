package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/sim/cloud"
	"github.com/skynet-ec2/skynet/sim/ec2api"

	"github.com/spf13/cobra"
)

// ec2simVerb holds the flags of skynetd ec2sim.
type ec2simVerb struct {
	*cli.App
	listen, scenario, worker, region, account, state string
	accessKey, secretKey                             string
	speed                                            float64
	listLag                                          time.Duration
	vcpus, spotVCPUs                                 int
	seed                                             uint64
}

// Bounds of the clock's speed.
const (
	speedMin = 0.01
	speedMax = 10_000
)

func newEC2SimCommand(a *cli.App) *cobra.Command {
	v := &ec2simVerb{App: a}
	c := &cobra.Command{
		Use:   "ec2sim --scenario FILE",
		Short: "serve a simulated EC2 that any AWS client can use",
		Long: `Serve a simulated EC2: the Query protocol with signatures, so that any AWS client
uses it when AWS_ENDPOINT_URL_EC2 points at it.

A scenario file says what is sold and what goes wrong: catalog, billing, zones,
boot lags, the spot market, the quota of instances, faults and the seed. Faults
of the queue and of workers are not EC2's; those that are left out are named.

With --worker every instance that has booted is a process on this machine: the
command, with its instance's metadata service at
AWS_EC2_METADATA_SERVICE_ENDPOINT and STS at AWS_ENDPOINT_URL_STS. It gets SIGTERM
when its instance shuts down; when it exits by itself with 0 its instance powers
off, with anything else it has crashed, and its instance runs on and is paid.

At --speed 60 a minute passes in a second, for boots, bills and faults alike.
What happens is shown and changed under /_sim/; docs/ec2sim.md describes it.`,
		Example: `  skynetd ec2sim --scenario scenarios/photo-week.toml
  skynetd ec2sim --scenario scenarios/no-capacity.toml --speed 60 --worker "skynet-worker run"`,
		Args: cli.ExactArgs(),
		RunE: func(*cobra.Command, []string) error { return v.run() },
	}
	f := c.Flags()
	f.StringVar(&v.listen, "listen", "127.0.0.1:7430", "serve at this `address`; port 0 picks a free one")
	f.StringVar(&v.scenario, "scenario", "", "be the EC2 of this scenario `file`")
	f.Float64Var(&v.speed, "speed", 1, "let time pass at so many `times` the speed of the wall clock")
	f.StringVar(&v.worker, "worker", "", "run this `command` on every instance that has booted")
	f.DurationVar(&v.listLag, "list-lag", 0, "lists show launches and ends this `time` late, on average")
	f.IntVar(&v.vcpus, "vcpus", 0, "the account's quota of on-demand `vCPUs`; 0: none")
	f.IntVar(&v.spotVCPUs, "spot-vcpus", 0, "the account's quota of spot `vCPUs`; 0: none")
	f.Uint64Var(&v.seed, "seed", 0, "draw the weather from this `seed` instead of the scenario's")
	f.StringVar(&v.state, "state", "", "keep the region in this `file`, and go on from it; empty: in memory")
	f.StringVar(&v.region, "region", "us-east-1", "be this `region`")
	f.StringVar(&v.account, "account", "123456789012", "be this `account`")
	f.StringVar(&v.accessKey, "access-key", ec2api.TestAccessKey, "know this access `key`")
	f.StringVar(&v.secretKey, "secret-key", ec2api.TestSecretKey, "and its `secret`")
	return c
}

// check returns what is wrong with the flags.
func (v *ec2simVerb) check() error {
	switch {
	case v.scenario == "":
		return fmt.Errorf("--scenario must be given")
	case !(v.speed >= speedMin && v.speed <= speedMax):
		return fmt.Errorf("--speed %v: must be from %v to %v", v.speed, speedMin, speedMax)
	case v.listLag < 0 || v.listLag > time.Hour:
		return fmt.Errorf("--list-lag %s: must be from 0s to 1h", v.listLag)
	case v.vcpus < 0 || v.spotVCPUs < 0:
		return fmt.Errorf("--vcpus and --spot-vcpus must not be negative")
	case v.accessKey == "" || v.secretKey == "":
		return fmt.Errorf("--access-key and --secret-key must not be empty")
	}
	return nil
}

func (v *ec2simVerb) run() error {
	if err := v.check(); err != nil {
		return cli.UsageError(err)
	}
	scenario, err := scenarios.Load(v.scenario)
	if err != nil {
		return err
	}
	world := scenario.EC2()
	if v.seed != 0 {
		world.Seed = v.seed
	}
	region, clock, state, err := openRegion(v.state, cloud.Config{
		World: world, Region: v.region, Account: v.account, VCPUs: v.vcpus, SpotVCPUs: v.spotVCPUs, ListLag: v.listLag,
	}, v.speed)
	if err != nil {
		return err
	}
	identity, err := ec2api.NewIdentity(rand.Reader, time.Now())
	if err != nil {
		return err
	}
	listener, err := listen("listen", v.listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	opt := ec2api.Options{
		Clock: clock, SignatureClock: time.Now, Keys: map[string]string{v.accessKey: v.secretKey}, Identity: identity, Issuer: urlOf(listener, false),
		Observe: func(action, code string) { v.Log.Debug("call", "action", action, "error", code) },
	}
	if state != nil {
		defer state.file.Close()
		opt.Log = state.file
		opt.LogFailed = func(err error) { v.Log.Error("the region's state is not kept", "file", state.path, "error", err) }
	}
	var workers *workerProcesses
	if command := strings.Fields(v.worker); len(command) > 0 {
		workers = newWorkerProcesses(command, opt.Issuer, v.Log)
		opt.Launcher = workers
	}
	server, err := ec2api.New(region, opt)
	if err != nil {
		return err
	}
	defer server.Close()
	if workers != nil {
		workers.attach(server)
		defer workers.stopAll()
	}
	v.announce(listener, server)
	return v.serve(httpServer(server, nil, v.Log), listener)
}

// announce says where the server is and what there is to launch.
func (v *ec2simVerb) announce(listener net.Listener, server *ec2api.Server) {
	v.Log.Info("ec2sim listens", "url", urlOf(listener, false), "region", v.region, "speed", v.speed, "scenario", v.scenario)
	// a shell can take this in as it stands
	fmt.Fprintf(v.Stdout, "export AWS_ENDPOINT_URL_EC2=%s AWS_ENDPOINT_URL_STS=%s\n", urlOf(listener, false), urlOf(listener, false))
	fmt.Fprintf(v.Stdout, "export AWS_REGION=%s AWS_DEFAULT_REGION=%s\n", v.region, v.region)
	fmt.Fprintf(v.Stdout, "export AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s\n", v.accessKey, v.secretKey)
	server.With(func(region *cloud.Cloud) {
		if templates, err := region.Templates(nil, []string{templateName}); err == nil {
			fmt.Fprintf(v.Stdout, "IMAGE=%s TEMPLATE=%s # version 1\n", region.Image().ID, templates[0].ID)
		}
		for _, z := range region.Zones() {
			fmt.Fprintf(v.Stdout, "SUBNET_%s=%s\n", strings.ReplaceAll(z.Name, "-", "_"), z.Subnet)
		}
		for _, f := range region.Unplayed() {
			v.Log.Warn("a fault of the scenario is not EC2's and is left out", "kind", f.Kind, "signals", f.Signals, "from", f.From)
		}
	})
	if host, _, _ := net.SplitHostPort(listener.Addr().String()); !net.ParseIP(host).IsLoopback() {
		v.Log.Warn("anybody who reaches this address can change the simulation: its API under /_sim/ asks for no key")
	}
}

// serve serves until the process is told to end.
func (v *ec2simVerb) serve(web *http.Server, listener net.Listener) error {
	failed := make(chan error, 1)
	go func() { failed <- serve(web, listener) }()
	select {
	case err := <-failed:
		return cli.OutsideError(err)
	case <-v.Ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	web.Shutdown(ending)
	web.Close()
	return nil
}
