package controller

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/fleet"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/observe"
)

// sight is what one tick has seen.
type sight struct {
	queue      *api.Observed // nil: it could not be read
	queueErr   error
	queueSince time.Time // since when every reading succeeded; zero: the last did not
	queueAt    time.Time // when the last reading that did was asked for
	queueSaid  time.Time // the queue's own time at the last answer
	apart      string    // how the queue's clock and this one differ; empty: they agree
	view       fleet.View
	viewAt     time.Time                      // of the last complete one
	workers    map[string]*api.ObservedWorker // by EC2's id, the latest registered
	ready      float64                        // slots at slotsAt
	busy       float64
	slotsAt    time.Time // of the last tick on which the queue was read; zero: there was none
	heldS      float64   // slot-seconds that leases had been held by the last reading
	readyS     float64   // and that slots had been ready; 0: it does not say
	epoch      uint32    // of the queue then
	at         time.Time // of the last tick; zero: there was none
}

// gather reads queue and fleet at the same time.
func (c *Controller) gather(ctx context.Context) {
	s := &c.sight
	asked := c.c.Now().UTC()
	var wait sync.WaitGroup
	wait.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, c.c.QueueTimeout)
		defer cancel()
		o, err := c.c.Queue.Observe(ctx, c.observeRequest())
		s.queue, s.queueErr = &o, err
	})
	wait.Go(func() { c.readOrders(ctx) })
	fleetCtx, cancel := context.WithTimeout(ctx, c.c.FleetTimeout)
	defer cancel()
	wait.Go(func() { c.readPrices(fleetCtx) })
	s.view = c.c.Observer.Observe(fleetCtx)
	wait.Wait()
	now := c.c.Now().UTC()
	s.apart = ""
	if s.queueErr == nil {
		s.queueErr = s.doubt(s.queue, now, c.follow.last)
	}
	if s.queueErr != nil {
		s.queue = nil
	} else {
		c.follow.last = s.queue
	}
	if s.queue != nil {
		s.meet(s.queue, asked)
		if s.queueSince.IsZero() {
			s.queueSince = now
		}
	} else {
		s.queueSince = time.Time{}
		c.c.Log.Warn("the queue cannot be read", "fleet", c.c.Fleet, "error", s.queueErr)
	}
	if s.view.Complete {
		s.viewAt = s.view.At
	} else {
		c.c.Log.Warn("EC2's lists cannot be read whole", "fleet", c.c.Fleet, "error", s.view.Err)
	}
}

// meet takes in the workers of a reading that was asked for at a time.
func (s *sight) meet(o *api.Observed, asked time.Time) {
	s.queueAt = asked
	s.workers = map[string]*api.ObservedWorker{}
	for i := range o.Workers {
		w := &o.Workers[i]
		if known := s.workers[w.InstanceID]; known == nil || !w.RegisteredAt.Before(known.RegisteredAt) {
			s.workers[w.InstanceID] = w
		}
	}
}

// observeRequest says how fast slots are and which starts are late.
func (c *Controller) observeRequest() api.ObserveRequest {
	r := api.ObserveRequest{Speeds: map[string]float64{}}
	for i := range c.c.Env.Catalog.Types {
		r.Speeds[c.c.Env.Catalog.Types[i].Name] = c.recorder.Speed(i)
	}
	for key, k := range c.follow.kinds {
		if k.kind.Class >= 0 {
			r.LateAfter = append(r.LateAfter, api.LateAfter{Type: key.jobType, Priority: key.priority, Size: int(key.size), AfterS: max(0, time.Duration(k.kind.LateAfter).Seconds())})
		}
	}
	return r
}

// followed is how the recorder's kinds follow the queue's counters.
type followed struct {
	last  *api.Observed // the latest reading
	epoch uint32
	kinds map[kindKey]*followedKind
	order []*observe.Kind // by index in the latest reading
	runs  map[runKey][]observe.Bucket
}

// runKey is a job type and size on an instance type.
type runKey struct {
	jobType      string
	size         uint8
	instanceType string
}

// takeRuns makes the recorder learn how long the jobs ran that ended since the
// last reading.
func (f *followed) takeRuns(r *observe.Recorder, o *api.Observed, anew bool) {
	if anew || f.runs == nil {
		f.runs = map[runKey][]observe.Bucket{}
	}
	for i := range o.Runs {
		x := &o.Runs[i]
		key := runKey{x.Type, uint8(x.Size), x.InstanceType}
		now := make([]observe.Bucket, 0, len(x.Times))
		for _, c := range x.Times {
			now = append(now, observe.Bucket{Of: c.Of, Jobs: c.Jobs})
		}
		last, known := f.runs[key]
		f.runs[key] = now
		if anew && !known { // of some of them it is not known when they ended
			continue
		}
		r.Ran(x.Type, key.size, x.InstanceType, observe.Grown(now, last))
	}
}

type kindKey struct {
	jobType  string
	priority int
	size     uint8
}

func keyOf(k *api.ObservedKind) kindKey { return kindKey{k.Type, k.Priority, uint8(k.Size)} }

type followedKind struct {
	kind *observe.Kind
	last *observe.Counters
}

// take makes the recorder count what the queue counted.
func (f *followed) take(r *observe.Recorder, o *api.Observed) {
	if f.kinds == nil {
		f.kinds = map[kindKey]*followedKind{}
	}
	anew := f.epoch != o.Epoch
	f.epoch = o.Epoch
	f.order = f.order[:0]
	seen := map[kindKey]bool{}
	for i := range o.Kinds {
		k := &o.Kinds[i]
		key := keyOf(k)
		seen[key] = true
		x := f.kinds[key]
		if x == nil {
			x = &followedKind{kind: r.Kind(k.Type, k.Priority, key.size)}
			f.kinds[key] = x
			if !anew { // all of it came since the last reading
				x.last = &observe.Counters{}
			}
		}
		if anew {
			x.last = nil
		}
		now := countersOf(k, r.Origin())
		x.kind.Follow(now, x.last)
		x.last = now
		f.order = append(f.order, x.kind)
	}
	f.takeRuns(r, o, anew)
	for key, x := range f.kinds { // a new leader knows only of kinds it has jobs of
		if !seen[key] {
			x.kind.Follow(&observe.Counters{}, nil)
			x.last = &observe.Counters{}
		}
	}
}

// countersOf returns what the queue counted of a kind, in the recorder's time.
func countersOf(k *api.ObservedKind, origin time.Time) *observe.Counters {
	c := &observe.Counters{
		Arrived: k.Arrived, Started: k.Started, StartedLate: k.StartedLate, Completed: k.Completed,
		Failed: k.Failed, Expired: k.Lost, Returned: k.Returned,
		Estimated: k.ArrivedEstimated, Estimate: nanoseconds(k.ArrivedEstimateS),
		Work: k.WorkS, WorkSquared: k.WorkSquaredS2,
		Waiting: k.Waiting, Running: k.Leased,
		WaitingEstimated: k.WaitingEstimated, WaitingEstimate: nanoseconds(k.WaitingEstimateS),
	}
	for _, w := range k.Works {
		c.Works = append(c.Works, observe.Bucket{Of: w.Of, Jobs: w.Jobs})
	}
	for _, a := range k.Arrivals {
		at := max(0, a.Of*int64(policy.AgeStep)-origin.UnixNano())
		c.Ages = append(c.Ages, observe.Bucket{Of: at, Jobs: a.Jobs})
	}
	return c
}

// nanoseconds returns seconds as the queue counts them: whole nanoseconds, which a
// product of fractions may miss by a little.
func nanoseconds(s float64) int64 { return int64(math.Round(s * 1e9)) }
