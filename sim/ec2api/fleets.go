package ec2api

import (
	"slices"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim/cloud"
)

// templateData reads the data of a launch template.
func templateData(p params) cloud.Spec { return spec(p.in("LaunchTemplateData")) }

type templateItem struct {
	ID      string    `xml:"launchTemplateId"`
	Name    string    `xml:"launchTemplateName"`
	Created string    `xml:"createTime"`
	Default int       `xml:"defaultVersionNumber"`
	Latest  int       `xml:"latestVersionNumber"`
	Tags    []tagItem `xml:"tagSet>item"`
}

func describeTemplate(t *cloud.Template) templateItem {
	return templateItem{t.ID, t.Name, stamp(t.Created), t.Default, len(t.Versions), tagItems(t.Tags)}
}

type versionItem struct {
	ID          string       `xml:"launchTemplateId"`
	Name        string       `xml:"launchTemplateName"`
	Number      int          `xml:"versionNumber"`
	Description string       `xml:"versionDescription,omitempty"`
	Created     string       `xml:"createTime"`
	Default     bool         `xml:"defaultVersion"`
	Data        templateBody `xml:"launchTemplateData"`
}

type templateBody struct {
	Image    string `xml:"imageId,omitempty"`
	Type     string `xml:"instanceType,omitempty"`
	UserData string `xml:"userData,omitempty"`
	Shutdown string `xml:"instanceInitiatedShutdownBehavior,omitempty"`
}

func describeVersion(t *cloud.Template, v *cloud.Version) versionItem {
	return versionItem{
		t.ID, t.Name, v.Number, v.Description, stamp(v.Created), v.Number == t.Default,
		templateBody{v.Spec.Image, v.Spec.Type, v.Spec.UserData, v.Spec.Shutdown},
	}
}

func createLaunchTemplate(c *cloud.Cloud, p params) (any, bool, *cloud.Error) {
	name, description, token := p.text("LaunchTemplateName"), p.text("VersionDescription"), p.text("ClientToken")
	data, tags, dry := templateData(p), p.taggedAs("launch-template")["launch-template"], p.truth("DryRun")
	if e := p.finish(); e != nil {
		return nil, false, e
	}
	t, e := c.CreateTemplate(name, description, token, p.print(), data, tags, dry)
	if e != nil {
		return nil, false, e
	}
	return struct {
		Template templateItem `xml:"launchTemplate"`
	}{describeTemplate(t)}, false, nil
}

func createLaunchTemplateVersion(c *cloud.Cloud, p params) (any, bool, *cloud.Error) {
	id, name, source := p.text("LaunchTemplateId"), p.text("LaunchTemplateName"), p.text("SourceVersion")
	description, token, data, dry := p.text("VersionDescription"), p.text("ClientToken"), templateData(p), p.truth("DryRun")
	if e := p.finish(); e != nil {
		return nil, false, e
	}
	t, v, e := c.CreateTemplateVersion(id, name, source, description, token, data, dry)
	if e != nil {
		return nil, false, e
	}
	return struct {
		Version versionItem `xml:"launchTemplateVersion"`
	}{describeVersion(t, v)}, false, nil
}

func describeLaunchTemplates(c *cloud.Cloud, p params) (any, bool, *cloud.Error) {
	catalogCall(p)
	found, e := c.Templates(p.list("LaunchTemplateId"), p.list("LaunchTemplateName"))
	if e != nil {
		return nil, false, e
	}
	var items []templateItem
	for _, t := range found {
		items = append(items, describeTemplate(t))
	}
	items = selected(p, items, func(i templateItem) map[string]string { return map[string]string{"launch-template-name": i.Name} })
	return struct {
		Items []templateItem `xml:"launchTemplates>item"`
	}{items}, false, p.finish()
}

func describeLaunchTemplateVersions(c *cloud.Cloud, p params) (any, bool, *cloud.Error) {
	catalogCall(p)
	id, name, which := p.text("LaunchTemplateId"), p.text("LaunchTemplateName"), p.list("LaunchTemplateVersion")
	if e := p.finish(); e != nil {
		return nil, false, e
	}
	t, versions, e := c.TemplateVersions(id, name, which)
	if e != nil {
		return nil, false, e
	}
	var items []versionItem
	for i := range versions {
		items = append(items, describeVersion(t, &versions[i]))
	}
	return struct {
		Items []versionItem `xml:"launchTemplateVersionSet>item"`
	}{items}, false, nil
}

func createFleet(c *cloud.Cloud, p params) (any, bool, *cloud.Error) {
	q := cloud.FleetRequest{Token: p.text("ClientToken"), Params: p.print(), DryRun: p.truth("DryRun")}
	if kind := p.text("Type"); kind != "instant" {
		p.fail("InvalidParameterValue", "Value (%s) for parameter Type is invalid: instant fleets alone are simulated.", kind)
	}
	capacity := p.in("TargetCapacitySpecification")
	q.Total = capacity.whole("TotalTargetCapacity", 0, 0, 1<<20)
	capacity.whole("OnDemandTargetCapacity", 0, 0, 1<<20)
	capacity.whole("SpotTargetCapacity", 0, 0, 1<<20)
	capacity.skip("TargetCapacityUnitType")
	spot, demand := p.in("SpotOptions").text("AllocationStrategy"), p.in("OnDemandOptions").text("AllocationStrategy")
	switch market := capacity.text("DefaultTargetCapacityType"); market {
	case "", "on-demand":
		q.Strategy = demand
	case "spot":
		q.Market, q.Strategy = policy.Spot, spot
	default:
		p.fail("InvalidParameterValue", "Value (%s) for parameter DefaultTargetCapacityType is invalid.", market)
	}
	p.skip("SpotOptions", "OnDemandOptions", "TerminateInstancesWithExpiration", "ReplaceUnhealthyInstances", "ExcessCapacityTerminationPolicy", "ValidFrom", "ValidUntil")
	tags := p.taggedAs("fleet", "instance", "volume", "network-interface")
	q.FleetTags, q.Tags = tags["fleet"], tags["instance"]
	for _, config := range p.each("LaunchTemplateConfigs") {
		var template cloud.Spec
		namedTemplate(config.in("LaunchTemplateSpecification"), &template)
		overrides := config.each("Overrides")
		if len(overrides) == 0 {
			q.Overrides = append(q.Overrides, cloud.Override{Template: template})
		}
		for _, o := range overrides {
			q.Overrides = append(q.Overrides, cloud.Override{
				Template: template,
				Spec: cloud.Spec{
					Type: o.text("InstanceType"), Subnet: o.text("SubnetId"), Zone: o.text("AvailabilityZone"), MaxPrice: o.text("MaxPrice"), Image: o.text("ImageId"),
				},
				Weight: int(o.number("WeightedCapacity")), Priority: o.number("Priority"),
			})
		}
	}
	if e := p.finish(); e != nil {
		return nil, false, e
	}
	f, e := c.CreateFleet(q)
	if e != nil {
		return nil, false, e
	}
	return struct {
		ID string `xml:"fleetId"`
		fleetResult
	}{f.ID, resultOf(c, f)}, f.ReplyLost, nil
}

// overrideItem says which pool an instance or an error is of.
type overrideItem struct {
	Template string `xml:"launchTemplateSpecification>launchTemplateId"`
	Version  string `xml:"launchTemplateSpecification>version,omitempty"`
	Type     string `xml:"overrides>instanceType"`
	Subnet   string `xml:"overrides>subnetId,omitempty"`
	Zone     string `xml:"overrides>availabilityZone,omitempty"`
	Weight   int    `xml:"overrides>weightedCapacity,omitempty"`
}

type fleetResult struct {
	Instances []fleetItem  `xml:"fleetInstanceSet>item"`
	Errors    []fleetError `xml:"errorSet>item"`
}

type fleetItem struct {
	Override  overrideItem `xml:"launchTemplateAndOverrides"`
	Lifecycle string       `xml:"lifecycle"`
	IDs       []string     `xml:"instanceIds>item"`
	Type      string       `xml:"instanceType"`
}

type fleetError struct {
	Override  overrideItem `xml:"launchTemplateAndOverrides"`
	Lifecycle string       `xml:"lifecycle"`
	Code      string       `xml:"errorCode"`
	Message   string       `xml:"errorMessage"`
}

// resultOf returns what an instant fleet launched, and what it could not.
func resultOf(c *cloud.Cloud, f *cloud.Fleet) fleetResult {
	market := f.Request.Market.String()
	pool := func(o *cloud.Override) overrideItem {
		return overrideItem{o.Template.Template, o.Template.TemplateVersion, o.Spec.Type, o.Spec.Subnet, o.Spec.Zone, o.Weight}
	}
	var r fleetResult
	for i := range f.Got {
		got := &f.Got[i]
		item := fleetItem{Override: pool(&got.Override), Lifecycle: market, Type: c.Catalog().Types[got.Instances[0].Type].Name}
		for _, in := range got.Instances {
			item.IDs = append(item.IDs, in.ID)
		}
		r.Instances = append(r.Instances, item)
	}
	for i := range f.Errors {
		e := &f.Errors[i]
		r.Errors = append(r.Errors, fleetError{pool(&e.Override), market, e.Err.Code, e.Err.Message})
	}
	return r
}

func describeFleets(c *cloud.Cloud, p params) (any, bool, *cloud.Error) {
	catalogCall(p)
	found, e := c.Fleets(p.list("FleetId"))
	if e != nil {
		return nil, false, e
	}
	type fleetData struct {
		ID       string `xml:"fleetId"`
		State    string `xml:"fleetState"`
		Activity string `xml:"activityStatus"`
		Type     string `xml:"type"`
		Created  string `xml:"createTime"`
		Token    string `xml:"clientToken"`
		Total    int    `xml:"targetCapacitySpecification>totalTargetCapacity"`
		Market   string `xml:"targetCapacitySpecification>defaultTargetCapacityType"`
		// an instant fleet counts as fulfilled once its requests were placed
		Fulfilled float64   `xml:"fulfilledCapacity"`
		Tags      []tagItem `xml:"tagSet>item"`
		fleetResult
	}
	items := make([]fleetData, 0, len(found))
	for _, f := range found {
		items = append(items, fleetData{
			f.ID, "active", "fulfilled", "instant", stamp(f.Created), f.Request.Token, f.Request.Total, f.Request.Market.String(),
			float64(f.Fulfilled), tagItems(slices.Clone(f.Request.FleetTags)), resultOf(c, f),
		})
	}
	items = selected(p, items, func(f fleetData) map[string]string {
		return map[string]string{"fleet-state": f.State, "activity-status": f.Activity, "type": f.Type}
	})
	return struct {
		Items []fleetData `xml:"fleetSet>item"`
	}{items}, false, p.finish()
}
