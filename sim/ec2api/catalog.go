package ec2api

import (
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/sim/cloud"
)

// selected returns the items whose fields pass every filter. An unknown filter is an
// error. Lists of a catalog come whole, whatever page is asked for.
func selected[T any](p params, items []T, fields func(T) map[string]string) []T {
	filters := p.filters()
	return slices.DeleteFunc(items, func(item T) bool {
		have := fields(item)
		for _, f := range filters {
			value, known := have[f.Name]
			if !known {
				p.fail("InvalidParameterValue", "The filter '%s' is invalid", f.Name)
			}
			if !slices.Contains(f.Values, value) {
				return true
			}
		}
		return false
	})
}

// catalogCall reads what all lists of a catalog take.
func catalogCall(p params) {
	p.whole("MaxResults", 0, 1, pageMost)
	p.skip("DryRun", "NextToken", "IncludeManagedResources")
}

func describeInstanceTypes(c *cloud.Cloud, p params) (any, bool, *cloud.Error) {
	type typeItem struct {
		Name    string   `xml:"instanceType"`
		Current bool     `xml:"currentGeneration"`
		Usage   []string `xml:"supportedUsageClasses>item"`
		Arch    []string `xml:"processorInfo>supportedArchitectures>item"`
		VCPUs   int      `xml:"vCpuInfo>defaultVCpus"`
		Memory  int      `xml:"memoryInfo>sizeInMiB"`
	}
	catalogCall(p)
	names := p.list("InstanceType")
	usage := []string{"on-demand"}
	if c.HasSpot() {
		usage = append(usage, "spot")
	}
	var items []typeItem
	for _, name := range names {
		if c.Catalog().Index(name) < 0 {
			p.fail("InvalidInstanceType", "The following supplied instance types do not exist: [%s]", name)
		}
	}
	for i := range c.Catalog().Types {
		t := &c.Catalog().Types[i]
		if len(names) == 0 || slices.Contains(names, t.Name) {
			// catalogs know no memory: 2 GiB a core, as compute-optimised types have
			items = append(items, typeItem{t.Name, true, usage, []string{architecture(t.Name)}, t.Cores, 2048 * t.Cores})
		}
	}
	items = selected(p, items, func(t typeItem) map[string]string {
		return map[string]string{"instance-type": t.Name, "current-generation": "true", "processor-info.supported-architecture": t.Arch[0], "vcpu-info.default-vcpus": itoa(int64(t.VCPUs))}
	})
	return struct {
		Items []typeItem `xml:"instanceTypeSet>item"`
	}{items}, false, p.finish()
}

func describeSpotPriceHistory(c *cloud.Cloud, p params) (any, bool, *cloud.Error) {
	type priceItem struct {
		Type    string `xml:"instanceType"`
		Product string `xml:"productDescription"`
		Price   string `xml:"spotPrice"`
		At      string `xml:"timestamp"`
		Zone    string `xml:"availabilityZone"`
	}
	catalogCall(p)
	p.skip("StartTime", "EndTime")
	names, products, zone := p.list("InstanceType"), p.list("ProductDescription"), p.text("AvailabilityZone")
	const linux = "Linux/UNIX"
	var items []priceItem
	for i := range c.Catalog().Types {
		t := &c.Catalog().Types[i]
		if !c.HasSpot() || len(names) > 0 && !slices.Contains(names, t.Name) || len(products) > 0 && !slices.Contains(products, linux) {
			continue
		}
		for _, z := range c.Zones() {
			if zone == "" || zone == z.Name {
				// prices move on the hour
				items = append(items, priceItem{t.Name, linux, c.SpotPrice(i), stamp(c.Now().Truncate(time.Hour)), z.Name})
			}
		}
	}
	items = selected(p, items, func(i priceItem) map[string]string {
		return map[string]string{"instance-type": i.Type, "availability-zone": i.Zone, "product-description": i.Product}
	})
	return struct {
		Items []priceItem `xml:"spotPriceHistorySet>item"`
		Next  string      `xml:"nextToken"`
	}{Items: items}, false, p.finish()
}

func describeSubnets(c *cloud.Cloud, p params) (any, bool, *cloud.Error) {
	type subnetItem struct {
		ID      string    `xml:"subnetId"`
		State   string    `xml:"state"`
		VPC     string    `xml:"vpcId"`
		CIDR    string    `xml:"cidrBlock"`
		Free    int       `xml:"availableIpAddressCount"`
		Zone    string    `xml:"availabilityZone"`
		ZoneID  string    `xml:"availabilityZoneId"`
		Default bool      `xml:"defaultForAz"`
		Owner   string    `xml:"ownerId"`
		Tags    []tagItem `xml:"tagSet>item"`
	}
	catalogCall(p)
	ids := p.list("SubnetId")
	var items []subnetItem
	for _, z := range c.Zones() {
		if len(ids) == 0 || slices.Contains(ids, z.Subnet) {
			items = append(items, subnetItem{ID: z.Subnet, State: "available", VPC: c.VPC(), CIDR: z.CIDR, Free: 65531, Zone: z.Name, ZoneID: z.ID, Default: true, Owner: c.Account()})
		}
	}
	for _, id := range ids {
		if !slices.ContainsFunc(items, func(i subnetItem) bool { return i.ID == id }) {
			p.fail("InvalidSubnetID.NotFound", "The subnet ID '%s' does not exist", id)
		}
	}
	items = selected(p, items, func(i subnetItem) map[string]string {
		return map[string]string{
			"subnet-id": i.ID, "availability-zone": i.Zone, "availabilityZone": i.Zone, "vpc-id": i.VPC,
			"state": i.State, "default-for-az": "true", "defaultForAz": "true",
		}
	})
	return struct {
		Items []subnetItem `xml:"subnetSet>item"`
	}{items}, false, p.finish()
}

func describeImages(c *cloud.Cloud, p params) (any, bool, *cloud.Error) {
	type imageItem struct {
		ID       string `xml:"imageId"`
		Location string `xml:"imageLocation"`
		State    string `xml:"imageState"`
		Owner    string `xml:"imageOwnerId"`
		Public   bool   `xml:"isPublic"`
		Arch     string `xml:"architecture"`
		Type     string `xml:"imageType"`
		Name     string `xml:"name"`
		Root     string `xml:"rootDeviceType"`
		Virtual  string `xml:"virtualizationType"`
		Created  string `xml:"creationDate"`
	}
	catalogCall(p)
	p.skip("IncludeDeprecated", "IncludeDisabled", "ExecutableBy")
	ids, owners := p.list("ImageId"), p.list("Owner")
	image := c.Image()
	var items []imageItem
	for _, id := range ids {
		if id != image.ID {
			p.fail("InvalidAMIID.NotFound", "The image id '[%s]' does not exist", id)
		}
	}
	if len(owners) == 0 || slices.Contains(owners, "self") || slices.Contains(owners, c.Account()) {
		items = append(items, imageItem{
			ID: image.ID, Location: c.Account() + "/" + image.Name, State: "available", Owner: c.Account(),
			Arch: "x86_64", Type: "machine", Name: image.Name, Root: "ebs", Virtual: "hvm", Created: stamp(c.Started()),
		})
	}
	items = selected(p, items, func(i imageItem) map[string]string {
		return map[string]string{"image-id": i.ID, "name": i.Name, "state": i.State, "architecture": i.Arch, "owner-id": i.Owner, "is-public": "false"}
	})
	return struct {
		Items []imageItem `xml:"imagesSet>item"`
	}{items}, false, p.finish()
}

func describeAvailabilityZones(c *cloud.Cloud, p params) (any, bool, *cloud.Error) {
	type zoneItem struct {
		Name   string `xml:"zoneName"`
		ID     string `xml:"zoneId"`
		State  string `xml:"zoneState"`
		Region string `xml:"regionName"`
	}
	catalogCall(p)
	p.skip("AllAvailabilityZones")
	names := p.list("ZoneName")
	var items []zoneItem
	for _, z := range c.Zones() {
		if len(names) == 0 || slices.Contains(names, z.Name) {
			items = append(items, zoneItem{z.Name, z.ID, "available", c.Region()})
		}
	}
	items = selected(p, items, func(i zoneItem) map[string]string {
		return map[string]string{"zone-name": i.Name, "zone-id": i.ID, "state": i.State, "region-name": i.Region}
	})
	return struct {
		Items []zoneItem `xml:"availabilityZoneInfo>item"`
	}{items}, false, p.finish()
}
