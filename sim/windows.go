package sim

import "time"

// windowStats accumulate one window of the week.
type windowStats struct {
	seconds, alive, ready, busy float64
	most                        int
}

// addWindows books a step to every window its middle lies in.
func (s *stats) addWindows(from, to int64, d stepMark, now int) {
	if len(s.windows) == 0 || to == from {
		return
	}
	middle := from + (to-from)/2
	clock := s.clockTime(s.clock(middle))
	day := (clock.Weekday() + 6) % 7 // Monday is 0
	ofWeek := time.Duration(day)*24*time.Hour + clock.Sub(clock.Truncate(24*time.Hour))
	for i := range s.windows {
		if !s.cfg.Windows[i].holds(time.Duration(middle), ofWeek) {
			continue
		}
		x := &s.windows[i]
		x.seconds += seconds(to - from)
		x.alive += d.alive
		x.ready += d.ready
		x.busy += d.busy
		x.most = max(x.most, now)
	}
}

func (w *windowStats) figures() *WindowFigures {
	if w.seconds == 0 {
		return &WindowFigures{}
	}
	return &WindowFigures{
		InstancesMean: number(w.alive / w.seconds), InstancesMax: &w.most,
		SlotsReady: number(w.ready / w.seconds), SlotsBusy: number(w.busy / w.seconds),
	}
}

// holds reports whether a world time, and the users' clock time of the week it
// is, lie in the window.
func (w *Window) holds(at, ofWeek time.Duration) bool {
	if !w.Weekly {
		return at >= w.From && at < w.To
	}
	if w.From <= w.To {
		return ofWeek >= w.From && ofWeek < w.To
	}
	return ofWeek >= w.From || ofWeek < w.To
}
