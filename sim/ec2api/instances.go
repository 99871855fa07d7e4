package ec2api

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim/cloud"
)

// ignored are parameters of launches that are accepted and change nothing here.
// They are compared when a client token is used again.
var ignored = []string{
	"AdditionalInfo", "BlockDeviceMapping", "CapacityReservationSpecification", "CpuOptions", "CreditSpecification",
	"DisableApiStop", "EbsOptimized", "EnclaveOptions", "HibernationOptions", "KernelId", "KeyName",
	"LicenseSpecification", "MaintenanceOptions", "Monitoring", "NetworkInterface", "NetworkPerformanceOptions", "Operator",
	"PrivateDnsNameOptions", "RamdiskId", "RamDiskId", "SecurityGroup", "SecurityGroupId",
}

// spec reads what instances are launched as, from a call or from the data of a
// launch template.
func spec(p params) cloud.Spec {
	market, placement, metadata := p.in("InstanceMarketOptions"), p.in("Placement"), p.in("MetadataOptions")
	s := cloud.Spec{
		Image: p.text("ImageId"), Type: p.text("InstanceType"),
		Subnet: p.text("SubnetId"), Zone: placement.text("AvailabilityZone"),
		UserData: p.text("UserData"),
		Market:   market.text("MarketType"), MaxPrice: market.in("SpotOptions").text("MaxPrice"),
		Shutdown: p.text("InstanceInitiatedShutdownBehavior"), Protected: p.text("DisableApiTermination"),
		HTTPTokens: metadata.text("HttpTokens"), HopLimit: metadata.text("HttpPutResponseHopLimit"), MetadataTags: metadata.text("InstanceMetadataTags"),
	}
	profile := p.in("IamInstanceProfile")
	s.Profile = or(profile.text("Name"), profile.text("Arn"))
	if s.Subnet == "" {
		s.Subnet = p.in("NetworkInterface.1").text("SubnetId")
	}
	metadata.skip("HttpEndpoint", "HttpProtocolIpv6")
	placement.skip("Tenancy", "GroupName", "GroupId", "Affinity", "PartitionNumber")
	market.in("SpotOptions").skip("SpotInstanceType", "InstanceInterruptionBehavior")
	p.skip(ignored...)
	s.Tags = p.taggedAs("instance", "volume", "network-interface", "spot-instances-request")["instance"]
	return s
}

// namedTemplate reads a reference to a launch template into s.
func namedTemplate(p params, s *cloud.Spec) {
	id, name := p.text("LaunchTemplateId"), p.text("LaunchTemplateName")
	s.Template, s.TemplateVersion = id, p.text("Version")
	switch {
	case id != "" && name != "":
		p.fail("InvalidParameterCombination", "Specify a launch template ID or a launch template name, not both.")
	case name != "":
		s.Template = cloud.TemplateNamed + name
	}
}

func runInstances(c *cloud.Cloud, p params) (any, bool, *cloud.Error) {
	q := cloud.RunRequest{
		Min: p.whole("MinCount", 0, 0, 1<<20), Max: p.whole("MaxCount", 0, 0, 1<<20),
		Token: p.text("ClientToken"), Params: p.print(), Spec: spec(p), DryRun: p.truth("DryRun"),
	}
	namedTemplate(p.in("LaunchTemplate"), &q.Spec)
	if e := p.finish(); e != nil {
		return nil, false, e
	}
	got, e := c.RunInstances(q)
	if e != nil {
		return nil, false, e
	}
	r := reservation{ID: got.Reservation, Owner: c.Account()}
	for _, in := range got.Instances {
		r.Instances = append(r.Instances, item(c, &cloud.Seen{Instance: in, Shown: in.State(), Reason: in.Reason()}))
	}
	return r, got.ReplyLost, nil
}

// reservation is a launch with its instances.
type reservation struct {
	ID        string         `xml:"reservationId"`
	Owner     string         `xml:"ownerId"`
	Groups    struct{}       `xml:"groupSet"`
	Instances []instanceItem `xml:"instancesSet>item"`
}

type stateItem struct {
	Code int    `xml:"code"`
	Name string `xml:"name"`
}

func state(s cloud.State) stateItem { return stateItem{int(s), s.String()} }

type tagItem struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

func tagItems(tags []cloud.Tag) []tagItem {
	items := make([]tagItem, len(tags))
	for i, t := range tags {
		items[i] = tagItem{t.Key, t.Value}
	}
	return items
}

type instanceItem struct {
	ID        string    `xml:"instanceId"`
	Image     string    `xml:"imageId"`
	State     stateItem `xml:"instanceState"`
	PrivateIP string    `xml:"privateIpAddress,omitempty"`
	DNS       string    `xml:"privateDnsName"`
	Reason    string    `xml:"reason"`
	Index     int       `xml:"amiLaunchIndex"`
	Type      string    `xml:"instanceType"`
	Launched  string    `xml:"launchTime"`
	Zone      string    `xml:"placement>availabilityZone"`
	ZoneID    string    `xml:"placement>availabilityZoneId"`
	Tenancy   string    `xml:"placement>tenancy"`
	Subnet    string    `xml:"subnetId,omitempty"`
	VPC       string    `xml:"vpcId,omitempty"`
	Why       *struct {
		Code    string `xml:"code"`
		Message string `xml:"message"`
	} `xml:"stateReason"`
	Arch      string    `xml:"architecture"`
	Token     string    `xml:"clientToken"`
	Lifecycle string    `xml:"instanceLifecycle,omitempty"`
	Tags      []tagItem `xml:"tagSet>item"`
	Metadata  struct {
		State    string `xml:"state"`
		Tokens   string `xml:"httpTokens"`
		Hops     int    `xml:"httpPutResponseHopLimit"`
		Endpoint string `xml:"httpEndpoint"`
		Tags     string `xml:"instanceMetadataTags"`
	} `xml:"metadataOptions"`
}

// item returns an instance as lists show it.
func item(c *cloud.Cloud, s *cloud.Seen) instanceItem {
	zone := c.Zones()[s.Zone]
	t := &c.Catalog().Types[s.Type]
	i := instanceItem{
		ID: s.ID, Image: s.Spec.Image, State: state(s.Shown), Index: s.Index, Type: t.Name,
		Launched: stamp(s.Launched), Zone: zone.Name, ZoneID: zone.ID, Tenancy: "default",
		Arch: architecture(t.Name), Token: s.Token, Tags: tagItems(s.Tags),
	}
	if s.Market == policy.Spot {
		i.Lifecycle = "spot"
	}
	if s.Reason.Code != "" {
		i.Reason = s.Reason.Message
		i.Why = &struct {
			Code    string `xml:"code"`
			Message string `xml:"message"`
		}{s.Reason.Code, s.Reason.Message}
	}
	if s.Shown != cloud.Terminated {
		i.PrivateIP, i.Subnet, i.VPC = s.Address, s.Spec.Subnet, c.VPC()
		i.DNS = hostname(s.Address)
	}
	i.Metadata.State, i.Metadata.Endpoint = "applied", "enabled"
	i.Metadata.Tokens = or(s.Spec.HTTPTokens, "required")
	i.Metadata.Tags = or(s.Spec.MetadataTags, "disabled")
	i.Metadata.Hops = 1
	if hops, err := strconv.Atoi(s.Spec.HopLimit); err == nil {
		i.Metadata.Hops = hops
	}
	return i
}

// or returns s, or other if s is empty.
func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func hostname(address string) string {
	return "ip-" + strings.ReplaceAll(address, ".", "-") + ".ec2.internal"
}

// architecture returns that of a type by its name: a g after the generation is
// Graviton.
func architecture(typ string) string {
	family, _, _ := strings.Cut(typ, ".")
	if strings.HasSuffix(family, "g") {
		return "arm64"
	}
	return "x86_64"
}

// pageMin and pageMost are EC2's bounds of a page.
const (
	pageMin  = 5
	pageMost = 1000
)

// page reads which page of a list is asked for: after which number, and how many.
func page(p params) (after int64, most int) {
	most = p.whole("MaxResults", 0, pageMin, pageMost)
	after = -1
	if token := p.text("NextToken"); token != "" {
		text, err := base64.RawURLEncoding.DecodeString(token)
		n, wrong := strconv.ParseInt(strings.TrimPrefix(string(text), "after:"), 10, 64)
		if err != nil || wrong != nil || !strings.HasPrefix(string(text), "after:") {
			p.fail("InvalidNextToken", "The token '%s' is invalid", token)
		}
		after = n
	}
	return after, most
}

func nextToken(after int64) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "after:%d", after))
}

func pagedOrFiltered(p params) bool {
	return p.values.Has("MaxResults") || p.values.Has("Filter.1.Name") || p.values.Has("InstanceId.1")
}

// list reads a list of instances, shared by both actions that give one.
func list(p params) cloud.List {
	q := cloud.List{IDs: p.list("InstanceId"), Filters: p.filters()}
	q.After, q.Most = page(p)
	if len(q.IDs) > 0 && q.Most > 0 {
		p.fail("InvalidParameterCombination", "The parameter instancesSet cannot be used with the parameter maxResults")
	}
	if q.Most == 0 {
		q.Most = pageMost
	}
	p.skip("DryRun", "IncludeManagedResources")
	return q
}

func describeInstances(c *cloud.Cloud, p params) (any, bool, *cloud.Error) {
	q := list(p)
	if e := p.finish(); e != nil {
		return nil, false, e
	}
	found, more, e := c.DescribeInstances(q)
	if e != nil {
		return nil, false, e
	}
	var answer struct {
		Reservations []reservation `xml:"reservationSet>item"`
		Next         string        `xml:"nextToken,omitempty"`
	}
	for i := range found {
		s := &found[i]
		if n := len(answer.Reservations); n == 0 || answer.Reservations[n-1].ID != s.Reservation {
			answer.Reservations = append(answer.Reservations, reservation{ID: s.Reservation, Owner: c.Account()})
		}
		last := &answer.Reservations[len(answer.Reservations)-1]
		last.Instances = append(last.Instances, item(c, s))
	}
	if more {
		answer.Next = nextToken(found[len(found)-1].Number)
	}
	return answer, false, nil
}

func describeInstanceStatus(c *cloud.Cloud, p params) (any, bool, *cloud.Error) {
	all := p.truth("IncludeAllInstances")
	q := list(p)
	if e := p.finish(); e != nil {
		return nil, false, e
	}
	if !all {
		q.Filters = append(q.Filters, cloud.Filter{Name: "instance-state-name", Values: []string{"running"}})
	}
	found, more, e := c.DescribeInstances(q)
	if e != nil {
		return nil, false, e
	}
	type status struct {
		Status string `xml:"status"`
	}
	type statusItem struct {
		ID       string    `xml:"instanceId"`
		Zone     string    `xml:"availabilityZone"`
		State    stateItem `xml:"instanceState"`
		System   status    `xml:"systemStatus"`
		Instance status    `xml:"instanceStatus"`
	}
	var answer struct {
		Items []statusItem `xml:"instanceStatusSet>item"`
		Next  string       `xml:"nextToken,omitempty"`
	}
	for i := range found {
		s := &found[i]
		health := "not-applicable"
		switch {
		case s.Shown == cloud.Running && s.Works():
			health = "ok"
		case s.Shown == cloud.Running:
			health = "initializing"
		}
		answer.Items = append(answer.Items, statusItem{s.ID, c.Zones()[s.Zone].Name, state(s.Shown), status{health}, status{health}})
	}
	if more {
		answer.Next = nextToken(found[len(found)-1].Number)
	}
	return answer, false, nil
}

func terminateInstances(c *cloud.Cloud, p params) (any, bool, *cloud.Error) {
	ids, dry := p.list("InstanceId"), p.truth("DryRun")
	p.skip("Force", "SkipOsShutdown")
	if e := p.finish(); e != nil {
		return nil, false, e
	}
	changes, e := c.TerminateInstances(ids, dry)
	if e != nil {
		return nil, false, e
	}
	type changeItem struct {
		ID     string    `xml:"instanceId"`
		Now    stateItem `xml:"currentState"`
		Before stateItem `xml:"previousState"`
	}
	var answer struct {
		Items []changeItem `xml:"instancesSet>item"`
	}
	for _, ch := range changes {
		answer.Items = append(answer.Items, changeItem{ch.Instance.ID, state(ch.Now), state(ch.Before)})
	}
	return answer, false, nil
}

// done is the answer of a call that only does something.
type done struct {
	Return bool `xml:"return"`
}

func createTags(c *cloud.Cloud, p params) (any, bool, *cloud.Error) {
	ids, tags, dry := p.list("ResourceId"), p.tags(), p.truth("DryRun")
	if e := p.finish(); e != nil {
		return nil, false, e
	}
	return done{true}, false, c.CreateTags(ids, tags, dry)
}

func deleteTags(c *cloud.Cloud, p params) (any, bool, *cloud.Error) {
	ids, dry := p.list("ResourceId"), p.truth("DryRun")
	var keys []string
	var values []*string
	for _, t := range p.each("Tag") {
		keys = append(keys, t.text("Key"))
		var value *string
		if t.values.Has(t.prefix + "Value") {
			v := t.text("Value")
			value = &v
		}
		values = append(values, value)
	}
	if e := p.finish(); e != nil {
		return nil, false, e
	}
	return done{true}, false, c.DeleteTags(ids, keys, values, dry)
}
