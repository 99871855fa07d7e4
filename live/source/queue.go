package source

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/fleet"
)

// Queue is an existing queue as a controller reads its own. New makes one; its
// methods may be called at once.
type Queue struct {
	c Config

	mu      sync.Mutex
	view    *fleet.View // the last complete one; nil: there was none
	at      time.Time   // of the last reading that was believed
	kinds   []*ledger
	busyS   float64 // slot-seconds
	crew    crew
	suspect time.Time // since when readings fall to nothing; zero: they do not
}

// New returns the queue that c describes.
func New(c Config) (*Queue, error) {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	q := &Queue{c: c, crew: newCrew()}
	for _, k := range c.Kinds {
		q.kinds = append(q.kinds, &ledger{kind: k})
	}
	return q, nil
}

// Watch returns c.Fleet as the controller is to see it: what it sees the queue
// sees too.
func (q *Queue) Watch() fleet.Observer { return watching{q} }

type watching struct{ q *Queue }

// Observe is of fleet.Observer.
func (w watching) Observe(ctx context.Context) fleet.View {
	v := w.q.c.Fleet.Observe(ctx)
	w.q.saw(v)
	return v
}

// saw keeps a view that is complete: of another it is unknown what is missing.
func (q *Queue) saw(v fleet.View) {
	if !v.Complete {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.view = &v
}

// look sees to it that there is a view of the fleet.
func (q *Queue) look(ctx context.Context) error {
	q.mu.Lock()
	there := q.view != nil
	q.mu.Unlock()
	if there {
		return nil
	}
	v := q.c.Fleet.Observe(ctx)
	if !v.Complete {
		return fmt.Errorf("the fleet has not been seen yet: %w", v.Err)
	}
	q.saw(v)
	return nil
}

// Observe is what a controller asks its queue. It fails where the queue cannot be
// read whole, or where what was read cannot be true.
func (q *Queue) Observe(ctx context.Context, r api.ObserveRequest) (api.Observed, error) {
	if err := q.look(ctx); err != nil {
		return api.Observed{}, err
	}
	reading, err := q.c.Reader.Read(ctx)
	if err != nil {
		return api.Observed{}, err
	}
	if len(reading.Kinds) != len(q.kinds) {
		return api.Observed{}, fmt.Errorf("read %d kinds of job of %d", len(reading.Kinds), len(q.kinds))
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.take(&reading, r)
}

// take believes a reading, or says why not.
func (q *Queue) take(reading *Reading, r api.ObserveRequest) (api.Observed, error) {
	now := q.c.Now().UTC()
	if now.Before(q.at) { // two callers at once: the later reading has been taken already
		now = q.at
	}
	slots, speed := q.crew.join(now, q.view, reading, &q.c)
	if err := q.plausible(now, reading, slots); err != nil {
		return api.Observed{}, err
	}
	dt := 0.0
	if !q.at.IsZero() {
		dt = now.Sub(q.at).Seconds()
	}
	q.share(reading, slots)
	for i, k := range q.kinds {
		q.busyS += float64(k.running) * dt
		k.step(now, q.at, &reading.Kinds[i], speed, lateAfter(r, k.kind))
	}
	q.crew.work(now, q.at, reading, q.kinds, &q.c)
	q.at = now
	o := api.Observed{At: now, Epoch: 1, BusyS: q.busyS, Workers: q.crew.workers(now, reading, q.kinds, &q.c)}
	for _, k := range q.kinds {
		o.Kinds = append(o.Kinds, k.observed())
	}
	return o, nil
}

// lateAfter returns the wait from which a start of a kind is late.
func lateAfter(r api.ObserveRequest, k Kind) time.Duration {
	for _, l := range r.LateAfter {
		if l.Type == k.Type && l.Priority == k.Priority {
			return time.Duration(l.AfterS * float64(time.Second))
		}
	}
	return never
}

// never is a wait that no job reaches.
const never = time.Duration(1<<63 - 1)

// share says how many jobs of each kind run on the fleet's own slots: what is in
// flight beyond them runs elsewhere. Where the workers say how many they run, it is
// those.
func (q *Queue) share(reading *Reading, slots int) {
	left := int64(slots)
	if reading.WithWorkers {
		left = q.crew.busy(reading)
	}
	for i, k := range q.kinds {
		k.next = min(reading.Kinds[i].InFlight, left)
		if reading.Kinds[i].NoInFlight {
			k.next = left
		}
		left -= k.next
	}
	if reading.WithWorkers { // what they run has left the queue's sight, or is not in it yet
		q.kinds[0].next += left
	}
}

// zeroMin is how many jobs must have gone at once before it is asked whether that
// can be.
const zeroMin = 20

// plausible returns an error if a queue seems to have emptied at once, though the
// slots there are could not have done that, or if every worker has fallen silent
// at once. After Config.HoldZero it is believed: somebody may have purged it.
func (q *Queue) plausible(now time.Time, reading *Reading, slots int) error {
	why := q.crew.vanished(reading)
	for i, k := range q.kinds {
		if why == "" {
			why = k.emptied(now.Sub(q.at), &reading.Kinds[i], slots)
		}
	}
	if q.at.IsZero() || why == "" {
		q.suspect = time.Time{}
		return nil
	}
	if q.suspect.IsZero() {
		q.suspect = now
	}
	if until := q.suspect.Add(q.c.HoldZero); now.Before(until) {
		return fmt.Errorf("%s: held as unknown until %s", why, until.Format(time.TimeOnly))
	}
	q.c.Log.Warn("what could not be true has been so for long, and is believed", "what", why)
	q.suspect = time.Time{}
	return nil
}

// Direct takes down that an instance is to drain, or is wanted again. Nobody can be
// told: what follows from it is when the instance counts as drained.
func (q *Queue) Direct(_ context.Context, r api.DirectiveRequest) (api.PostedDirective, error) {
	if r.InstanceID == "" || !slices.Contains([]api.Op{api.OpDrain, api.OpShutdown, api.OpWork}, r.Op) {
		return api.PostedDirective{}, fmt.Errorf("%s: of workers that are not SkyNet's own an instance can be drained or taken back, nothing else", r.Op)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.c.Now().UTC()
	q.crew.drain(r.InstanceID, r.Op != api.OpWork, now)
	return api.PostedDirective{DirectiveRequest: r, ID: r.InstanceID, PostedAt: now}, nil
}
