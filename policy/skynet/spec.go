package skynet

import (
	"fmt"
	"math"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// Spec is the policy "skynet". Every default works untuned. Where it is 0 or "auto", it
// goes by the billing, and the parameter's sentence names the two values.
var Spec = policy.Spec{
	Name:   name,
	Doc:    "plans work and deadlines over the boot lag, with a reserve that the promises' miss budget steers",
	Params: params,
	New:    func(env policy.Env, v policy.Values) (policy.Policy, error) { return New(env, v) },
}

const name = "skynet"

var params = []policy.Param{
	parReserve, parSlackTarget, parForm, parQuantile, parBudget, parZStart, parGain,
	parService, parTau, parRecovery, parLookAhead, parValueShare, parDrainLead, parTheta,
	parOffShare, parProfile, parColdLaunch, parReleaseAfter, parFastTick, parTypes,
}

const (
	reservePromises = "promises"
	reserveSlack    = "slack"
	reserveBoth     = "promises+slack"

	byBilling    = "auto"
	formQuantile = "quantile"
	formPhi      = "phi"

	serviceLong   = "long"
	serviceLonger = "longer"
	serviceRecent = "recent"
)

var (
	parReserve = policy.Param{
		Name: "reserve", Kind: policy.Choice, Choices: []string{reservePromises, reserveSlack, reserveBoth}, Fixed: true,
		Doc: "What the reserve is for: what the promises need, the 24 h mean of slack at slack_target (the rule of 2008), or the first with the second as its floor.",
	}
	parSlackTarget = policy.Param{
		Name: "slack_target", Kind: policy.Number, Unit: "fraction", Min: 0, Max: 0.8, Default: 0.25,
		Doc: "The 24 h mean of slack that the slack rule steers to; it keeps the mean from half a point below to two points above. With reserve = slack this comes before how long jobs wait.",
	}
	parForm = policy.Param{
		Name: "form", Kind: policy.Choice, Choices: []string{byBilling, formQuantile, formPhi},
		Doc: "How the spread of the load is forecast: a conditional quantile (auto under hourly billing) or the square root of an over-dispersed mean (auto per second).",
	}
	parQuantile = policy.Param{
		Name: "quantile", Kind: policy.Number, Unit: "fraction", Min: 0.5, Max: 0.99, Default: 0.85,
		Doc: "The quantile of the highest one-minute load that is learned.",
	}
	parBudget = policy.Param{
		Name: "budget", Kind: policy.Number, Unit: "fraction", Min: 0.1, Max: 1, Default: 0.73,
		Doc: "The share of the late jobs that a promise allows to aim at.",
	}
	parZStart = policy.Param{
		Name: "z_start", Kind: policy.Number, Unit: "multiple", Min: zLow, Max: zHigh, Default: 0.5,
		Doc: "The reserve multiplier to start from; 0.6 more where every hour is promised something.",
	}
	parGain = policy.Param{
		Name: "gain", Kind: policy.Number, Unit: "1/day", Min: 0, Max: 4, Default: 0.3,
		Doc: "How fast the miss budget moves the reserve multiplier; 0 holds it where it starts.",
	}
	parService = policy.Param{
		Name: "service", Kind: policy.Choice, Choices: []string{byBilling, serviceLong, serviceLonger, serviceRecent},
		Doc: "How much work a job that carries no estimate is taken to be. long: the mean of its type over a long time. recent: the mean of about the last ten minutes, as far as it is known (auto per second). longer: the long mean, but for waiting jobs the recent one while that makes at least 1.5 times as much work of them (auto under hourly billing).",
	}
	parTau = policy.Param{
		Name: "tau", Kind: policy.Duration, Min: 0, Max: float64(2 * time.Hour),
		Doc: "Time constant of the level of arriving work; 0: 10m hourly, 4m per second.",
	}
	parRecovery = policy.Param{
		Name: "recovery", Kind: policy.Duration, Min: 0, Max: float64(30 * time.Minute),
		Doc: "How long late work may stay late after a launch could help, so that nothing is bought for work that no launch can save. Per second a line has more time while it is late less often than it may be, and less time as its reserve grows. 0: 5m hourly, 90s per second.",
	}
	parLookAhead = policy.Param{
		Name: "look_ahead", Kind: policy.Duration, Min: 0, Max: float64(40 * time.Minute),
		Doc: "For how long the plan must hold without an instance for it to be released: at least a boot lag and a tick, three boot lags, and the longest urgent wait and half a tick; 0: 10m hourly, 2m per second.",
	}
	parValueShare = policy.Param{
		Name: "value_share", Kind: policy.Number, Unit: "fraction", Min: 0, Max: 1, Default: 0.3,
		Doc: "An instance is kept for another paid window when the profile needs it for more than this share of it; 1: never for that reason.",
	}
	parDrainLead = policy.Param{
		Name: "drain_lead", Kind: policy.Duration, Min: 0, Max: float64(10 * time.Minute), Default: float64(time.Minute),
		Doc: "How long before the end of its paid window an instance may be drained.",
	}
	parTheta = policy.Param{
		Name: "theta", Kind: policy.Number, Unit: "fraction", Min: 0.05, Max: 1, Default: 0.8,
		Doc: "The share of its target that the jobs of a class that can wait are planned with.",
	}
	parOffShare = policy.Param{
		Name: "off_share", Kind: policy.Number, Unit: "fraction", Min: 0, Max: 1, Default: 0.3,
		Doc: "The share of the miss budget that quiet hours may cost before arrivals are planned for in them; 0 plans for them always.",
	}
	parProfile = policy.Param{
		Name: "profile", Kind: policy.Choice, Choices: []string{"on", "off"},
		Doc: "Whether the hour of the day and week shapes the forecast.",
	}
	parColdLaunch = policy.Param{
		Name: "cold_launch", Kind: policy.Integer, Min: 1, Max: 100, Default: 4,
		Doc: "How many instances may be alive for work of unknown size, before any job has completed.",
	}
	parReleaseAfter = policy.Param{
		Name: "release_after", Kind: policy.Duration, Min: 0, Max: float64(time.Hour), Default: float64(10 * time.Minute), Fixed: true,
		Doc: "For how long nothing is released after a start without a saved state, because what arrives is not known yet. Shorter only where time runs faster than on a site.",
	}
	parFastTick = policy.Param{
		Name: "fast_tick", Kind: policy.Duration, Min: float64(policy.MinTick), Max: float64(time.Hour), Default: float64(10 * time.Second),
		Doc: "How soon to look again while jobs of an urgent class wait, where earlier ticks are honoured.",
	}
	parTypes = policy.Param{
		Name: "types", Kind: policy.TypeList, Fixed: true,
		Doc: "The instance types that may be bought; omitted: all of the catalog.",
	}
)

// settings are the parameters as the rules use them, with the values by billing
// filled in. Times without a type are in seconds.
type settings struct {
	promises     bool    // the reserve is what the promises need …
	slack        bool    // … or what the slack rule needs; or both
	slackTarget  float64 // 24 h mean of slack, as a fraction
	phi          bool    // the reserve has the form phi, otherwise quantile
	quantile     float64 // that is learned of the highest load
	budget       float64 // share b of the allowed late jobs that is aimed at
	zStart, gain float64 // where z starts, and G: how fast it moves, per day
	recent       bool    // jobs are taken to need what such jobs took in the last minutes
	longer       bool    // so are those that wait, where that is much more
	tau          float64 // time constant of the level
	recovery     float64 // ρ, before hours.go shortens it
	lookAhead    float64 // for which the plan must hold without what is released
	valueShare   float64 // of a paid window in which the profile must need an instance
	drainLead    float64 // before the end of a paid window
	theta        float64 // share θ of a patient line's budget that is planned with
	offShare     float64 // of the miss budget that quiet hours may cost
	profile      bool
	coldLaunch   int // instances that may be alive before any job has completed
	releaseAfter time.Duration
	fastTick     time.Duration
	windows      bool // windows are paid whole (hours, say), so that releasing waits for their end
}

// newSettings returns the settings of the given values under a billing.
func newSettings(b policy.Billing, v policy.Values) settings {
	windows := b.Windows()
	seconds := func(p *policy.Param, hourly, perSecond float64) float64 {
		if s := v.Duration(p).Seconds(); s > 0 {
			return s
		}
		if windows {
			return hourly
		}
		return perSecond
	}
	reserve, form, service := v.Choice(&parReserve), v.Choice(&parForm), v.Choice(&parService)
	return settings{
		promises:     reserve != reserveSlack,
		slack:        reserve != reservePromises,
		slackTarget:  v.Number(&parSlackTarget),
		phi:          form == formPhi || form == byBilling && !windows,
		quantile:     v.Number(&parQuantile),
		budget:       v.Number(&parBudget),
		zStart:       v.Number(&parZStart),
		gain:         v.Number(&parGain),
		longer:       service == serviceLonger || service == byBilling && windows,
		recent:       service == serviceRecent || service == byBilling && !windows,
		tau:          seconds(&parTau, 600, 240),
		recovery:     seconds(&parRecovery, 300, 90),
		lookAhead:    seconds(&parLookAhead, 600, 120),
		valueShare:   v.Number(&parValueShare),
		drainLead:    v.Duration(&parDrainLead).Seconds(),
		theta:        v.Number(&parTheta),
		offShare:     v.Number(&parOffShare),
		profile:      v.Choice(&parProfile) == "on",
		coldLaunch:   int(v.Number(&parColdLaunch)),
		releaseAfter: v.Duration(&parReleaseAfter),
		fastTick:     v.Duration(&parFastTick),
		windows:      windows,
	}
}

// New returns the policy. It fails when a type of "types" is not in the
// catalog, when a value is out of its bounds, or when no type that may be
// bought has any capacity.
func New(env policy.Env, v policy.Values) (*Policy, error) {
	for i := range params {
		p := &params[i]
		if p.Kind == policy.Choice || p.Kind == policy.TypeList {
			continue
		}
		if x := v.Number(p); !(x >= p.Min && x <= p.Max) || math.IsInf(x, 0) {
			return nil, &policy.ParamError{Policy: name, Name: p.Name, Value: x, Allowed: fmt.Sprintf("from %v to %v", p.Min, p.Max)}
		}
	}
	m, err := newMarket(&env.Catalog, v.Strings(&parTypes))
	if err != nil {
		return nil, err
	}
	p := &Policy{env: env, set: newSettings(env.Catalog.Billing, v), market: m, deadlineJobs: make([]float64, len(env.Classes))}
	p.st = newState(&p.set, len(env.Classes))
	return p, nil
}
