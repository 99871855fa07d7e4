package ec2fleet

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/skynet-ec2/skynet/live/fleet"
	"github.com/skynet-ec2/skynet/policy"
)

// Permission is whether EC2 would let the fleet do something.
type Permission struct {
	Action string
	// Allowed: EC2 said that it would have done it.
	Allowed bool
	// Code and Message are what it said instead. A bad image, template or subnet
	// shows here as well.
	Code, Message string
}

// Permissions asks EC2, by dry runs that change nothing, whether the fleet may
// list, launch on demand and on the spot market (where there is a launch
// template), and end the instance it listed last, if there is one. typ is the type
// to try with.
func (w *Writer) Permissions(ctx context.Context, typ string) []Permission {
	v := w.Observe(ctx)
	first := Permission{Action: "DescribeInstances", Allowed: v.Complete}
	if v.Err != nil {
		first.Message = v.Err.Error()
	}
	all := []Permission{first}
	try := func(action string, do func(context.Context) error) {
		f := faultOf(do(ctx))
		all = append(all, Permission{action, f.code == "DryRunOperation", f.code, f.message})
	}
	zones := w.config.Launch.zones()
	if len(zones) == 0 {
		zones = []string{""}
	}
	for _, zone := range zones {
		i := fleet.Intent{ID: "dry-run", Type: typ, Zone: zone, Count: 1, Decided: time.Unix(0, 0)}
		name := "RunInstances"
		if zone != "" {
			name += " in " + zone
		}
		try(name, func(ctx context.Context) error {
			in := w.runInput(&i)
			in.DryRun = aws.Bool(true)
			_, err := w.change.RunInstances(ctx, in)
			return err
		})
	}
	if w.config.Launch.Template != "" {
		i := fleet.Intent{ID: "dry-run", Type: typ, Market: policy.Spot, Count: 1, Decided: time.Unix(0, 0)}
		try("CreateFleet", func(ctx context.Context) error {
			in := w.fleetInput(&i)
			in.DryRun = aws.Bool(true)
			_, err := w.change.CreateFleet(ctx, in)
			return err
		})
	}
	for n := len(v.Instances) - 1; n >= 0; n-- {
		if v.Instances[n].State == fleet.Over {
			continue
		}
		try("TerminateInstances", func(ctx context.Context) error {
			_, err := w.change.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{v.Instances[n].ID}, DryRun: aws.Bool(true)})
			return err
		})
		break
	}
	return all
}
