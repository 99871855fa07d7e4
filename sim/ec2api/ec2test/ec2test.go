// Package ec2test lets tests call the simulated EC2 with the real SDK, without a
// socket and under the fake clock of testing/synctest.
package ec2test

import (
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/skynet-ec2/skynet/sim/cloud"
	"github.com/skynet-ec2/skynet/sim/ec2api"
)

// Clock is the clock of package time, handed in as time.Now and time.AfterFunc: in
// a bubble of testing/synctest they are fake ones.
type Clock struct {
	Time  func() time.Time
	After func(time.Duration, func()) *time.Timer
}

// Now implements ec2api.Clock.
func (c Clock) Now() time.Time { return c.Time() }

// AfterFunc implements ec2api.Clock.
func (c Clock) AfterFunc(d time.Duration, f func()) (stop func() bool) { return c.After(d, f).Stop }

// Account is what a client of the server is made with.
func Account(s *ec2api.Server) aws.Config {
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String("http://ec2.test"),
		Credentials: credentials.NewStaticCredentialsProvider(ec2api.TestAccessKey, ec2api.TestSecretKey, ""),
		HTTPClient:  &http.Client{Transport: ec2api.Transport{Handler: s}},
	}
}

// Alive returns the instances that run, whatever lists say.
func Alive(s *ec2api.Server) (all []*cloud.Instance) {
	s.With(func(c *cloud.Cloud) {
		for _, in := range c.Instances() {
			if state := in.State(); state == cloud.Pending || state == cloud.Running {
				all = append(all, in)
			}
		}
	})
	return all
}

// IDs returns the ids of instances.
func IDs(all []*cloud.Instance) []string {
	var ids []string
	for _, in := range all {
		ids = append(ids, in.ID)
	}
	return ids
}

// ByTag counts every instance that EC2 remembers by the value of a tag.
func ByTag(s *ec2api.Server, key string) map[string]int {
	n := map[string]int{}
	s.With(func(c *cloud.Cloud) {
		for _, in := range c.Instances() {
			n[Tag(in, key)]++
		}
	})
	return n
}

// Tag returns the value of an instance's tag; empty: it has none.
func Tag(in *cloud.Instance, key string) string {
	for _, t := range in.Tags {
		if t.Key == key {
			return t.Value
		}
	}
	return ""
}
