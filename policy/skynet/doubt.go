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

// missingFor is for how long a list is doubted that lost most of the fleet: EC2's lists
// can lag behind by minutes.
const missingFor = 3 * time.Minute

// doubt returns why nothing may be decided, if so: the reading of queue or fleet is
// incomplete or old, the two contradict each other, or most of the fleet is gone from
// the list while jobs run. A queue that reads zero by mistake contradicts workers that
// report running jobs.
func (p *Policy) doubt(o *policy.Observation) (policy.Reason, bool) {
	oldest := o.Tick + o.Tick/2 // the reading of the last tick will do, half a tick late
	if why, bad := unfit(o.Now, "queue", o.Queue.Reading, oldest); bad {
		return why, true
	}
	if why, bad := unfit(o.Now, "fleet", o.Fleet.Reading, oldest); bad {
		return why, true
	}
	var inFlight int64
	for i := range o.Queue.Kinds {
		inFlight += o.Queue.Kinds[i].InFlight.Jobs
	}
	busy, alive := 0, len(o.Fleet.Instances) // jobs that the workers run, instances listed
	for i := range o.Fleet.Instances {
		busy += o.Fleet.Instances[i].Busy
	}
	if busy > 0 && inFlight == 0 {
		return ruleHoldClash.Because(float64(inFlight), float64(busy)), true
	}
	kept := p.st.Kept
	if inFlight > 0 && kept >= 2 && alive < kept/2 {
		if p.st.Missing.IsZero() {
			p.st.Missing = o.Now
		}
		if o.Now.Sub(p.st.Missing) < missingFor {
			return ruleHoldMissing.Because(float64(alive), float64(kept), float64(inFlight)), true
		}
	}
	p.st.Missing = time.Time{}
	return policy.Reason{}, false
}

// unfit reports whether the named reading is no ground for a decision at now, and why.
// It may not be older than oldest.
func unfit(now time.Time, name string, r policy.Reading, oldest time.Duration) (policy.Reason, bool) {
	switch {
	case !r.Complete:
		return ruleHoldUnread.Named(name), true
	case now.Sub(r.At) > oldest:
		return ruleHoldStale.Named(name, now.Sub(r.At).Seconds(), oldest.Seconds()), true
	}
	return policy.Reason{}, false
}
