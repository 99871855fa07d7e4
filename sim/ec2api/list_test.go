package ec2api_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/skynet-ec2/skynet/sim/cloud"
	"github.com/skynet-ec2/skynet/sim/ec2api"
)

func TestFilters(t *testing.T) {
	play(t, cloud.Config{World: world()}, ec2api.Options{}, func(r *region) {
		small := r.mustRun("m1.small", 2, "s", func(in *ec2.RunInstancesInput) { in.SubnetId = &r.subnet[0] })
		large := r.mustRun("m1.large", 1, "l", func(in *ec2.RunInstancesInput) { in.SubnetId = &r.subnet[1] })
		_, err := r.CreateTags(r.ctx, &ec2.CreateTagsInput{Resources: large, Tags: []types.Tag{{Key: aws.String("role"), Value: aws.String("render video")}}})
		r.wants(err, "")
		time.Sleep(90 * time.Second)
		r.wants(r.terminate(small[1]), "")
		for _, c := range []struct {
			name   string
			values []string
			want   []string
		}{
			{"instance-type", []string{"m1.small"}, small},
			{"instance-type", []string{"m1.*"}, append(slices.Clone(small), large...)},
			{"instance-type", []string{"m1.?????"}, append(slices.Clone(small), large...)},
			{"instance-type", []string{"c1.*"}, nil},
			{"client-token", []string{"l"}, large},
			{"tag:role", []string{"* video"}, large},
			{"tag:role", []string{"photo"}, nil},
			{"tag-key", []string{"role"}, large},
			{"tag:skynet:fleet", []string{"test/render"}, append(slices.Clone(small), large...)},
			{"instance-state-name", []string{"shutting-down", "terminated"}, small[1:]},
			{"instance-state-code", []string{"16"}, []string{small[0], large[0]}},
			{"availability-zone", []string{"us-east-1b"}, large},
			{"subnet-id", []string{r.subnet[0]}, small},
			{"instance-id", []string{large[0], "i-0"}, large},
			{"instance-lifecycle", []string{"spot"}, nil},
		} {
			got := ids(r.list(&ec2.DescribeInstancesInput{Filters: []types.Filter{{Name: &c.name, Values: c.values}}}))
			if !slices.Equal(got, c.want) {
				r.Errorf("%s %v: %v, want %v", c.name, c.values, got, c.want)
			}
		}
		_, err = r.DescribeInstances(r.ctx, &ec2.DescribeInstancesInput{Filters: []types.Filter{{Name: aws.String("colour"), Values: []string{"red"}}}})
		r.wants(err, "InvalidParameterValue")

		status, err := r.DescribeInstanceStatus(r.ctx, &ec2.DescribeInstanceStatusInput{})
		if err != nil || len(status.InstanceStatuses) != 2 { // those that run
			r.Errorf("status of %d: %v", len(status.InstanceStatuses), err)
		}
	})
}

func TestPages(t *testing.T) {
	play(t, cloud.Config{World: world()}, ec2api.Options{}, func(r *region) {
		want := append(r.mustRun("m1.small", 7, ""), r.mustRun("m1.small", 10, "")...)
		calls := 0
		var got []string
		for pages := ec2.NewDescribeInstancesPaginator(r.Client, &ec2.DescribeInstancesInput{MaxResults: aws.Int32(5)}); pages.HasMorePages(); calls++ {
			page, err := pages.NextPage(r.ctx)
			if err != nil {
				r.Fatal(err)
			}
			for _, x := range page.Reservations {
				got = append(got, ids(x.Instances)...)
			}
		}
		if calls != 4 || !slices.Equal(got, want) {
			r.Errorf("%d calls gave %v, want 4 and %v", calls, got, want)
		}
		_, err := r.DescribeInstances(r.ctx, &ec2.DescribeInstancesInput{MaxResults: aws.Int32(5), InstanceIds: want[:1]})
		r.wants(err, "InvalidParameterCombination")
		_, err = r.DescribeInstances(r.ctx, &ec2.DescribeInstancesInput{MaxResults: aws.Int32(4)})
		r.wants(err, "InvalidParameterValue")
		_, err = r.DescribeInstances(r.ctx, &ec2.DescribeInstancesInput{NextToken: aws.String("page two")})
		r.wants(err, "InvalidNextToken")
	})
}

// Lists lag behind: an instance just launched is not found for a while, in a list
// or by its id, and its termination shows late.
func TestEventualConsistency(t *testing.T) {
	play(t, cloud.Config{World: world(), ListLag: 5 * time.Second}, ec2api.Options{}, func(r *region) {
		want := r.mustRun("m1.small", 200, "")
		if n := len(r.all()); n > 10 {
			r.Errorf("%d of 200 are listed at once", n)
		}
		_, err := r.DescribeInstances(r.ctx, &ec2.DescribeInstancesInput{InstanceIds: want})
		r.wants(err, "InvalidInstanceID.NotFound")
		r.wants(r.terminate(want...), "InvalidInstanceID.NotFound")
		time.Sleep(5 * time.Second)
		if n := len(r.all()); n < 100 || n > 150 { // 1 - 1/e of them
			r.Errorf("%d of 200 are listed after the mean lag", n)
		}
		time.Sleep(3 * time.Minute)
		if n := len(r.all()); n != 200 {
			r.Errorf("%d of 200 are listed in the end", n)
		}
		r.wants(r.terminate(want...), "")
		running := 0
		for _, in := range r.all() {
			if in.State.Name == types.InstanceStateNameRunning {
				running++
			}
		}
		if running < 190 {
			r.Errorf("%d of 200 are still listed as running right after their termination", running)
		}
	})
}

func TestTerminateIsAllOrNothing(t *testing.T) {
	play(t, cloud.Config{World: world()}, ec2api.Options{}, func(r *region) {
		good := r.mustRun("m1.small", 2, "")
		protected := r.mustRun("m1.small", 1, "", func(in *ec2.RunInstancesInput) { in.DisableApiTermination = aws.Bool(true) })
		for _, c := range []struct{ id, code string }{
			{"i-0123456789abcdef0", "InvalidInstanceID.NotFound"},
			{"i-xyz", "InvalidInstanceID.Malformed"},
			{protected[0], "OperationNotPermitted"},
		} {
			err := r.terminate(append(slices.Clone(good), c.id)...)
			r.wants(err, c.code)
			if !strings.Contains(err.Error(), c.id) {
				r.Errorf("%v does not name %s", err, c.id)
			}
		}
		err := r.terminate(good[0], "i-0123456789abcdef0", "i-0123456789abcdef1")
		if codeOf(err) != "InvalidInstanceID.NotFound" || !strings.Contains(err.Error(), "i-0123456789abcdef0, i-0123456789abcdef1") {
			r.Errorf("two wrong ids: %v", err)
		}
		for _, in := range r.all() {
			if in.State.Name != types.InstanceStateNamePending {
				r.Errorf("%s is %s", *in.InstanceId, in.State.Name)
			}
		}
		_, err = r.TerminateInstances(r.ctx, &ec2.TerminateInstancesInput{InstanceIds: good, DryRun: aws.Bool(true)})
		r.wants(err, "DryRunOperation")
		r.wants(r.terminate(good...), "")
	})
}

func TestCatalogLists(t *testing.T) {
	play(t, cloud.Config{World: withSpot(world())}, ec2api.Options{}, func(r *region) {
		kinds, err := r.DescribeInstanceTypes(r.ctx, &ec2.DescribeInstanceTypesInput{InstanceTypes: []types.InstanceType{"c1.xlarge"}})
		if err != nil || len(kinds.InstanceTypes) != 1 || *kinds.InstanceTypes[0].VCpuInfo.DefaultVCpus != 8 || len(kinds.InstanceTypes[0].SupportedUsageClasses) != 2 {
			r.Errorf("types: %+v %v", kinds, err)
		}
		_, err = r.DescribeInstanceTypes(r.ctx, &ec2.DescribeInstanceTypesInput{InstanceTypes: []types.InstanceType{"none"}})
		r.wants(err, "InvalidInstanceType")
		subnets, err := r.DescribeSubnets(r.ctx, &ec2.DescribeSubnetsInput{Filters: []types.Filter{{Name: aws.String("availability-zone"), Values: []string{"us-east-1b"}}}})
		if err != nil || len(subnets.Subnets) != 1 || *subnets.Subnets[0].SubnetId != r.subnet[1] {
			r.Errorf("subnets: %+v %v", subnets, err)
		}
		images, err := r.DescribeImages(r.ctx, &ec2.DescribeImagesInput{Owners: []string{"self"}})
		if err != nil || len(images.Images) != 1 || *images.Images[0].ImageId != r.image {
			r.Errorf("images: %+v %v", images, err)
		}
		prices, err := r.DescribeSpotPriceHistory(r.ctx, &ec2.DescribeSpotPriceHistoryInput{InstanceTypes: []types.InstanceType{"c1.xlarge"}, ProductDescriptions: []string{"Linux/UNIX"}})
		if err != nil || len(prices.SpotPriceHistory) != 2 || *prices.SpotPriceHistory[0].SpotPrice != "0.320000" {
			r.Errorf("prices: %+v %v", prices, err)
		}
		zones, err := r.DescribeAvailabilityZones(r.ctx, &ec2.DescribeAvailabilityZonesInput{})
		if err != nil || len(zones.AvailabilityZones) != 2 || *zones.AvailabilityZones[0].ZoneName != "us-east-1a" {
			r.Errorf("zones: %+v %v", zones, err)
		}
	})
}
