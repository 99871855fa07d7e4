package controller

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// ErrCrowded says that another fleet has claimed what this one wanted.
var ErrCrowded = errors.New("the fleets together would pass their caps")

// Claim is what a fleet has at most, and what it has spent: what caps over several
// fleets count. The zero Claim claims nothing.
type Claim struct {
	policy.Exposure
	// Day and Month are what was spent in the clock day and month of At, on the
	// fleet's users' clock.
	Day   policy.MicroUSD `json:"day_micro_usd"`
	Month policy.MicroUSD `json:"month_micro_usd"`
	At    time.Time       `json:"at"`
}

// Claims is where fleets that share a store put down what they have, so that one
// guard spans them. It is the same for every controller of the store.
type Claims interface {
	// Claimed returns what the other fleets claim.
	Claimed(ctx context.Context, fleet string) ([]Claim, error)
	// Claim replaces the fleet's claim, in one transaction in which nobody else
	// claims anything. It fails with ErrFenced where epoch is not the latest, and
	// with the error of fits, given what the others claim at that moment, and then
	// the claim stays as it was.
	Claim(ctx context.Context, fleet string, epoch int64, c Claim, fits func(others []Claim) error) error
}

// sumOf adds up what others claim, as of a time on the users' clock: of another
// day nothing was spent today.
func sumOf(others []Claim, local time.Time) (sum policy.Exposure, day, month policy.MicroUSD) {
	y, m, d := local.Date()
	for i := range others {
		o := &others[i]
		sum = sum.Plus(o.Exposure)
		switch oy, om, od := o.At.Date(); {
		case oy != y || om != m:
		case od != d:
			month += o.Month
		default:
			day, month = day+o.Day, month+o.Month
		}
	}
	return sum, day, month
}

// claimTries is how often a decision is cut anew because another fleet was
// quicker.
const claimTries = 3

// claim returns a decision reduced to what the caps of all fleets leave this one,
// once the store has put down what it comes to at worst: from then on the other
// fleets count it. Where that cannot be done nothing is launched.
func (c *Controller) claim(ctx context.Context, now time.Time, r *Result, d *policy.Decision) *policy.Decision {
	if c.c.Shared == nil {
		return d
	}
	none := *d
	none.Launches = nil
	shared, err := c.c.Shared()
	for try := 0; err == nil && try < claimTries; try++ {
		var others []Claim
		if others, err = c.c.Claims.Claimed(ctx, c.c.Fleet); err != nil {
			break
		}
		cut := c.beside(shared, others, now).Clamp(&c.obs, &c.c.Env.Catalog, *d)
		if err = c.putDown(ctx, now, shared, &cut); err == nil {
			return &cut
		}
		if errors.Is(err, ErrCrowded) {
			err = nil
		}
	}
	if err != nil {
		r.fault("shared caps", err)
	}
	if err := c.putDown(ctx, now, shared, &none); err != nil && !errors.Is(err, ErrFenced) {
		r.fault("shared caps", err)
	}
	return &none
}

// beside returns what the caps of all fleets leave this one.
func (c *Controller) beside(shared policy.Guard, others []Claim, now time.Time) policy.Guard {
	sum, day, month := sumOf(others, now.Add(c.c.Env.UTCOffset))
	return shared.Beside(sum, day, month)
}

// putDown claims what the fleet has with the launches of d. What it has without
// any is claimed whether it fits or not.
func (c *Controller) putDown(ctx context.Context, now time.Time, shared policy.Guard, d *policy.Decision) error {
	claim := Claim{
		Exposure: policy.ExposureOf(&c.obs, &c.c.Env.Catalog, d), Day: c.spent.Day, Month: c.spent.Month, At: now.Add(c.c.Env.UTCOffset),
	}
	return c.c.Claims.Claim(ctx, c.c.Fleet, c.epoch, claim, func(others []Claim) error {
		if len(d.Launches) == 0 {
			return nil
		}
		left := c.beside(shared, others, now).Clamp(&c.obs, &c.c.Env.Catalog, *d)
		if policy.ExposureOf(&c.obs, &c.c.Env.Catalog, &left) != claim.Exposure {
			return fmt.Errorf("%w: %d instances asked for, room for %d", ErrCrowded, d.Instances(), left.Instances())
		}
		return nil
	})
}

// MemoryClaims is Claims in memory, for tests, of the fleets of a Memory.
type MemoryClaims struct {
	store *Memory

	mu     sync.Mutex
	claims map[string]Claim
}

// NewMemoryClaims returns claims beside a store.
func NewMemoryClaims(store *Memory) *MemoryClaims {
	return &MemoryClaims{store: store, claims: map[string]Claim{}}
}

// Claimed implements Claims.
func (m *MemoryClaims) Claimed(_ context.Context, fleet string) ([]Claim, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.others(fleet), nil
}

func (m *MemoryClaims) others(fleet string) (others []Claim) {
	for name, c := range m.claims { // map order: they are summed
		if name != fleet {
			others = append(others, c)
		}
	}
	return others
}

// Claim implements Claims.
func (m *MemoryClaims) Claim(_ context.Context, fleet string, epoch int64, c Claim, fits func([]Claim) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.store.mu.Lock()
	fenced := m.store.of(fleet).epoch != epoch
	m.store.mu.Unlock()
	if fenced {
		return ErrFenced
	}
	if err := fits(m.others(fleet)); err != nil {
		return err
	}
	m.claims[fleet] = c
	return nil
}
