package observe

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// What was learned survives a restart: the work of a type, the boot lag, the
// week's profile, the day's slack. What was counted begins anew.
func TestMemorySurvives(t *testing.T) {
	before := New(env(), origin)
	var a policy.Observation
	play(before, &a, 0, 8*24*60, 10)
	for i := range 300 {
		before.Booted(time.Duration(60+i%90) * time.Second)
	}
	text, err := json.Marshal(before)
	if err != nil {
		t.Fatal(err)
	}
	after := New(env(), origin.Add(time.Hour))
	if err := json.Unmarshal(text, after); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(after)
	if err != nil || string(again) != string(text) {
		t.Errorf("written again it differs: %v\n%s\n%s", err, text, again)
	}
	if after.Origin() != origin {
		t.Errorf("origin %v, want %v", after.Origin(), origin)
	}
	now := int64(8*24*60+1) * int64(time.Minute)
	var b policy.Observation
	after.Kind("photo", 1, 0)
	after.Begin(&b, now)
	after.End(&b, now, Sample{ReadySlotS: 100, BusySlotS: 75})
	before.Begin(&a, now)
	before.End(&a, now, Sample{ReadySlotS: 100, BusySlotS: 75})
	was, is := a.Queue.Kinds[0].Service, b.Queue.Kinds[0].Service
	if is.Mean != was.Mean || is.Samples != was.Samples || math.Abs(float64(is.P95-was.P95)) > 0.2 {
		t.Errorf("service %+v, was %+v", is, was)
	}
	if a.Fleet.Boot.P50 != b.Fleet.Boot.P50 || a.Fleet.Boot.P99 != b.Fleet.Boot.P99 || b.Fleet.Boot.Samples != bootsRemembered {
		t.Errorf("boot %+v, was %+v", b.Fleet.Boot, a.Fleet.Boot)
	}
	if math.Abs(a.History.Slack24h-b.History.Slack24h) > 1e-9 || a.History.SlackOver != b.History.SlackOver {
		t.Errorf("slack %v over %v, was %v over %v", b.History.Slack24h, b.History.SlackOver, a.History.Slack24h, a.History.SlackOver)
	}
	if a.History.ProfileMean != b.History.ProfileMean || b.History.ProfileMean == 0 {
		t.Errorf("profile %v, was %v", b.History.ProfileMean, a.History.ProfileMean)
	}
	if b.Queue.Kinds[0].Arrived[0].Jobs != 0 {
		t.Errorf("%d arrivals, want none yet", b.Queue.Kinds[0].Arrived[0].Jobs)
	}
}

func TestMemoryRefusesNonsense(t *testing.T) {
	for text, want := range map[string]string{
		`{`:                                      "unexpected end",
		`{"types":[{"type":"x","buckets":[1]}]}`: "impossible counts",
		`{"types":[{"type":"x","buckets":[-1],"jobs":[1]}]}`: "must be from 0",
		`{"hours":[` + strings.Repeat(`[],`, 168) + `[]]}`:   "hours of the week",
	} {
		if err := json.Unmarshal([]byte(text), New(env(), origin)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %q", text, err, want)
		}
	}
}
