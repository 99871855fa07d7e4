package cloud

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/draw"
	"github.com/skynet-ec2/skynet/sim"
)

// Config is an account in a region of a world. The zero value of what is
// optional is a generous account: no quota of vCPUs, lists without lag.
type Config struct {
	// World gives catalog, billing, zones, boot lags, the spot market, faults, the
	// quota of instances and the seed. Required.
	World *sim.Config
	// Start is the time at which the world begins. Required.
	Start time.Time
	// Region and Account; empty: us-east-1 and 123456789012.
	Region, Account string
	// VCPUs and SpotVCPUs are the quotas of vCPUs on demand and on the spot
	// market; 0: none.
	VCPUs, SpotVCPUs int
	// ListLag is the mean time until lists show a launch or a change of state. It
	// is drawn for each, exponential, at most 30 times the mean; 0: at once.
	ListLag time.Duration
	// PageMax is the most that a page of a list of instances has, whatever is asked
	// for; 0: what is asked for.
	PageMax int
	// Unthrottled leaves the request buckets out; the faults of a scenario still
	// throttle.
	Unthrottled bool
}

// Cloud is one account in one region. Make one with New.
type Cloud struct {
	cfg     Config
	weather *sim.Weather
	catalog policy.Catalog
	now     time.Time

	zones   []Zone
	image   Image
	streams streams

	instances []*Instance // not forgotten, in launch order
	byID      map[string]*Instance
	launched  int64 // launches ever
	alive     int   // neither shutting down nor ended
	vcpus     [2]int
	ended     policy.MicroUSD // bills of instances forgotten

	launches  map[launchKey]*launchRecord // by client token
	fleets    []*Fleet
	templates []*Template
	reserved  int64 // reservations ever
	calls     int64 // launch calls ever

	capacity map[pool]int
	buckets  map[string]*bucket
	faults   []*ActionFault
	faulted  int64 // faults of actions ever
	events   agenda
	effects  []Effect
}

// Zone is an availability zone with its one subnet.
type Zone struct {
	Name     string // such as us-east-1a
	ID       string
	Subnet   string
	CIDR     string
	scenario string // its name in the scenario
}

// Image is the machine image that there is.
type Image struct{ ID, Name string }

// streams are what the API draws and the simulator does not know.
type streams struct{ id, listLag, stopLag, fault draw.Stream }

// New returns an account without instances. The error names what is missing in
// cfg.
func New(cfg Config) (*Cloud, error) {
	switch {
	case cfg.World == nil:
		return nil, errors.New("cloud: no world")
	case cfg.Start.IsZero():
		return nil, errors.New("cloud: no start")
	case len(cfg.World.Catalog.Types) == 0:
		return nil, errors.New("cloud: the world sells no instance type")
	case cfg.ListLag < 0:
		return nil, fmt.Errorf("cloud: list lag %s: must not be negative", cfg.ListLag)
	}
	if cfg.Region == "" {
		cfg.Region = "us-east-1"
	}
	if cfg.Account == "" {
		cfg.Account = "123456789012"
	}
	seed := cfg.World.Seed
	c := &Cloud{
		cfg: cfg, weather: sim.NewWeather(cfg.World), catalog: cfg.World.Catalog, now: cfg.Start,
		streams: streams{
			id: draw.New(seed, "ec2-id"), listLag: draw.New(seed, "list-lag"),
			stopLag: draw.New(seed, "stop-lag"), fault: draw.New(seed, "action-fault"),
		},
		byID: map[string]*Instance{}, launches: map[launchKey]*launchRecord{},
		capacity: map[pool]int{}, buckets: map[string]*bucket{},
	}
	names := cfg.World.Zones
	if len(names) == 0 {
		names = []string{"a"}
	}
	for i, name := range names {
		c.zones = append(c.zones, Zone{
			Name: zoneName(cfg.Region, name), ID: fmt.Sprintf("use1-az%d", i+1), Subnet: c.newID("subnet", int64(i)),
			CIDR: fmt.Sprintf("10.%d.0.0/16", i), scenario: name,
		})
	}
	c.image = Image{ID: c.newID("ami", 0), Name: "skynet-worker"}
	c.weather.To(0)
	c.played(c.weather.To(0))
	return c, nil
}

// zoneName returns the full name of a zone that a scenario may give by its
// letter.
func zoneName(region, zone string) string {
	if strings.Contains(zone, "-") {
		return zone
	}
	return region + zone
}

// newID returns EC2's name of the n-th resource of a kind.
func (c *Cloud) newID(kind string, n int64) string {
	key := draw.Stream(c.streams.id)
	for i := range len(kind) {
		key = key.Of(int64(kind[i]))
	}
	return fmt.Sprintf("%s-0%016x", kind, key.At(n))
}

// Account returns the account's number.
func (c *Cloud) Account() string { return c.cfg.Account }

// Region returns the region's name.
func (c *Cloud) Region() string { return c.cfg.Region }

// Zones returns the availability zones.
func (c *Cloud) Zones() []Zone { return c.zones }

// Image returns the image that there is.
func (c *Cloud) Image() Image { return c.image }

// Catalog returns what is sold.
func (c *Cloud) Catalog() *policy.Catalog { return &c.catalog }

// VPC returns the id of the network that the subnets lie in.
func (c *Cloud) VPC() string { return c.newID("vpc", 0) }

// since returns the world's time at t.
func (c *Cloud) since(t time.Time) time.Duration { return t.Sub(c.cfg.Start) }

func (c *Cloud) zoneNamed(name string) (int, bool) {
	i := slices.IndexFunc(c.zones, func(z Zone) bool { return z.Name == name || z.scenario == name })
	return i, i >= 0
}

// A pool is where instances of a type are taken from.
type pool struct {
	typ, zone int
}

// SetCapacity says how many more instances of a type the zone has: launches use
// them up, terminations give them back. A negative count removes the limit.
func (c *Cloud) SetCapacity(typ, zone string, count int) error {
	t := c.catalog.Index(typ)
	if t < 0 {
		return fmt.Errorf("type %q: must be one of %s", typ, strings.Join(c.catalog.Names(), ", "))
	}
	found := false
	for z := range c.zones {
		if zone != "" && c.zones[z].Name != zone && c.zones[z].scenario != zone {
			continue
		}
		found = true
		if count < 0 {
			delete(c.capacity, pool{t, z})
		} else {
			c.capacity[pool{t, z}] = count
		}
	}
	if !found {
		return fmt.Errorf("zone %q: there is none of that name", zone)
	}
	return nil
}

// SetQuota replaces the quotas of vCPUs; 0: none.
func (c *Cloud) SetQuota(onDemand, spot int) { c.cfg.VCPUs, c.cfg.SpotVCPUs = onDemand, spot }

// room returns how many instances of a type a zone can still give.
func (c *Cloud) room(typ, zone int, market policy.Market) int {
	if c.weather.Refused(typ, market, c.zones[zone].scenario) {
		return 0
	}
	if n, limited := c.capacity[pool{typ, zone}]; limited {
		return n
	}
	return unlimited
}

const unlimited = 1 << 30

func (c *Cloud) take(typ, zone, n int) {
	if _, limited := c.capacity[pool{typ, zone}]; limited {
		c.capacity[pool{typ, zone}] -= n
	}
}

// quota returns how many more instances of a type the account may run, and the
// refusal beyond it.
func (c *Cloud) quota(typ int, market policy.Market) (int, *Error) {
	left, why := unlimited, (*Error)(nil)
	if most := c.cfg.World.MaxInstances; most > 0 {
		left = max(most-c.alive, 0)
		why = fail("InstanceLimitExceeded", "Your quota allows for %d more running instance(s). You may run %d instances at once.", left, most)
	}
	vcpus, spent := c.cfg.VCPUs, c.vcpus[market]
	if market == policy.Spot {
		vcpus = c.cfg.SpotVCPUs
	}
	if vcpus == 0 {
		return left, why
	}
	if n := max(vcpus-spent, 0) / c.catalog.Types[typ].Cores; n < left {
		left = n
		why = fail("VcpuLimitExceeded", "You have requested more vCPU capacity than your current vCPU limit of %d allows for the instance bucket that the specified instance type belongs to.", vcpus)
		if market == policy.Spot {
			why = fail("MaxSpotInstanceCountExceeded", "Max spot instance count exceeded: %d vCPUs.", vcpus)
		}
	}
	return left, why
}

// Now returns the time of the last Advance.
func (c *Cloud) Now() time.Time { return c.now }

// Started returns when the world began.
func (c *Cloud) Started() time.Time { return c.cfg.Start }

// SetListLag replaces the mean lag of lists, for what happens from now on.
func (c *Cloud) SetListLag(mean time.Duration) { c.cfg.ListLag = max(mean, 0) }
