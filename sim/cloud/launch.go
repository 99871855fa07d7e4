package cloud

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
)

// Spec is what instances are launched as: the part that a launch template can
// hold. Empty fields are not given.
type Spec struct {
	Image, Type, Subnet, Zone string
	UserData                  string // base64
	Market                    string // "spot" or empty
	MaxPrice                  string // dollars per hour, of spot
	Shutdown                  string // "stop" or "terminate"
	Protected                 string // "true": TerminateInstances is refused
	HTTPTokens                string // "required" or "optional"
	HopLimit                  string
	MetadataTags              string // "enabled" or "disabled"
	Profile                   string // name or ARN of the instance profile; empty: the instance has no role
	Tags                      []Tag  // of the instances
	Template, TemplateVersion string // id and version it was made from
}

// over returns the spec with what is missing in it taken from below.
func (s Spec) over(below Spec) Spec {
	for _, f := range []struct {
		to   *string
		from string
	}{
		{&s.Image, below.Image},
		{&s.Type, below.Type},
		{&s.UserData, below.UserData},
		{&s.Market, below.Market},
		{&s.MaxPrice, below.MaxPrice},
		{&s.Shutdown, below.Shutdown},
		{&s.Protected, below.Protected},
		{&s.HTTPTokens, below.HTTPTokens},
		{&s.HopLimit, below.HopLimit},
		{&s.MetadataTags, below.MetadataTags},
		{&s.Profile, below.Profile},
		{&s.Template, below.Template},
		{&s.TemplateVersion, below.TemplateVersion},
	} {
		if *f.to == "" {
			*f.to = f.from
		}
	}
	if s.Subnet == "" && s.Zone == "" {
		s.Subnet, s.Zone = below.Subnet, below.Zone
	}
	tags := slices.Clone(s.Tags)
	for _, t := range below.Tags {
		if !slices.ContainsFunc(tags, func(own Tag) bool { return own.Key == t.Key }) {
			tags = append(tags, t)
		}
	}
	s.Tags = tags
	return s
}

// RunRequest asks for instances of one spec.
type RunRequest struct {
	Min, Max int
	Token    string // client token; empty: none
	// Params is what a repetition must have in common with the first request of
	// its token: everything but the region and the zone.
	Params string
	Spec   Spec
	DryRun bool
}

// Launched is what a launch gave.
type Launched struct {
	Reservation string
	Instances   []*Instance
	// ReplyLost: the instances are there, but the client will not hear of them.
	ReplyLost bool
}

// A launchKey is where a client token is unique: in a zone, if the request names
// one, or in the region.
type launchKey struct{ token, zone string }

// launchRecord is what is remembered of a token's first request.
type launchRecord struct {
	params   string
	launched *Launched // nil: nothing was
	last     time.Time // when the last instance was found ended; zero: not yet
}

// tokenLife is how long a token is remembered after its instances have ended.
const tokenLife = 24 * time.Hour

// Limits of EC2.
const (
	tokenMax    = 64
	userDataMax = 16384 // bytes before base64
	tagsMax     = 50
	pageMax     = 1000
)

// resolved is a spec that was checked.
type resolved struct {
	typ    int
	market policy.Market
	zone   int  // where; only if placed
	placed bool // the request names a zone or subnet
	spec   Spec
}

// check returns what the spec means. Its errors are those of the parameters.
func (c *Cloud) check(s Spec) (resolved, *Error) {
	r := resolved{spec: s}
	if s.Type == "" {
		s.Type = "m1.small" // EC2's default since 2006
		r.spec.Type = s.Type
	}
	r.typ = c.catalog.Index(s.Type)
	switch {
	case s.Image == "":
		return r, fail("MissingParameter", "The request must contain the parameter ImageId")
	case !strings.HasPrefix(s.Image, "ami-"):
		return r, fail("InvalidAMIID.Malformed", "Invalid id: %q (expecting \"ami-...\")", s.Image)
	case s.Image != c.image.ID:
		return r, fail("InvalidAMIID.NotFound", "The image id '[%s]' does not exist", s.Image)
	case r.typ < 0:
		return r, fail("InvalidParameterValue", "Invalid value '%s' for InstanceType.", s.Type)
	}
	raw, err := base64.StdEncoding.DecodeString(s.UserData)
	switch {
	case err != nil:
		return r, fail("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data")
	case len(raw) > userDataMax:
		return r, fail("InvalidParameterValue", "User data is limited to %d bytes", userDataMax)
	}
	switch s.Market {
	case "", "on-demand":
	case "spot":
		r.market = policy.Spot
	default:
		return r, fail("InvalidParameterValue", "Invalid value '%s' for MarketType.", s.Market)
	}
	for _, word := range []struct {
		name, value string
		allowed     []string
	}{
		{"InstanceInitiatedShutdownBehavior", s.Shutdown, []string{"", "stop", "terminate"}},
		{"MetadataOptions.HttpTokens", s.HTTPTokens, []string{"", "required", "optional"}},
		{"MetadataOptions.InstanceMetadataTags", s.MetadataTags, []string{"", "enabled", "disabled"}},
	} {
		if !slices.Contains(word.allowed, word.value) {
			return r, fail("InvalidParameterValue", "Value (%s) for parameter %s is invalid.", word.value, word.name)
		}
	}
	if hops, err := strconv.Atoi(s.HopLimit); s.HopLimit != "" && (err != nil || hops < 1 || hops > 64) {
		return r, fail("InvalidParameterValue", "Value (%s) for parameter MetadataOptions.HttpPutResponseHopLimit is invalid. It must be from 1 to 64.", s.HopLimit)
	}
	if _, err := strconv.ParseFloat(s.MaxPrice, 64); s.MaxPrice != "" && err != nil {
		return r, fail("InvalidParameterValue", "Value (%s) for parameter MaxPrice is invalid.", s.MaxPrice)
	}
	if e := checkTags(s.Tags); e != nil {
		return r, e
	}
	return c.place(r)
}

// place finds the zone that a spec names.
func (c *Cloud) place(r resolved) (resolved, *Error) {
	s := r.spec
	if s.Subnet != "" {
		r.zone = slices.IndexFunc(c.zones, func(z Zone) bool { return z.Subnet == s.Subnet })
		if r.zone < 0 {
			return r, fail("InvalidSubnetID.NotFound", "The subnet ID '%s' does not exist", s.Subnet)
		}
		r.placed = true
	}
	if s.Zone != "" {
		z := slices.IndexFunc(c.zones, func(z Zone) bool { return z.Name == s.Zone })
		switch {
		case z < 0:
			return r, fail("InvalidParameterValue", "Invalid availability zone: [%s]", s.Zone)
		case r.placed && z != r.zone:
			return r, fail("InvalidParameterCombination", "The subnet %s is not in the availability zone %s.", s.Subnet, s.Zone)
		}
		r.zone, r.placed = z, true
	}
	return r, nil
}

func checkTags(tags []Tag) *Error {
	if len(tags) > tagsMax {
		return fail("TagLimitExceeded", "More than %d tags", tagsMax)
	}
	for i, t := range tags {
		switch {
		case t.Key == "" || len(t.Key) > 128:
			return fail("InvalidParameterValue", "Tag key %q must have 1 to 128 characters.", t.Key)
		case len(t.Value) > 256:
			return fail("InvalidParameterValue", "Tag value exceeds the maximum length of 256 characters.")
		case strings.HasPrefix(t.Key, "aws:"):
			return fail("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use")
		case slices.ContainsFunc(tags[:i], func(u Tag) bool { return u.Key == t.Key }):
			return fail("InvalidParameterValue", "Duplicate tag key '%s' specified.", t.Key)
		}
	}
	return nil
}

func checkToken(token string) *Error {
	if len(token) > tokenMax || strings.ContainsFunc(token, func(r rune) bool { return r < ' ' || r > '~' }) {
		return fail("InvalidParameterValue", "The client token must be at most %d ASCII characters.", tokenMax)
	}
	return nil
}

// RunInstances launches from Min to Max instances, or repeats what an earlier
// request of the same client token got.
func (c *Cloud) RunInstances(q RunRequest) (Launched, *Error) {
	spec := q.Spec
	if q.Spec.Template != "" {
		var e *Error
		if spec, e = c.fromTemplate(q.Spec); e != nil {
			return Launched{}, e
		}
	}
	r, e := c.check(spec)
	switch {
	case e != nil:
		return Launched{}, e
	case q.Min < 1 || q.Max < 1:
		return Launched{}, fail("InvalidParameterValue", "MinCount and MaxCount must be at least 1.")
	case q.Min > q.Max:
		return Launched{}, fail("InvalidParameterCombination", "MinCount (%d) must not exceed MaxCount (%d).", q.Min, q.Max)
	}
	if e := checkToken(q.Token); e != nil {
		return Launched{}, e
	}
	if q.DryRun {
		return Launched{}, errDryRun()
	}
	var record *launchRecord
	if q.Token != "" {
		c.forgetTokens()
		key := launchKey{token: q.Token}
		if r.placed {
			key.zone = c.zones[r.zone].Name
		}
		if record = c.launches[key]; record == nil {
			record = &launchRecord{params: q.Params}
			defer func() { c.launches[key] = record }()
		}
		switch {
		case record.params != q.Params:
			return Launched{}, errMismatch()
		case record.launched != nil && record.ended():
			return Launched{}, fail("IdempotentInstanceTerminated", "The instances launched with this client token have been terminated.")
		case record.launched != nil:
			return *record.launched, nil
		}
	}
	n, e := c.grant(&r, q.Min, q.Max)
	if e != nil {
		return Launched{}, e
	}
	got := c.launch(r, n, q.Token, "")
	if record != nil {
		again := got
		again.ReplyLost = false
		record.launched = &again
	}
	return got, nil
}

// ended reports whether every instance of the launch has.
func (r *launchRecord) ended() bool {
	return !slices.ContainsFunc(r.launched.Instances, func(in *Instance) bool { return in.State() != Terminated })
}

// forgetTokens forgets tokens whose instances ended long ago.
func (c *Cloud) forgetTokens() {
	for key, r := range c.launches { // map order: each entry is judged by itself
		switch {
		case r.launched == nil || !r.ended():
		case r.last.IsZero():
			r.last = c.now
		case c.now.Sub(r.last) > tokenLife:
			delete(c.launches, key)
		}
	}
}

// grant decides how many of Max instances EC2 sells, and in which zone; fewer
// than Min is an error.
func (c *Cloud) grant(r *resolved, least, most int) (int, *Error) {
	name := c.catalog.Types[r.typ].Name
	n, why := c.quota(r.typ, r.market)
	if n = min(n, most); n < least {
		return 0, why
	}
	if e := c.affords(r.spec, r.typ, r.market); e != nil {
		return 0, e
	}
	if !r.placed {
		r.zone = c.roomiest(r.typ, r.market)
	}
	if n = min(n, c.room(r.typ, r.zone, r.market)); n < least {
		return 0, errCapacity(name, c.zones[r.zone].Name)
	}
	if e := c.drawResources("RunInstances", n); e != nil {
		return 0, e
	}
	return n, nil
}

// affords checks the highest price that a spot request allows.
func (c *Cloud) affords(s Spec, typ int, market policy.Market) *Error {
	if s.MaxPrice == "" || market != policy.Spot {
		return nil
	}
	dollars, _ := strconv.ParseFloat(s.MaxPrice, 64) // checked before
	if price := c.weather.Price(typ, market); dollars < price.Dollars() {
		return fail("SpotMaxPriceTooLow", "Your Spot request price of %s is lower than the minimum required Spot request fulfillment price of %s.", s.MaxPrice, decimal(price))
	}
	return nil
}

// decimal returns an amount in dollars as prices are written.
func decimal(m policy.MicroUSD) string { return fmt.Sprintf("%.6f", m.Dollars()) }

// roomiest returns the zone of an instance that may be anywhere: as the weather
// places the next launch, unless another has more room.
func (c *Cloud) roomiest(typ int, market policy.Market) int {
	best, _ := c.zoneNamed(c.weather.Zone(c.launched, typ, ""))
	for z := range c.zones {
		if c.room(typ, z, market) > c.room(typ, best, market) {
			best = z
		}
	}
	return best
}

// launch starts n instances.
func (c *Cloud) launch(r resolved, n int, token, fleet string) Launched {
	got := Launched{Reservation: c.newID("r", c.reserved)}
	c.reserved++
	zone := &c.zones[r.zone]
	r.spec.Subnet, r.spec.Zone = zone.Subnet, zone.Name
	listed := time.Duration(0)
	for i := range n {
		number := c.launched
		c.launched++
		in := &Instance{
			Number: number, ID: c.newID("i", number), Reservation: got.Reservation, Index: i,
			Type: r.typ, Market: r.market, Zone: r.zone, Token: token, Fleet: fleet, Spec: r.spec, Launched: c.now,
			Address: fmt.Sprintf("10.%d.%d.%d", r.zone, number>>8&255, number&255),
			bill:    sim.NewBill(c.catalog.Billing, c.since(c.now), c.weather.Price(r.typ, r.market)),
		}
		for _, t := range r.spec.Tags {
			in.setTag(t)
		}
		if fleet != "" {
			in.setTag(Tag{"aws:ec2:fleet-id", fleet})
		}
		if delay, lost := c.weather.ReplyLost(number, r.typ, zone.scenario); lost {
			got.ReplyLost = true
			listed = max(listed, delay)
		}
		c.become(in, Pending, Reason{"pending", "pending"})
		c.instances = append(c.instances, in)
		c.byID[in.ID] = in
		got.Instances = append(got.Instances, in)
		c.alive++
		c.vcpus[r.market] += c.catalog.Types[r.typ].Cores
		c.foresee(in)
	}
	for _, in := range got.Instances { // those of a lost reply are listed late
		in.life[0].shown = in.life[0].shown.Add(listed)
	}
	c.take(r.typ, r.zone, n)
	return got
}

// pendingShare is the part of a boot lag that an instance is pending: what
// was measured of EC2 in 2026 is 18 of 21 s after the call. Assumed for all.
const pendingShare = 0.8

// foresee enters what will happen to an instance that is launched now.
func (c *Cloud) foresee(in *Instance) {
	zone := c.zones[in.Zone].scenario
	lag, works := c.weather.Boot(in.Number, in.Type, zone)
	c.events.add(event{c.now.Add(policy.Seconds(lag.Seconds() * pendingShare)), runs, in.Number})
	if works {
		in.ready = c.now.Add(lag)
		c.events.add(event{in.ready, boots, in.Number})
	}
	if at, will := c.weather.CrashesAt(in.Number, in.Type, zone); will {
		c.events.add(event{c.cfg.Start.Add(at), dies, in.Number})
	}
	if at, will := c.weather.NoticedAt(in.Number, in.Market); will {
		c.events.add(event{c.cfg.Start.Add(at), warned, in.Number})
	}
}

// sortTags puts tags in the order of their keys.
func sortTags(tags []Tag) {
	slices.SortFunc(tags, func(a, b Tag) int { return cmp.Compare(a.Key, b.Key) })
}
