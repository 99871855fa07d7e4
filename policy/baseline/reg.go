package baseline

import (
	"fmt"
	"math"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// Reg is the policy "reg": grow when the load says so, shrink to what a
// quadratic regression over the last hour says.
//
// Source: W. Iqbal, M. Dailey, D. Carrera, P. Janecek, "Adaptive resource
// provisioning for read intensive multi-tier applications in the cloud", Future
// Generation Computer Systems 27(6), 2011, after two public
// implementations, not checked against its text:
//
//	need > fleet: ceil(grow × need)
//	need < fleet: ceil(shrink × ceil(regression at now)), never above the fleet;
//	              0 or less keeps the fleet
//
// grow is 1.05, shrink 1.2 and the window 60 samples in the code of Ali-Eldin; 1, 1
// and 72 in opendc's.
//
// Pitfall: where the regression lies above the fleet, opendc's code wants 0 and
// releases everything; above_fleet = "zero" reproduces it. Time is centred and
// scaled before the fit, because squares of epoch seconds have no digits left.
var Reg = newSpec(build{
	name:   "reg",
	doc:    "grows with the load and shrinks to a quadratic regression of its last hour (Iqbal et al. 2011)",
	params: []policy.Param{regWindow, regGrow, regShrink, regAbove, parDemand, parWorkoff},
}, newReg)

const (
	regHold = "hold"
	regZero = "zero"
)

var (
	regWindow = policy.Param{
		Name: "window", Kind: policy.Integer, Min: 3, Max: 600, Default: 60, Log: true,
		Doc: "How many samples, one a tick, the regression fits.",
	}
	regGrow = policy.Param{
		Name: "grow", Kind: policy.Number, Unit: "multiple", Min: 1, Max: 3, Default: 1.05,
		Doc: "The multiple of the need that a fleet which is short of it grows to.",
	}
	regShrink = policy.Param{
		Name: "shrink", Kind: policy.Number, Unit: "multiple", Min: 0.5, Max: 3, Default: 1.2,
		Doc: "The multiple of the regression that the fleet shrinks to.",
	}
	regAbove = policy.Param{
		Name: "above_fleet", Kind: policy.Choice, Choices: []string{regHold, regZero}, Fixed: true,
		Doc: "What a regression above the fleet means: keep the fleet, or nothing is needed, as in the opendc code.",
	}

	ruleReg = policy.NewRule("reg.target", "%.1f slots of load need %.0f instances, regression %.2f, have %.0f: wants %.0f", false)
)

// regState is the last samples, oldest first.
type regState struct {
	// At is seconds since 1970.
	At   []float64 `json:"at,omitempty"`
	Need []float64 `json:"need,omitempty"`
}

type regRule struct {
	window       int
	grow, shrink float64
	zero         bool // above the fleet
}

func newReg(env *policy.Env, v policy.Values) (rule[regState], error) {
	d := newDemand(env, v)
	r := regRule{int(v.Number(&regWindow)), v.Number(&regGrow), v.Number(&regShrink), v.Choice(&regAbove) == regZero}
	return func(s *signals, m *regState) verdict {
		load := d.slots(s)
		need := s.units(load)
		m.learn(&r, s.now, need)
		want, fitted := m.target(&r, need, s.desired)
		return s.to(want, ruleReg.Because(load, float64(need), fitted, float64(s.desired), float64(want)))
	}, nil
}

func (m *regState) learn(r *regRule, now time.Time, need int) {
	m.At = lastOf(append(m.At, float64(now.UnixMilli())/1000), r.window)
	m.Need = lastOf(append(m.Need, float64(need)), r.window)
}

// target returns the instances wanted, and the regression's value now.
func (m *regState) target(r *regRule, need, have int) (want int, fitted float64) {
	fit := fitCurve(m.At, m.Need, 2)
	fitted = fit.at(m.At[len(m.At)-1])
	switch {
	case need == have:
		return have, fitted
	case need > have:
		return ceil(float64(r.grow * float64(need))), fitted
	}
	const exact = 1e-9 // an exact fit is not to be rounded up by its last bit
	want = ceil(float64(r.shrink*math.Ceil(fitted-exact)) - exact)
	switch {
	case want > have && r.zero:
		return 0, fitted
	case want > have || want <= 0:
		return have, fitted
	}
	return want, fitted
}

func (m *regState) check() error {
	if len(m.At) != len(m.Need) {
		return fmt.Errorf("%d times and %d needs: must be as many", len(m.At), len(m.Need))
	}
	return nil
}
