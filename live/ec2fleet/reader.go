package ec2fleet

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/skynet-ec2/skynet/live/fleet"
	"github.com/skynet-ec2/skynet/policy"
)

// lister is the part of EC2's client that changes nothing.
type lister interface {
	DescribeInstances(context.Context, *ec2.DescribeInstancesInput, ...func(*ec2.Options)) (*ec2.DescribeInstancesOutput, error)
	DescribeSpotPriceHistory(context.Context, *ec2.DescribeSpotPriceHistoryInput, ...func(*ec2.Options)) (*ec2.DescribeSpotPriceHistoryOutput, error)
}

// Reader sees the fleet and cannot change it. It is safe for concurrent use.
type Reader struct {
	config Config
	list   lister

	mu       sync.Mutex
	refusals fleet.Refusals
	own      map[string]time.Time // ids listed or launched as the fleet's, and when last
}

var _ fleet.Observer = (*Reader)(nil)

// Watch returns a Reader of the fleet. The error says everything that is wrong
// with the configuration.
func Watch(account aws.Config, c Config) (*Reader, error) {
	return watch(newClient(account), c)
}

func watch(client lister, c Config) (*Reader, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("fleet: %w", err)
	}
	if c.Call == 0 {
		c.Call = 20 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Reader{config: c, list: client, own: map[string]time.Time{}}, nil
}

// call makes one call of EC2 within its deadline, and notes how it went.
func (r *Reader) call(ctx context.Context, do func(context.Context) error) fault {
	ctx, cancel := context.WithTimeout(ctx, r.config.Call)
	defer cancel()
	f := faultOf(do(ctx))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refusals.Called(r.config.Now(), f.class)
	return f
}

// pageSize is the most that EC2 lists at once.
const pageSize = 1000

// Observe implements fleet.Observer: one sweep over everything that carries the
// fleet's tag.
func (r *Reader) Observe(ctx context.Context) fleet.View {
	v := fleet.View{At: r.config.Now()}
	v.Instances, v.Err = r.sweep(ctx, types.Filter{Name: aws.String("tag:" + TagFleet), Values: []string{r.config.fleetName()}})
	v.Complete = v.Err == nil
	r.mu.Lock()
	defer r.mu.Unlock()
	r.remember(&v)
	now := r.config.Now()
	v.EC2 = r.refusals.EC2View(now, r.config.Catalog)
	v.EC2.Complete = v.Complete
	v.Frozen = r.refusals.Frozen(now)
	return v
}

// ownFor is how long an instance that lists do not show counts as the fleet's.
const ownFor = 2 * time.Hour

// remember notes which instances are the fleet's own.
func (r *Reader) remember(v *fleet.View) {
	for _, in := range v.Instances {
		r.own[in.ID] = v.At
	}
	for id, at := range r.own {
		if v.At.Sub(at) > ownFor {
			delete(r.own, id)
		}
	}
}

// sweep lists everything that passes the filters, page by page. With an error
// comes what was read before it.
func (r *Reader) sweep(ctx context.Context, filters ...types.Filter) ([]fleet.Listed, error) {
	var all []fleet.Listed
	in := &ec2.DescribeInstancesInput{Filters: filters, MaxResults: aws.Int32(pageSize)}
	for page := 1; ; page++ {
		var out *ec2.DescribeInstancesOutput
		f := r.call(ctx, func(ctx context.Context) (err error) {
			out, err = r.list.DescribeInstances(ctx, in)
			return err
		})
		if f.class != fleet.None {
			return all, fmt.Errorf("observe: DescribeInstances, page %d: %s: %s", page, f.code, f.message)
		}
		for i := range out.Reservations {
			for j := range out.Reservations[i].Instances {
				all = append(all, listed(&out.Reservations[i].Instances[j]))
			}
		}
		if aws.ToString(out.NextToken) == "" {
			return all, nil
		}
		in.NextToken = out.NextToken
	}
}

// listed returns an instance of EC2's list.
func listed(in *types.Instance) fleet.Listed {
	l := fleet.Listed{
		ID: aws.ToString(in.InstanceId), Type: string(in.InstanceType), Launched: aws.ToTime(in.LaunchTime),
		Market: marketOf(string(in.InstanceLifecycle)), State: fleet.Over,
	}
	if in.Placement != nil {
		l.Zone = aws.ToString(in.Placement.AvailabilityZone)
	}
	if in.State != nil {
		switch in.State.Name {
		case types.InstanceStateNamePending:
			l.State = fleet.Pending
		case types.InstanceStateNameRunning:
			l.State = fleet.Running
		}
	}
	if l.State == fleet.Over && in.StateReason != nil {
		l.Reason = aws.ToString(in.StateReason.Message)
	}
	for _, t := range in.Tags {
		if aws.ToString(t.Key) == TagIntent {
			l.Intent = aws.ToString(t.Value)
		}
	}
	return l
}

func marketOf(lifecycle string) policy.Market {
	if lifecycle == "spot" {
		return policy.Spot
	}
	return policy.OnDemand
}

// SpotPrices returns the prices per hour now by catalog index, the highest among
// the zones that are launched into: EC2 chooses the zone, and a guard must not
// count on the cheapest. A type without a price has 0.
func (r *Reader) SpotPrices(ctx context.Context) ([]policy.MicroUSD, error) {
	prices := make([]policy.MicroUSD, len(r.config.Catalog.Types))
	now := r.config.Now()
	in := &ec2.DescribeSpotPriceHistoryInput{
		ProductDescriptions: []string{"Linux/UNIX"}, StartTime: &now, MaxResults: aws.Int32(pageSize),
	}
	for _, t := range r.config.Catalog.Types {
		in.InstanceTypes = append(in.InstanceTypes, types.InstanceType(t.Name))
	}
	zones := r.config.Launch.zones()
	for {
		var out *ec2.DescribeSpotPriceHistoryOutput
		f := r.call(ctx, func(ctx context.Context) (err error) {
			out, err = r.list.DescribeSpotPriceHistory(ctx, in)
			return err
		})
		if f.class != fleet.None {
			return nil, fmt.Errorf("prices: DescribeSpotPriceHistory: %s: %s", f.code, f.message)
		}
		for _, p := range out.SpotPriceHistory {
			i := r.config.Catalog.Index(string(p.InstanceType))
			if i < 0 || len(zones) > 0 && !slices.Contains(zones, aws.ToString(p.AvailabilityZone)) {
				continue
			}
			dollars, err := strconv.ParseFloat(aws.ToString(p.SpotPrice), 64)
			if err != nil {
				return nil, fmt.Errorf("prices: %s in %s: %w", p.InstanceType, aws.ToString(p.AvailabilityZone), err)
			}
			price, err := policy.FromDollars(dollars)
			if err != nil {
				return nil, fmt.Errorf("prices: %s: %w", p.InstanceType, err)
			}
			prices[i] = max(prices[i], price)
		}
		if aws.ToString(out.NextToken) == "" {
			return prices, nil
		}
		in.NextToken = out.NextToken
	}
}
