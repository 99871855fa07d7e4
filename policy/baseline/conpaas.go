package baseline

import (
	"math"

	"github.com/skynet-ec2/skynet/policy"
)

// ConPaaS is the policy "conpaas": forecast the load by the model that did best
// lately.
//
// Source: H. Fernandez, G. Pierre, T. Kielmann, "Autoscaling web applications
// in heterogeneous cloud infrastructures", IC2E 2014, after two public
// implementations, not checked against its text. They keep 21 samples, forecast 20
// steps by an autoregression of order at most 9, a least-squares line and
// exponential smoothing, and average the steps with weights 1, 2, 3 …; with
// fewer samples, or a forecast of nothing, they want the load, or keep the
// fleet.
//
// Both codes have the choice of the model switched off: they always take the
// autoregression. The default here is the paper's choice, by the lowest mean
// absolute percentage error of the one-step forecasts over the last window;
// model = "ar" is what the codes do.
//
// Deviations: the autoregression is by Yule and Walker's equations with
// Akaike's order, not by maximum likelihood; the smoothing constant is a
// parameter, the codes fit it.
var ConPaaS = newSpec(build{
	name: "conpaas",
	doc:  "forecasts the load by whichever of autoregression, line and smoothing did best over the last window (Fernandez et al. 2014)",
	params: []policy.Param{
		conpaasModel, conpaasWindow, conpaasHorizon, conpaasAlpha, conpaasHeadroom, parDemand, parWorkoff,
	},
}, newConPaaS)

var (
	conpaasModel = policy.Param{
		Name: "model", Kind: policy.Choice, Choices: []string{"ar", "line", "smoothing", "best"}, Default: models,
		Doc: "The forecasting model: one of three, or the best over the last window.",
	}
	conpaasWindow = policy.Param{
		Name: "window", Kind: policy.Integer, Min: 3, Max: 240, Default: 21, Log: true,
		Doc: "How many samples, one a tick, are fitted.",
	}
	conpaasHorizon = policy.Param{
		Name: "horizon", Kind: policy.Integer, Min: 1, Max: 60, Default: 20, Log: true,
		Doc: "How many ticks ahead it forecasts.",
	}
	conpaasAlpha = policy.Param{
		Name: "alpha", Kind: policy.Number, Unit: "fraction", Min: 0.02, Max: 1, Default: 0.3, Log: true,
		Doc: "The weight of the newest sample in exponential smoothing.",
	}
	conpaasHeadroom = policy.Param{
		Name: "headroom", Kind: policy.Number, Unit: "multiple", Min: 1, Max: 3, Default: 1,
		Doc: "The multiple of the forecast that is provided; the paper has none.",
	}

	ruleConPaaS = policy.NewRule("conpaas.target", "model %s: %.1f slots of load now, %.1f ahead, have %.0f instances: wants %.0f", true)
)

func newConPaaS(env *policy.Env, v policy.Values) (rule[conpaasState], error) {
	d, headroom := newDemand(env, v), v.Number(&conpaasHeadroom)
	r := conpaasRule{
		window: int(v.Number(&conpaasWindow)), horizon: int(v.Number(&conpaasHorizon)),
		model: choiceIndex(&conpaasModel, v.Choice(&conpaasModel)), alpha: v.Number(&conpaasAlpha),
	}
	return func(s *signals, c *conpaasState) verdict {
		load := d.slots(s)
		c.learn(&r, load)
		ahead, model := c.forecast(&r)
		want := s.units(float64(headroom * ahead))
		if want == 0 && model < models {
			want = s.desired
		}
		name := "none yet"
		if model < models {
			name = conpaasModel.Choices[model]
		}
		return s.to(want, ruleConPaaS.Named(name, load, ahead, float64(s.desired), float64(want)))
	}, nil
}

// The ways ConPaaS forecasts a series, in the order in which
// ties are decided.
const (
	modelAR = iota
	modelLine
	modelSmoothing
	models
)

// conpaasState is the last window of loads and how each model did on it.
type conpaasState struct {
	Loads []float64 `json:"loads,omitempty"`
	// Next is what each model said the next load would be, and Errors the
	// shares by which it was wrong over the window, oldest first.
	Next   [models]float64   `json:"next"`
	Said   bool              `json:"said"`
	Errors [models][]float64 `json:"errors"`
}

// conpaasRule is what may be chosen about ConPaaS.
type conpaasRule struct {
	window  int
	horizon int
	model   int // models: the one with the lowest error over the last window
	alpha   float64

	ahead [60]float64  // scratch
	times [240]float64 // scratch
}

// learn notes the load now, and what it tells of the last forecasts.
func (c *conpaasState) learn(r *conpaasRule, load float64) {
	if c.Said {
		for m := range c.Errors {
			e := math.Abs(load-c.Next[m]) / max(load, 1)
			c.Errors[m] = lastOf(append(c.Errors[m], e), r.window)
		}
	}
	c.Loads = lastOf(append(c.Loads, load), r.window)
}

// best returns the model with the lowest mean absolute percentage error over
// the last window.
func (c *conpaasState) best() int {
	best, least := 0, math.Inf(1)
	for m := range c.Errors {
		sum := 0.0
		for _, e := range c.Errors[m] {
			sum += e
		}
		if n := len(c.Errors[m]); n > 0 && sum/float64(n) < least {
			best, least = m, sum/float64(n)
		}
	}
	return best
}

// forecast returns the load to provide for, and the model it comes from: the
// mean over the horizon in which a step weighs as much as it is far. Until a
// window is full it is the load now.
func (c *conpaasState) forecast(r *conpaasRule) (load float64, model int) {
	n := len(c.Loads)
	if n < r.window {
		c.Said = false
		return c.Loads[n-1], models
	}
	model = r.model
	if model == models {
		model = c.best()
	}
	c.Said = true
	ahead := r.ahead[:r.horizon]
	for m := range models {
		c.ahead(r, m, ahead)
		c.Next[m] = ahead[0]
		if m != model {
			continue
		}
		sum, weights := 0.0, 0.0
		for i, x := range ahead {
			sum += float64(float64(i+1) * x)
			weights += float64(i + 1)
		}
		load = max(sum/weights, 0)
	}
	return load, model
}

// ahead forecasts the next loads by model m.
func (c *conpaasState) ahead(r *conpaasRule, m int, into []float64) {
	switch m {
	case modelAR:
		a := fitAutoregression(c.Loads, autoregressionMax)
		a.forecast(c.Loads, into)
	case modelLine:
		times := r.times[:len(c.Loads)]
		for i := range times {
			times[i] = float64(i)
		}
		line := fitCurve(times, c.Loads, 1)
		for i := range into {
			into[i] = line.at(float64(len(c.Loads) + i))
		}
	default:
		level := c.Loads[0]
		for _, x := range c.Loads[1:] {
			level += float64(r.alpha * (x - level))
		}
		for i := range into {
			into[i] = level
		}
	}
}
