package ec2api_test

import (
	"encoding/base64"
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

func TestLifeOfAnInstance(t *testing.T) {
	play(t, cloud.Config{World: world()}, ec2api.Options{}, func(r *region) {
		got, err := r.run("c1.xlarge", 1, "life")
		if err != nil {
			r.Fatal(err)
		}
		in := got[0]
		if in.State.Name != types.InstanceStateNamePending || in.InstanceType != "c1.xlarge" || *in.ClientToken != "life" ||
			len(in.Tags) != 1 || *in.Tags[0].Value != "test/render" || !in.LaunchTime.Equal(time.Now()) {
			r.Errorf("launched: %+v", in)
		}
		state := func() types.InstanceStateName { return r.all()[0].State.Name }
		time.Sleep(79 * time.Second)
		if s := state(); s != types.InstanceStateNamePending {
			r.Errorf("after 79 s of 100: %s", s)
		}
		time.Sleep(time.Second)
		if s := state(); s != types.InstanceStateNameRunning {
			r.Errorf("after 80 s of 100: %s", s)
		}
		out, err := r.TerminateInstances(r.ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{*in.InstanceId}})
		if err != nil {
			r.Fatal(err)
		}
		c := out.TerminatingInstances[0]
		if c.PreviousState.Name != types.InstanceStateNameRunning || c.CurrentState.Name != types.InstanceStateNameShuttingDown {
			r.Errorf("terminated: %s to %s", c.PreviousState.Name, c.CurrentState.Name)
		}
		time.Sleep(time.Minute)
		if s := state(); s != types.InstanceStateNameTerminated {
			r.Errorf("a minute later: %s", s)
		}
		r.wants(r.terminate(*in.InstanceId), "") // again: nothing changes
		time.Sleep(time.Hour)
		if n := len(r.all()); n != 0 {
			r.Errorf("an hour later %d are listed", n)
		}
	})
}

func TestClientToken(t *testing.T) {
	play(t, cloud.Config{World: world()}, ec2api.Options{}, func(r *region) {
		first := r.mustRun("m1.small", 3, "token")
		time.Sleep(time.Minute)
		if again := r.mustRun("m1.small", 3, "token"); !slices.Equal(again, first) {
			r.Errorf("repeated: %v, want %v", again, first)
		}
		_, err := r.run("m1.small", 2, "token")
		r.wants(err, "IdempotentParameterMismatch")
		_, err = r.run("m1.large", 3, "token")
		r.wants(err, "IdempotentParameterMismatch")
		_, err = r.run("m1.small", 3, "token", func(in *ec2.RunInstancesInput) { in.UserData = aws.String("aGk=") })
		r.wants(err, "IdempotentParameterMismatch")

		// a token is unique in a zone, where the request names one
		inZone := func(z string) func(*ec2.RunInstancesInput) {
			return func(in *ec2.RunInstancesInput) { in.Placement = &types.Placement{AvailabilityZone: &z} }
		}
		a := r.mustRun("m1.small", 1, "zonal", inZone("us-east-1a"))
		time.Sleep(time.Second)
		if b := r.mustRun("m1.small", 1, "zonal", inZone("us-east-1b")); slices.Equal(a, b) {
			r.Error("the same token in another zone launched nothing")
		}
		if again := r.mustRun("m1.small", 1, "zonal", inZone("us-east-1a")); !slices.Equal(again, a) {
			r.Error("the same token in the same zone launched again")
		}

		// as long as one of its instances lives, a token answers
		time.Sleep(time.Minute)
		r.wants(r.terminate(first[0]), "")
		time.Sleep(2 * time.Minute)
		if again := r.mustRun("m1.small", 3, "token"); !slices.Equal(again, first) {
			r.Errorf("with one terminated: %v, want %v", again, first)
		}
		r.wants(r.terminate(first[1:]...), "")
		time.Sleep(2 * time.Minute)
		_, err = r.run("m1.small", 3, "token")
		r.wants(err, "IdempotentInstanceTerminated")

		_, err = r.run("m1.small", 1, strings.Repeat("x", 65))
		r.wants(err, "InvalidParameterValue")
		time.Sleep(time.Second)
		if n := len(r.all()); n != 5 {
			r.Errorf("%d instances were launched, want 5", n)
		}
	})
}

// What a token was first used for is remembered although it failed: a substitute
// needs a token of its own.
func TestClientTokenOfARefusedLaunch(t *testing.T) {
	play(t, cloud.Config{World: world()}, ec2api.Options{}, func(r *region) {
		r.admin("PUT", "capacity", `{"type": "c1.xlarge", "count": 0}`, nil)
		_, err := r.run("c1.xlarge", 1, "refused")
		r.wants(err, "InsufficientInstanceCapacity")
		_, err = r.run("m1.large", 1, "refused")
		r.wants(err, "IdempotentParameterMismatch")
		r.admin("PUT", "capacity", `{"type": "c1.xlarge", "count": 1}`, nil)
		r.mustRun("c1.xlarge", 1, "refused")
	})
}

func TestLaunchErrors(t *testing.T) {
	type change = func(*ec2.RunInstancesInput)
	for _, c := range []struct {
		name, code string
		change     change
	}{
		{"dry run", "DryRunOperation", func(in *ec2.RunInstancesInput) { in.DryRun = aws.Bool(true) }},
		{"no image", "MissingParameter", func(in *ec2.RunInstancesInput) { in.ImageId = nil }},
		{"odd image", "InvalidAMIID.Malformed", func(in *ec2.RunInstancesInput) { in.ImageId = aws.String("image") }},
		{"unknown image", "InvalidAMIID.NotFound", func(in *ec2.RunInstancesInput) { in.ImageId = aws.String("ami-1") }},
		{"unknown type", "InvalidParameterValue", func(in *ec2.RunInstancesInput) { in.InstanceType = "c9.mega" }},
		{"none", "InvalidParameterValue", func(in *ec2.RunInstancesInput) { in.MinCount, in.MaxCount = aws.Int32(0), aws.Int32(0) }},
		{"min above max", "InvalidParameterCombination", func(in *ec2.RunInstancesInput) { in.MinCount = aws.Int32(5) }},
		{"user data not base64", "InvalidUserData.Malformed", func(in *ec2.RunInstancesInput) { in.UserData = aws.String("#!/bin/sh") }},
		{"user data of 17 kB", "InvalidParameterValue", func(in *ec2.RunInstancesInput) {
			in.UserData = aws.String(base64.StdEncoding.EncodeToString(make([]byte, 17000)))
		}},
		{"unknown zone", "InvalidParameterValue", func(in *ec2.RunInstancesInput) {
			in.Placement = &types.Placement{AvailabilityZone: aws.String("us-east-1z")}
		}},
		{"unknown subnet", "InvalidSubnetID.NotFound", func(in *ec2.RunInstancesInput) { in.SubnetId = aws.String("subnet-1") }},
		{"reserved tag", "InvalidParameterValue", func(in *ec2.RunInstancesInput) { in.TagSpecifications[0].Tags[0].Key = aws.String("aws:x") }},
		{"unknown template", "InvalidLaunchTemplateName.NotFoundException", func(in *ec2.RunInstancesInput) {
			in.LaunchTemplate = &types.LaunchTemplateSpecification{LaunchTemplateName: aws.String("none")}
		}},
		{"too many hops", "InvalidParameterValue", func(in *ec2.RunInstancesInput) {
			in.MetadataOptions = &types.InstanceMetadataOptionsRequest{HttpPutResponseHopLimit: aws.Int32(65)}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, cloud.Config{World: world()}, ec2api.Options{}, func(r *region) {
				_, err := r.run("m1.small", 1, "", c.change)
				r.wants(err, c.code)
				if n := len(r.all()); n != 0 {
					r.Errorf("%d instances all the same", n)
				}
			})
		})
	}
}

func TestCapacityAndQuota(t *testing.T) {
	w := world()
	w.MaxInstances = 20
	play(t, cloud.Config{World: w, VCPUs: 64}, ec2api.Options{}, func(r *region) {
		r.admin("PUT", "capacity", `{"type": "c1.xlarge", "zone": "us-east-1a", "count": 2}`, nil)
		r.admin("PUT", "capacity", `{"type": "c1.xlarge", "zone": "us-east-1b", "count": 3}`, nil)
		in := func(i int) func(*ec2.RunInstancesInput) {
			return func(in *ec2.RunInstancesInput) { in.SubnetId = &r.subnet[i] }
		}
		// as many as there are
		if got := r.mustRun("c1.xlarge", 5, "", in(0)); len(got) != 2 {
			r.Errorf("%d of 5 where there are 2", len(got))
		}
		_, err := r.run("c1.xlarge", 5, "", in(0))
		r.wants(err, "InsufficientInstanceCapacity")
		time.Sleep(2 * time.Second)
		got := r.mustRun("c1.xlarge", 5, "") // anywhere: where there is room
		if len(got) != 3 {
			r.Errorf("%d of 5 where there are 3 elsewhere", len(got))
		}
		r.wants(r.terminate(got[0]), "") // its place can be had again
		time.Sleep(2 * time.Second)
		r.mustRun("c1.xlarge", 1, "", in(1))

		// 40 of 64 vCPUs are used
		if got := r.mustRun("m1.xlarge", 9, ""); len(got) != 6 {
			r.Errorf("%d of 9 where the quota leaves 24 vCPUs", len(got))
		}
		_, err = r.run("m1.xlarge", 1, "")
		r.wants(err, "VcpuLimitExceeded")
		r.admin("PUT", "quota", `{"vcpus": 0}`, nil)
		time.Sleep(2 * time.Second)
		if got := r.mustRun("m1.small", 30, ""); len(got) != 9 {
			r.Errorf("%d of 30 where 11 of 20 instances run", len(got))
		}
		_, err = r.run("m1.small", 1, "")
		r.wants(err, "InstanceLimitExceeded")
	})
}

func TestThrottling(t *testing.T) {
	play(t, cloud.Config{World: world()}, ec2api.Options{}, func(r *region) {
		launch := func() error {
			_, err := r.run("m1.small", 1, "")
			return err
		}
		for range 5 {
			r.wants(launch(), "")
		}
		r.wants(launch(), "RequestLimitExceeded")
		time.Sleep(500 * time.Millisecond) // two a second come back
		r.wants(launch(), "")
		r.wants(launch(), "RequestLimitExceeded")

		// lists that take a page at a time may be called more often
		throttled := 0
		for range 60 {
			if _, err := r.DescribeInstances(r.ctx, &ec2.DescribeInstancesInput{}); codeOf(err) == "RequestLimitExceeded" {
				throttled++
			}
		}
		if throttled != 10 {
			r.Errorf("%d of 60 whole lists were throttled, want 10", throttled)
		}
		for range 100 {
			_, err := r.DescribeInstances(r.ctx, &ec2.DescribeInstancesInput{MaxResults: aws.Int32(5)})
			r.wants(err, "")
		}

		// instances have a bucket of their own: 1000, and 2 a second
		time.Sleep(10 * time.Minute)
		if n := len(r.mustRun("m1.small", 900, "")); n != 900 {
			r.Fatal(n)
		}
		_, err := r.run("m1.small", 110, "", func(in *ec2.RunInstancesInput) { in.MinCount = aws.Int32(1) })
		if err != nil { // 94 are left of the quota, and of the bucket 100
			r.Error(err)
		}
		r.wants(launch(), "InstanceLimitExceeded")
	})
}

func TestLaunchTemplate(t *testing.T) {
	play(t, cloud.Config{World: world()}, ec2api.Options{}, func(r *region) {
		made, err := r.CreateLaunchTemplate(r.ctx, &ec2.CreateLaunchTemplateInput{
			LaunchTemplateName: aws.String("worker"),
			LaunchTemplateData: &types.RequestLaunchTemplateData{
				ImageId: &r.image, InstanceType: "m1.large", UserData: aws.String("b25l"),
				TagSpecifications: []types.LaunchTemplateTagSpecificationRequest{{ResourceType: types.ResourceTypeInstance, Tags: []types.Tag{{Key: aws.String("from"), Value: aws.String("template")}}}},
			},
		})
		if err != nil {
			r.Fatal(err)
		}
		id := made.LaunchTemplate.LaunchTemplateId
		v, err := r.CreateLaunchTemplateVersion(r.ctx, &ec2.CreateLaunchTemplateVersionInput{
			LaunchTemplateId: id, SourceVersion: aws.String("1"),
			LaunchTemplateData: &types.RequestLaunchTemplateData{UserData: aws.String("dHdv")},
		})
		if err != nil {
			r.Fatal(err)
		}
		if *v.LaunchTemplateVersion.VersionNumber != 2 || v.LaunchTemplateVersion.LaunchTemplateData.InstanceType != "m1.large" || *v.LaunchTemplateVersion.LaunchTemplateData.UserData != "dHdv" {
			r.Errorf("version: %+v", v.LaunchTemplateVersion)
		}
		out, err := r.RunInstances(r.ctx, &ec2.RunInstancesInput{
			LaunchTemplate: &types.LaunchTemplateSpecification{LaunchTemplateId: id, Version: aws.String("2")},
			MinCount:       aws.Int32(1), MaxCount: aws.Int32(1), InstanceType: "m1.small",
		})
		if err != nil {
			r.Fatal(err)
		}
		if in := out.Instances[0]; in.InstanceType != "m1.small" || len(in.Tags) != 1 || *in.Tags[0].Value != "template" {
			r.Errorf("launched %s with %v", in.InstanceType, in.Tags)
		}
		for _, c := range []struct{ version, code string }{
			{"3", "InvalidLaunchTemplateId.VersionNotFound"}, {"two", "InvalidLaunchTemplateVersion.Malformed"},
		} {
			_, err := r.RunInstances(r.ctx, &ec2.RunInstancesInput{
				LaunchTemplate: &types.LaunchTemplateSpecification{LaunchTemplateId: id, Version: &c.version},
				MinCount:       aws.Int32(1), MaxCount: aws.Int32(1),
			})
			r.wants(err, c.code)
		}
		_, err = r.CreateLaunchTemplate(r.ctx, &ec2.CreateLaunchTemplateInput{LaunchTemplateName: aws.String("worker"), LaunchTemplateData: &types.RequestLaunchTemplateData{}})
		r.wants(err, "InvalidLaunchTemplateName.AlreadyExistsException")
		list, err := r.DescribeLaunchTemplates(r.ctx, &ec2.DescribeLaunchTemplatesInput{LaunchTemplateNames: []string{"worker"}})
		if err != nil || len(list.LaunchTemplates) != 1 || *list.LaunchTemplates[0].LatestVersionNumber != 2 {
			r.Errorf("templates: %v %v", list, err)
		}
		versions, err := r.DescribeLaunchTemplateVersions(r.ctx, &ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: id, Versions: []string{"$Latest", "$Default"}})
		if err != nil || len(versions.LaunchTemplateVersions) != 2 || *versions.LaunchTemplateVersions[0].VersionNumber != 2 {
			r.Errorf("versions: %v %v", versions, err)
		}
	})
}
