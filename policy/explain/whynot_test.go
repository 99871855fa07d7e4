package explain_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/explain"
	"github.com/skynet-ec2/skynet/policy/journal"
	"github.com/skynet-ec2/skynet/policy/skynet"
)

// subject is a decision of an hourly fleet with so many instances of a type of
// two slots.
func subject(fleetMax int) *explain.Subject {
	guard := policy.Open(fleetMax)
	return &explain.Subject{
		Header:      &journal.Header{Guard: guard, Catalog: policy.EC2in2008(), Tick: time.Minute},
		Observation: &policy.Observation{Now: noon, Tick: time.Minute},
		Decision:    &journal.Decision{}, Outcome: &journal.Outcome{}, Lead: time.Minute,
	}
}

// add adds n ready instances, busy or not, that are paid for so long.
func add(s *explain.Subject, n, busy int, paid time.Duration) {
	for range n {
		s.Observation.Fleet.Instances = append(s.Observation.Fleet.Instances, policy.Instance{
			Type: 1, Phase: policy.Ready, Slots: 2, Busy: busy, PaidUntil: noon.Add(paid),
		})
		s.Observation.Fleet.ReadySlots += 2
		s.Observation.Fleet.BusySlots += busy
	}
}

func text(a explain.Answer) string {
	var b strings.Builder
	for i := range a.Facts {
		fmt.Fprintln(&b, a.Facts[i].String())
	}
	for _, r := range a.Reasons {
		fmt.Fprintln(&b, "own:", r)
	}
	return b.String()
}

func expect(t *testing.T, name string, a explain.Answer, want string) {
	t.Helper()
	if got := text(a); got != strings.TrimLeft(want, "\n") {
		t.Errorf("%s:\n%s", name, got)
	}
}

func because(rules ...string) []journal.Reason {
	var all []journal.Reason
	for _, r := range rules {
		all = append(all, journal.Reason{Rule: r, Text: "…"})
	}
	return all
}

// TestWhyNotTerminate: idle instances stay for their paid hour.
func TestWhyNotTerminate(t *testing.T) {
	s := subject(40)
	add(s, 12, 2, 5*time.Minute)
	add(s, 30, 0, 20*time.Minute)
	s.Decision.Because = because("plan.fits", "plan.keep", "steer.z")
	expect(t, "paid", explain.WhyNotTerminate(s), `
why.busy: 12 of 42 ready instances run jobs
why.window: 0 of 30 idle instances are within 60 s of their paid window's end
why.next: the next of them reaches it in 1200 s
own: plan.keep: …
`)

	add(s, 3, 0, 50*time.Second)
	s.Decision.Drains = []policy.InstanceID{42, 43}
	s.Decision.Because = because("release.window", "guard.drain")
	expect(t, "some leave", explain.WhyNotTerminate(s), `
why.drained: 2 instances were drained by this decision
why.busy: 12 of 45 ready instances run jobs
why.window: 3 of 33 idle instances are within 60 s of their paid window's end
own: release.window: …
own: guard.drain: …
`)

	s.Header.Catalog = policy.EC2in2026()
	s.Decision = &journal.Decision{Launches: []policy.Launch{{Count: 4}}, Undrains: []policy.InstanceID{1}, Because: because("plan.short")}
	s.Observation.Fleet.Instances[20].InterruptAt = noon.Add(time.Minute)
	s.Outcome.Held = "observe mode"
	expect(t, "per second", explain.WhyNotTerminate(s), `
why.held: what was decided was not applied: observe mode
why.growing: the decision launches 4 instances and takes 1 back: the policy releases none beside
why.busy: 12 of 45 ready instances run jobs
why.notice: 1 idle instances are about to be taken back by EC2
why.anytime: 32 instances are idle, and paid by the second: the rule decides when they leave
`)

	s = subject(40)
	s.Observation.Fleet.Instances = []policy.Instance{{Phase: policy.Booting}, {Phase: policy.Requested}, {Phase: policy.Draining}}
	expect(t, "none ready", explain.WhyNotTerminate(s), "why.none_ready: no instance is ready: 2 boot, 1 drain already\n")
}

// TestWhyNotLaunch: the rule, the guard, or EC2.
func TestWhyNotLaunch(t *testing.T) {
	s := subject(40)
	add(s, 30, 2, time.Minute)
	s.Observation.Queue.Kinds = []policy.KindView{{Pending: policy.Flow{Jobs: 5}}, {Pending: policy.Flow{Jobs: 7}}}
	s.Decision.Because = because("plan.fits", "release.early")
	expect(t, "enough", explain.WhyNotLaunch(s), `
why.not_asked: the policy asked for nothing: 60 of 60 ready slots are busy, 0 boot, 12 jobs wait
why.room: c1.xlarge: the guard had room for 10 more instances of it
own: plan.fits: …
`)

	s.Decision.Launches = []policy.Launch{{Type: 4, Count: 10, Else: []policy.Substitute{{Type: 1, Num: 5, Den: 1}}}}
	s.Removed.Launches = 6
	s.Outcome = &journal.Outcome{Launched: 7, Refused: 3}
	s.Observation.EC2.Refusals = []policy.Refusal{
		{Type: 4, At: noon.Add(-9 * time.Minute), Asked: 8, Refused: 8, Why: "capacity"},
		{Type: 4, At: noon.Add(-2 * time.Minute), Asked: 6, Refused: 5, Why: "capacity"},
		{Type: 77, At: noon.Add(-time.Minute), Asked: 2, Refused: 2, Why: "quota"},
	}
	s.Decision.Because = because("plan.short", "guard.fleet")
	expect(t, "limits", explain.WhyNotLaunch(s), `
why.asked: the policy asked for 16 instances: the guard took away 6, EC2 refused 3, 7 were launched
why.no_room: the guard had no room: guard.fleet: asked for 11, allowed 10 (fleet at most 40, now 30)
why.refused: c1.xlarge (capacity): EC2 refused 5 of 6, 120 s before
why.refused: type 77 (quota): EC2 refused 2 of 2, 60 s before
own: plan.short: …
own: guard.fleet: …
`)

	s = subject(40)
	s.Header.Guard.StaleAfter = 3 * time.Minute
	s.Decision.Because = because("hold.stale")
	expect(t, "held", explain.WhyNotLaunch(s), `
why.not_asked: the policy asked for nothing: 0 of 0 ready slots are busy, 0 boot, 0 jobs wait
why.no_room: the guard had no room: guard.unread: queue: the reading is not complete: hold
own: hold.stale: …
`)
}

// TestLead: a policy's own, and at least a tick.
func TestLead(t *testing.T) {
	v := policy.Values{"drain_lead": float64(3 * time.Minute)}
	if got := explain.Lead(&skynet.Spec, v, time.Minute); got != 3*time.Minute {
		t.Errorf("skynet: %v", got)
	}
	if got := explain.Lead(&skynet.Spec, policy.Values{}, 2*time.Minute); got != 2*time.Minute {
		t.Errorf("of a tick: %v", got)
	}
	if got := explain.Lead(nil, nil, time.Minute); got != time.Minute {
		t.Errorf("scripted: %v", got)
	}
}

// TestMomentOf: what a record means for those who wait.
func TestMomentOf(t *testing.T) {
	for _, c := range []struct {
		rec  journal.Record
		want explain.Moment
	}{
		{journal.Record{Decision: `{}`}, explain.Moment{}},
		{journal.Record{Decision: `{"launches":[{"type":0,"count":3}]}`}, explain.Moment{Asked: true, Coming: true, Grew: true}},
		{journal.Record{Decision: `{"launches":[{"type":0,"count":3}]}`, Outcome: &journal.Outcome{Refused: 3, Short: 3}}, explain.Moment{Asked: true, Refused: true}},
		{journal.Record{Decision: `{"launches":[{"type":0,"count":3}]}`, Outcome: &journal.Outcome{Launched: 6, Refused: 3}}, explain.Moment{Asked: true, Coming: true, Grew: true}},
		{journal.Record{Decision: `{}`, Removed: journal.Removed{Launches: 2}}, explain.Moment{Asked: true, Guarded: true}},
		{journal.Record{Decision: `{}`, Removed: journal.Removed{Drains: 2}}, explain.Moment{}},
		{journal.Record{Decision: `{"because":[{"rule":"hold.clash","text":""}]}`}, explain.Moment{Asked: true, Guarded: true}},
		{journal.Record{Decision: `{"undrains":[4]}`, Outcome: &journal.Outcome{Undrained: 1}}, explain.Moment{Grew: true}},
	} {
		got, err := explain.MomentOf(&c.rec)
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v, want %+v", c.rec.Decision, got, err, c.want)
		}
	}
	booting := journal.Record{Decision: `{}`}
	booting.Observation.Fleet.BootingSlots = 8
	if got, _ := explain.MomentOf(&booting); !got.Coming {
		t.Error("what boots is not coming")
	}
	if _, err := explain.MomentOf(&journal.Record{Decision: `{"launches":{}}`}); err == nil {
		t.Error("a decision that is none was read")
	}
}
