package ec2api_test

import (
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/sim/cloud"
	"github.com/skynet-ec2/skynet/sim/ec2api"
)

// Whatever a signed client sends is answered in EC2's form. (No fuzz target: it
// would compile EC2's client anew, with instrumentation, which takes minutes.)
func TestAnyBodyIsAnswered(t *testing.T) {
	bodies := []string{
		"Action=RunInstances&ImageId=ami-0&MinCount=1&MaxCount=3&InstanceType=m1.small&ClientToken=x",
		"Action=RunInstances&LaunchTemplate.LaunchTemplateName=worker&LaunchTemplate.Version=$Latest&MinCount=1&MaxCount=1",
		"Action=DescribeInstances&Filter.1.Name=tag:a&Filter.1.Value.1=*b?&MaxResults=5&NextToken=YWZ0ZXI6MQ",
		"Action=DescribeInstanceStatus&IncludeAllInstances=true&Filter.1.Name=instance-state-code&Filter.1.Value.1=16",
		"Action=TerminateInstances&InstanceId.1=i-0123456789abcdef0&DryRun=true",
		"Action=CreateFleet&Type=instant&TargetCapacitySpecification.TotalTargetCapacity=2&LaunchTemplateConfigs.1.LaunchTemplateSpecification.LaunchTemplateName=worker&LaunchTemplateConfigs.1.Overrides.1.InstanceType=c1.medium",
		"Action=CreateTags&ResourceId.1=i-1&Tag.1.Key=k&Tag.1.Value=v", "Action=DeleteTags&ResourceId.1=i-1&Tag.1.Key=k",
		"Action=CreateLaunchTemplate&LaunchTemplateName=worker&LaunchTemplateData.InstanceType=m1.small&LaunchTemplateData.ImageId=ami-0",
		"Action=CreateLaunchTemplateVersion&LaunchTemplateName=worker&SourceVersion=1&LaunchTemplateData.UserData=aGk",
		"Action=DescribeLaunchTemplateVersions&LaunchTemplateName=worker&LaunchTemplateVersion.1=1",
		"Action=DescribeSpotPriceHistory&InstanceType.1=m1.small", "Action=DescribeFleets&FleetId.1=fleet-0",
		"Action=DescribeInstanceTypes&Filter.1.Name=instance-type&Filter.1.Value.1=c1.xlarge",
		"Action=DescribeSubnets&MaxResults=9", "Action=DescribeImages&Owner.1=self", "Action=GetCallerIdentity",
	}
	chance := rand.New(rand.NewPCG(1, 1))
	// mutate drops, doubles, swaps and cuts parameters, and spoils bytes
	mutate := func(body string) string {
		parts := strings.Split(body, "&")
		for range chance.IntN(4) {
			i, j := chance.IntN(len(parts)), chance.IntN(len(parts))
			switch chance.IntN(6) {
			case 0:
				parts[i] = ""
			case 1:
				parts = append(parts, parts[i])
			case 2:
				other := strings.Split(bodies[chance.IntN(len(bodies))], "&")
				parts = append(parts, other[chance.IntN(len(other))])
			case 3:
				key, _, _ := strings.Cut(parts[i], "=")
				parts[i] = key + "=" + []string{"", "-1", "0", "1e9", "NaN", "%00", "<x>", "2147483648", "*", strings.Repeat("y", 300)}[chance.IntN(10)]
			case 4:
				_, value, _ := strings.Cut(parts[j], "=")
				key, _, _ := strings.Cut(parts[i], "=")
				parts[i] = key + "=" + value
			default:
				b := []byte(parts[i])
				if len(b) > 0 {
					b[chance.IntN(len(b))] = byte(chance.IntN(256))
				}
				parts[i] = string(b)
			}
		}
		return strings.Join(parts, "&")
	}
	play(t, cloud.Config{World: withSpot(world()), Unthrottled: true}, ec2api.Options{}, func(r *region) {
		good := 0
		for n := range 4000 {
			if n%100 == 0 {
				time.Sleep(time.Hour)
			}
			body := strings.ReplaceAll(mutate(bodies[chance.IntN(len(bodies))]), "ami-0", url.QueryEscape(r.image))
			status, text := r.post(body, time.Now())
			switch {
			case !strings.HasPrefix(text, "<?xml"):
				r.Fatalf("%q: %d %q", body, status, text)
			case status == 200 && !strings.Contains(text, "Response xmlns="), status != 200 && !strings.Contains(text, "<Code>"):
				r.Fatalf("%q: %d %q", body, status, text)
			case status == 200:
				good++
			}
		}
		if good < 1000 || good > 3500 {
			r.Errorf("%d of 4000 went well: the bodies are too good or too bad to try anything", good)
		}
	})
}
