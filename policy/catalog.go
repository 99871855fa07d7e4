package policy

import (
	"fmt"
	"sort"
)

// InstanceType is something EC2 sells.
type InstanceType struct {
	Name string `json:"name"`
	// Cores is how many cores (2026: vCPUs) the type has.
	Cores int `json:"cores"`
	// Slots is how many jobs run at once, one a core unless said otherwise.
	Slots int `json:"slots"`
	// Speed of one slot, in reference cores.
	Speed float64 `json:"speed"`
	// PerHour is the on-demand price.
	PerHour MicroUSD `json:"per_hour"`
}

// Capacity returns the work the type does per second: slots times speed, in
// reference cores.
func (t *InstanceType) Capacity() float64 { return float64(t.Slots) * t.Speed }

// UnitPrice returns the price in dollars of one reference core for one hour.
// Capacity is counted by throughput, never by the list price: c1.xlarge,
// 2 m1.large and 8 m1.small cost the same and do 20, 8 and 8 units of work.
func (t *InstanceType) UnitPrice() float64 { return t.PerHour.Dollars() / t.Capacity() }

// Catalog is a list of instance types with the billing rule they are sold by.
type Catalog struct {
	Name    string         `json:"name"`
	Billing Billing        `json:"billing"`
	Types   []InstanceType `json:"types"`
	// Source says where the figures come from and of what date they are.
	Source string `json:"source,omitempty"`
}

// Index returns the position of the named type, or -1.
func (c *Catalog) Index(name string) int {
	for i := range c.Types {
		if c.Types[i].Name == name {
			return i
		}
	}
	return -1
}

// Names returns the names of the catalog's types in catalog order.
func (c *Catalog) Names() []string {
	names := make([]string, len(c.Types))
	for i := range c.Types {
		names[i] = c.Types[i].Name
	}
	return names
}

// ByUnitPrice returns the indices of the types ordered by the price of a unit
// of work, cheapest first; among equals the larger type first, then by name.
func (c *Catalog) ByUnitPrice() []int {
	order := make([]int, len(c.Types))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool {
		x, y := &c.Types[order[a]], &c.Types[order[b]]
		// compare p/q ratios without division: money is integer, capacity small
		left, right := float64(x.PerHour)*y.Capacity(), float64(y.PerHour)*x.Capacity()
		switch {
		case left != right:
			return left < right
		case x.Capacity() != y.Capacity():
			return x.Capacity() > y.Capacity()
		default:
			return x.Name < y.Name
		}
	})
	return order
}

// Validate returns an error that names the first impossible figure.
func (c *Catalog) Validate() error {
	seen := map[string]bool{}
	for i := range c.Types {
		t := &c.Types[i]
		switch {
		case t.Name == "":
			return fmt.Errorf("type %d has no name", i+1)
		case seen[t.Name]:
			return fmt.Errorf("type %s stands twice", t.Name)
		case t.Cores < 1 || t.Cores > 4096:
			return fmt.Errorf("%s: cores = %d: must be 1 to 4096", t.Name, t.Cores)
		case t.Slots < 1 || t.Slots > 4096:
			return fmt.Errorf("%s: slots = %d: must be 1 to 4096", t.Name, t.Slots)
		case !(t.Speed >= 0.001 && t.Speed <= 1000):
			return fmt.Errorf("%s: speed = %v: must be 0.001 to 1000", t.Name, t.Speed)
		case t.PerHour < 0:
			return fmt.Errorf("%s: price = %s: must not be negative", t.Name, t.PerHour)
		}
		seen[t.Name] = true
	}
	return nil
}

// CatalogByName returns a built-in catalog: ec2-2008 or ec2-2026.
func CatalogByName(name string) (Catalog, bool) {
	for _, c := range []func() Catalog{EC2in2008, EC2in2026} {
		if cat := c(); cat.Name == name {
			return cat, true
		}
	}
	return Catalog{}, false
}

// CatalogNames lists the built-in catalogs.
func CatalogNames() []string { return []string{"ec2-2008", "ec2-2026"} }
