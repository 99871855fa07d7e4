package scenarios

import (
	"context"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// Fleet is the configuration of a controller: the fleet it decides about, what
// promises, cloud, limits and policy hold there, which stand in a scenario file so
// that the same file can be simulated, and where its queue, its store and its
// files are. Paths are relative to the file.
type Fleet struct {
	// Path of the file.
	Path string

	Name     string `toml:"fleet" required:"yes" doc:"The fleet's name: up to 24 letters, digits and -. Saved state, intents and tags carry it."`
	Scenario string `toml:"scenario" required:"yes" doc:"The scenario whose classes, cloud, budget, guard and policy hold. It must have a [guard]. Its trace and its faults play no part."`
	Policy   string `toml:"policy" unset:"the scenario's" doc:"The policy that decides: a file, or a name."`
	Shadow   string `toml:"shadow" unset:"none" doc:"A policy that decides beside it in mode shadow, and of whose decisions nothing comes: a file, or a name."`
	Queue    string `toml:"queue" default:"http://127.0.0.1:7420" doc:"URL of the queue. The token comes from SKYNET_TOKEN, or from tokens."`
	Tokens   string `toml:"tokens" unset:"none" doc:"The queue's token file, where it is on this machine."`
	Store    string `toml:"store" default:"sqlite:skynet-controller.db" doc:"Where the controller keeps its state, and what operators ordered: sqlite:FILE or postgres://…"`
	Journal  string `toml:"journal" default:"journal" doc:"Folder of the journal: a file a day and lead."`

	JournalKeep time.Duration `toml:"journal_keep" default:"720h" min:"0s" max:"87600h" doc:"How long the store keeps the journal, which it has beside the files; 0: not at all. The files are yours to remove."`

	Stop   string `toml:"stop" default:"skynet-stop.json" doc:"While this file exists, or the row of the store beside it, nothing is launched or terminated. skynetd stop and resume write and remove both."`
	Shared string `toml:"shared_caps" unset:"none" doc:"A file with a [guard] of its own that all fleets of the store share, read again at every decision: their instances, cores and money together stay within it. Every one of them must name it."`
	Caps   string `toml:"caps" unset:"none" doc:"A file with a [guard] of its own, read again at every decision: limits that stand behind all others and that no tuning touches."`

	Drift FleetDrift `toml:"drift" doc:"The daily comparison of what the simulator says of yesterday with what happened."`

	Token string `toml:"token" unset:"SKYNET_TOKEN, or from tokens" doc:"Where the queue's token is: env:NAME, file:PATH or ssm:/NAME."`

	Source   *FleetSource   `toml:"source" unset:"SkyNet's queue" doc:"Jobs wait elsewhere: docs/sources.md. queue and tokens play no part then."`
	Provider *FleetProvider `toml:"provider" unset:"none" doc:"What the provider says of itself: it may hold, and never launches."`
	Alerts   []FleetAlert   `toml:"alert" doc:"Who is told when something is wrong: docs/alerts.md."`
	Ping     *FleetPing     `toml:"ping" unset:"none" doc:"A dead man's switch outside, which calls somebody when it is not called any more."`
	Status   *FleetStatus   `toml:"status" unset:"none" doc:"A public page that says how the fleet fares."`

	EC2 FleetEC2 `toml:"ec2" doc:"Which instances are the fleet's, and what they are launched as."`

	scenario *Scenario
	active   *Policy
	shadow   *Policy
}

// FleetDrift is the [drift] table.
type FleetDrift struct {
	At      time.Duration `toml:"at" default:"3h" min:"0s" max:"24h" doc:"When the day before is compared, since midnight in UTC; 24h: never."`
	Runs    int           `toml:"runs" default:"3" min:"1" max:"1000" unit:"runs" doc:"Simulations, whose mean is compared."`
	Cost    float64       `toml:"cost" default:"0.1" min:"0" max:"100" unit:"fraction" doc:"At most this between the costs."`
	Slack   float64       `toml:"slack" default:"0.1" min:"0" max:"100" unit:"fraction" doc:"At most this between the slacks."`
	Latency float64       `toml:"latency" default:"0.2" min:"0" max:"100" unit:"fraction" doc:"At most this between the 95th percentiles of the time that the jobs of a type took."`
}

// FleetEC2 is the [ec2] table.
type FleetEC2 struct {
	Cluster  string        `toml:"cluster" default:"default" doc:"Cluster; with role it is the tag that tells the fleet's instances from all others."`
	Role     string        `toml:"role" unset:"the fleet's name" doc:"Role in the cluster."`
	Region   string        `toml:"region" unset:"as the AWS configuration says" doc:"Region."`
	Image    string        `toml:"image" unset:"the template's" doc:"Image of the instances, ami-…"`
	Template string        `toml:"template" unset:"none" doc:"Launch template, lt-…; spot instances need one."`
	Version  string        `toml:"version" unset:"none" doc:"Number of the template's version: what is launched changes only when somebody decides it."`
	UserData string        `toml:"user_data" unset:"none" doc:"File with the instances' user data, at most 16384 bytes. Every process on them can read it: no secrets."`
	Release  string        `toml:"release" unset:"none" doc:"Release of the worker that they are launched with, for their tag."`
	Subnets  []FleetSubnet `toml:"subnet" doc:"A subnet to launch into, one a zone; none: EC2's default."`
}

// FleetSubnet is an [[ec2.subnet]] table.
type FleetSubnet struct {
	ID   string `toml:"id" required:"yes" doc:"Its id, subnet-…"`
	Zone string `toml:"zone" required:"yes" doc:"The zone it lies in."`
}

var fleetName = regexp.MustCompile(`^[A-Za-z0-9-]{1,24}$`)

// LoadFleet reads and checks the configuration of a controller, and the scenario
// and policies it names. Everything that is wrong with the file is reported at
// once, as Problems; then everything that is wrong with what it names.
func LoadFleet(path string) (*Fleet, error) {
	text, err := readFile(context.Background(), path)
	if err != nil {
		return nil, err
	}
	d, raw := parse(path, text)
	f := &Fleet{Path: path}
	if len(d.problems) == 0 {
		d.table(raw, reflect.ValueOf(f).Elem(), "")
		f.check(d)
	}
	if err := d.problems.sorted(); err != nil {
		return nil, err
	}
	for _, file := range []*string{&f.Scenario, &f.Tokens, &f.Journal, &f.Stop, &f.Caps, &f.Shared, &f.EC2.UserData} {
		if *file != "" {
			*file = beside(path, *file)
		}
	}
	if name, isFile := strings.CutPrefix(f.Store, "sqlite:"); isFile {
		f.Store = "sqlite:" + beside(path, name)
	}
	if f.EC2.Role == "" {
		f.EC2.Role = f.Name
	}
	f.besideOutside()
	return f, f.resolve()
}

// check reports what no tag can say.
func (f *Fleet) check(d *document) {
	if d.clean("fleet") && !fleetName.MatchString(f.Name) {
		d.bad("fleet", f.Name, "1 to 24 letters, digits and -")
	}
	if !strings.HasPrefix(f.Queue, "http://") && !strings.HasPrefix(f.Queue, "https://") {
		d.bad("queue", f.Queue, "http://… or https://…")
	}
	if !strings.HasPrefix(f.Store, "sqlite:") && !strings.HasPrefix(f.Store, "postgres://") && !strings.HasPrefix(f.Store, "postgresql://") {
		d.bad("store", f.Store, "sqlite:FILE or postgres://…")
	}
	f.checkOutside(d)
}

// resolve loads what the file names.
func (f *Fleet) resolve() error {
	var err error
	if f.scenario, err = Load(f.Scenario); err != nil {
		return err
	}
	if f.scenario.guard == nil {
		return Problems{{File: f.Scenario, Key: "guard", Reason: "missing: a controller spends real money, and needs limits"}}
	}
	if f.active, err = f.policyOf(f.Policy); err != nil {
		return err
	}
	if f.active == nil {
		f.active = f.scenario.policy
	}
	if f.shadow, err = f.policyOf(f.Shadow); err != nil {
		return err
	}
	for i, p := range []*Policy{f.active, f.shadow} {
		if p != nil && p.Clairvoyant() {
			return Problems{{File: f.Path, Key: [...]string{"policy", "shadow"}[i], Reason: p.Name + " " + policy.ErrClairvoyant.Error()}}
		}
	}
	return nil
}

// policyOf returns the policy of a file or a name; nil for "".
func (f *Fleet) policyOf(name string) (*Policy, error) {
	switch {
	case name == "":
		return nil, nil
	case IsPolicyName(name):
		return NamedPolicy(name)
	}
	return LoadPolicy(beside(f.Path, name), &f.scenario.catalog)
}

// World returns the scenario, the policy that decides, and the one that decides
// beside it, nil without.
func (f *Fleet) World() (s *Scenario, active, shadow *Policy) { return f.scenario, f.active, f.shadow }

// Limits reads the file of caps again.
func (f *Fleet) Limits() (policy.Guard, error) { return f.limitsOf(f.Caps, f.scenario.guard.FleetMax) }

// SharedLimits reads the file of the caps of all fleets again. It must say how
// many instances they may have: nothing of this fleet's own says it.
func (f *Fleet) SharedLimits() (policy.Guard, error) { return f.limitsOf(f.Shared, 0) }

// limitsOf reads a file of caps; fleetMax stands in for a fleet_max that it does
// not give, 0: it must.
func (f *Fleet) limitsOf(name string, fleetMax int) (policy.Guard, error) {
	text, err := readFile(context.Background(), name)
	if err != nil {
		return policy.Guard{}, err
	}
	d, raw := parse(name, text)
	var file struct {
		Guard *Guard `toml:"guard" required:"yes" doc:"The limits."`
	}
	if len(d.problems) == 0 {
		d.table(raw, reflect.ValueOf(&file).Elem(), "")
	}
	if err := d.problems.sorted(); err != nil {
		return policy.Guard{}, err
	}
	if fleetMax == 0 && file.Guard.FleetMax == nil {
		return policy.Guard{}, fmt.Errorf("%s: guard.fleet_max: must be given: it is how many instances all fleets may have together", name)
	}
	limits := file.Guard.limits(fleetMax)
	for _, err := range limits.Validate() {
		d.param("guard", err)
	}
	return limits, d.problems.sorted()
}
