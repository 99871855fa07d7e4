package dispatch

import (
	"errors"
	"fmt"
	"time"

	"github.com/skynet-ec2/skynet/policy/draw"
)

// Options are a queue's constants. The zero Options give the defaults named
// below: plain order, leases of 30 s.
type Options struct {
	Epoch         uint32        // number of this leader, greater than any before it; 0 means 1
	LeaseTTL      time.Duration // a worker silent for so long loses its jobs; default 30 s
	ConfirmWithin time.Duration // a leased job its worker has not named for so long is given back; default 10 s
	RememberFor   time.Duration // how long a repeated completion is told from a stale one; default 15 min
	KeyFor        time.Duration // how long an idempotency key outlives its job; default 24 h
	AttemptsMax   int           // failures that make a job dead, unless the job says otherwise; default 5
	LossesMax     int           // lost leases that put a job into quarantine; default 3
	BackoffBase   time.Duration // bound of the wait after the first failure, doubled by each further one; default 1 s
	BackoffMax    time.Duration // bound of the bound; default 10 min
	Seed          uint64        // of the back-off's jitter
	KeyLimit      int           // jobs of one concurrency key that may run at once, unless the key has a limit of its own; default 1
	Fair          bool          // share each priority among its tenants by weight
	AgeStep       time.Duration // a job rises one priority each time it has waited so long; 0: never
}

func (o Options) withDefaults() Options {
	o.Epoch = max(o.Epoch, 1)
	setDefault(&o.LeaseTTL, 30*time.Second)
	setDefault(&o.ConfirmWithin, 10*time.Second)
	setDefault(&o.RememberFor, 15*time.Minute)
	setDefault(&o.KeyFor, 24*time.Hour)
	setDefault(&o.AttemptsMax, 5)
	setDefault(&o.LossesMax, 3)
	setDefault(&o.BackoffBase, time.Second)
	setDefault(&o.BackoffMax, 10*time.Minute)
	setDefault(&o.KeyLimit, 1)
	return o
}

func setDefault[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}

// Validate reports every option that is out of its bounds. Zero is within all
// of them.
func (o Options) Validate() error {
	var errs []error
	for _, d := range []struct {
		name string
		v    time.Duration
	}{
		{"LeaseTTL", o.LeaseTTL},
		{"ConfirmWithin", o.ConfirmWithin},
		{"RememberFor", o.RememberFor},
		{"KeyFor", o.KeyFor},
		{"BackoffBase", o.BackoffBase},
		{"BackoffMax", o.BackoffMax},
		{"AgeStep", o.AgeStep},
	} {
		if d.v < 0 {
			errs = append(errs, fmt.Errorf("%s = %v: must not be negative", d.name, d.v))
		}
	}
	for _, n := range []struct {
		name   string
		v, max int
	}{
		{"AttemptsMax", o.AttemptsMax, maxAttempts}, {"LossesMax", o.LossesMax, maxLosses}, {"KeyLimit", o.KeyLimit, maxRunning},
	} {
		if n.v < 0 || n.v > n.max {
			errs = append(errs, fmt.Errorf("%s = %d: must be from 0 to %d", n.name, n.v, n.max))
		}
	}
	return errors.Join(errs...)
}

// Bounds that keep the records small.
const (
	maxAttempts = 1<<16 - 1
	maxLosses   = 1<<8 - 1
	maxRunning  = 1<<31 - 1
	maxKinds    = 1 << 16
	maxName     = 255 // bytes of a type's, tenant's, key's or worker's name
)

// Backoff returns how long a job waits after its n-th failure (n >= 1): a
// duration drawn evenly from 0 to min(ceiling, base·2^(n-1)), the "full
// jitter" that spreads the retries of jobs which failed together. The draw is
// a hash of (seed, job, n), so it does not depend on what else happened.
func Backoff(seed uint64, job int64, n int, base, ceiling time.Duration) time.Duration {
	bound := ceiling
	if shift := n - 1; shift < 63 && base <= ceiling>>shift {
		bound = base << shift
	}
	draws := draw.Stream(draw.Stream(seed).At(job+1) + uint64(n))
	return time.Duration(draws.Below(uint64(bound) + 1))
}
