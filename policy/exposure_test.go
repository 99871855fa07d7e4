package policy_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/skynet-ec2/skynet/policy"
)

// Beside others, what a guard leaves keeps all of them together within it: not an
// instance, a core or a cent more, whatever EC2 refuses; unless they are beyond it
// already, and then nothing is launched.
func TestExposureBeside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, c, o, d := drawGuard(t), drawCatalog(t), drawObservation(t), drawDecision(t)
		others := policy.Exposure{
			Instances: rapid.Int64Range(0, 30).Draw(t, "instances"), Cores: rapid.Int64Range(0, 100).Draw(t, "cores"),
			PerHour: policy.MicroUSD(rapid.Int64Range(0, 10_000_000).Draw(t, "per hour")),
		}
		day := policy.MicroUSD(rapid.Int64Range(0, 10_000_000).Draw(t, "day"))
		left := g.Beside(others, day, day).Clamp(o, c, d)
		if len(left.Launches) == 0 {
			return
		}
		sum := policy.ExposureOf(o, c, &left).Plus(others)
		if g.FleetMax != policy.Unlimited && sum.Instances > int64(g.FleetMax) || g.CoresMax != policy.Unlimited && sum.Cores > int64(g.CoresMax) ||
			g.HourMax != policy.Unlimited && sum.PerHour > g.HourMax {
			t.Fatalf("together %+v, beyond %d instances, %d cores, %v an hour", sum, g.FleetMax, g.CoresMax, g.HourMax)
		}
		if g.DayMax != policy.Unlimited && sum.PerHour+day+o.Money.SpentDay > g.DayMax {
			t.Fatalf("an hour costs %v beside the %v and %v of today, capped at %v", sum.PerHour, day, o.Money.SpentDay, g.DayMax)
		}
	})
}
