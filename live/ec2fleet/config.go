package ec2fleet

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// Config says which instances are the fleet's and what they are launched as.
type Config struct {
	// Cluster ("production") and Role ("render") are the fleet's name: the tag
	// skynet:fleet is "production/render".
	Cluster, Role string
	// Catalog names the types that there are.
	Catalog *policy.Catalog
	// Launch is what instances are launched as; a Reader needs none of it.
	Launch Launch
	// Call is the longest time for one call; 0: 20 s. Keep it below what is left of
	// the leader's lease.
	Call time.Duration
	// Now is the clock; nil: time.Now. A region whose time is simulated needs its
	// own.
	Now func() time.Time
}

// Launch is what instances are launched as, besides type, market and zone.
type Launch struct {
	// Image, unless the template names one.
	Image string
	// Template is a launch template's id and Version its version's number, never
	// $Latest: what is launched changes when somebody decides it. Spot needs one.
	Template, Version string
	// Subnets to launch into, one a zone; none: EC2's default.
	Subnets []Subnet
	// UserData for the instances, at most 16384 bytes. Every process on them can
	// read it: no secrets.
	UserData []byte
	// Tags besides the fleet's own.
	Tags map[string]string
}

// Subnet is a subnet and the zone it lies in.
type Subnet struct{ ID, Zone string }

// Tags of the fleet's instances.
const (
	TagFleet   = "skynet:fleet" // cluster/role
	TagCluster = "skynet:cluster"
	TagRole    = "skynet:role"
	TagIntent  = "skynet:intent"
	TagEpoch   = "skynet:epoch"
	TagPolicy  = "skynet:policy-hash"
	TagRelease = "skynet:release"
)

const userDataMax = 16384

// fleetName is the value of TagFleet.
func (c *Config) fleetName() string { return c.Cluster + "/" + c.Role }

// check returns everything that is wrong with the parts that a Reader needs.
func (c *Config) check() error {
	var wrong []error
	for _, name := range []struct{ key, value string }{{"cluster", c.Cluster}, {"role", c.Role}} {
		if name.value == "" || len(name.value) > 64 || strings.Trim(name.value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != "" {
			wrong = append(wrong, fmt.Errorf("%s = %q: must be 1 to 64 letters, digits, dots, - and _", name.key, name.value))
		}
	}
	if c.Catalog == nil || len(c.Catalog.Types) == 0 {
		wrong = append(wrong, errors.New("catalog: there is no instance type"))
	}
	if c.Call < 0 || c.Call > 5*time.Minute {
		wrong = append(wrong, fmt.Errorf("call = %s: must be from 0 to 5m", c.Call))
	}
	return errors.Join(wrong...)
}

// check returns everything that is wrong with what instances are launched as.
func (l *Launch) check() error {
	var wrong []error
	switch {
	case l.Image == "" && l.Template == "":
		wrong = append(wrong, errors.New("launch: neither an image nor a launch template is given"))
	case l.Template != "" && !strings.HasPrefix(l.Template, "lt-"):
		wrong = append(wrong, fmt.Errorf("launch.template = %q: must be a launch template's id, lt-…", l.Template))
	}
	if n, err := strconv.Atoi(l.Version); l.Template != "" && (err != nil || n < 1) {
		wrong = append(wrong, fmt.Errorf("launch.version = %q: must be a version's number, so that what is launched changes only when somebody decides it", l.Version))
	}
	if len(l.UserData) > userDataMax {
		wrong = append(wrong, fmt.Errorf("launch.user_data has %d bytes: must be at most %d", len(l.UserData), userDataMax))
	}
	if what := secretIn(l.UserData); what != "" {
		wrong = append(wrong, fmt.Errorf("launch.user_data holds %s: every process on an instance can read it; workers prove who they are by their instance's identity", what))
	}
	for i, s := range l.Subnets {
		switch {
		case !strings.HasPrefix(s.ID, "subnet-"):
			wrong = append(wrong, fmt.Errorf("launch.subnets[%d].id = %q: must be a subnet's id, subnet-…", i, s.ID))
		case s.Zone == "":
			wrong = append(wrong, fmt.Errorf("launch.subnets[%d].zone: missing", i))
		case slices.ContainsFunc(l.Subnets[:i], func(other Subnet) bool { return other.Zone == s.Zone }):
			wrong = append(wrong, fmt.Errorf("launch.subnets[%d].zone = %q: another subnet has it", i, s.Zone))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(l.Tags)) {
		if strings.HasPrefix(key, "aws:") || strings.HasPrefix(key, "skynet:") || key == "" || len(key) > 128 || len(l.Tags[key]) > 256 {
			wrong = append(wrong, fmt.Errorf("launch.tags.%s: keys have 1 to 128 characters and begin with neither aws: nor skynet:, values at most 256", key))
		}
	}
	return errors.Join(wrong...)
}

// fingerprint tells one Launch from another, so that an intent is never asked for
// again as something else.
func (c *Config) fingerprint() string {
	l := &c.Launch
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %q %q\n", c.fleetName(), l.Image, l.Template, l.Version, l.UserData)
	for _, s := range l.Subnets {
		fmt.Fprintf(h, "subnet %q %q\n", s.ID, s.Zone)
	}
	for _, key := range slices.Sorted(maps.Keys(l.Tags)) {
		fmt.Fprintf(h, "tag %q %q\n", key, l.Tags[key])
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// subnet returns the subnet of a zone; false if the configuration has subnets and
// none of them lies there.
func (l *Launch) subnet(zone string) (string, bool) {
	for _, s := range l.Subnets {
		if s.Zone == zone {
			return s.ID, true
		}
	}
	return "", len(l.Subnets) == 0
}

// zone returns the zone of a subnet; empty: unknown.
func (l *Launch) zone(subnet string) string {
	for _, s := range l.Subnets {
		if s.ID == subnet {
			return s.Zone
		}
	}
	return ""
}

// zones lists the zones that can be launched into.
func (l *Launch) zones() []string {
	var all []string
	for _, s := range l.Subnets {
		all = append(all, s.Zone)
	}
	return all
}
