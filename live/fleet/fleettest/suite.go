// Package fleettest is what every fleet must do, as tests: whatever EC2 is played
// by, a controller may rely on it.
package fleettest

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynet-ec2/skynet/live/fleet"
	"github.com/skynet-ec2/skynet/policy"
)

// World is a region that a fleet can be tried in.
type World interface {
	// Fleet returns the fleet as a controller that has just started sees it.
	Fleet() fleet.Fleet
	// Alive returns the ids of every instance that runs, whoever's it is, and
	// Launched how many were ever launched for an intent: the truth, not a list.
	Alive() []string
	Launched(intent string) int
	// Break makes the next calls of a kind go wrong.
	Break(fleet.Call, ...fleet.Breakage)
	// Lag makes lists show what is launched from now on so much later.
	Lag(time.Duration)
	// Foreign launches an instance that is not the fleet's.
	Foreign() string
}

// Run tries a fleet in worlds that open makes, each under a fake clock
// (testing/synctest). typ and other are two types that are sold, zone is one where
// they are.
func Run(t *testing.T, typ, other, zone string, open func(*testing.T) World) {
	for _, c := range []struct {
		name string
		test func(*trial)
	}{
		{"launches and lists", launches},
		{"asking again launches nothing", again},
		{"a lost reply is asked for again", lost},
		{"an error before or after", errors},
		{"throttling stops the calls", throttled},
		{"silence stops the calls", silence},
		{"capacity is remembered by type", capacity},
		{"quotas hold for every type of the family", quota},
		{"a permanent error freezes", frozen},
		{"a list that fails is incomplete", unreadable},
		{"ends its own and no other", ends},
		{"not found is not gone", notFound},
		{"a ledger brings a crash through", crash},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := open(t)
				c.test(&trial{T: t, World: w, fleet: w.Fleet(), typ: typ, other: other, zone: zone})
				synctest.Wait()
			})
		})
	}
}

type trial struct {
	*testing.T
	World
	fleet            fleet.Fleet
	typ, other, zone string
}

func (t *trial) ask(id string, n int) fleet.Ask {
	return fleet.Ask{Intent: fleet.Intent{ID: id, Type: t.typ, Zone: t.zone, Count: n, Decided: time.Now(), Epoch: 1, Spec: t.fleet.Spec()}}
}

// launch asks for one intent.
func (t *trial) launch(a fleet.Ask) fleet.Outcome {
	t.Helper()
	out := t.fleet.Launch(t.Context(), []fleet.Ask{a})
	if len(out) != 1 || out[0].Intent != a.ID {
		t.Fatalf("outcomes of %s: %+v", a.ID, out)
	}
	return out[0]
}

func ids(o fleet.Outcome) []string {
	var all []string
	for _, in := range o.Instances {
		all = append(all, in.ID)
	}
	slices.Sort(all)
	return all
}

// settled checks that an outcome is certain, of n instances.
func (t *trial) settled(o fleet.Outcome, n int) {
	t.Helper()
	if o.Settlement != fleet.Settled || len(o.Instances) != n || o.Refused != 0 {
		t.Errorf("%+v, want settled with %d instances", o, n)
	}
}

func (t *trial) launched(intent string, n int) {
	t.Helper()
	if got := t.Launched(intent); got != n {
		t.Errorf("%d launched for %s, want %d", got, intent, n)
	}
}

func launches(t *trial) {
	total := 0
	for _, p := range t.fleet.Pieces(t.typ, policy.OnDemand, "", 2*fleet.CountMax+50, 1, nil) {
		if total += p.Count; p.Count < 1 || p.Count > fleet.CountMax {
			t.Errorf("a piece of %d", p.Count)
		}
	}
	if total != 2*fleet.CountMax+50 {
		t.Errorf("pieces of %d in all", total)
	}
	foreign := t.Foreign()
	a := t.ask("one", 3)
	o := t.launch(a)
	t.settled(o, 3)
	if x := o.Instances[0]; x.Type != t.typ || x.Zone != t.zone || x.At.IsZero() {
		t.Errorf("%+v", x)
	}
	time.Sleep(time.Minute)
	v := t.fleet.Observe(t.Context())
	if !v.Complete || v.Err != nil || len(v.Instances) != 3 || !v.EC2.Complete || v.EC2.Calls < 2 {
		t.Fatalf("%+v", v)
	}
	for _, in := range v.Instances {
		if in.Intent != "one" || in.Type != t.typ || in.Zone != t.zone || in.State == fleet.Over || in.ID == foreign {
			t.Errorf("%+v", in)
		}
	}
}

func again(t *trial) {
	a := t.ask("one", 4)
	first := t.launch(a)
	t.settled(first, 4)
	a.Again = true
	for range 3 {
		time.Sleep(20 * time.Second)
		t.fleet = t.Fleet() // another controller
		o := t.launch(a)
		t.settled(o, 4)
		if !slices.Equal(ids(o), ids(first)) {
			t.Errorf("%v, want %v", ids(o), ids(first))
		}
	}
	t.launched("one", 4)
}

// lost: three replies in a row are lost, so that no retry of the fleet's own
// hears of the launch.
func lost(t *trial) {
	a := t.ask("one", 2)
	t.Break(fleet.Launching, fleet.LostReply, fleet.LostReply, fleet.LostReply)
	for range 3 {
		if o := t.launch(a); o.Settlement == fleet.Settled {
			t.settled(o, 2)
			break
		}
		a.Again = true
		time.Sleep(time.Minute)
	}
	a.Again = true
	t.settled(t.launch(a), 2)
	t.launched("one", 2)
}

func errors(t *trial) {
	for _, how := range []fleet.Breakage{fleet.ErrorBefore, fleet.ErrorAfter} {
		name := []string{fleet.ErrorBefore: "before", fleet.ErrorAfter: "after"}[how]
		a := t.ask(name, 2)
		t.Break(fleet.Launching, how, how)
		o := t.launch(a)
		if o.Settlement == fleet.Unsent {
			t.Errorf("%s: %+v: an error that says nothing is not certain", name, o)
		}
		for o.Settlement != fleet.Settled {
			time.Sleep(time.Minute)
			a.Again = true
			o = t.launch(a)
		}
		t.settled(o, 2)
		t.launched(name, 2)
	}
}

func throttled(t *trial) {
	t.Break(fleet.Launching, fleet.Throttle)
	out := t.fleet.Launch(t.Context(), []fleet.Ask{t.ask("one", 1), t.ask("two", 1), t.ask("three", 1)})
	for _, o := range out {
		if o.Settlement != fleet.Unsent || o.Class != fleet.Throttled || len(o.Instances) != 0 {
			t.Errorf("%+v, want unsent", o)
		}
	}
	if n := len(t.Alive()); n != 0 {
		t.Errorf("%d launched", n)
	}
	v := t.fleet.Observe(t.Context())
	if v.EC2.Throttled != 1 { // the others were not even tried
		t.Errorf("%d calls were throttled, want 1", v.EC2.Throttled)
	}
	for _, r := range v.EC2.Refusals {
		if r.Why != "throttled" {
			t.Errorf("throttling says nothing about a type: %+v", r)
		}
	}
	time.Sleep(time.Minute)
	t.settled(t.launch(t.ask("four", 1)), 1)
}

// silence: after a call without an answer the others are not made.
func silence(t *trial) {
	t.Break(fleet.Launching, fleet.ErrorBefore, fleet.ErrorBefore)
	out := t.fleet.Launch(t.Context(), []fleet.Ask{t.ask("one", 1), t.ask("two", 1)})
	if out[0].Settlement != fleet.Unknown || out[0].Class != fleet.Ambiguous || out[1].Settlement != fleet.Unsent {
		t.Errorf("%+v", out)
	}
	t.launched("two", 0)
}

func (t *trial) refused(o fleet.Outcome, class fleet.Class, remembered bool) {
	t.Helper()
	if o.Settlement != fleet.Settled || o.Class != class || o.Refused == 0 || o.Remembered != remembered {
		t.Errorf("%+v, want refused by %s, remembered %t", o, class, remembered)
	}
}

func capacity(t *trial) {
	t.Break(fleet.Launching, fleet.NoCapacity)
	t.refused(t.launch(t.ask("one", 2)), fleet.Capacity, false)
	t.refused(t.launch(t.ask("two", 2)), fleet.Capacity, true)
	if r := t.fleet.Observe(t.Context()).EC2.Refusals; len(r) != 1 || r[0].Why != "capacity" || r[0].Refused != 2 || r[0].Zone != t.zone {
		t.Errorf("refusals %+v", r)
	}
	// another type may be had: a substitute, with an intent of its own
	sub := t.ask("three", 2)
	sub.Type = t.other
	t.settled(t.launch(sub), 2)
	time.Sleep(fleet.CapacityHold)
	t.settled(t.launch(t.ask("four", 1)), 1)
}

func quota(t *trial) {
	t.Break(fleet.Launching, fleet.NoQuota)
	t.refused(t.launch(t.ask("one", 2)), fleet.Quota, false)
	sub := t.ask("two", 8) // smaller ones draw on the same vCPUs
	sub.Type = t.other
	t.refused(t.launch(sub), fleet.Quota, true)
	time.Sleep(fleet.QuotaHold)
	t.Break(fleet.Launching, fleet.NoQuota)
	t.refused(t.launch(t.ask("three", 2)), fleet.Quota, false)
	time.Sleep(fleet.QuotaHold + time.Minute) // the second time it is held for longer
	t.refused(t.launch(t.ask("four", 2)), fleet.Quota, true)
	time.Sleep(fleet.QuotaHold)
	t.settled(t.launch(t.ask("five", 1)), 1)
}

func frozen(t *trial) {
	t.Break(fleet.Launching, fleet.Forbid)
	t.refused(t.launch(t.ask("one", 1)), fleet.Permanent, false)
	sub := t.ask("two", 1)
	sub.Type = t.other
	t.refused(t.launch(sub), fleet.Permanent, true)
	v := t.fleet.Observe(t.Context())
	if v.Frozen == nil || v.Frozen.Code == "" || !v.Complete {
		t.Errorf("%+v: a list does not thaw it", v.Frozen)
	}
	time.Sleep(fleet.FreezeHold)
	t.settled(t.launch(t.ask("three", 1)), 1)
	if v := t.fleet.Observe(t.Context()); v.Frozen != nil {
		t.Errorf("still frozen: %+v", v.Frozen)
	}
}

func unreadable(t *trial) {
	t.launch(t.ask("one", 1))
	time.Sleep(time.Minute)
	for _, how := range []fleet.Breakage{fleet.ErrorBefore, fleet.LostReply, fleet.Throttle} {
		t.Break(fleet.Listing, how)
		if v := t.fleet.Observe(t.Context()); v.Complete || v.Err == nil || v.EC2.Complete {
			t.Errorf("%+v, want incomplete", v)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if v := t.fleet.Observe(gone); v.Complete {
		t.Error("a cancelled list is complete")
	}
	if v := t.fleet.Observe(t.Context()); !v.Complete || len(v.Instances) != 1 {
		t.Errorf("%+v", v)
	}
}

func (t *trial) terminate(ids ...string) []fleet.Ended {
	t.Helper()
	endings := t.fleet.Terminate(t.Context(), ids)
	var all []fleet.Ended
	for i, e := range endings {
		if e.ID != ids[i] {
			t.Fatalf("ending %d is of %s, want %s", i, e.ID, ids[i])
		}
		all = append(all, e.Ended)
	}
	return all
}

func ends(t *trial) {
	foreign := t.Foreign()
	mine := ids(t.launch(t.ask("one", 3)))
	time.Sleep(time.Minute)
	got := t.terminate(mine[0], foreign, "i-0123456789abcdef9", mine[1])
	if want := []fleet.Ended{fleet.Accepted, fleet.Denied, fleet.Denied, fleet.Accepted}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := t.terminate(mine[0]); got[0] != fleet.Accepted { // again
		t.Errorf("again: %v", got)
	}
	alive := t.Alive()
	slices.Sort(alive)
	want := []string{foreign, mine[2]}
	slices.Sort(want)
	if !slices.Equal(alive, want) {
		t.Errorf("alive: %v, want %v", alive, want)
	}
	// one that has only just started must have seen an instance to end it
	t.fleet = t.Fleet()
	if got := t.terminate(mine[2]); got[0] != fleet.Denied {
		t.Errorf("before it has looked: %v", got)
	}
	t.fleet.Observe(t.Context())
	if got := t.terminate(mine[2]); got[0] != fleet.Accepted {
		t.Errorf("after it has looked: %v", got)
	}
}

func notFound(t *trial) {
	t.Lag(time.Minute)
	mine := ids(t.launch(t.ask("one", 1)))
	if got := t.terminate(mine...); got[0] != fleet.NotFound {
		t.Errorf("at once: %v", got)
	}
	if n := len(t.Alive()); n != 1 {
		t.Errorf("%d alive", n)
	}
	time.Sleep(2 * time.Minute)
	if got := t.terminate(mine...); got[0] != fleet.Accepted {
		t.Errorf("later: %v", got)
	}
}

// crash plays the protocol with a crash after every step, and a lost reply.
func crash(t *trial) {
	rules := fleet.DefaultRules(0)
	saved, err := fleet.NewLedger(rules).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	load := func() *fleet.Ledger {
		l := fleet.NewLedger(rules)
		if err := l.UnmarshalJSON(saved); err != nil {
			t.Fatal(err)
		}
		return l
	}
	save := func(l *fleet.Ledger) {
		if saved, err = l.MarshalJSON(); err != nil {
			t.Fatal(err)
		}
	}
	for step := range 5 {
		id := string(rune('a' + step))
		l := load()
		if _, err := l.Intend(t.ask(id, 2).Intent); err != nil {
			t.Fatal(err)
		}
		if step >= 1 {
			save(l)
		}
		if step >= 2 {
			asks := l.Due(time.Now())
			save(l)
			if step >= 3 {
				if step == 3 {
					t.Break(fleet.Launching, fleet.LostReply, fleet.LostReply)
				}
				out := t.fleet.Launch(t.Context(), asks)
				if step == 4 {
					l.Settle(time.Now(), out)
					save(l)
				}
			}
		}
		// the next leader
		time.Sleep(time.Minute)
		t.fleet = t.Fleet()
		l = load()
		l.Recover(time.Now())
		l.Sweep(time.Now(), t.fleet.Observe(t.Context()), time.Time{})
		asks := l.Due(time.Now())
		save(l)
		l.Settle(time.Now(), t.fleet.Launch(t.Context(), asks))
		save(l)
		want := 2
		if step <= 1 { // never sent
			want = 0
		}
		t.launched(id, want)
	}
	l := load()
	if n := len(t.Alive()); n != 6 || l.Size() != 6 {
		t.Errorf("%d are alive and the ledger knows %d, want 6", n, l.Size())
	}
}
