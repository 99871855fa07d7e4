package baseline

import (
	"testing"
	"time"
)

// TestASGWant: AWS's worked example: 10 instances, 1500 messages of 0.1 s and a
// latency of 10 s want 5 more, and what is needed is rounded up.
func TestASGWant(t *testing.T) {
	for _, c := range []struct {
		instances int
		m, target float64
		want      int
	}{
		{10, 150, 100, 15},
		{10, 115, 100, 12}, // 1.5 more are 2
		{10, 85, 100, 9},   // 1.5 fewer are 1
		{10, 0, 100, 0},
		{49, 100. / 49, 10, 10}, // 49 times a 49th of 100 is a hair above 100
	} {
		if got := asgWant(c.instances, c.m, c.target); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
	}
}

// TestASGSteps: AWS's example of step scaling, with steps of 10 % and 30 % on
// each side of a threshold at 50 %: a group of 10 becomes 11 at 60 %, then 14 at
// 70 %, 13 at 40 % and 10 at 30 %.
func TestASGSteps(t *testing.T) {
	a := adjustments{
		up:    [2]adjustment{{0.60, 0.10}, {0.70, 0.30}},
		down:  [2]adjustment{{0.40, 0.10}, {0.30, 0.30}},
		least: 1,
	}
	for _, c := range []struct {
		group int
		load  float64
		want  int
	}{
		{10, 0.60, 11},
		{11, 0.70, 14},
		{14, 0.40, 13},
		{13, 0.30, 10},
		{10, 0.70, 13}, // the higher step at once
		{10, 0.59, 10},
		{10, 0.41, 10},
		{3, 0.60, 4}, // 0.3 is rounded up to 1
	} {
		if got := a.apply(c.group, c.load); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
	}
	a.least = 2
	if got := a.apply(10, 0.60); got != 12 {
		t.Errorf("with a least adjustment of 2: got %d, want 12", got)
	}
	a.up[0].share = 0
	if got := a.apply(10, 0.60); got != 10 {
		t.Errorf("a step of nothing: got %d, want 10", got)
	}
}

// TestASGAlarm: an alarm is on after as many minutes on end as it has periods,
// and one minute that is not high starts it again.
func TestASGAlarm(t *testing.T) {
	s := signals{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	var a asgAlarm
	for minute, c := range []struct {
		high, low, out, in bool
	}{
		{true, false, false, false},
		{true, false, false, false},
		{true, false, true, false},
		{true, false, true, false},
		{false, true, false, false},
		{true, false, false, false},
		{false, true, false, false},
		{false, true, false, true},
	} {
		out, in := a.update(&s, c.high, c.low, asgPeriods{3, 2})
		if out != c.out || in != c.in {
			t.Errorf("minute %d: out %v, in %v", minute, out, in)
		}
		s.now = s.now.Add(time.Minute)
	}
}
