package baseline

import (
	"fmt"
	"math"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// Hist24 and Hist168 are the policies "hist-24" and "hist-168": provide the
// upper quantile of what the same hour of the day, or of the week, needed
// before, and repair what that misses.
//
// Source: B. Urgaonkar, P. Shenoy, A. Chandra, P. Goyal, T. Wood, "Agile
// dynamic provisioning of multi-tier Internet applications", ACM TAAS 3(1),
// 2008, after two public implementations, not checked against its text. They keep
// a histogram per hour of the day, from 730 samples (the code of Ali-Eldin) or
// all (opendc), take its 0.9 quantile, correct it by the mean error of the last
// 5 samples, and repair: after more than 5 of 10 samples that were short, at
// least 1.05 times the need. (Ali-Eldin's code keeps 5 errors, so that it never
// gets there; here the 10 are kept beside them.)
//
// The sign of the correction differs. A fleet that was too large on average
// (mean of have − need above 0) is lowered by Ali-Eldin's code and raised by
// opendc's, where the error feeds itself: correction = "opendc" reproduces it,
// "none" does without.
//
// Deviations:
//
//   - the hour is looked up a boot lag ahead: what is asked for now helps
//     then. lookup = "now" is the published behaviour
//   - an hour never seen wants 1.05 times the need; the codes want nothing, or
//     fail. (Ali-Eldin's code makes its keys numbers and looks up strings)
//   - hist-168 is not published: the week's hours, and by default one value per
//     hour, its highest, since a week has few of each
var (
	Hist24 = newHist("hist-24", 24, histTick,
		"provides a quantile of what this hour of the day needed before, with reactive repair (Urgaonkar et al. 2008)")
	Hist168 = newHist("hist-168", 168, histHighest,
		"provides a quantile of the highest that this hour of the week needed before, with reactive repair (after Urgaonkar et al. 2008)")
)

const (
	histTick    = "tick"
	histHighest = "highest"

	correctEldin  = "ali-eldin"
	correctOpendc = "opendc"
	correctNone   = "none"

	lookupAhead = "ahead"
	lookupNow   = "now"
)

var (
	histQuantile = policy.Param{
		Name: "quantile", Kind: policy.Number, Unit: "fraction", Min: 0.5, Max: 1, Default: 0.9,
		Doc: "The quantile of an hour's histogram that is provided.",
	}
	histMemory = policy.Param{
		Name: "memory", Kind: policy.Integer, Min: 4, Max: 10_000, Default: 730, Log: true,
		Doc: "How many samples an hour's histogram remembers.",
	}
	histSample = policy.Param{
		Name: "sample", Kind: policy.Choice, Choices: []string{histTick, histHighest},
		Doc: "What a sample is: the need at a tick, or the highest of an hour.",
	}
	histCorrection = policy.Param{
		Name: "correction", Kind: policy.Choice, Choices: []string{correctEldin, correctOpendc, correctNone},
		Doc: "How the mean of the last errors corrects the quantile: lowers what was too large, raises it (opendc's sign), or not at all.",
	}
	histErrorWindow = policy.Param{
		Name: "error_window", Kind: policy.Integer, Min: 1, Max: 7200, Default: 5, Log: true,
		Doc: "How many errors are averaged; the correction starts when there are so many.",
	}
	histRepair = policy.Param{
		Name: "repair", Kind: policy.Number, Unit: "multiple", Min: 1, Max: 2, Default: 1.05,
		Doc: "The multiple of the need that is provided after it was short too often, and in hours never seen.",
	}
	histLookup = policy.Param{
		Name: "lookup", Kind: policy.Choice, Choices: []string{lookupAhead, lookupNow},
		Doc: "Which hour is looked up: that in which a launch of now is ready, or this one.",
	}

	ruleHist = policy.NewRule("hist.target", "%.1f slots of load need %.0f instances, have %.0f: wants %.0f", false)
)

// newHist returns the policy with a histogram for each of so many hours.
func newHist(name string, hours int, sample, doc string) policy.Spec {
	ofSample := histSample
	ofSample.Default = float64(choiceIndex(&ofSample, sample))
	return newSpec(build{
		name: name, doc: doc,
		params: []policy.Param{
			histQuantile, histMemory, ofSample, histCorrection, histErrorWindow, histRepair, histLookup,
			parDemand, parWorkoff,
		},
	}, func(env *policy.Env, v policy.Values) (rule[histState], error) {
		d, offset, ahead := newDemand(env, v), env.UTCOffset, v.Choice(&histLookup) == lookupAhead
		r := histRule{
			quantile: v.Number(&histQuantile), memory: int(v.Number(&histMemory)),
			errorWindow: int(v.Number(&histErrorWindow)), highest: v.Choice(&ofSample) == histHighest,
			repair: v.Number(&histRepair),
		}
		switch v.Choice(&histCorrection) {
		case correctEldin:
			r.correction = -1
		case correctOpendc:
			r.correction = 1
		}
		return func(s *signals, h *histState) verdict {
			h.make(hours)
			load := d.slots(s)
			need := s.units(load)
			h.learn(&r, cellOf(s.now, offset, time.Hour), need, s.desired)
			at := s.now
			if ahead {
				at = at.Add(s.bootP50)
			}
			want := h.target(&r, cellOf(at, offset, time.Hour), need)
			return s.to(want, ruleHist.Because(load, float64(need), float64(s.desired), float64(want)))
		}, nil
	})
}

// histErrors is how many of the last errors Hist looks back on to correct
// itself at once, and histShort how many of them may say "too little".
const (
	histErrors = 10
	histShort  = 5
)

// histState is a histogram of the instances needed in each hour of the day or
// week, and the last errors of the fleet it led to.
type histState struct {
	Buckets []histogram `json:"buckets"`
	// Filling is the hour of the time line being watched, and Highest the most
	// it needed so far.
	Filling int64 `json:"filling"`
	Highest int   `json:"highest"`
	// Errors are instances had less needed, oldest first.
	Errors []int `json:"errors,omitempty"`
	// Repairs are the same, forgotten whenever they led to a repair.
	Repairs []int `json:"repairs,omitempty"`
}

// histRule is what may be chosen about Hist.
type histRule struct {
	quantile    float64
	memory      int     // values remembered per bucket
	errorWindow int     // errors averaged
	correction  float64 // times the mean error is added: -1, 0 or 1
	highest     bool    // one value per hour, its highest, instead of one per tick
	repair      float64 // of the need, when it was short too often
}

// make gives the state its histograms.
func (h *histState) make(hours int) {
	if len(h.Buckets) != hours {
		h.Buckets = make([]histogram, hours)
	}
}

// learn notes that need instances were needed in an hour, in which the fleet
// had so many.
func (h *histState) learn(r *histRule, hour int64, need, have int) {
	if r.highest {
		if hour != h.Filling {
			if h.Filling != 0 {
				h.Buckets[modulo(h.Filling, len(h.Buckets))].add(h.Highest, r.memory)
			}
			h.Filling, h.Highest = hour, 0
		}
		h.Highest = max(h.Highest, need)
	} else {
		h.Buckets[modulo(hour, len(h.Buckets))].add(need, r.memory)
	}
	h.Errors = lastOf(append(h.Errors, have-need), r.errorWindow)
	h.Repairs = lastOf(append(h.Repairs, have-need), histErrors)
}

// target returns the instances wanted for an hour, when need are needed now.
func (h *histState) target(r *histRule, hour int64, need int) int {
	bucket := &h.Buckets[modulo(hour, len(h.Buckets))]
	want := ceil(float64(r.repair * float64(need))) // of an hour never seen, nothing is known but now
	if len(bucket.Recent) > 0 {
		want = bucket.quantile(r.quantile)
		if len(h.Errors) == r.errorWindow {
			sum := 0
			for _, e := range h.Errors {
				sum += e
			}
			want += whole(math.Round(float64(r.correction*float64(sum)) / float64(r.errorWindow)))
		}
	}
	tooLittle := 0
	for _, e := range h.Repairs {
		if e < 0 {
			tooLittle++
		}
	}
	if tooLittle > histShort {
		want = max(want, ceil(float64(r.repair*float64(need))))
		h.Repairs = h.Repairs[:0]
	}
	return max(want, 0)
}

func (h *histState) check() error {
	for i := range h.Buckets {
		b := &h.Buckets[i]
		if b.Next < 0 || b.Next >= max(1, len(b.Recent)) {
			return fmt.Errorf("histogram %d: next = %d: must be within its %d values", i, b.Next, len(b.Recent))
		}
		for _, x := range b.Recent {
			if x < 0 || x > needMost {
				return fmt.Errorf("histogram %d: value %d: must be 0 to %d", i, x, needMost)
			}
		}
	}
	return nil
}
