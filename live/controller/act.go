package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/fleet"
	"github.com/skynet-ec2/skynet/policy"
)

// carryOut does what was decided, as far as it may. Nothing is asked of anybody
// before what is asked has been saved.
func (c *Controller) carryOut(ctx context.Context, now time.Time, r *Result, ends []string) error {
	advice := c.advice(now)
	r.Outcome.Provider = advice.Text
	if r.Hold, r.Outcome.Held = c.held(now); r.Hold != NotHeld {
		return c.saved(ctx, now, r)
	}
	d := c.claim(ctx, now, r, c.advised(advice, r, c.behindCaps(r)))
	c.planDrains(now, d, r)
	var rounds []round
	for i := range d.Launches {
		rounds = append(rounds, round{launch: &d.Launches[i], typ: d.Launches[i].Type, market: d.Launches[i].Market, count: d.Launches[i].Count})
	}
	c.intend(now, r, rounds)
	asks := c.ledger.Due(now)
	if err := c.saved(ctx, now, r); err != nil || r.Hold != NotHeld {
		return err
	}
	before := c.deeds
	c.tellWorkers(ctx, r)
	c.launch(ctx, now, r, rounds, asks)
	if !advice.HoldEnds {
		c.terminate(ctx, now, r, ends)
	}
	if c.deeds == before { // what was saved is how it is
		return nil
	}
	return c.saved(ctx, now, r)
}

// held returns why nothing is carried out.
func (c *Controller) held(now time.Time) (why Hold, text string) {
	if c.c.Actuator == nil {
		return Observing, "mode observe"
	}
	if s := c.c.Stop(now); s.Is(now) {
		return ByStop, s.String()
	}
	return NotHeld, ""
}

// behindCaps returns the decision reduced to what the caps allow that stand now.
// Without caps that can be read nothing is launched.
func (c *Controller) behindCaps(r *Result) *policy.Decision {
	if c.c.Caps == nil {
		return &r.Decided
	}
	caps, err := c.c.Caps()
	if err != nil {
		r.fault("caps", err)
		d := r.Decided
		d.Launches = nil
		return &d
	}
	d := caps.Clamp(&c.obs, &c.c.Env.Catalog, r.Decided)
	return &d
}

// fault notes what went wrong.
func (r *Result) fault(what string, err error) {
	r.Outcome.Errors = append(r.Outcome.Errors, fmt.Sprintf("%s: %v", what, err))
}

// saved saves. Where that fails for now, nothing is carried out.
func (c *Controller) saved(ctx context.Context, now time.Time, r *Result) error {
	err := c.save(ctx, now)
	if errors.Is(err, ErrFenced) {
		r.Hold, r.Outcome.Held = Superseded, "another controller has taken over"
		return err
	}
	if err != nil {
		r.Hold, r.Outcome.Held = Unsaved, "nothing can be saved"
		r.fault("store", err)
	}
	return nil
}

// planDrains books which instances drain from now on, and which do no longer.
func (c *Controller) planDrains(now time.Time, d *policy.Decision, r *Result) {
	for _, number := range d.Undrains {
		if at, draining := c.drain(number); draining {
			c.drains = slices.Delete(c.drains, at, at+1)
			c.back = append(c.back, number)
			r.Outcome.Undrained++
		}
	}
	for _, number := range d.Drains {
		at, draining := c.drain(number)
		k := slices.IndexFunc(c.obs.Fleet.Instances, func(in policy.Instance) bool { return in.ID == number })
		if draining || k < 0 {
			continue
		}
		if in := &c.obs.Fleet.Instances[k]; in.Phase == policy.Booting && now.Sub(in.LaunchedAt) > c.obs.Fleet.Boot.P99 {
			c.recorder.BootFailed(now.Sub(c.recorder.Origin()).Nanoseconds()) // given up, not merely not needed any more
		}
		c.drains = slices.Insert(c.drains, at, Drain{Instance: number, Since: now})
		c.back = slices.DeleteFunc(c.back, func(n policy.InstanceID) bool { return n == number })
		r.Outcome.Drained++
	}
}

// forgetDrains drops drains of instances that are gone.
func (c *Controller) forgetDrains(now time.Time) {
	list := c.ledger.Instances(now, &c.c.Env.Catalog)
	c.drains = slices.DeleteFunc(c.drains, func(d Drain) bool {
		return !slices.ContainsFunc(list, func(in policy.Instance) bool { return in.ID == d.Instance })
	})
}

// tellWorkers takes instances out of service at the queue, and back into it.
// What a worker is told is what counts: one that is not told what it should be
// is told again, by the next leader if need be: an instance that nobody told that
// it is wanted again would idle for ever.
func (c *Controller) tellWorkers(ctx context.Context, r *Result) {
	c.back = slices.DeleteFunc(c.back, func(number policy.InstanceID) bool {
		_, alive := c.ledger.EC2ID(number)
		return !alive || c.direct(ctx, r, number, api.OpWork, "wanted again")
	})
	for i := range c.drains {
		d := &c.drains[i]
		w := c.workerOf(d.Instance)
		told := !d.Told.IsZero() && (w == nil || w.Directive == api.OpDrain || w.Directive == api.OpShutdown)
		if told {
			continue
		}
		d.Told = time.Time{}
		if c.direct(ctx, r, d.Instance, api.OpDrain, fmt.Sprintf("decision %d", r.Decision)) {
			d.Told = c.c.Now().UTC()
		}
	}
}

// direct tells an instance's workers what to do. It reports whether the queue has
// taken it down.
func (c *Controller) direct(ctx context.Context, r *Result, number policy.InstanceID, op api.Op, reason string) bool {
	id, known := c.ledger.EC2ID(number)
	if !known { // it has no name yet
		return false
	}
	return c.tell(ctx, r, id, op, reason)
}

// tell tells the workers of an instance, by EC2's id, what to do. It reports
// whether the queue has taken it down.
func (c *Controller) tell(ctx context.Context, r *Result, id string, op api.Op, reason string) bool {
	c.deeds++
	ctx, cancel := context.WithTimeout(ctx, c.c.QueueTimeout)
	defer cancel()
	if _, err := c.c.Queue.Direct(ctx, api.DirectiveRequest{InstanceID: id, Op: op, Reason: reason}); err != nil {
		r.fault(fmt.Sprintf("%s %s", op, id), err)
		return false
	}
	return true
}

// terminate ends what the sweep wants ended, and drained instances on which
// nothing runs and nothing will.
func (c *Controller) terminate(ctx context.Context, now time.Time, r *Result, ends []string) {
	if len(c.drains)+len(ends) > 0 {
		c.lookAgain(ctx)
	}
	ends = c.atRest(ctx, r, ends)
	for _, id := range c.finished() {
		if !slices.Contains(ends, id) {
			ends = append(ends, id)
		}
	}
	c.end(ctx, now, r, ends)
}

// Reap ends drained instances whose last job is done, between two ticks: an hour
// that begins while they wait for the next tick would be paid. It fails only with
// ErrFenced.
func (c *Controller) Reap(ctx context.Context) ([]string, error) {
	told := slices.ContainsFunc(c.drains, func(d Drain) bool { return !d.Told.IsZero() })
	now := c.c.Now().UTC()
	if why, _ := c.held(now); !told || why != NotHeld || c.sight.apart != "" || c.advice(now).HoldEnds || !c.lookAgain(ctx) {
		return nil, nil
	}
	ends := c.finished()
	if len(ends) == 0 {
		return nil, nil
	}
	if err := c.Renew(ctx); err != nil {
		return nil, err
	}
	r := &Result{Decision: c.decision - 1, At: now}
	c.end(ctx, now, r, ends)
	c.reaped = append(c.reaped, r.Terminated...)
	err := c.saved(ctx, now, r)
	c.log(r)
	return r.Terminated, err
}

// atRest returns those of the instances that the sweep wants ended on which
// nothing runs. Nobody may have asked for an instance, or it may have been given
// up: the job that its worker holds is somebody's all the same. Such a worker is
// told to take no more, and ends once it is idle. While the queue cannot be asked
// nothing ends.
func (c *Controller) atRest(ctx context.Context, r *Result, ends []string) []string {
	var rest []string
	for _, id := range ends {
		w := c.sight.workers[id]
		switch silent := w == nil || c.c.Now().Sub(w.SeenAt) > c.c.Lease; {
		case c.sight.queueErr != nil: // the next tick ends it
		case silent || len(w.Running) == 0 && (w.Directive == api.OpDrain || w.Directive == api.OpShutdown):
			rest = append(rest, id)
		default:
			c.tell(ctx, r, id, api.OpDrain, "it ends once it is idle")
		}
	}
	return rest
}

// lookAgain reads the queue once more for what its workers run. The counters are
// left to the next tick.
func (c *Controller) lookAgain(ctx context.Context) bool {
	bound, cancel := context.WithTimeout(ctx, c.c.QueueTimeout)
	defer cancel()
	began := c.c.Now().UTC()
	o, err := c.c.Queue.Observe(bound, c.observeRequest())
	if err == nil {
		err = c.sight.doubt(&o, c.c.Now(), c.follow.last)
	}
	if c.sight.queueErr = err; err != nil {
		return false
	}
	c.sight.meet(&o, began)
	return true
}

// finished returns EC2's ids of the drained instances that may be ended: none
// while the queue cannot be asked.
func (c *Controller) finished() []string {
	if c.sight.queueErr != nil {
		return nil
	}
	var ids []string
	for i := range c.drains {
		d := &c.drains[i]
		if id, known := c.ledger.EC2ID(d.Instance); known && !d.Told.IsZero() && c.idle(d, id) {
			c.ledger.Doom(d.Instance)
			ids = append(ids, id)
		}
	}
	return ids
}

// end terminates instances.
func (c *Controller) end(ctx context.Context, now time.Time, r *Result, ids []string) {
	if len(ids) == 0 {
		return
	}
	if s := c.c.Stop(now); s.Is(now) { // somebody stopped it meanwhile
		return
	}
	ctx, cancel := context.WithTimeout(ctx, c.c.FleetTimeout)
	defer cancel()
	c.deeds++
	endings := c.c.Actuator.Terminate(ctx, ids)
	c.bookEnds(c.c.Now().UTC(), endings)
	c.ledger.Ended(c.c.Now().UTC(), endings)
	world := now.Sub(c.recorder.Origin()).Nanoseconds()
	for _, e := range endings {
		switch e.Ended {
		case fleet.Accepted:
			r.Terminated = append(r.Terminated, e.ID)
			c.recorder.Terminated(world)
		case fleet.Denied:
			r.fault("terminate "+e.ID, errors.New(e.Code+": "+e.Message))
		}
	}
}

// bookEnds books the last windows of instances that have ended: the next tick does
// not see them any more.
func (c *Controller) bookEnds(now time.Time, endings []fleet.Ending) {
	list := slices.DeleteFunc(c.ledger.Instances(now, &c.c.Env.Catalog), func(in policy.Instance) bool {
		id, known := c.ledger.EC2ID(in.ID)
		return !known || !slices.ContainsFunc(endings, func(e fleet.Ending) bool { return e.ID == id && e.Ended == fleet.Accepted })
	})
	c.spent.close(now.Add(c.c.Env.UTCOffset), list, &c.c.Env.Catalog)
}

// idle reports whether a drained instance may be ended: the queue was asked after
// it had been told, says that the instance's worker is told to take no more, and
// knows of nothing that runs on it. An instance whose worker was never heard of
// has run nothing; it was told before it could ask.
func (c *Controller) idle(d *Drain, id string) bool {
	w := c.sight.workers[id]
	if w == nil {
		if !c.heard(d.Instance) {
			return true
		}
		return !c.sight.queueAt.Before(d.Told)
	}
	return !c.sight.queueAt.Before(d.Told) &&
		(w.Directive == api.OpDrain || w.Directive == api.OpShutdown) && len(w.Running) == 0
}

// heard reports whether an instance's worker was ever heard of.
func (c *Controller) heard(number policy.InstanceID) bool {
	for i := range c.obs.Fleet.Instances {
		if in := &c.obs.Fleet.Instances[i]; in.ID == number {
			return !in.LastSeen.IsZero()
		}
	}
	return true // doubt ends nothing
}
