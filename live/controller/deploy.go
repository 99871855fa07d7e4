package controller

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/journal"
)

// Candidate is a policy that may decide: how it is made, before its first step,
// and what the journal says of it.
type Candidate struct {
	Policy    func() (policy.Policy, error)
	Described journal.Policy
}

// Serving tells which policy decides, and which one beside it.
type Serving struct {
	// Version that decides; 0: the configuration's policy. Label is its own.
	Version int    `json:"version"`
	Label   string `json:"policy"`
	// Since is when it began, and State what it began with: "as saved", "carried
	// over" from the policy before, or "anew": from what was learned of work and
	// boots, without a memory of its own.
	Since time.Time `json:"since"`
	State string    `json:"state"`
	// ShadowVersion and Shadow are of the one beside it; empty: there is none.
	ShadowVersion int    `json:"shadow_version,omitempty"`
	Shadow        string `json:"shadow,omitempty"`
	// Problem says which version could not be taken over, and why; empty: none.
	Problem string `json:"problem,omitempty"`
}

// What a policy begins with.
const (
	stateSaved   = "as saved"
	stateCarried = "carried over"
	stateAnew    = "anew"
)

// deployed is what decides, and how it came to.
type deployed struct {
	orders    Orders
	ordersErr error
	base      Candidate // the configuration's
	serving   Serving
	described journal.Policy
	state     json.RawMessage // of the policy that decides, as it was saved last
	refused   map[int]string  // versions that could not be taken over, and why
	beside    int             // version of the shadow
}

// Serving returns what decides.
func (c *Controller) Serving() Serving { return c.deployed.serving }

// Orders returns the orders that were read last.
func (c *Controller) Orders() *Orders { return &c.deployed.orders }

// readOrders reads the orders. Where they cannot be read, those before stand.
func (c *Controller) readOrders(ctx context.Context) {
	if c.c.Book == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, c.c.QueueTimeout)
	defer cancel()
	o, err := c.c.Book.Orders(ctx, c.c.Fleet)
	c.deployed.ordersErr = err
	if err == nil {
		c.deployed.orders = o
	}
}

// chain returns the versions that may decide, the one ordered first, then what a
// rollback would return to, the configuration's policy last.
func (o *Orders) chain() []int {
	all := []int{o.Active}
	for i := len(o.Before) - 1; i >= 0; i-- {
		all = append(all, o.Before[i])
	}
	return append(all, 0)
}

// candidate returns the policy of a version.
func (c *Controller) candidate(number int) (Candidate, error) {
	if number == 0 {
		return c.deployed.base, nil
	}
	v, known := c.deployed.orders.Version(number)
	if !known {
		return Candidate{}, fmt.Errorf("version %d: the store has none", number)
	}
	if c.c.Decode == nil {
		return Candidate{}, fmt.Errorf("version %d: this controller takes no deployed policies", number)
	}
	got, err := c.c.Decode([]byte(v.Text))
	if err != nil {
		return got, fmt.Errorf("version %d: %w", number, err)
	}
	return got, nil
}

// refuse writes down that a version cannot be taken over: it is not tried again
// by this process.
func (c *Controller) refuse(number int, err error) {
	c.deployed.refused[number] = err.Error()
	c.c.Log.Error("a version of the policy cannot be taken over; the one before goes on", "fleet", c.c.Fleet, "version", number, "error", err)
	c.note(c.noted(fmt.Sprintf("refused version %d: %v", number, err)))
}

// noted writes down what the controller itself did.
func (c *Controller) noted(what string) error {
	if c.c.Book == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.c.QueueTimeout)
	defer cancel()
	err := c.c.Book.Note(ctx, c.c.Fleet, Act{At: c.c.Now().UTC(), By: "controller " + c.c.Holder, What: what})
	if err != nil {
		return fmt.Errorf("acts: %w", err)
	}
	return nil
}

// make makes a version's policy and gives it a state: the one saved, if it is of
// the same policy by label, or else one of the same policy with other parameters,
// if it can be. A panic is an error: it must not take the loop down.
func (c *Controller) make(number int, from Candidate, label string, saved json.RawMessage) (p policy.Policy, state string, err error) {
	defer func() {
		if failed := recover(); failed != nil {
			err = fmt.Errorf("version %d: the policy panicked: %v", number, failed)
		}
	}()
	if p, err = from.Policy(); err != nil || saved == nil || nameOf(label) != nameOf(from.Described.Label) {
		return p, stateAnew, err
	}
	err = json.Unmarshal(saved, p)
	switch {
	case err == nil && label == from.Described.Label:
		return p, stateSaved, nil
	case err == nil:
		return p, stateCarried, nil
	case label == from.Described.Label:
		return nil, "", fmt.Errorf("saved state: policy %s: %w", label, err)
	}
	p, err = from.Policy() // other parameters, another shape of state
	return p, stateAnew, err
}

// nameOf returns a label without the digits that tell parameters.
func nameOf(label string) string {
	name, _, _ := strings.Cut(label, "@")
	return name
}

// choose makes the first version of the chain that can be made. label and state
// are of what decided before.
func (c *Controller) choose(label string, state json.RawMessage) (number int, from Candidate, p policy.Policy, began string, err error) {
	for _, number = range c.deployed.orders.chain() {
		if c.deployed.refused[number] != "" {
			continue
		}
		if from, err = c.candidate(number); err == nil {
			if p, began, err = c.make(number, from, label, state); err == nil {
				return number, from, p, began, nil
			}
		}
		if number == 0 {
			break
		}
		c.refuse(number, err)
	}
	return number, from, nil, "", err
}

// takeOver lets a policy decide from here on.
func (c *Controller) takeOver(number int, from Candidate, p policy.Policy, began string) {
	c.policy, c.deployed.described = p, from.Described
	s := &c.deployed.serving
	s.Version, s.Label, s.Since, s.State = number, from.Described.Label, c.c.Now().UTC(), began
}

// redeploy follows the orders and the configuration: it makes another policy
// decide, or another shadow, between two decisions. What cannot be made leaves
// everything as it is.
func (c *Controller) redeploy() {
	changed := false
	if c.c.Reload != nil {
		switch got, err := c.c.Reload(); {
		case err != nil:
			c.c.Log.Error("the configuration's policy cannot be read anew; what decides goes on", "fleet", c.c.Fleet, "error", err)
		case got != nil && c.deployed.serving.Version == 0:
			before := c.deployed.base
			c.deployed.base, changed = *got, true
			if _, _, err := c.make(0, *got, "", nil); err != nil {
				c.c.Log.Error("the configuration's policy cannot be taken over; what decides goes on", "fleet", c.c.Fleet, "error", err)
				c.deployed.base, changed = before, false
			}
		case got != nil:
			c.deployed.base = *got
		}
	}
	if wanted := c.deployed.orders.Active; changed || wanted != c.deployed.serving.Version && c.deployed.refused[wanted] == "" {
		c.exchange()
	}
	c.deployed.serving.Problem = c.problem()
	c.redeployShadow()
}

// exchange lets what the orders name decide, in a journal that begins with it.
func (c *Controller) exchange() {
	state, err := json.Marshal(c.policy)
	if err != nil {
		state = nil
	}
	was := c.deployed.serving.Label
	number, from, p, began, err := c.choose(was, state)
	switch {
	case err != nil:
		c.c.Log.Error("no other policy can be made; what decides goes on", "fleet", c.c.Fleet, "error", err)
		return
	case number == c.deployed.serving.Version && from.Described.Label == was:
		return // what was ordered was refused
	}
	described := c.deployed.described
	c.deployed.described = from.Described
	if err := c.openJournal(); err != nil {
		c.deployed.described = described
		c.note(err)
		return
	}
	c.takeOver(number, from, p, began)
	c.c.Log.Info("another policy decides", "fleet", c.c.Fleet, "version", number, "was", was, "is", from.Described.Label, "state", began)
	c.note(c.noted(fmt.Sprintf("version %d decides (%s, state %s); it was %s", number, from.Described.Label, began, was)))
}

// problem says why what is ordered does not decide.
func (c *Controller) problem() string {
	d := &c.deployed
	switch {
	case d.ordersErr != nil:
		return fmt.Sprintf("the orders cannot be read (%v): those of before stand", d.ordersErr)
	case d.refused[d.orders.Active] != "":
		return fmt.Sprintf("version %d was refused: %s", d.orders.Active, d.refused[d.orders.Active])
	case d.refused[d.orders.Shadow] != "":
		return fmt.Sprintf("version %d was refused as shadow: %s", d.orders.Shadow, d.refused[d.orders.Shadow])
	}
	return ""
}

// step lets the policy decide on the observation, and honour what operators wish.
// Should a version panic that somebody deployed, the one before takes over with the
// state that was saved last, and decides instead.
func (c *Controller) step() (wanted policy.Decision) {
	for {
		if c.journal != nil {
			c.note(c.journal.Before(&c.obs, c.policy))
		}
		d, failed := c.tryStep()
		if failed == nil {
			return policy.Obey(&c.obs, &c.c.Env.Catalog, d)
		}
		number := c.deployed.serving.Version
		if number == 0 { // nothing stands behind it
			panic(failed)
		}
		c.refuse(number, fmt.Errorf("it panicked: %v", failed))
		label, state := c.deployed.serving.Label, c.deployed.state
		number, from, p, began, err := c.choose(label, state)
		if err != nil {
			panic(failed)
		}
		c.deployed.described = from.Described
		if err := c.openJournal(); err != nil {
			c.note(err)
		}
		c.takeOver(number, from, p, began)
		c.deployed.serving.Problem = c.problem()
		c.note(c.noted(fmt.Sprintf("version %d decides (%s, state %s)", number, from.Described.Label, began)))
	}
}

// tryStep steps the policy. What it panicked with is returned where another could
// decide instead.
func (c *Controller) tryStep() (d policy.Decision, failed any) {
	defer func() { failed = recover() }()
	return c.policy.Step(&c.obs), nil
}
