package explain_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"pgregory.net/rapid"

	"github.com/skynet-ec2/skynet/policy/explain"
)

var noon = time.Date(2008, 6, 1, 12, 0, 0, 0, time.UTC)

// TestSplitStories plays testdata/story/split.
func TestSplitStories(t *testing.T) {
	var moments []explain.Moment
	datadriven.RunTest(t, "testdata/story/split", func(t *testing.T, d *datadriven.TestData) string {
		after := func(key string) time.Duration {
			var text string
			d.ScanArgs(t, key, &text)
			x, err := time.ParseDuration(text)
			if err != nil {
				d.Fatalf(t, "%v", err)
			}
			return x
		}
		switch d.Cmd {
		case "decisions":
			lag := after("lag")
			moments = nil
			for _, line := range strings.Split(strings.TrimSpace(d.Input), "\n") {
				words := strings.Fields(line)
				at, err := time.ParseDuration(words[0])
				if err != nil {
					d.Fatalf(t, "%v", err)
				}
				m := explain.Moment{At: noon.Add(at), Lag: lag}
				for _, w := range words[1:] {
					to := map[string]*bool{"coming": &m.Coming, "asked": &m.Asked, "guarded": &m.Guarded, "refused": &m.Refused, "grew": &m.Grew}[w]
					if to == nil {
						d.Fatalf(t, "unknown word %s", w)
					}
					*to = true
				}
				moments = append(moments, m)
			}
			return fmt.Sprintf("%d decisions\n", len(moments))
		case "job":
			l := explain.LatenessOf(moments, noon.Add(after("arrival")), noon.Add(after("start")), after("service"), after("target"), d.HasArg("on"))
			out := fmt.Sprintf("wait %v = %s\n", l.Wait, say(l.Split, 0))
			if l.Late == 0 {
				return out + "in time\n"
			}
			return out + fmt.Sprintf("late by %v = %s\n", l.Late, say(l.Of, l.Service))
		}
		d.Fatalf(t, "unknown command %s", d.Cmd)
		return ""
	})
}

func say(s explain.Split, service time.Duration) string {
	var parts []string
	for _, p := range []struct {
		name string
		d    time.Duration
	}{{"guard", s.Guard}, {"refusal", s.Refusal}, {"boot", s.Boot}, {"forecast miss", s.Forecast}, {"queueing", s.Queueing}, {"service", service}} {
		if p.d != 0 {
			parts = append(parts, fmt.Sprintf("%s %v", p.name, p.d))
		}
	}
	if parts == nil {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// TestSplitSums: whatever was decided, the parts sum to the whole, none is
// negative, and of no cause the lateness has more than the wait.
func TestSplitSums(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var moments []explain.Moment
		at := noon.Add(time.Duration(rapid.Int64Range(-100, 100).Draw(t, "first")) * time.Second)
		for range rapid.IntRange(0, 12).Draw(t, "decisions") {
			flag := func(name string) bool { return rapid.Bool().Draw(t, name) }
			moments = append(moments, explain.Moment{
				At: at, Lag: time.Duration(rapid.Int64Range(0, 300).Draw(t, "lag")) * time.Second,
				Coming: flag("coming"), Asked: flag("asked"), Guarded: flag("guarded"), Refused: flag("refused"), Grew: flag("grew"),
			})
			at = at.Add(time.Duration(rapid.Int64Range(1, 90e9).Draw(t, "step")))
		}
		time0 := func(name string, most int64) time.Duration {
			return time.Duration(rapid.Int64Range(0, most).Draw(t, name))
		}
		arrival := noon.Add(time0("arrival", 600e9))
		start := arrival.Add(time0("wait", 600e9))
		service, target := time0("service", 200e9), time0("target", 200e9)
		onWait := rapid.Bool().Draw(t, "on wait")
		l := explain.LatenessOf(moments, arrival, start, service, target, onWait)
		took := start.Sub(arrival)
		if !onWait {
			took += service
		}
		if l.Wait != start.Sub(arrival) || l.Split.Sum() != l.Wait {
			t.Fatalf("wait %v, split %+v", l.Wait, l.Split)
		}
		if l.Late != max(took-target, 0) || l.Of.Sum()+l.Service != l.Late {
			t.Fatalf("late %v of %v over %v: %+v and service %v", l.Late, took, target, l.Of, l.Service)
		}
		for i, part := range [][2]time.Duration{
			{l.Of.Guard, l.Split.Guard},
			{l.Of.Refusal, l.Split.Refusal},
			{l.Of.Boot, l.Split.Boot},
			{l.Of.Forecast, l.Split.Forecast},
			{l.Of.Queueing, l.Split.Queueing},
			{l.Service, l.Late},
		} {
			if part[0] < 0 || part[0] > part[1] {
				t.Fatalf("cause %d: %v of %v", i, part[0], part[1])
			}
		}
	})
}
