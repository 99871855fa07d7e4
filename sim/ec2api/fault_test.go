package ec2api_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/sim/cloud"
	"github.com/skynet-ec2/skynet/sim/ec2api"
)

func TestFaultsOfCalls(t *testing.T) {
	play(t, cloud.Config{World: world()}, ec2api.Options{}, func(r *region) {
		count := func() int { return len(r.all()) }

		r.fault(`{"kind": "call", "action": "RunInstances", "code": "InternalError", "count": 1}`)
		_, err := r.run("m1.small", 2, "before")
		r.wants(err, "InternalError")
		if count() != 0 {
			r.Error("an error before the call launched something")
		}

		r.fault(`{"kind": "call", "action": "RunInstances", "code": "InternalError", "after": true, "count": 1}`)
		_, err = r.run("m1.small", 2, "after")
		r.wants(err, "InternalError")
		if count() != 2 {
			r.Error("an error after the call launched nothing")
		}
		if again := r.mustRun("m1.small", 2, "after"); len(again) != 2 || count() != 2 {
			r.Error("the token launched again")
		}

		r.fault(`{"kind": "call", "action": "RunInstances", "lost": true, "after": true, "count": 1}`)
		_, err = r.run("m1.small", 3, "lost")
		r.wants(err, "(no answer)")
		if count() != 5 {
			r.Error("the launch whose reply is lost did not happen")
		}
		r.mustRun("m1.small", 3, "lost")
		r.fault(`{"kind": "call", "action": "RunInstances", "lost": true, "count": 1}`)
		_, err = r.run("m1.small", 3, "cut")
		r.wants(err, "(no answer)")
		if count() != 5 {
			r.Error("a request that was cut off launched something, or a token launched again")
		}
	})
}

// A client that gives up does not stop its call: it happens later all the same.
func TestLateCommit(t *testing.T) {
	play(t, cloud.Config{World: world()}, ec2api.Options{}, func(r *region) {
		r.fault(`{"kind": "call", "action": "RunInstances", "delay": "30s", "count": 1}`)
		whole := r.ctx
		var cancel context.CancelFunc
		r.ctx, cancel = context.WithTimeout(whole, 10*time.Second)
		began := time.Now()
		_, err := r.run("m1.small", 1, "late")
		cancel()
		r.ctx = whole
		r.wants(err, "(no answer)")
		if waited := time.Since(began); waited != 10*time.Second {
			r.Errorf("the client waited for %s", waited)
		}
		if n := len(r.all()); n != 0 {
			r.Errorf("%d launched too early", n)
		}
		time.Sleep(25 * time.Second)
		if n := len(r.all()); n != 1 {
			r.Errorf("%d launched in the end, want 1", n)
		}
	})
}

func TestFaultsOfScenarios(t *testing.T) {
	w := world()
	at := func(n int) (from, to time.Duration) {
		return time.Duration(n) * time.Hour, time.Duration(n)*time.Hour + 30*time.Minute
	}
	add := func(hour int, f sim.Fault) {
		f.From, f.To = at(hour)
		w.Faults = append(w.Faults, f)
	}
	add(1, sim.Fault{Kind: sim.Refuse, Types: []string{"m1.small"}, Zones: []string{"a"}})
	add(2, sim.Fault{Kind: sim.Throttle})
	add(3, sim.Fault{Kind: sim.APIOutage})
	add(4, sim.Fault{Kind: sim.LostReply, Delay: 2 * time.Minute})
	add(5, sim.Fault{Kind: sim.Stale, Signals: []string{"fleet"}})
	add(6, sim.Fault{Kind: sim.Zero, Signals: []string{"fleet"}})
	add(7, sim.Fault{Kind: sim.Blind, Signals: []string{"fleet"}})
	add(8, sim.Fault{Kind: sim.Partition})
	play(t, cloud.Config{World: w}, ec2api.Options{}, func(r *region) {
		began := time.Now()
		enter := func(hour int) {
			from, _ := at(hour)
			time.Sleep(time.Until(began.Add(from)) + time.Minute)
		}
		leave := func() { time.Sleep(30 * time.Minute) }
		in := func(i int) func(*ec2.RunInstancesInput) {
			return func(in *ec2.RunInstancesInput) { in.SubnetId = &r.subnet[i] }
		}
		launch := func(change ...func(*ec2.RunInstancesInput)) error {
			_, err := r.run("m1.small", 1, "", change...)
			return err
		}
		enter(1)
		r.wants(launch(in(0)), "InsufficientInstanceCapacity")
		r.wants(launch(in(1)), "")
		r.wants(launch(), "") // anywhere else
		for _, x := range r.all() {
			if *x.Placement.AvailabilityZone != "us-east-1b" {
				r.Errorf("placed in %s", *x.Placement.AvailabilityZone)
			}
		}
		leave()
		r.wants(launch(in(0)), "")

		enter(2)
		r.wants(launch(), "RequestLimitExceeded")
		enter(3)
		r.wants(launch(), "Unavailable")
		_, err := r.DescribeInstances(r.ctx, &ec2.DescribeInstancesInput{})
		r.wants(err, "Unavailable")

		enter(4)
		r.wants(launch(), "(no answer)")
		if n := len(r.all()); n != 3 {
			r.Errorf("%d are listed, want 3: the new one shows in two minutes", n)
		}
		time.Sleep(2 * time.Minute)
		if n := len(r.all()); n != 4 {
			r.Errorf("%d are listed, want 4", n)
		}
		leave()

		enter(5)
		r.wants(launch(), "")
		if n := len(r.all()); n != 4 {
			r.Errorf("a stale list shows %d, want 4", n)
		}
		leave()
		if n := len(r.all()); n != 5 {
			r.Errorf("%d are listed, want 5", n)
		}
		enter(6)
		if n := len(r.all()); n != 0 {
			r.Errorf("a zeroed list shows %d", n)
		}
		enter(7)
		_, err = r.DescribeInstances(r.ctx, &ec2.DescribeInstancesInput{})
		r.wants(err, "Unavailable")

		var state struct {
			Unplayed []string `json:"unplayed_faults"`
		}
		r.admin("GET", "state", "", &state)
		if !slices.Equal(state.Unplayed, []string{"partition"}) {
			r.Errorf("unplayed: %v", state.Unplayed)
		}
	})
}

// recorder is a launcher that writes down what it is told.
type recorder struct {
	since time.Time
	log   []string
}

func (l *recorder) add(what, id string) {
	l.log = append(l.log, fmt.Sprintf("%s %s %s", time.Since(l.since), what, id))
}
func (l *recorder) Start(m ec2api.Machine) { l.add("start", m.ID) }
func (l *recorder) Stop(id string)         { l.add("stop", id) }
func (l *recorder) Kill(id string)         { l.add("kill", id) }

func TestWorkers(t *testing.T) {
	w := withSpot(world())
	w.Faults = []sim.Fault{
		{Kind: sim.SlowBoot, Factor: 3, From: 10 * time.Minute, To: 20 * time.Minute},
		{Kind: sim.DeadBoot, From: 30 * time.Minute, To: 40 * time.Minute},
		{Kind: sim.Crash, From: 50 * time.Minute},
	}
	l := &recorder{}
	play(t, cloud.Config{World: w}, ec2api.Options{Launcher: l}, func(r *region) {
		l.since = time.Now()
		at := func(d time.Duration) { time.Sleep(time.Until(l.since.Add(d))) }
		a := r.mustRun("m1.small", 1, "a")[0]
		b := r.mustRun("m1.small", 1, "b")[0]
		at(5 * time.Minute)
		r.wants(r.terminate(b), "")
		at(11 * time.Minute)
		slow := r.mustRun("m1.small", 1, "slow")[0]
		at(31 * time.Minute)
		r.mustRun("m1.small", 1, "dead")
		at(45 * time.Minute)
		spot := r.mustRun("m1.small", 1, "spot", asSpot)[0]
		at(48 * time.Minute)
		r.server.Exited(slow, true) // it powers off
		at(60 * time.Minute)
		r.server.Exited(spot, false) // killed already: nothing to say
		at(61 * time.Minute)
		want := []string{
			"1m40s start " + a, "1m40s start " + b, "5m0s stop " + b, "16m0s start " + slow, "46m40s start " + spot,
			"50m0s kill " + a, "50m0s kill " + spot,
		}
		if !slices.Equal(l.log, want) {
			r.Errorf("told:\n%v\nwant:\n%v", l.log, want)
		}
		for _, in := range r.list(&ec2.DescribeInstancesInput{InstanceIds: []string{slow}}) {
			if in.State.Name != types.InstanceStateNameTerminated || *in.StateReason.Code != "Client.InstanceInitiatedShutdown" {
				r.Errorf("powered off: %s, %v", in.State.Name, in.StateReason)
			}
		}
	})
}

func asSpot(in *ec2.RunInstancesInput) {
	in.InstanceMarketOptions = &types.InstanceMarketOptionsRequest{MarketType: types.MarketTypeSpot}
}

// EC2 takes a spot instance back two minutes after its notice, and does not
// charge the hour that it broke.
func TestSpotInterruption(t *testing.T) {
	l := &recorder{}
	play(t, cloud.Config{World: withSpot(world())}, ec2api.Options{Launcher: l}, func(r *region) {
		l.since = time.Now()
		got, err := r.run("c1.xlarge", 1, "", asSpot)
		if err != nil {
			r.Fatal(err)
		}
		id := *got[0].InstanceId
		if got[0].InstanceLifecycle != types.InstanceLifecycleTypeSpot {
			r.Errorf("lifecycle %q", got[0].InstanceLifecycle)
		}
		_, err = r.run("c1.xlarge", 1, "", func(in *ec2.RunInstancesInput) {
			asSpot(in)
			in.InstanceMarketOptions.SpotOptions = &types.SpotMarketOptions{MaxPrice: aws.String("0.10")}
		})
		r.wants(err, "SpotMaxPriceTooLow")
		time.Sleep(90 * time.Minute)
		if status := r.admin("POST", "instances/"+id+"/interrupt", "{}", nil); status != 200 {
			r.Fatal(status)
		}
		if status := r.admin("POST", "instances/i-0/interrupt", "{}", nil); status != 404 {
			r.Errorf("an unknown instance: %d", status)
		}
		var bill struct {
			Total float64 `json:"total_usd"`
		}
		time.Sleep(119 * time.Second)
		if r.admin("GET", "bill", "", &bill); bill.Total != 0.64 {
			r.Errorf("two hours of spot cost %v, want 0.64", bill.Total)
		}
		time.Sleep(time.Second)
		if r.admin("GET", "bill", "", &bill); bill.Total != 0.32 {
			r.Errorf("taken back in its second hour it costs %v, want 0.32", bill.Total)
		}
		in := r.all()[0]
		if in.State.Name != types.InstanceStateNameShuttingDown || *in.StateReason.Code != "Server.SpotInstanceTermination" {
			r.Errorf("%s, %v", in.State.Name, in.StateReason)
		}
		if want := []string{"1m40s start " + id, "1h32m0s stop " + id}; !slices.Equal(l.log, want) {
			r.Errorf("told %v, want %v", l.log, want)
		}
	})
}

// The bill follows the rule of billing, launch by launch, in a
// world whose prices move.
func TestBill(t *testing.T) {
	for _, rule := range []policy.Billing{policy.Hourly, policy.PerSecond} {
		t.Run(rule.Name, func(t *testing.T) {
			w := world()
			w.Catalog.Billing = rule
			w.Faults = []sim.Fault{{Kind: sim.PriceChange, Factor: 1.5, From: 100 * time.Minute, To: 200 * time.Minute}}
			play(t, cloud.Config{World: w, Unthrottled: true}, ec2api.Options{}, func(r *region) {
				wants := 0.0
				for i, minutes := range []int{1, 59, 60, 61, 130, 250} {
					// by hand: the windows that begin while prices are up cost 1.5 times as much
					for from := 0; from < minutes; {
						step := 1 // minute
						if rule.Windows() {
							step = 60
						}
						price := 0.8
						if from >= 100 && from < 200 {
							price = 1.2
						}
						wants += price * float64(step) / 60
						from += step
					}
					id := r.mustRun("c1.xlarge", 1, fmt.Sprint(i))[0]
					go func() {
						time.Sleep(time.Duration(minutes) * time.Minute)
						r.wants(r.terminate(id), "")
					}()
				}
				time.Sleep(6 * time.Hour) // they are forgotten, not their bills
				var bill struct {
					Total     float64 `json:"total_usd"`
					Instances []any   `json:"instances"`
				}
				r.admin("GET", "bill", "", &bill)
				if diff := bill.Total - wants; diff > 1e-5 || diff < -1e-5 || len(bill.Instances) != 0 {
					r.Errorf("bill %v with %d lines, want %v without", bill.Total, len(bill.Instances), wants)
				}
			})
		})
	}
}
