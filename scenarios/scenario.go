package scenarios

import (
	"context"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
)

// Scenario is a scenario file, read and checked. The tags of its fields, and
// of the fields of the tables below, are the one description of every key:
// they drive decoding, checking, Show and docs/scenario.md. See field for what
// each tag means.
type Scenario struct {
	// Path of the file, and its name without folder and extension.
	Path, Name string

	Title     string        `toml:"title" doc:"What the scenario is about, in a line."`
	Start     time.Time     `toml:"start" unset:"the trace's own, else Monday 2001-01-01T00:00:00Z" doc:"When the trace begins on the calendar."`
	UTCOffset time.Duration `toml:"utc_offset" default:"0s" min:"-14h" max:"14h" doc:"The users' clock less UTC: clock hours, days, profiles and the generator follow it."`
	JudgeFrom time.Duration `toml:"judge_from" default:"0s" min:"0s" max:"175200h" doc:"The time before is billed and shown, not judged: a cold start."`
	Duration  time.Duration `toml:"duration" unset:"until the trace ends and the last job is done" min:"1ms" max:"175200h" doc:"Length of the run."`
	Tick      time.Duration `toml:"tick" default:"1m" min:"10s" max:"24h" doc:"Time between two decisions."`
	FastTicks bool          `toml:"fast_ticks" default:"false" doc:"Whether a policy may ask for its next tick earlier, down to 10 s."`
	Seed      uint64        `toml:"seed" default:"1" min:"0" max:"9007199254740991" doc:"Seed of every random quantity."`

	Trace    *Trace    `toml:"trace" doc:"A recorded trace. A scenario has either this table or [generate]."`
	Generate *Generate `toml:"generate" doc:"A generated trace. A scenario has either this table or [trace]."`

	Classes []Class `toml:"class" required:"yes" doc:"What a class of jobs is promised. The first class that matches a job is its class; a job that matches none is an error."`

	Cloud    Cloud        `toml:"cloud" doc:"What EC2 sells, and how it behaves."`
	Queue    Queue        `toml:"queue" doc:"How the queue deals with workers that fall silent."`
	Faults   []Fault      `toml:"fault" doc:"Something that goes wrong for a while. Any number."`
	Failures []Failure    `toml:"failure" doc:"Jobs that end without success."`
	Guard    *Guard       `toml:"guard" unset:"cloud.max_instances is the only limit" doc:"Limits on what the policy may do. A limit that is left out takes the value that suits fleet_max."`
	Budget   Budget       `toml:"budget" doc:"Budgets as the policy is told them. They bound nothing: limits stand in [guard]."`
	Window   []TimeWindow `toml:"window" doc:"A part of the week, or of the run, whose fleet is measured apart: figures windows.NAME.*, for promises."`

	Promises []Promise `toml:"promise" doc:"A bound on a figure of the results, beyond the classes' targets. It must hold, or the run exits 1; a figure without a value does not hold."`

	Expects []Expect `toml:"expect" doc:"What the policy is expected to decide, or the fleet to be, in a part of the run. skynet check judges it like a promise, as simulate does for a single run; a trace given from outside the file has nothing to expect."`

	Policy PolicyTable `toml:"policy" doc:"Who decides."`

	// what the file refers to, resolved
	catalog        policy.Catalog
	boots          map[string]sim.BootModel
	spot           *sim.SpotMarket
	guard          *policy.Guard
	policy         *Policy
	replaced       bool   // the trace was given from outside the file
	state          []byte // that the policy begins with; nil: none
	policyReplaced bool   // the policy was given from outside the file
	lines          lines  // where the file says what
	files          []string
	ctx            context.Context // ends the wait for a file that is a pipe
}

// Files returns the files that the scenario was read from: its own, its trace, and
// whatever else it names.
func (s *Scenario) Files() []string {
	files := append([]string{s.Path}, s.files...)
	if s.Trace != nil {
		files = append(files, s.tracePath())
	}
	if s.policy != nil && s.policy.Path != "" {
		files = append(files, s.policy.Path)
	}
	return files
}

// refer returns the path of a file that the scenario names, and remembers it.
func (s *Scenario) refer(name string) string {
	path := beside(s.Path, name)
	s.files = append(s.files, path)
	return path
}

// Trace is the [trace] table.
type Trace struct {
	File           string          `toml:"file" unset:"the trace is at url" doc:"The trace: CSV, SWF or GWF (plain, .gz or .zst) or Parquet; relative to the scenario's folder."`
	URL            string          `toml:"url" unset:"the trace is in file" doc:"Where to download the trace, http or https, once: it is kept in the cache folder, skynet/recordings in $XDG_CACHE_HOME, else in ~/.cache. Its last part is the file's name."`
	SHA256         string          `toml:"sha256" unset:"the trace is in file" doc:"SHA-256 of what url leads to, 64 digits. Another content is an error."`
	Format         string          `toml:"format" unset:"by its name and first bytes" doc:"Format of the file: csv, swf, gwf or parquet."`
	IgnoreColumns  bool            `toml:"ignore_columns" default:"false" doc:"Skip columns that a trace does not have, instead of refusing them."`
	ReferenceSpeed float64         `toml:"reference_speed" unset:"the trace's own, else 1.0" min:"0.001" max:"1000" unit:"reference cores" doc:"Speed of the core that service times were measured on: work = service × this."`
	ServiceScale   float64         `toml:"service_scale" default:"1.0" min:"1e-9" max:"1e9" doc:"Factor on every service time."`
	Amplify        int             `toml:"amplify" default:"1" min:"1" max:"100000" doc:"Clones of each arrival, the original being one of them."`
	Jitter         time.Duration   `toml:"jitter" default:"30s" min:"0s" max:"168h" doc:"Each clone is moved by up to this, earlier or later."`
	Cut            []time.Duration `toml:"cut" unset:"the whole trace" len:"2" min:"0s" max:"1000000h" doc:"Only the jobs that arrive from the first time to the second, which become the trace's start and end."`
}

// Class is a [[class]] table.
type Class struct {
	Name     string        `toml:"name" required:"yes" doc:"Its name in results: letters, digits, _ and -."`
	Types    []string      `toml:"type" unset:"any type" doc:"The job type, or a list of them."`
	Priority *int          `toml:"priority" unset:"any priority" min:"0" max:"255" doc:"The priority; 0 is served first."`
	Target   time.Duration `toml:"target" required:"yes" min:"1ms" max:"8760h" doc:"What a job of the class may take."`
	On       string        `toml:"on" default:"sojourn" choices:"sojourn|wait" doc:"What target bounds: sojourn, from arrival to done, or wait, from arrival to start."`
	Attain   float64       `toml:"attain" required:"yes" min:"0" max:"1" unit:"fraction of jobs" doc:"How many of its jobs are promised to be within target; 0 promises nothing and only reports."`

	WorstHour float64 `toml:"worst_hour" unset:"no hour is promised anything" min:"0.000001" max:"1" unit:"fraction of jobs" doc:"How many are promised to be within target in every clock hour of 100 jobs or more. The policy knows of it and keeps more in reserve."`
}

// Cloud is the [cloud] table.
type Cloud struct {
	Catalog      string          `toml:"catalog" unset:"ec2-2008, or the [[cloud.type]] tables" doc:"What is sold: ec2-2008, ec2-2026, or a TOML file of [[type]] tables."`
	Types        []InstanceType  `toml:"type" doc:"An instance type, in place of a catalog."`
	Billing      string          `toml:"billing" unset:"the catalog's, else hourly" choices:"hourly|per-second" doc:"hourly: every started hour from launch to termination; per-second: seconds from launch, at least 60."`
	Boot         Boot            `toml:"boot" doc:"Boot lag, from launch to the first request for work."`
	BootOf       map[string]Boot `toml:"boot_of" doc:"Boot lags of single instance types, by name."`
	Zones        []string        `toml:"zones" default:"a" doc:"Availability zones that instances are spread over."`
	MaxInstances int             `toml:"max_instances" default:"500" min:"1" max:"100000" doc:"Instances the account may run at once; more are refused."`
	Standing     []Standing      `toml:"standing" doc:"Instances that are there when the run begins. Their bill begins with the first window that does."`
	Spot         *Spot           `toml:"spot" unset:"no spot market" doc:"The spot market."`
}

// Standing is a [[cloud.standing]] table.
type Standing struct {
	Type    string        `toml:"type" required:"yes" doc:"Their type."`
	Market  string        `toml:"market" default:"on-demand" choices:"on-demand|spot" doc:"How they were bought."`
	Count   int           `toml:"count" default:"1" min:"1" max:"100000" doc:"How many there are."`
	Age     time.Duration `toml:"age" default:"0s" min:"0s" max:"175200h" doc:"How long before the start they were launched: their paid windows count from then."`
	ReadyIn time.Duration `toml:"ready_in" default:"0s" min:"0s" max:"24h" doc:"How long after the start they ask for work first; 0: they are ready."`
}

// InstanceType is a [[cloud.type]] table, or a [[type]] table of a catalog
// file.
type InstanceType struct {
	Name    string  `toml:"name" required:"yes" doc:"Its name."`
	Cores   int     `toml:"cores" required:"yes" min:"1" max:"4096" doc:"Cores."`
	Speed   float64 `toml:"speed" required:"yes" min:"0.001" max:"1000" unit:"reference cores" doc:"Speed of one slot; an m1.small core is 1.0."`
	PerHour float64 `toml:"usd_per_hour" required:"yes" min:"0" max:"1000000" unit:"USD/h" doc:"Price on demand."`
	Slots   int     `toml:"slots" unset:"cores" min:"1" max:"4096" doc:"Jobs that run at once."`
}

// Boot is a distribution of boot lags.
type Boot struct {
	Model  string        `toml:"model" default:"lognormal" choices:"lognormal|fixed|empirical" selects:"yes" doc:"Its distribution."`
	Median time.Duration `toml:"median" of:"lognormal" default:"95s" min:"1ms" max:"24h" doc:"Half of the boots take less."`
	P99    time.Duration `toml:"p99" of:"lognormal" default:"230s" min:"1ms" max:"24h" doc:"One boot in a hundred takes longer."`
	Max    time.Duration `toml:"max" of:"lognormal" default:"300s" min:"1ms" max:"24h" doc:"A draw above it becomes it."`
	Value  time.Duration `toml:"value" of:"fixed" required:"yes" min:"0s" max:"24h" doc:"What every boot takes."`
	File   string        `toml:"file" of:"empirical" required:"yes" doc:"A CSV file with the header boot_s: one measured lag in seconds a line, drawn with equal probability."`
	Never  float64       `toml:"never_boots" default:"0.0" min:"0" max:"1" unit:"probability" doc:"That an instance never becomes a worker."`
}

// Spot is the [cloud.spot] table.
type Spot struct {
	Discount      float64       `toml:"discount" default:"0.35" min:"0.001" max:"10" unit:"fraction of on-demand" doc:"Mean price."`
	Volatility    float64       `toml:"volatility" default:"0.2" min:"0" max:"3" doc:"Standard deviation of the price's logarithm around its mean."`
	Revert        time.Duration `toml:"revert" default:"24h" min:"1m" max:"8760h" doc:"Time constant with which the price returns to its mean."`
	InterruptRate float64       `toml:"interrupt_rate" default:"0.01" min:"0" max:"1000" unit:"1/instance-hour" doc:"Interruptions while the price is below on-demand; above it, every instance is taken back."`
	Notice        time.Duration `toml:"notice" default:"2m" min:"0s" max:"1h" doc:"Notice before an interruption."`
	File          string        `toml:"file" unset:"prices are drawn" doc:"Recorded prices, which replace drawn ones: a CSV file with the header at_s,type,usd_per_hour, in order of time."`
}

// Queue is the [queue] table.
type Queue struct {
	Lease       time.Duration `toml:"lease" default:"30s" min:"1s" max:"24h" doc:"A crashed worker's job returns this long after its last beat."`
	Beat        time.Duration `toml:"beat" default:"10s" min:"100ms" max:"1h" doc:"Time between two beats of a worker; less than lease."`
	MaxAttempts int           `toml:"max_attempts" default:"0" min:"0" max:"65535" doc:"Attempts after which a job is lost; 0: never."`
}

// Fault is a [[fault]] table.
type Fault struct {
	Kind        string        `toml:"kind" required:"yes" selects:"yes" choices:"refuse|throttle|api-outage|lost-reply|stale|zero|blind|slow-boot|dead-boot|slow-work|crash|spot-interruption|partition|store-down|queue-outage|price" doc:"What goes wrong."`
	From        time.Duration `toml:"from" default:"0s" min:"0s" max:"175200h" doc:"When it begins, since the trace's start."`
	To          time.Duration `toml:"to" unset:"the end of the run" min:"1ns" max:"175200h" doc:"When it is over."`
	Types       []string      `toml:"types" of:"refuse|lost-reply|slow-boot|dead-boot|slow-work|crash|spot-interruption|partition|price" unset:"all" doc:"Instance types it concerns."`
	Zones       []string      `toml:"zones" of:"refuse|lost-reply|slow-boot|dead-boot|slow-work|crash|spot-interruption|partition" unset:"all" doc:"Zones it concerns."`
	Signals     []string      `toml:"signals" of:"stale|zero|blind" default:"queue" doc:"Signals it concerns: queue, fleet, money, history."`
	Probability float64       `toml:"probability" of:"throttle|lost-reply|dead-boot|crash|spot-interruption|partition" unset:"1.0" min:"1e-9" max:"1" doc:"That it hits a call, a launch or an instance it concerns."`
	Factor      float64       `toml:"factor" of:"slow-boot|slow-work|price" required:"yes" min:"0.001" max:"1000" doc:"On boot lags, service times or prices."`
	Rate        float64       `toml:"rate" of:"crash" unset:"crashes happen once, at from" min:"1e-9" max:"3600" unit:"1/instance-hour" doc:"Crashes while it lasts."`
	Delay       time.Duration `toml:"delay" of:"lost-reply" default:"2m" min:"0s" max:"24h" doc:"After which EC2's list shows an instance whose launch got no reply."`
}

// Failure is a [[failure]] table.
type Failure struct {
	Types  []string `toml:"types" unset:"all" doc:"Job types it concerns."`
	Rate   float64  `toml:"rate" default:"0.0" min:"0" max:"0.99" unit:"probability" doc:"That an attempt fails at its end; the job waits again at once."`
	Poison float64  `toml:"poison" default:"0.0" min:"0" max:"1" unit:"probability" doc:"That a job fails every attempt; queue.max_attempts must end it."`
}

// Guard is the [guard] table.
type Guard struct {
	LaunchMax    *int           `toml:"launch_max" unset:"a fifth of fleet_max, at most in_flight_max" min:"1" max:"1000000" doc:"Instances launched by one decision."`
	InFlightMax  *int           `toml:"in_flight_max" unset:"twice launch_max, at most fleet_max" min:"1" max:"1000000" doc:"Instances requested or booting at once."`
	FleetMax     *int           `toml:"fleet_max" unset:"cloud.max_instances, at most 5000" min:"1" max:"1000000" doc:"Instances alive at once, draining ones included."`
	CoresMax     *int           `toml:"cores_max" unset:"64 an instance" min:"1" max:"1000000000" doc:"Cores alive at once."`
	HourMax      *float64       `toml:"hour_max_usd" unset:"5000" min:"0.000001" max:"9e12" unit:"USD" doc:"Price of an hour of everything alive and launched."`
	DayMax       *float64       `toml:"day_max_usd" unset:"50000" min:"0.000001" max:"9e12" unit:"USD" doc:"Spent this clock day, and an hour of everything alive and launched."`
	MonthMax     *float64       `toml:"month_max_usd" unset:"500000" min:"0.000001" max:"9e12" unit:"USD" doc:"Spent this clock month, and an hour of everything alive and launched."`
	DrainMax     *int           `toml:"drain_max" unset:"a fifth of fleet_max" min:"1" max:"1000000" doc:"Instances drained by one decision."`
	StaleAfter   *time.Duration `toml:"stale_after" unset:"3m" min:"10s" max:"24h" doc:"Age up to which a reading is a ground for change."`
	BreakerBoots *int           `toml:"breaker_boots" unset:"10" min:"1" max:"1000000" doc:"Launches in a row that never became workers before the circuit opens."`
	BreakerStall *time.Duration `toml:"breaker_stall" unset:"30m" min:"1m" max:"8760h" doc:"Time without a completion, although jobs run and wait, before the circuit opens; longer than the longest job."`
	BeyondBounds bool           `toml:"beyond_bounds" default:"false" doc:"That limits above the usual bounds are meant."`
}

// Budget is the [budget] table.
type Budget struct {
	Hour  float64 `toml:"hour_usd" unset:"none" min:"0.000001" max:"9e12" unit:"USD" doc:"For a clock hour."`
	Day   float64 `toml:"day_usd" unset:"none" min:"0.000001" max:"9e12" unit:"USD" doc:"For a clock day."`
	Month float64 `toml:"month_usd" unset:"none" min:"0.000001" max:"9e12" unit:"USD" doc:"For a clock month."`
}

// TimeWindow is a [[window]] table.
type TimeWindow struct {
	Name string   `toml:"name" required:"yes" doc:"Its name in figures: letters, digits, _ and -."`
	From weekTime `toml:"from" required:"yes" doc:"Where it begins: a moment of every week on the users' clock, \"Wed 02:00\", or a time since the trace's start, \"30h\"."`
	To   weekTime `toml:"to" required:"yes" doc:"Where it ends, written as from is."`
}

// Promise is a [[promise]] table.
type Promise struct {
	Name   string   `toml:"name" unset:"metric and per" doc:"What results call it."`
	Metric string   `toml:"metric" required:"yes" doc:"A figure of the results by its path, such as cost_usd, classes.upload.worst_hour or windows.night.instances_mean."`
	Per    string   `toml:"per" unset:"the figure itself is bound" doc:"Another figure: metric ÷ per is bound."`
	Min    *float64 `toml:"min" unset:"no lower bound" doc:"The least that keeps the promise."`
	Max    *float64 `toml:"max" unset:"no upper bound" doc:"The most that keeps the promise."`
}

// Expect is an [[expect]] table.
type Expect struct {
	Name  string    `toml:"name" unset:"what and when" doc:"What results call it."`
	What  string    `toml:"what" required:"yes" selects:"yes" choices:"launches|drains|undrains|terminations|refused|clamped|instances|ready|booting|busy|draining|pending" doc:"Counted: launches, drains and undrains that were asked for, after the guard, but with type the launches that EC2 gave, substitutes among them; terminations, refused launches, and clamped: what the guard removed. Looked at, at every tick: instances alive, slots that are ready, booting, busy or draining, and jobs pending."`
	Types []string  `toml:"type" of:"launches|terminations" unset:"all" doc:"Instance types that count."`
	From  *weekTime `toml:"from" unset:"the start of the run" doc:"Where the time begins: the first such moment on the users' clock, \"Tue 21:05\", or a time since the trace's start, \"14h\"."`
	To    *weekTime `toml:"to" unset:"the end of the run" doc:"Where it ends, this moment left out; the first such moment after from."`
	By    *weekTime `toml:"by" unset:"to ends the time" doc:"Instead of to: the last moment of it. What is looked at must have come within its bound at some tick by then, not at all of them."`
	Min   *float64  `toml:"min" unset:"no lower bound" min:"0" max:"1e15" doc:"The least that is expected."`
	Max   *float64  `toml:"max" unset:"no upper bound" min:"0" max:"1e15" doc:"The most that is expected."`
}

// PolicyTable is the [policy] table. It names a policy and gives its
// parameters, or names a file that does.
type PolicyTable struct {
	File   string         `toml:"file" unset:"the policy stands here" doc:"A policy file, relative to the scenario's folder."`
	Name   string         `toml:"name" unset:"skynet" doc:"The policy's name: skynet, scripted, or one of its rivals."`
	State  string         `toml:"state" unset:"it begins anew" doc:"A file with the state that the policy begins with, as a journal or a run wrote it, relative to the scenario's folder. Another policy in its place begins anew."`
	Params map[string]any `toml:"params" doc:"The policy's parameters. Those of the policy named here may also stand in the table itself."`
	Steps  []Step         `toml:"step" doc:"A step of the policy scripted, which does what it is told, whatever happens."`

	Direct map[string]any `toml:",rest"`
}

// Step is a [[policy.step]] table.
type Step struct {
	At     time.Duration `toml:"at" required:"yes" min:"0s" max:"175200h" doc:"It acts at the first tick from then on."`
	Launch int           `toml:"launch" required:"yes" min:"1" max:"100000" doc:"Instances to launch."`
	Type   string        `toml:"type" required:"yes" doc:"Their type."`
	Keep   time.Duration `toml:"keep" unset:"never drained" min:"1ns" max:"175200h" doc:"They are drained at the first tick this long after their launch."`
}
