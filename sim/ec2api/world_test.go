package ec2api_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/sim/cloud"
	"github.com/skynet-ec2/skynet/sim/ec2api"
	"github.com/skynet-ec2/skynet/sim/ec2api/ec2test"
)

// world is two zones that sell the types of 2008 by the hour; boots take 100 s.
func world() *sim.Config {
	return &sim.Config{
		Seed: 1, Catalog: policy.EC2in2008(), Zones: []string{"a", "b"}, MaxInstances: 1000,
		Boot: map[string]sim.BootModel{"": {Model: "fixed", Value: 100 * time.Second}},
	}
}

// withSpot adds a spot market of steady prices.
func withSpot(w *sim.Config) *sim.Config {
	w.Spot = &sim.SpotMarket{Discount: 0.4, Revert: time.Hour, Notice: 2 * time.Minute}
	return w
}

// region is a server and its client, in one bubble.
type region struct {
	*testing.T
	*ec2.Client
	server *ec2api.Server
	ctx    context.Context
	image  string
	subnet []string
}

// play runs a test in a bubble with a region of its own.
func play(t *testing.T, cfg cloud.Config, opt ec2api.Options, test func(*region)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cfg.Start = time.Now()
		c, err := cloud.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		r := &region{T: t, ctx: t.Context(), image: c.Image().ID}
		for _, z := range c.Zones() {
			r.subnet = append(r.subnet, z.Subnet)
		}
		opt.Clock = ec2test.Clock{Time: time.Now, After: time.AfterFunc}
		if r.server, err = ec2api.New(c, opt); err != nil {
			t.Fatal(err)
		}
		defer r.server.Close()
		r.Client = r.client(ec2api.TestSecretKey)
		test(r)
		synctest.Wait()
	})
}

// client returns the SDK's client with its own retries off.
func (r *region) client(secret string) *ec2.Client {
	return ec2.New(ec2.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("http://ec2.test"),
		Credentials: credentials.NewStaticCredentialsProvider(ec2api.TestAccessKey, secret, ""),
		HTTPClient:  &http.Client{Transport: ec2api.Transport{Handler: r.server}},
		Retryer:     aws.NopRetryer{},
	})
}

// run launches n instances of a type under a token.
func (r *region) run(typ string, n int32, token string, change ...func(*ec2.RunInstancesInput)) ([]types.Instance, error) {
	in := &ec2.RunInstancesInput{
		ImageId: &r.image, InstanceType: types.InstanceType(typ), MinCount: aws.Int32(1), MaxCount: &n,
		InstanceInitiatedShutdownBehavior: types.ShutdownBehaviorTerminate,
		TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeInstance, Tags: []types.Tag{
			{Key: aws.String("skynet:fleet"), Value: aws.String("test/render")},
		}}},
	}
	if token != "" {
		in.ClientToken = &token
	}
	for _, f := range change {
		f(in)
	}
	out, err := r.RunInstances(r.ctx, in)
	if err != nil {
		return nil, err
	}
	return out.Instances, nil
}

// mustRun is run that has to succeed; it returns the ids.
func (r *region) mustRun(typ string, n int32, token string, change ...func(*ec2.RunInstancesInput)) []string {
	r.Helper()
	got, err := r.run(typ, n, token, change...)
	if err != nil {
		r.Fatal(err)
	}
	return ids(got)
}

func ids(instances []types.Instance) []string {
	var all []string
	for _, in := range instances {
		all = append(all, *in.InstanceId)
	}
	return all
}

// list returns the instances that a request lists, over all pages.
func (r *region) list(in *ec2.DescribeInstancesInput) []types.Instance {
	r.Helper()
	var all []types.Instance
	for pages := ec2.NewDescribeInstancesPaginator(r.Client, in); pages.HasMorePages(); {
		page, err := pages.NextPage(r.ctx)
		if err != nil {
			r.Fatal(err)
		}
		for _, x := range page.Reservations {
			all = append(all, x.Instances...)
		}
	}
	return all
}

func (r *region) all() []types.Instance { return r.list(&ec2.DescribeInstancesInput{}) }

func (r *region) terminate(ids ...string) error {
	_, err := r.TerminateInstances(r.ctx, &ec2.TerminateInstancesInput{InstanceIds: ids})
	return err
}

// wants checks the code of an error; "" is success.
func (r *region) wants(err error, code string) {
	r.Helper()
	if got := codeOf(err); got != code {
		r.Errorf("error %v: code %q, want %q", err, got, code)
	}
}

func codeOf(err error) string {
	var api smithy.APIError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &api):
		return api.ErrorCode()
	}
	return "(no answer)"
}

// admin calls the administrator's API and decodes the answer.
func (r *region) admin(method, path, body string, into any) int {
	r.Helper()
	q, err := http.NewRequestWithContext(r.ctx, method, "http://ec2.test/_sim/"+path, strings.NewReader(body))
	if err != nil {
		r.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/json")
	reply, err := ec2api.Transport{Handler: r.server}.RoundTrip(q)
	if err != nil {
		r.Fatal(err)
	}
	defer reply.Body.Close()
	if into != nil {
		if err := json.NewDecoder(reply.Body).Decode(into); err != nil {
			r.Fatal(err)
		}
	}
	return reply.StatusCode
}

func (r *region) fault(body string) {
	r.Helper()
	var answer map[string]any
	if status := r.admin("POST", "faults", body, &answer); status != 200 {
		r.Fatalf("fault %s: %d %v", body, status, answer)
	}
}
