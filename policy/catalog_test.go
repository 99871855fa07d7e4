package policy_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/skynet-ec2/skynet/policy"
)

// TestCatalog2008: the five types with Amazon's cores, compute units and prices
// of 2008. By price c1.xlarge, 2 m1.large and 8 m1.small are equal; by work they
// are 20, 8 and 8.
func TestCatalog2008(t *testing.T) {
	c := policy.EC2in2008()
	for _, want := range []struct {
		name  string
		cores int
		ecu   float64
		usd   float64
	}{
		{"m1.small", 1, 1, 0.10},
		{"m1.large", 2, 4, 0.40},
		{"m1.xlarge", 4, 8, 0.80},
		{"c1.medium", 2, 5, 0.20},
		{"c1.xlarge", 8, 20, 0.80},
	} {
		i := c.Index(want.name)
		if i < 0 {
			t.Errorf("no %s", want.name)
			continue
		}
		got := &c.Types[i]
		if got.Cores != want.cores || got.Slots != want.cores || got.Capacity() != want.ecu || got.PerHour.Dollars() != want.usd {
			t.Errorf("%s: %d cores, %d slots, capacity %v, %v an hour; want %+v", want.name, got.Cores, got.Slots, got.Capacity(), got.PerHour, want)
		}
		if unit := want.usd / want.ecu; math.Abs(got.UnitPrice()-unit) > 1e-12 {
			t.Errorf("%s: unit price %v, want %v", want.name, got.UnitPrice(), unit)
		}
	}
	if len(c.Types) != 5 || c.Billing != policy.Hourly {
		t.Errorf("%d types, billed %s; want 5, hourly", len(c.Types), c.Billing.Name)
	}
	if got, want := first(&c), "c1.xlarge c1.medium m1.xlarge m1.large m1.small"; got != want {
		t.Errorf("by unit price %s, want %s: cheapest first, of equals the larger", got, want)
	}
}

// first returns the names of a catalog's types by unit price.
func first(c *policy.Catalog) string {
	var names []string
	for _, i := range c.ByUnitPrice() {
		names = append(names, c.Types[i].Name)
	}
	return strings.Join(names, " ")
}

// TestCatalog2026: every price of the on-demand list of 20 July 2026, us-east-1,
// Linux; large, xlarge, 2xlarge and 4xlarge.
func TestCatalog2026(t *testing.T) {
	c := policy.EC2in2026()
	list := []struct {
		family string
		usd    [4]float64
	}{
		{"c5", [4]float64{.085, .170, .340, .680}},
		{"c6i", [4]float64{.085, .170, .340, .680}},
		{"c6a", [4]float64{.0765, .153, .306, .612}},
		{"c7i", [4]float64{.08925, .1785, .357, .714}},
		{"c7a", [4]float64{.10264, .20528, .41056, .82112}},
		{"c7g", [4]float64{.0725, .145, .290, .580}},
		{"c8g", [4]float64{.07976, .15952, .31904, .63808}},
		{"c8i", [4]float64{.09371, .18742, .37484, .74968}},
		{"c9g", [4]float64{.08694, .17388, .34776, .69552}},
		{"m7g", [4]float64{.0816, .1632, .3264, .6528}},
		{"m7i", [4]float64{.1008, .2016, .4032, .8064}},
	}
	for _, row := range list {
		for i, size := range []string{"large", "xlarge", "2xlarge", "4xlarge"} {
			at := c.Index(row.family + "." + size)
			if at < 0 {
				t.Errorf("no %s.%s", row.family, size)
				continue
			}
			want, err := policy.FromDollars(row.usd[i])
			if err != nil {
				t.Fatal(err)
			}
			if got := &c.Types[at]; got.PerHour != want || got.Cores != 2<<i {
				t.Errorf("%s: %d cores, %v an hour; want %d, %v", got.Name, got.Cores, got.PerHour, 2<<i, want)
			}
		}
	}
	if len(c.Types) != 4*len(list) || c.Billing != policy.PerSecond {
		t.Errorf("%d types, billed %s; want %d, per-second", len(c.Types), c.Billing.Name, 4*len(list))
	}
	if cheapest := c.Types[c.ByUnitPrice()[0]].Name; cheapest != "c9g.4xlarge" {
		t.Errorf("the cheapest unit of work is %s, want c9g.4xlarge", cheapest)
	}
}

// TestCatalogsAreSound: every built-in catalog is valid, found by its name and
// names its source; its order by unit price is one.
func TestCatalogsAreSound(t *testing.T) {
	for _, name := range policy.CatalogNames() {
		c, ok := policy.CatalogByName(name)
		if !ok || c.Name != name {
			t.Errorf("CatalogByName(%q) = %q, %v", name, c.Name, ok)
			continue
		}
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if c.Source == "" {
			t.Errorf("%s: no source", name)
		}
		order := c.ByUnitPrice()
		for i := 1; i < len(order); i++ {
			if a, b := &c.Types[order[i-1]], &c.Types[order[i]]; a.UnitPrice() > b.UnitPrice()*(1+1e-12) {
				t.Errorf("%s: %s stands before %s", name, a.Name, b.Name)
			}
		}
		if !slices.Equal(c.Names(), namesOf(&c)) {
			t.Errorf("%s: names %v", name, c.Names())
		}
	}
	if _, ok := policy.CatalogByName("ec2-1999"); ok {
		t.Error("found ec2-1999")
	}
}

func namesOf(c *policy.Catalog) (names []string) {
	for i := range c.Types {
		names = append(names, c.Types[i].Name)
	}
	return names
}

// TestCatalogValidate names the type and the figure that is impossible.
func TestCatalogValidate(t *testing.T) {
	for want, spoil := range map[string]func(*policy.InstanceType){
		"type 1 has no name":                              func(x *policy.InstanceType) { x.Name = "" },
		"type m1.large stands twice":                      func(x *policy.InstanceType) { x.Name = "m1.large" },
		"m1.small: cores = 0: must be 1 to 4096":          func(x *policy.InstanceType) { x.Cores = 0 },
		"m1.small: slots = 5000: must be 1 to 4096":       func(x *policy.InstanceType) { x.Slots = 5000 },
		"m1.small: speed = NaN: must be 0.001 to 1000":    func(x *policy.InstanceType) { x.Speed = math.NaN() },
		"m1.small: speed = +Inf: must be 0.001 to 1000":   func(x *policy.InstanceType) { x.Speed = math.Inf(1) },
		"m1.small: price = $ -1.00: must not be negative": func(x *policy.InstanceType) { x.PerHour = -policy.USD },
	} {
		c := policy.EC2in2008()
		spoil(&c.Types[0])
		if err := c.Validate(); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
