package baseline

import (
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// CFRule is the policy "cf-rule": the dynamic scaling rules of Cloud Foundry's
// App Autoscaler at afbf746.
//
//	rule:   fires when every sample of the last breach_duration is beyond its
//	        threshold, there is one, and a sample older than that shows that the
//	        window is covered
//	change: current + step, or int(current × (1 + percent ÷ 100) + 0.5), at least
//	        one instance
//	then:   no rule fires for cooldown
//
// A policy is a list of rules and the first that fires wins: here first one that
// adds above up_above, then one that takes below down_below. Samples are averages
// over the instances that run: their load, or the jobs waiting for each. A sample
// without a value stops the rules. What was asked for is the current number of
// instances, as Cloud Foundry's API has it.
//
// From its source: window, rounding, order, cooldown. Defaults of 120 s and 300 s
// are those of its policy documents; thresholds are a user's choice.
//
// Kept: the cooldown runs from the change, not from when the instances of it run.
// Where they boot for longer than that, the metric has not moved and the rule
// fires again: it launches several times what it needs (cooldown_from = "ready"
// repairs it). And whatever cannot be sampled must first be sampled for a whole
// breach_duration again, so an outage of the queue costs that time too.
//
// Deviations: an app has at least one instance; where min = 0 the group never
// starts from zero, as nothing is sampled (from_zero = "starts" repairs it).
// Schedules and the breaker that stops an app's rules after errors are not
// modelled. A sample is taken at every tick; the original averages over 40 s.
var CFRule = newSpec(build{
	name: "cf-rule",
	doc:  "adds or takes a step or a percentage when every sample of two minutes was beyond a threshold, then waits for a cooldown (Cloud Foundry App Autoscaler)",
	params: []policy.Param{
		cfMetric, cfUpAbove, cfDownBelow, cfBacklogUp, cfBacklogDown,
		cfAdjustment, cfUpStep, cfDownStep, cfUpPercent, cfDownPercent,
		cfBreach, cfCooldown, cfCooldownFrom, asgFromZero,
	},
	every: 40 * time.Second,
	min:   1,
}, newCFRule)

const (
	adjustStep = "step"

	cooldownChange = "change"
	cooldownReady  = "ready"
)

var (
	cfMetric = policy.Param{
		Name: "metric", Kind: policy.Choice, Choices: []string{metricLoad, metricBacklog},
		Doc: "What its rules watch: the share of busy slots, or the jobs waiting for each instance that runs.",
	}
	cfUpAbove   = stepParam("up_above", 0.7, "The load above which it adds, with metric = load.")
	cfDownBelow = stepParam("down_below", 0.4, "The load below which it takes, with metric = load.")

	cfBacklogUp = policy.Param{
		Name: "backlog_up", Kind: policy.Number, Unit: "jobs", Min: 0, Max: 10_000, Default: 8,
		Doc: "The jobs waiting for each instance above which it adds, with metric = backlog.",
	}
	cfBacklogDown = policy.Param{
		Name: "backlog_down", Kind: policy.Number, Unit: "jobs", Min: 0, Max: 10_000, Default: 1,
		Doc: "The jobs waiting for each instance below which it takes, with metric = backlog.",
	}
	cfAdjustment = policy.Param{
		Name: "adjustment", Kind: policy.Choice, Choices: []string{adjustStep, adjustPercent},
		Doc: "Whether it adds and takes instances or a percentage of them (adjustment).",
	}
	cfUpStep = policy.Param{
		Name: "up_step", Kind: policy.Integer, Min: 1, Max: 500, Default: 1, Log: true,
		Doc: "The instances it adds, with adjustment = step.",
	}
	cfDownStep = policy.Param{
		Name: "down_step", Kind: policy.Integer, Min: 1, Max: 500, Default: 1, Log: true,
		Doc: "The instances it takes, with adjustment = step.",
	}
	cfUpPercent = policy.Param{
		Name: "up_percent", Kind: policy.Number, Unit: "percent", Min: 1, Max: 300, Default: 30, Log: true,
		Doc: "The percentage it adds, with adjustment = percent.",
	}
	cfDownPercent = policy.Param{
		Name: "down_percent", Kind: policy.Number, Unit: "percent", Min: 1, Max: 100, Default: 10, Log: true,
		Doc: "The percentage it takes, with adjustment = percent.",
	}
	cfBreach = policy.Param{
		Name: "breach_duration", Kind: policy.Duration, Min: float64(30 * time.Second), Max: float64(time.Hour), Default: float64(2 * time.Minute), Log: true,
		Doc: "How long every sample must be beyond the threshold (breach_duration_secs).",
	}
	cfCooldown = policy.Param{
		Name: "cooldown", Kind: policy.Duration, Min: float64(30 * time.Second), Max: float64(time.Hour), Default: float64(5 * time.Minute), Log: true,
		Doc: "How long after a change no rule fires (cool_down_secs).",
	}
	cfCooldownFrom = policy.Param{
		Name: "cooldown_from", Kind: policy.Choice, Choices: []string{cooldownChange, cooldownReady}, Fixed: true,
		Doc: "What the cooldown is counted from: the change, as in the original, or the time from which nothing boots.",
	}

	ruleCF     = policy.NewRule("cf-rule.plan", "the metric is %.2f, with %.0f samples in the window: %.0f instances, %.0f desired", false)
	ruleCFZero = policy.NewRule("cf-rule.zero", "no instance runs, so there is no sample; %.0f jobs wait", false)
)

// cfMemory is the samples of twice the window, oldest first, and until when the
// cooldown lasts.
type cfMemory struct {
	Samples samples   `json:"samples,omitempty"`
	Until   time.Time `json:"until"`
}

// window returns the samples of the last breach; none if the oldest known is not
// older than that, for then the window is not covered.
func (m *cfMemory) window(now time.Time, breach time.Duration) samples {
	from := now.Add(-breach)
	if len(m.Samples) == 0 || !m.Samples[0].At.Before(from) {
		return nil
	}
	first := slices.IndexFunc(m.Samples, func(x sample) bool { return !x.At.Before(from) })
	if first < 0 {
		return nil
	}
	return m.Samples[first:]
}

// cfBeyond reports whether there are samples and all are.
func cfBeyond(of samples, is func(value float64) bool) bool {
	return len(of) > 0 && !slices.ContainsFunc(of, func(x sample) bool { return !is(x.Value) })
}

// cfPercent returns the instances that a percentage more, or less, makes of some.
func cfPercent(current int, percent float64) int {
	got := whole(float64(float64(current)*(1+percent/100)) + 0.5)
	if got == current && percent > 0 {
		got++
	} else if got == current && percent < 0 {
		got--
	}
	return got
}

func newCFRule(_ *policy.Env, v policy.Values) (rule[cfMemory], error) {
	backlog := v.Choice(&cfMetric) == metricBacklog
	above, below := v.Number(&cfUpAbove), v.Number(&cfDownBelow)
	if backlog {
		above, below = v.Number(&cfBacklogUp), v.Number(&cfBacklogDown)
	}
	percent := v.Choice(&cfAdjustment) == adjustPercent
	upStep, downStep := int(v.Number(&cfUpStep)), int(v.Number(&cfDownStep))
	upPercent, downPercent := v.Number(&cfUpPercent), v.Number(&cfDownPercent)
	breach, cooldown := v.Duration(&cfBreach), v.Duration(&cfCooldown)
	fromReady := v.Choice(&cfCooldownFrom) == cooldownReady
	starts := v.Choice(&asgFromZero) == fromZeroStarts
	return func(s *signals, m *cfMemory) verdict {
		if s.ready == 0 {
			m.Samples = m.Samples[:0]
			reason := ruleCFZero.Because(s.pending)
			if starts && s.desired == 0 && s.pending > 0 {
				return s.to(1, reason)
			}
			return hold(reason)
		}
		metric := s.metric(backlog)
		m.Samples.note(s.now, metric, 2*breach)
		if fromReady && s.booting > 0 {
			m.Until = s.now.Add(cooldown)
		}
		window := m.window(s.now, breach)
		want := s.desired
		switch {
		case s.now.Before(m.Until):
		case cfBeyond(window, func(x float64) bool { return x > above }):
			if want += upStep; percent {
				want = cfPercent(s.desired, upPercent)
			}
		case cfBeyond(window, func(x float64) bool { return x < below }):
			if want -= downStep; percent {
				want = cfPercent(s.desired, -downPercent)
			}
		}
		want = min(max(want, s.least), s.most)
		reason := ruleCF.Because(metric, float64(len(window)), float64(want), float64(s.desired))
		if want == s.desired {
			return hold(reason)
		}
		m.Until = s.now.Add(cooldown)
		return s.to(want, reason)
	}, nil
}
