package ec2api_test

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/skynet-ec2/skynet/sim/cloud"
	"github.com/skynet-ec2/skynet/sim/ec2api"
)

func TestInstantFleet(t *testing.T) {
	play(t, cloud.Config{World: withSpot(world())}, ec2api.Options{}, func(r *region) {
		made, err := r.CreateLaunchTemplate(r.ctx, &ec2.CreateLaunchTemplateInput{
			LaunchTemplateName: aws.String("worker"), LaunchTemplateData: &types.RequestLaunchTemplateData{ImageId: &r.image},
		})
		if err != nil {
			r.Fatal(err)
		}
		ask := func(total int32, token string, overrides ...types.FleetLaunchTemplateOverridesRequest) (*ec2.CreateFleetOutput, error) {
			return r.CreateFleet(r.ctx, &ec2.CreateFleetInput{
				Type: types.FleetTypeInstant, ClientToken: &token,
				TargetCapacitySpecification: &types.TargetCapacitySpecificationRequest{
					TotalTargetCapacity: &total, DefaultTargetCapacityType: types.DefaultTargetCapacityTypeSpot,
				},
				SpotOptions: &types.SpotOptionsRequest{AllocationStrategy: types.SpotAllocationStrategyPriceCapacityOptimized},
				LaunchTemplateConfigs: []types.FleetLaunchTemplateConfigRequest{{
					LaunchTemplateSpecification: &types.FleetLaunchTemplateSpecificationRequest{LaunchTemplateId: made.LaunchTemplate.LaunchTemplateId, Version: aws.String("1")},
					Overrides:                   overrides,
				}},
				TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeInstance, Tags: []types.Tag{{Key: aws.String("role"), Value: aws.String("render")}}}},
			})
		}
		pool := func(typ string, zone int) types.FleetLaunchTemplateOverridesRequest {
			return types.FleetLaunchTemplateOverridesRequest{InstanceType: types.InstanceType(typ), SubnetId: &r.subnet[zone]}
		}
		r.admin("PUT", "capacity", `{"type": "c1.medium", "zone": "us-east-1a", "count": 2}`, nil)
		out, err := ask(5, "one", pool("m1.small", 1), pool("c1.medium", 0), pool("c1.medium", 1))
		if err != nil {
			r.Fatal(err)
		}
		// an m1.small is the cheapest pool and has room for all
		if len(out.Instances) != 1 || len(out.Instances[0].InstanceIds) != 5 || out.Instances[0].InstanceType != "m1.small" ||
			*out.Instances[0].LaunchTemplateAndOverrides.Overrides.SubnetId != r.subnet[1] || len(out.Errors) != 0 {
			r.Errorf("fleet: %+v", out)
		}
		again, err := ask(5, "one", pool("m1.small", 1), pool("c1.medium", 0), pool("c1.medium", 1))
		if err != nil || *again.FleetId != *out.FleetId || !slices.Equal(again.Instances[0].InstanceIds, out.Instances[0].InstanceIds) {
			r.Errorf("repeated: %+v %v", again, err)
		}
		_, err = ask(6, "one", pool("m1.small", 1), pool("c1.medium", 0), pool("c1.medium", 1))
		r.wants(err, "IdempotentParameterMismatch")

		part, err := ask(5, "two", pool("c1.medium", 0))
		if err != nil || len(part.Instances) != 1 || len(part.Instances[0].InstanceIds) != 2 || len(part.Errors) != 1 || *part.Errors[0].ErrorCode != "InsufficientInstanceCapacity" {
			r.Errorf("part: %+v %v", part, err)
		}
		none, err := ask(5, "three", pool("c1.medium", 0))
		if err != nil || len(none.Instances) != 0 || len(none.Errors) != 1 {
			r.Errorf("none, which is no error of the call: %+v %v", none, err)
		}
		time.Sleep(time.Second)
		tagged := r.list(&ec2.DescribeInstancesInput{Filters: []types.Filter{{Name: aws.String("tag:aws:ec2:fleet-id"), Values: []string{*out.FleetId}}}})
		if len(tagged) != 5 || tagged[0].InstanceLifecycle != types.InstanceLifecycleTypeSpot || len(tagged[0].Tags) != 2 {
			r.Errorf("%d tagged, %+v", len(tagged), tagged[0].Tags)
		}
		fleets, err := r.DescribeFleets(r.ctx, &ec2.DescribeFleetsInput{FleetIds: []string{*out.FleetId, *none.FleetId}})
		if err != nil || len(fleets.Fleets) != 2 || fleets.Fleets[1].ActivityStatus != types.FleetActivityStatusFulfilled || *fleets.Fleets[0].FulfilledCapacity != 5 {
			r.Errorf("fleets: %+v %v", fleets, err)
		}
		_, err = ask(1, "four", pool("c1.mega", 0))
		r.wants(err, "InvalidParameterValue")
		_, err = r.DescribeFleets(r.ctx, &ec2.DescribeFleetsInput{FleetIds: []string{"fleet-0"}})
		r.wants(err, "InvalidFleetId.NotFound")
	})
}
