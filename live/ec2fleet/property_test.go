package ec2fleet

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynet-ec2/skynet/live/fleet"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/sim/cloud"
	"github.com/skynet-ec2/skynet/sim/ec2api/ec2test"
)

var (
	seeds = flag.Int("seeds", 30, "seeds that the protocol is played under")
	seed  = flag.Int("seed", 0, "the one seed to play, with what happens in it")
)

// player is a controller reduced to the protocol: it launches and ends at random
// while calls fail, replies are lost, lists are late, spot instances are taken
// back, and it crashes, at any point.
type player struct {
	*region
	chance *rand.Rand
	rules  fleet.Rules
	writer *Writer
	ledger *fleet.Ledger
	saved  []byte // what survives a crash

	intents map[string]int // counts, by id, of what was ever sent
	next    int
	healed  bool // no more faults
	broke   error
	log     func(format string, args ...any)

	plant func(*player) // a mistake to be found
}

const fleetCap = 40

func (p *player) roll(probability float64) bool { return !p.healed && p.chance.Float64() < probability }

// errCrash ends a tick where it stands.
var errCrash = errors.New("crash")

// maybeCrash loses everything that was not saved.
func (p *player) maybeCrash() {
	if p.roll(0.02) {
		panic(errCrash)
	}
}

func (p *player) save() {
	text, err := p.ledger.MarshalJSON()
	if err != nil {
		p.Fatal(err)
	}
	p.saved = text
	p.check("saved")
	p.maybeCrash()
}

// start is a process that begins: it knows what was saved.
func (p *player) start() {
	p.writer = p.region.writer()
	if p.plant != nil {
		p.plant(p)
	}
	p.ledger = fleet.NewLedger(p.rules)
	if p.saved == nil {
		p.saved, _ = p.ledger.MarshalJSON()
	}
	if err := p.ledger.UnmarshalJSON(p.saved); err != nil {
		p.Fatal(err)
	}
	p.ledger.Recover(time.Now())
}

// check compares the truth with the invariants.
func (p *player) check(when string) {
	if p.broke != nil {
		return
	}
	launched, alive := map[string]int{}, 0
	p.look(func(c *cloud.Cloud) {
		for _, in := range c.Instances() {
			launched[ec2test.Tag(in, TagIntent)]++
			if s := in.State(); s == cloud.Pending || s == cloud.Running {
				alive++
			}
		}
	})
	for id, n := range launched {
		if n > p.intents[id] {
			p.broke = fmt.Errorf("%s: %d instances of intent %q, which asked for %d", when, n, id, p.intents[id])
		}
	}
	saved := fleet.NewLedger(p.rules)
	if err := saved.UnmarshalJSON(p.saved); err != nil {
		p.broke = err
	}
	if size := saved.Size(); alive > size || size > fleetCap {
		p.broke = fmt.Errorf("%s: %d alive, the ledger counts %d, and the most is %d", when, alive, size, fleetCap)
	}
}

// tick is one round of the loop.
func (p *player) tick() {
	defer func() {
		if x := recover(); x == errCrash {
			p.log("crash")
			p.start()
		} else if x != nil {
			panic(x)
		}
	}()
	ctx, now := p.Context(), time.Now()
	view := p.writer.Observe(ctx)
	found, end := p.ledger.Sweep(now, view, time.Time{})
	for _, f := range found {
		p.log("%s %s %s: %s", f.Kind, f.Instance, f.Intent, f.Text)
	}
	p.hear()
	p.maybeCrash()
	if !p.healed {
		p.decide()
	}
	p.save()
	asks := p.ledger.Due(now)
	for _, a := range asks {
		p.intents[a.ID] = a.Count
	}
	p.save()
	if p.roll(0.05) { // another leader takes over from one that is stalled, and sends yet
		stalled, wait := p.writer, time.Duration(p.chance.IntN(100))*time.Second
		go func() {
			time.Sleep(wait)
			p.log("stalled leader sends %d", len(asks))
			stalled.Launch(ctx, asks)
		}()
		panic(errCrash)
	}
	outcomes := p.writer.Launch(ctx, asks)
	for _, o := range outcomes {
		p.log("%s: %s, %d launched, %d refused, %s %s", o.Intent, o.Settlement, len(o.Instances), o.Refused, o.Class, o.Code)
	}
	p.maybeCrash()
	p.ledger.Settle(time.Now(), outcomes)
	p.save()
	endings := p.writer.Terminate(ctx, end)
	for _, e := range endings {
		p.log("end %s: %s %s", e.ID, e.Ended, e.Code)
	}
	p.maybeCrash()
	p.ledger.Ended(time.Now(), endings)
	p.save()
}

// hear lets the ledger hear of some workers.
func (p *player) hear() {
	p.look(func(c *cloud.Cloud) {
		for _, in := range c.Instances() {
			if in.Works() && p.chance.IntN(4) > 0 {
				p.ledger.Heard(in.ID, time.Now())
			}
		}
	})
}

// decide launches and dooms at random, within the cap.
func (p *player) decide() {
	for range p.chance.IntN(3) {
		count := min(1+p.chance.IntN(5), fleetCap-p.ledger.Size())
		if count < 1 {
			break
		}
		p.next++
		i := fleet.Intent{
			ID: fmt.Sprintf("t%d", p.next), Count: count, Decided: time.Now(), Epoch: int64(p.next), Spec: p.writer.Spec(),
			Type: p.config.Catalog.Types[p.chance.IntN(5)].Name, Zone: p.config.Launch.Subnets[p.chance.IntN(2)].Zone,
		}
		if p.chance.IntN(3) == 0 {
			i.Market = policy.Spot
		}
		if _, err := p.ledger.Intend(i); err != nil {
			p.Fatal(err)
		}
	}
	for _, in := range p.ledger.Instances(time.Now(), p.config.Catalog) {
		if in.Phase != policy.Requested && p.chance.IntN(15) == 0 {
			p.ledger.Doom(in.ID)
		}
	}
}

// weather makes things go wrong until the next tick.
func (p *player) weather() {
	p.look(func(c *cloud.Cloud) {
		calls := []string{"RunInstances", "CreateFleet", "DescribeInstances", "TerminateInstances"}
		for _, f := range []struct {
			likely float64
			fault  cloud.ActionFault
		}{
			{0.25, cloud.ActionFault{Lost: true, After: true}},
			{0.10, cloud.ActionFault{Lost: true}},
			{0.15, cloud.ActionFault{Code: "InternalError", After: true}},
			{0.10, cloud.ActionFault{Code: "InternalError"}},
			{0.15, cloud.ActionFault{Code: "RequestLimitExceeded"}},
			{0.15, cloud.ActionFault{Delay: 25*time.Second + time.Duration(p.chance.IntN(60))*time.Second}}, // it is done long after the client has left
		} {
			if p.roll(f.likely) {
				f.fault.Action = calls[p.chance.IntN(len(calls))]
				f.fault.Count = 1 + p.chance.IntN(2)
				c.AddFault(f.fault)
			}
		}
		for _, f := range []struct {
			likely float64
			fault  sim.Fault
		}{
			{0.04, sim.Fault{Kind: sim.Stale, Signals: []string{"fleet"}, To: 3 * time.Minute}},
			{0.03, sim.Fault{Kind: sim.Zero, Signals: []string{"fleet"}, To: 3 * time.Minute}},
			{0.03, sim.Fault{Kind: sim.APIOutage, To: 2 * time.Minute}},
			{0.05, sim.Fault{Kind: sim.Interrupt, Probability: 0.5, To: time.Minute}},
			{0.05, sim.Fault{Kind: sim.LostReply, Delay: 2 * time.Minute, To: time.Minute}},
			{0.15, sim.Fault{Kind: sim.Refuse, Zones: []string{"a"}, To: 2 * time.Minute}},
			{0.10, sim.Fault{Kind: sim.Refuse, Types: []string{"c1.xlarge", "m1.small"}, To: 3 * time.Minute}},
		} {
			if p.roll(f.likely) {
				if _, err := c.AddScenarioFault(f.fault); err != nil {
					p.Fatal(err)
				}
			}
		}
		if p.roll(0.2) { // room for a few, or for all
			c.SetQuota([]int{0, 0, 20, 60}[p.chance.IntN(4)], 0)
		}
	})
}

// heal takes every fault back.
func (p *player) heal() {
	p.healed = true
	p.look(func(c *cloud.Cloud) {
		for _, f := range c.Faults() {
			c.RemoveFault(f.ID)
		}
		for _, f := range c.ScenarioFaults() {
			c.EndScenarioFault(f.Number)
		}
		c.SetListLag(0)
		c.SetQuota(0, 0)
	})
}

// protocol plays one seed. Its error is the invariant that broke.
func protocol(t *testing.T, seed int, log func(string, ...any), plant func(*player)) (broke error) {
	synctest.Test(t, func(t *testing.T) {
		r := newRegion(t, func(c *cloud.Config) {
			c.World.Seed, c.ListLag = uint64(seed), 4*time.Second
		})
		p := &player{
			region: r, chance: rand.New(rand.NewPCG(uint64(seed), 0)), rules: fleet.DefaultRules(4 * time.Minute),
			intents: map[string]int{}, log: log, plant: plant,
		}
		p.start()
		for range 45 {
			p.weather()
			p.tick()
			time.Sleep(time.Minute)
			p.check("after a tick")
			if p.broke != nil {
				break
			}
		}
		p.heal()
		for range 20 { // what is in flight lands, what is unknown is found out
			if p.broke != nil {
				break
			}
			time.Sleep(time.Minute)
			p.tick()
			p.check("healed")
		}
		if p.broke == nil {
			p.broke = p.owned()
		}
		broke = p.broke
		synctest.Wait()
	})
	return broke
}

// owned compares the ledger with the truth, once all is well.
func (p *player) owned() error {
	var known []string
	for _, in := range p.ledger.Instances(time.Now(), p.config.Catalog) {
		id, ok := p.ledger.EC2ID(in.ID)
		if !ok {
			return fmt.Errorf("in the end instance %d is still %s", in.ID, in.Phase)
		}
		known = append(known, id)
	}
	alive := p.Alive()
	slices.Sort(known)
	slices.Sort(alive)
	if !slices.Equal(known, alive) {
		return fmt.Errorf("in the end the ledger has %d instances, and %d are alive", len(known), len(alive))
	}
	return nil
}

// Whatever goes wrong: no intent launches more than it asked for, the ledger never
// counts fewer than there are, so that a cap checked against it holds, and in the
// end nothing is unowned.
func TestProtocolUnderFaults(t *testing.T) {
	from, to, log := 1, *seeds, func(string, ...any) {}
	if *seed > 0 {
		from, to = *seed, *seed
		log = func(format string, args ...any) {
			t.Logf(time.Now().Format("15:04:05 ")+format, args...)
		}
	}
	for s := from; s <= to; s++ {
		if err := protocol(t, s, log, nil); err != nil {
			t.Errorf("seed %d: %v\nreproduce: go test ./live/ec2fleet -run TestProtocolUnderFaults -seed %d -v", s, err, s)
		}
	}
}

// Mistakes that the test above is there to find.
func TestProtocolFindsMistakes(t *testing.T) {
	for _, c := range []struct {
		name  string
		plant func(*player)
	}{
		{"a token that is not the intent's", func(p *player) {
			p.writer.token = func(i *fleet.Intent) string {
				p.next++
				return fmt.Sprintf("%s-%d", i.ID, p.next)
			}
		}},
		{"what is sent is forgotten", func(p *player) { p.rules.IntentLife = -time.Hour }},
		{"lists are believed at once", func(p *player) { p.rules.Visible, p.rules.AbsentSweeps, p.rules.MassMin = 0, 1, 1000 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			for s := 1; s <= 100; s++ {
				if err := protocol(t, s, func(string, ...any) {}, c.plant); err != nil {
					t.Logf("seed %d: %v", s, err)
					return
				}
			}
			t.Error("not found in 100 seeds")
		})
	}
}
