package ec2fleet

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/skynet-ec2/skynet/live/fleet"
	"github.com/skynet-ec2/skynet/policy"
)

// changer is the part of EC2's client that changes something.
type changer interface {
	RunInstances(context.Context, *ec2.RunInstancesInput, ...func(*ec2.Options)) (*ec2.RunInstancesOutput, error)
	CreateFleet(context.Context, *ec2.CreateFleetInput, ...func(*ec2.Options)) (*ec2.CreateFleetOutput, error)
	TerminateInstances(context.Context, *ec2.TerminateInstancesInput, ...func(*ec2.Options)) (*ec2.TerminateInstancesOutput, error)
}

// Writer sees and changes the fleet. It is safe for concurrent use.
type Writer struct {
	*Reader
	change changer
	token  func(*fleet.Intent) string // the intent's; tests plant others
}

var _ fleet.Fleet = (*Writer)(nil)

// Open returns a Writer of the fleet. The error says everything that is wrong
// with the configuration.
func Open(account aws.Config, c Config) (*Writer, error) {
	client := newClient(account)
	r, err := watch(client, c)
	if err = errors.Join(err, c.Launch.check()); err != nil {
		return nil, err
	}
	return &Writer{r, client, func(i *fleet.Intent) string { return i.Token(c.Cluster) }}, nil
}

// Spec implements fleet.Actuator.
func (w *Writer) Spec() string { return w.config.fingerprint() }

// Pieces implements fleet.Actuator.
func (w *Writer) Pieces(typ string, market policy.Market, zone string, count, turn int, closed func(zone string) bool) []fleet.Piece {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.config.Now()
	refused := func(zone string) bool {
		_, _, held := w.refusals.Held(now, typ, market, zone)
		return held
	}
	return fleet.Split(market, zone, count, w.config.Launch.zones(), closed, refused, turn)
}

// Launch implements fleet.Actuator.
func (w *Writer) Launch(ctx context.Context, asks []fleet.Ask) []fleet.Outcome {
	outcomes := make([]fleet.Outcome, len(asks))
	silent := false // EC2 does not answer: the rest would only wait as well
	for i := range asks {
		if silent {
			outcomes[i] = fleet.Outcome{Settlement: fleet.Unsent, Refused: asks[i].Count, Class: fleet.Throttled, Code: "NotCalled", Message: "the call before it had no answer"}
		} else {
			outcomes[i] = w.launch(ctx, &asks[i])
			silent = outcomes[i].Settlement == fleet.Unknown && outcomes[i].Class == fleet.Ambiguous
		}
		outcomes[i].Intent = asks[i].ID
	}
	return outcomes
}

// launch asks for one intent.
func (w *Writer) launch(ctx context.Context, ask *fleet.Ask) fleet.Outcome {
	now := w.config.Now()
	if err := w.possible(&ask.Intent); err != nil {
		o := fleet.Outcome{Class: fleet.Permanent, Code: "BadIntent", Message: err.Error(), Settlement: fleet.Unsent}
		if !ask.Again {
			o.Settlement, o.Refused = fleet.Settled, ask.Count
		}
		return o
	}
	if ask.Again && ask.Spec != w.Spec() {
		// the same token with other parameters would be an error: look instead
		return w.look(ctx, ask, fault{fleet.Permanent, "SpecChanged", "what instances are launched as has changed since it was first sent"})
	}
	w.mu.Lock()
	class, code, held := w.refusals.Held(now, ask.Type, ask.Market, ask.Zone)
	throttled := w.refusals.Throttling(now)
	w.mu.Unlock()
	switch {
	case throttled:
		return fleet.Outcome{Settlement: fleet.Unsent, Refused: ask.Count, Class: fleet.Throttled, Code: "RequestLimitExceeded", Remembered: true}
	case held && !ask.Again:
		return fleet.Outcome{Settlement: fleet.Settled, Refused: ask.Count, Class: class, Code: code, Remembered: true}
	case ctx.Err() != nil:
		return fleet.Outcome{Settlement: fleet.Unsent, Refused: ask.Count, Class: fleet.Throttled, Code: "Timeout", Message: ctx.Err().Error()}
	}
	send := w.run
	if ask.Market == policy.Spot {
		send = w.createFleet
	}
	got, f := send(ctx, &ask.Intent)
	doubt := ask.InDoubt(now)
	if first := f; f.class == fleet.Ambiguous && pause(ctx, time.Second) {
		got, f = send(ctx, &ask.Intent) // the token makes it one launch
		if f.class != fleet.None {
			f = first // which may be carried out yet
		}
	}
	if f.code == "IdempotentParameterMismatch" { // launched, or tried, as something else
		return w.look(ctx, ask, f)
	}
	o := w.outcome(ask, got, f)
	if doubt && o.Settlement == fleet.Settled && len(o.Instances) == 0 && f.class != fleet.None {
		o.Settlement = fleet.Unknown
	}
	return o
}

// possible returns why an intent cannot be asked for at all.
func (w *Writer) possible(i *fleet.Intent) error {
	if err := i.Validate(); err != nil {
		return err
	}
	subnet, ok := w.config.Launch.subnet(i.Zone)
	switch {
	case i.Market == policy.Spot && w.config.Launch.Template == "":
		return fmt.Errorf("intent %s: spot instances need a launch template", i.ID)
	case !ok && i.Zone != "":
		return fmt.Errorf("intent %s: zone %s: there is no subnet in it", i.ID, i.Zone)
	case !ok && subnet == "" && i.Market != policy.Spot:
		return fmt.Errorf("intent %s: no zone: a client token holds for one zone", i.ID)
	}
	return nil
}

// pause waits; it reports false if ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// result is what a launch call gave.
type result struct {
	instances []fleet.Launched
	refusals  []refusal // of an instant fleet, by pool
}

type refusal struct {
	zone string
	fault
}

// outcome turns the answer of a call into what is certain.
func (w *Writer) outcome(ask *fleet.Ask, got result, f fault) fleet.Outcome {
	o := fleet.Outcome{Instances: got.instances, Class: f.class, Code: f.code, Message: f.message}
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.config.Now()
	for _, in := range got.instances {
		w.own[in.ID] = now
	}
	switch f.class {
	case fleet.None:
		o.Settlement, o.Refused = fleet.Settled, ask.Count-len(got.instances)
		if len(got.instances) > 0 {
			w.refusals.Thaw()
		}
		w.refusePart(now, ask, got, &o)
	case fleet.Throttled:
		o.Settlement, o.Refused = fleet.Unsent, ask.Count
		w.refusals.Refuse(now, ask.Type, ask.Market, ask.Zone, ask.Count, ask.Count, f.class, f.code)
	case fleet.Ambiguous:
	case fleet.Permanent:
		if f.code == "IdempotentInstanceTerminated" { // launched once, and all gone again
			o.Settlement, o.Refused, o.Class = fleet.Settled, ask.Count, fleet.None
			return o
		}
		w.refusals.Freeze(now, f.code, f.message)
		fallthrough
	default:
		o.Settlement, o.Refused = fleet.Settled, ask.Count
		w.refusals.Refuse(now, ask.Type, ask.Market, ask.Zone, ask.Count, ask.Count, f.class, f.code)
	}
	return o
}

// refusePart notes what a call that went well did not give.
func (w *Writer) refusePart(now time.Time, ask *fleet.Ask, got result, o *fleet.Outcome) {
	if o.Refused <= 0 {
		o.Refused = 0
		return
	}
	if len(got.refusals) == 0 { // RunInstances gives what there is and does not say why
		got.refusals = []refusal{{ask.Zone, fault{fleet.Capacity, "PartialLaunch", "EC2 had no more"}}}
	}
	// the outcome tells the riskiest of them
	worst := slices.MinFunc(got.refusals, func(a, b refusal) int { return int(a.class) - int(b.class) })
	o.Class, o.Code, o.Message = worst.class, worst.code, worst.message
	if ask.Again {
		return // it was noted the first time, or is long past
	}
	if worst.class == fleet.Permanent {
		w.refusals.Freeze(now, worst.code, worst.message)
	}
	for _, x := range got.refusals {
		w.refusals.Refuse(now, ask.Type, ask.Market, x.zone, ask.Count, o.Refused, x.class, x.code)
	}
	if ask.Market == policy.Spot && ask.Zone == "" { // every pool was tried
		w.refusals.Refuse(now, ask.Type, ask.Market, "", ask.Count, o.Refused, worst.class, worst.code)
	}
}

// look settles an intent that cannot be asked for again by what EC2 lists of it,
// once that is old enough to be complete.
func (w *Writer) look(ctx context.Context, ask *fleet.Ask, why fault) fleet.Outcome {
	o := fleet.Outcome{Class: why.class, Code: why.code, Message: why.message}
	found, err := w.sweep(ctx,
		types.Filter{Name: aws.String("tag:" + TagFleet), Values: []string{w.config.fleetName()}},
		types.Filter{Name: aws.String("tag:" + TagIntent), Values: []string{ask.ID}})
	for _, in := range found {
		o.Instances = append(o.Instances, fleet.Launched{ID: in.ID, Type: in.Type, Zone: in.Zone, At: in.Launched})
	}
	last := ask.Decided
	if ask.DoubtUntil.After(last) {
		last = ask.DoubtUntil
	}
	if err == nil && w.config.Now().Sub(last) > fleet.DefaultRules(0).Visible {
		o.Settlement, o.Refused = fleet.Settled, max(ask.Count-len(found), 0)
	}
	return o
}

// tags returns the tags of an intent's instances.
func (w *Writer) tags(i *fleet.Intent) []types.Tag {
	all := map[string]string{
		TagFleet: w.config.fleetName(), TagCluster: w.config.Cluster, TagRole: w.config.Role,
		TagIntent: i.ID, TagEpoch: strconv.FormatInt(i.Epoch, 10), "Name": w.config.fleetName(),
	}
	if i.Policy != "" {
		all[TagPolicy] = i.Policy
	}
	if i.Release != "" {
		all[TagRelease] = i.Release
	}
	maps.Copy(all, w.config.Launch.Tags)
	tags := make([]types.Tag, 0, len(all))
	for _, key := range slices.Sorted(maps.Keys(all)) {
		tags = append(tags, types.Tag{Key: aws.String(key), Value: aws.String(all[key])})
	}
	return tags
}

// runInput is the call that asks for instances on demand.
func (w *Writer) runInput(i *fleet.Intent) *ec2.RunInstancesInput {
	l := &w.config.Launch
	in := &ec2.RunInstancesInput{
		ClientToken: aws.String(w.token(i)), InstanceType: types.InstanceType(i.Type),
		MinCount: aws.Int32(1), MaxCount: aws.Int32(int32(i.Count)),
		// a worker that powers its instance off ends the bill
		InstanceInitiatedShutdownBehavior: types.ShutdownBehaviorTerminate,
		MetadataOptions: &types.InstanceMetadataOptionsRequest{
			HttpTokens: types.HttpTokensStateRequired, HttpPutResponseHopLimit: aws.Int32(1), InstanceMetadataTags: types.InstanceMetadataTagsStateEnabled,
		},
		TagSpecifications: []types.TagSpecification{
			{ResourceType: types.ResourceTypeInstance, Tags: w.tags(i)},
			{ResourceType: types.ResourceTypeVolume, Tags: w.tags(i)},
		},
	}
	if l.Image != "" {
		in.ImageId = &l.Image
	}
	if l.Template != "" {
		in.LaunchTemplate = &types.LaunchTemplateSpecification{LaunchTemplateId: &l.Template, Version: &l.Version}
	}
	if len(l.UserData) > 0 {
		in.UserData = aws.String(base64.StdEncoding.EncodeToString(l.UserData))
	}
	if subnet, _ := l.subnet(i.Zone); subnet != "" {
		in.SubnetId = &subnet
	} else if i.Zone != "" {
		in.Placement = &types.Placement{AvailabilityZone: &i.Zone}
	}
	return in
}

// run asks for instances on demand.
func (w *Writer) run(ctx context.Context, i *fleet.Intent) (result, fault) {
	in := w.runInput(i)
	var got result
	f := w.call(ctx, func(ctx context.Context) error {
		out, err := w.change.RunInstances(ctx, in)
		if err != nil {
			return err
		}
		for j := range out.Instances {
			x := listed(&out.Instances[j])
			got.instances = append(got.instances, fleet.Launched{ID: x.ID, Type: i.Type, Zone: x.Zone, At: x.Launched})
		}
		return nil
	})
	return got, f
}

// fleetInput is the call that asks for instances on the spot market: from
// whichever of the subnets EC2 thinks will keep them longest for the price.
func (w *Writer) fleetInput(i *fleet.Intent) *ec2.CreateFleetInput {
	l := &w.config.Launch
	var pools []types.FleetLaunchTemplateOverridesRequest
	for _, s := range l.Subnets {
		if i.Zone == "" || i.Zone == s.Zone {
			pools = append(pools, types.FleetLaunchTemplateOverridesRequest{InstanceType: types.InstanceType(i.Type), SubnetId: aws.String(s.ID)})
		}
	}
	if len(pools) == 0 {
		pool := types.FleetLaunchTemplateOverridesRequest{InstanceType: types.InstanceType(i.Type)}
		if i.Zone != "" {
			pool.AvailabilityZone = &i.Zone
		}
		pools = append(pools, pool)
	}
	return &ec2.CreateFleetInput{
		ClientToken: aws.String(w.token(i)), Type: types.FleetTypeInstant,
		TargetCapacitySpecification: &types.TargetCapacitySpecificationRequest{
			TotalTargetCapacity: aws.Int32(int32(i.Count)), DefaultTargetCapacityType: types.DefaultTargetCapacityTypeSpot,
		},
		SpotOptions: &types.SpotOptionsRequest{AllocationStrategy: types.SpotAllocationStrategyPriceCapacityOptimized},
		LaunchTemplateConfigs: []types.FleetLaunchTemplateConfigRequest{{
			LaunchTemplateSpecification: &types.FleetLaunchTemplateSpecificationRequest{LaunchTemplateId: &l.Template, Version: &l.Version},
			Overrides:                   pools,
		}},
		TagSpecifications: []types.TagSpecification{
			{ResourceType: types.ResourceTypeInstance, Tags: w.tags(i)},
			{ResourceType: types.ResourceTypeFleet, Tags: w.tags(i)},
		},
	}
}

// createFleet asks for instances on the spot market.
func (w *Writer) createFleet(ctx context.Context, i *fleet.Intent) (result, fault) {
	in := w.fleetInput(i)
	var got result
	f := w.call(ctx, func(ctx context.Context) error {
		out, err := w.change.CreateFleet(ctx, in)
		if err != nil {
			return err
		}
		for _, x := range out.Instances {
			for _, id := range x.InstanceIds {
				got.instances = append(got.instances, fleet.Launched{ID: id, Type: i.Type, Zone: w.zoneOf(x.LaunchTemplateAndOverrides)})
			}
		}
		for _, x := range out.Errors {
			code := aws.ToString(x.ErrorCode)
			got.refusals = append(got.refusals, refusal{
				w.zoneOf(x.LaunchTemplateAndOverrides), fault{fleet.ClassOf(code, 400), code, aws.ToString(x.ErrorMessage)},
			})
		}
		return nil
	})
	return got, f
}

// zoneOf returns the zone of a pool of an instant fleet; empty: unknown.
func (w *Writer) zoneOf(pool *types.LaunchTemplateAndOverridesResponse) string {
	if pool == nil || pool.Overrides == nil {
		return ""
	}
	if zone := aws.ToString(pool.Overrides.AvailabilityZone); zone != "" {
		return zone
	}
	return w.config.Launch.zone(aws.ToString(pool.Overrides.SubnetId))
}
