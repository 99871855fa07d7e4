package baseline

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// What every rival has, whatever it calls it: limits, what it buys and how it
// releases. They are the actuator's, so rivals differ by their rules alone.
const (
	releaseAtEnd    = "hour-end"
	releaseAnywhere = "anywhere"

	victimsIdle = "idle"
	victimsAny  = "any"

	unreadHold = "hold"
	unreadZero = "zero"
	unreadLast = "last"
)

// parRoom is how jobs are reckoned with by rivals that speak of agents, pods or
// runners: what an instance is said to hold differs from its slots by this
// factor. Below 1 it is slack, above 1 it lets jobs wait for slots that are
// about to be free.
var parRoom = policy.Param{
	Name: "jobs_per_slot", Kind: policy.Number, Unit: "jobs", Min: 0.25, Max: 8, Default: 1, Log: true,
	Doc: "How many jobs it reckons a slot to hold: its agents, pods or capacity an instance, in slots.",
}

var (
	parType = policy.Param{
		Name: "type", Kind: policy.TypeList, Fixed: true,
		Doc: "The instance type it buys, and then those that stand in for it, slot for slot, where EC2 refuses; omitted: the catalog's cheapest per unit of work alone.",
	}
	parSize = policy.Param{
		Name: "size", Kind: policy.Choice, Choices: []string{"largest", "smallest"},
		Doc: "Which type it buys of several that are cheapest per unit of work, where none is given.",
	}
	parMin = policy.Param{
		Name: "min", Kind: policy.Integer, Min: 0, Max: 50,
		Doc: "The fewest instances it keeps.",
	}
	parMax = policy.Param{
		Name: "max", Kind: policy.Integer, Min: 1, Max: 10_000, Default: 1000, Log: true,
		Doc: "The most instances it asks for; min, where that is more.",
	}
	parStepMax = policy.Param{
		Name: "step_max", Kind: policy.Integer, Min: 1, Max: 100_000, Default: 100_000, Log: true, Fixed: true,
		Doc: "The most instances it launches in one call.",
	}
	parPeriod = policy.Param{
		Name: "period", Kind: policy.Duration, Min: float64(policy.MinTick), Max: float64(time.Hour), Log: true,
		Doc: "How often its rule decides; where that is less than a tick, at every tick, and earlier where early ticks are honoured.",
	}
	parVictims = policy.Param{
		Name: "victims", Kind: policy.Choice, Choices: []string{victimsAny, victimsIdle}, Fixed: true,
		Doc: "Which instances it may release and what counts as idle: any, the idle first and busy ones when their jobs are done, with room anywhere in the fleet; or idle ones only, each on its own clock.",
	}
	parRelease = policy.Param{
		Name: "release", Kind: policy.Choice, Choices: []string{releaseAtEnd, releaseAnywhere}, Fixed: true,
		Doc: "When a released instance leaves where hours are paid whole: at its hour's end, taken back for nothing until then, or at once.",
	}
	parReleaseLead = policy.Param{
		Name: "release_lead", Kind: policy.Duration, Min: 0, Max: float64(20 * time.Minute), Default: float64(time.Minute), Fixed: true,
		Doc: "How long before the end of its paid hour a released instance is drained, at least one tick.",
	}
	parUnreadable = policy.Param{
		Name: "unreadable", Kind: policy.Choice, Choices: []string{unreadHold, unreadZero, unreadLast}, Fixed: true,
		Doc: "What it takes a queue or fleet it cannot read for: a ground to hold, zero, or what it read last.",
	}
)

// common returns the actuator's parameters with a rival's defaults.
func (b *build) common() []policy.Param {
	least, most, unread := parMin, parMax, parUnreadable
	least.Default = float64(b.min)
	if b.max > 0 {
		most.Default = float64(b.max)
	}
	unread.Default = float64(choiceIndex(&unread, b.unreadable))
	actuator := []policy.Param{least, most}
	if b.every > 0 {
		period := parPeriod
		period.Default, period.Fixed = float64(b.every), b.every <= time.Minute
		actuator = append(actuator, period)
	}
	if !b.mixes {
		actuator = append(actuator, parSize)
	}
	return append(actuator, parVictims, parType, parRelease, parReleaseLead, unread, parStepMax)
}

// choiceIndex returns the place of a choice; "" is the first.
func choiceIndex(p *policy.Param, choice string) int {
	for i, c := range p.Choices {
		if c == choice {
			return i
		}
	}
	if choice != "" {
		panic("baseline: " + p.Name + " has no choice " + choice)
	}
	return 0
}

// Common returns the parameters that every policy of this package has beside
// those of its rule, with the defaults of most; naive-2008 and static have their
// own few.
func Common() []policy.Param { return (&build{every: time.Minute}).common() }
