package skynet

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

var (
	ruleHoldUnread  = policy.NewRule("hold.unread", "%s: the reading is not complete", true)
	ruleHoldStale   = policy.NewRule("hold.stale", "%s: read %.0f s ago, at most %.0f s are believed", true)
	ruleHoldClash   = policy.NewRule("hold.clash", "the queue says %.0f jobs run, the workers say %.0f", false)
	ruleHoldMissing = policy.NewRule("hold.missing", "%.0f instances are listed, %.0f were a moment ago, and %.0f jobs run", false)
)

// missingFor is how long a list that lost most of the fleet is doubted: EC2's
// listings lag behind by minutes.
const missingFor = 3 * time.Minute

// doubt returns why nothing may be decided: the queue's or the fleet's reading
// is incomplete or old, the two contradict each other, or most of the fleet has
// vanished from the list while jobs run. A zeroed queue contradicts workers
// that report running jobs.
func (p *Policy) doubt(o *policy.Observation) (policy.Reason, bool) {
	old := o.Tick + o.Tick/2
	if why, bad := unfit(o.Now, "queue", o.Queue.Reading, old); bad {
		return why, true
	}
	if why, bad := unfit(o.Now, "fleet", o.Fleet.Reading, old); bad {
		return why, true
	}
	var inFlight int64
	for i := range o.Queue.Kinds {
		inFlight += o.Queue.Kinds[i].InFlight.Jobs
	}
	busy, alive := 0, len(o.Fleet.Instances)
	for i := range o.Fleet.Instances {
		busy += o.Fleet.Instances[i].Busy
	}
	if busy > 0 && inFlight == 0 {
		return ruleHoldClash.Because(float64(inFlight), float64(busy)), true
	}
	was := p.st.Kept
	if inFlight > 0 && was >= 2 && alive < was/2 {
		if p.st.Missing.IsZero() {
			p.st.Missing = o.Now
		}
		if o.Now.Sub(p.st.Missing) < missingFor {
			return ruleHoldMissing.Because(float64(alive), float64(was), float64(inFlight)), true
		}
	}
	p.st.Missing = time.Time{}
	return policy.Reason{}, false
}

// unfit reports whether a reading is no ground for a decision, and why.
func unfit(now time.Time, name string, r policy.Reading, old time.Duration) (policy.Reason, bool) {
	switch {
	case !r.Complete:
		return ruleHoldUnread.Named(name), true
	case now.Sub(r.At) > old:
		return ruleHoldStale.Named(name, now.Sub(r.At).Seconds(), old.Seconds()), true
	}
	return policy.Reason{}, false
}
