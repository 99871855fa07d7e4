package ec2fleet

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	smithymiddleware "github.com/aws/smithy-go/middleware"
)

// Fact is something that EC2 says about what the fleet is launched as. The zero Fact
// is good.
type Fact struct {
	What string
	// Bad says what is wrong; empty: nothing. Text says what EC2 has.
	Bad, Text string
}

// Examine asks EC2 whether what instances are launched as is there: the image, the
// template's version, the subnets in their zones, and the catalog's types. It
// changes nothing. skew is how far EC2's clock is ahead of ours, by the first answer
// that tells its time; false: none did.
func Examine(ctx context.Context, account aws.Config, c Config) (facts []Fact, skew time.Duration, told bool, err error) {
	client := newClient(account)
	r, err := watch(client, c)
	if err != nil {
		return nil, 0, false, err
	}
	x := examination{r: r, client: client}
	l := &c.Launch
	if l.Image != "" {
		x.ask(ctx, "image "+l.Image, x.image)
	}
	if l.Template != "" {
		x.ask(ctx, fmt.Sprintf("launch template %s, version %s", l.Template, l.Version), x.template)
	}
	if len(l.Subnets) > 0 {
		x.ask(ctx, "subnets", x.subnets)
	}
	x.ask(ctx, "instance types", x.types)
	return x.facts, x.skew, x.told, nil
}

type examination struct {
	r      *Reader
	client *ec2.Client
	facts  []Fact
	skew   time.Duration
	told   bool
}

// ask asks one thing, within the deadline of a call.
func (x *examination) ask(ctx context.Context, what string, do func(context.Context) (text, bad string, err error)) {
	var f Fact
	fault := x.r.call(ctx, func(ctx context.Context) error {
		text, bad, err := do(ctx)
		f = Fact{what, bad, text}
		return err
	})
	if fault.code != "" {
		f = Fact{What: what, Bad: fault.code + ": " + fault.message}
	}
	x.facts = append(x.facts, f)
}

// clock takes down EC2's time.
func (x *examination) clock(m smithymiddleware.Metadata) {
	if at, ok := middleware.GetServerTime(m); ok && !x.told {
		x.skew, x.told = at.Sub(x.r.config.Now()), true
	}
}

func (x *examination) image(ctx context.Context) (text, bad string, err error) {
	out, err := x.client.DescribeImages(ctx, &ec2.DescribeImagesInput{ImageIds: []string{x.r.config.Launch.Image}})
	if err != nil {
		return "", "", err
	}
	x.clock(out.ResultMetadata)
	if len(out.Images) == 0 {
		return "", "there is no such image, or the account may not use it", nil
	}
	if state := out.Images[0].State; state != types.ImageStateAvailable {
		return "", fmt.Sprintf("it is %s", state), nil
	}
	return "available", "", nil
}

func (x *examination) template(ctx context.Context) (text, bad string, err error) {
	l := &x.r.config.Launch
	out, err := x.client.DescribeLaunchTemplateVersions(ctx, &ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: aws.String(l.Template), Versions: []string{l.Version}})
	if err != nil {
		return "", "", err
	}
	x.clock(out.ResultMetadata)
	if len(out.LaunchTemplateVersions) == 0 {
		return "", "there is no such version", nil
	}
	return "there", "", nil
}

func (x *examination) subnets(ctx context.Context) (text, bad string, err error) {
	l := &x.r.config.Launch
	var ids, wrong, free []string
	for _, s := range l.Subnets {
		ids = append(ids, s.ID)
	}
	out, err := x.client.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{SubnetIds: ids})
	if err != nil {
		return "", "", err
	}
	x.clock(out.ResultMetadata)
	for _, s := range l.Subnets {
		found := false
		for i := range out.Subnets {
			got := &out.Subnets[i]
			if aws.ToString(got.SubnetId) != s.ID {
				continue
			}
			found = true
			n := aws.ToInt32(got.AvailableIpAddressCount)
			switch zone := aws.ToString(got.AvailabilityZone); {
			case zone != s.Zone:
				wrong = append(wrong, fmt.Sprintf("%s lies in %s, not in %s", s.ID, zone, s.Zone))
			case n == 0:
				wrong = append(wrong, s.ID+" has no free address")
			default:
				free = append(free, fmt.Sprintf("%s %d addresses free", s.ID, n))
			}
		}
		if !found {
			wrong = append(wrong, s.ID+" is not there")
		}
	}
	return strings.Join(free, ", "), strings.Join(wrong, "; "), nil
}

func (x *examination) types(ctx context.Context) (text, bad string, err error) {
	names := make([]string, len(x.r.config.Catalog.Types))
	all := make([]types.InstanceType, len(names))
	for i := range names {
		names[i] = x.r.config.Catalog.Types[i].Name
		all[i] = types.InstanceType(names[i])
	}
	out, err := x.client.DescribeInstanceTypes(ctx, &ec2.DescribeInstanceTypesInput{InstanceTypes: all})
	if err != nil {
		return "", "", err
	}
	x.clock(out.ResultMetadata)
	sold := map[string]bool{}
	for i := range out.InstanceTypes {
		sold[string(out.InstanceTypes[i].InstanceType)] = true
	}
	var lacking []string
	for _, name := range names {
		if !sold[name] {
			lacking = append(lacking, name)
		}
	}
	if len(lacking) > 0 {
		return "", "the region does not sell " + strings.Join(lacking, ", "), nil
	}
	return strings.Join(names, ", "), "", nil
}
