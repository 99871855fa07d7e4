package ec2fleet

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynet-ec2/skynet/live/fleet"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim/cloud"
	"github.com/skynet-ec2/skynet/sim/ec2api/ec2test"
)

// in plays a test in a bubble with a region and a fleet in it.
func in(t *testing.T, test func(*region, *Writer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRegion(t, nil)
		test(r, r.writer())
		synctest.Wait()
	})
}

func ask(w *Writer, id, typ, zone string, n int, market policy.Market) fleet.Ask {
	return fleet.Ask{Intent: fleet.Intent{
		ID: id, Type: typ, Zone: zone, Count: n, Market: market, Decided: time.Now(), Epoch: 7, Policy: "3f9a1c", Release: "12", Spec: w.Spec(),
	}}
}

func (r *region) launch(w *Writer, a fleet.Ask) fleet.Outcome {
	return w.Launch(r.Context(), []fleet.Ask{a})[0]
}

const zoneA = "us-east-1a"

func TestReaderCannotWrite(t *testing.T) {
	reader := reflect.TypeFor[*Reader]()
	var methods []string
	for i := range reader.NumMethod() {
		methods = append(methods, reader.Method(i).Name)
	}
	if want := []string{"Observe", "SpotPrices"}; !slices.Equal(methods, want) {
		t.Errorf("methods %v, want %v", methods, want)
	}
	client := reflect.TypeFor[lister]()
	for i := range client.NumMethod() {
		if name := client.Method(i).Name; !strings.HasPrefix(name, "Describe") {
			t.Errorf("its client has %s", name)
		}
	}
	if _, ok := reflect.Zero(reader).Interface().(fleet.Actuator); ok {
		t.Error("it is an actuator")
	}
}

func TestConfigIsChecked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRegion(t, nil)
		bad := r.config
		bad.Cluster, bad.Role, bad.Call = "", "a/b", time.Hour
		bad.Launch = Launch{
			Template: "worker", Version: "$Latest", UserData: make([]byte, 17000),
			Subnets: []Subnet{{"subnet-1", "a"}, {"net", "b"}, {"subnet-2", "a"}, {"subnet-3", ""}}, Tags: map[string]string{"skynet:fleet": "x"},
		}
		_, err := Open(ec2test.Account(r.server), bad)
		if err == nil {
			t.Fatal("it was taken")
		}
		for _, says := range []string{
			"cluster =", "role =", "call =", "launch.template =", `launch.version = "$Latest"`, "launch.user_data has 17000 bytes",
			"launch.subnets[1].id", "launch.subnets[3].zone", "launch.subnets[2].zone", "launch.tags.skynet:fleet",
		} {
			if !strings.Contains(err.Error(), says) {
				t.Errorf("it does not say %q:\n%v", says, err)
			}
		}
		if _, err := Watch(ec2test.Account(r.server), Config{Cluster: "test", Role: "render", Catalog: r.config.Catalog}); err != nil {
			t.Errorf("a reader needs no more: %v", err)
		}
	})
}

// What a launch carries: tags for people, for IAM and for the ledger, and an
// instance that ends when its worker powers it off.
func TestWhatIsLaunched(t *testing.T) {
	in(t, func(r *region, w *Writer) {
		r.launch(w, ask(w, "one", "m1.small", zoneA, 1, policy.OnDemand))
		r.launch(w, ask(w, "two", "m1.small", "", 1, policy.Spot))
		r.look(func(c *cloud.Cloud) {
			for _, in := range c.Instances() {
				for key, want := range map[string]string{
					TagFleet: "test/render", TagCluster: "test", TagRole: "render", TagEpoch: "7", TagPolicy: "3f9a1c", TagRelease: "12", "Name": "test/render",
				} {
					if got := ec2test.Tag(in, key); got != want {
						t.Errorf("%s of %s: %q, want %q", key, ec2test.Tag(in, TagIntent), got, want)
					}
				}
				if in.Spec.Shutdown != "terminate" {
					t.Errorf("shutdown behavior of %s: %q", ec2test.Tag(in, TagIntent), in.Spec.Shutdown)
				}
			}
			first := c.Instances()[0]
			if first.Spec.HTTPTokens != "required" || first.Spec.HopLimit != "1" || first.Spec.MetadataTags != "enabled" || first.Spec.UserData == "" {
				t.Errorf("%+v", first.Spec)
			}
			if i := (fleet.Intent{ID: "one"}); first.Token != i.Token("test") {
				t.Errorf("token %q", first.Token)
			}
		})
	})
}

func TestPartOfALaunch(t *testing.T) {
	in(t, func(r *region, w *Writer) {
		r.look(func(c *cloud.Cloud) {
			if err := c.SetCapacity("c1.xlarge", "a", 2); err != nil {
				t.Fatal(err)
			}
		})
		a := ask(w, "one", "c1.xlarge", zoneA, 5, policy.OnDemand)
		o := r.launch(w, a)
		if o.Settlement != fleet.Settled || len(o.Instances) != 2 || o.Refused != 3 || o.Class != fleet.Capacity {
			t.Errorf("%+v", o)
		}
		if o := r.launch(w, ask(w, "two", "c1.xlarge", zoneA, 3, policy.OnDemand)); !o.Remembered || o.Class != fleet.Capacity {
			t.Errorf("%+v", o)
		}
		// the other zone has room, and pieces go there
		if got := w.Pieces("c1.xlarge", policy.OnDemand, "", 3, 0, nil); !slices.Equal(got, []fleet.Piece{{Zone: "us-east-1b", Count: 3}}) {
			t.Errorf("pieces %v", got)
		}
		a.Again = true // asked for again it is what it was, and no new refusal
		if o := r.launch(w, a); len(o.Instances) != 2 || o.Refused != 3 {
			t.Errorf("%+v", o)
		}
		if n := len(w.Observe(r.Context()).EC2.Refusals); n != 1 {
			t.Errorf("%d refusals, want 1", n)
		}
	})
}

func TestSpotFleet(t *testing.T) {
	in(t, func(r *region, w *Writer) {
		r.look(func(c *cloud.Cloud) {
			if err := c.SetCapacity("c1.medium", "a", 3); err != nil {
				t.Fatal(err)
			}
			if err := c.SetCapacity("c1.medium", "b", 2); err != nil {
				t.Fatal(err)
			}
		})
		a := ask(w, "one", "c1.medium", "", 4, policy.Spot)
		o := r.launch(w, a)
		zones := map[string]int{}
		for _, x := range o.Instances {
			zones[x.Zone]++
		}
		if o.Settlement != fleet.Settled || zones[zoneA] != 3 || zones["us-east-1b"] != 1 || o.Refused != 0 {
			t.Errorf("%+v", o)
		}
		if o := r.launch(w, ask(w, "two", "c1.medium", "", 4, policy.Spot)); len(o.Instances) != 1 || o.Refused != 3 || o.Class != fleet.Capacity || o.Code != "InsufficientInstanceCapacity" {
			t.Errorf("%+v", o)
		}
		if o := r.launch(w, ask(w, "three", "c1.medium", "", 1, policy.Spot)); !o.Remembered || o.Class != fleet.Capacity {
			t.Errorf("%+v", o)
		}
		a.Again = true
		if o := r.launch(w, a); len(o.Instances) != 4 {
			t.Errorf("again: %+v", o)
		}
		time.Sleep(time.Minute)
		v := w.Observe(r.Context())
		if len(v.Instances) != 5 || v.Instances[0].Market != policy.Spot || v.Instances[0].Intent != "one" {
			t.Errorf("%+v", v)
		}
		prices, err := w.SpotPrices(r.Context())
		if err != nil || prices[r.config.Catalog.Index("c1.medium")] != 80_000 {
			t.Errorf("prices %v %v", prices, err)
		}
	})
}

// What cannot be asked for is refused without asking.
func TestImpossibleIntents(t *testing.T) {
	in(t, func(r *region, w *Writer) {
		imageOnly := r.writer(func(c *Config) {
			c.Launch.Template, c.Launch.Version = "", ""
			r.look(func(cl *cloud.Cloud) { c.Launch.Image = cl.Image().ID })
		})
		for _, c := range []struct {
			w    *Writer
			a    fleet.Ask
			says string
		}{
			{w, ask(w, "a", "m1.small", "", 1, policy.OnDemand), "no zone"},
			{w, ask(w, "b", "m1.small", "us-east-1z", 1, policy.OnDemand), "no subnet"},
			{w, ask(w, "c", "m1.small", zoneA, 101, policy.OnDemand), "count = 101"},
			{imageOnly, ask(imageOnly, "d", "m1.small", zoneA, 1, policy.Spot), "launch template"},
		} {
			if o := r.launch(c.w, c.a); o.Settlement != fleet.Settled || o.Refused != c.a.Count || !strings.Contains(o.Message, c.says) {
				t.Errorf("%s: %+v, want it to say %q", c.a.ID, o, c.says)
			}
		}
		if n := w.Observe(r.Context()).EC2.Calls; n != 1 {
			t.Errorf("%d calls", n)
		}
		if o := r.launch(imageOnly, ask(imageOnly, "e", "m1.small", zoneA, 1, policy.OnDemand)); len(o.Instances) != 1 {
			t.Errorf("from an image: %+v", o)
		}
	})
}

// The configuration changes between an intent's first call, whose reply was lost,
// and its second: it is not asked for as something else, but looked for.
func TestSpecChanged(t *testing.T) {
	in(t, func(r *region, w *Writer) {
		a := ask(w, "one", "m1.small", zoneA, 2, policy.OnDemand)
		r.Break(fleet.Launching, fleet.LostReply, fleet.LostReply)
		if o := r.launch(w, a); o.Settlement != fleet.Unknown || o.Class != fleet.Ambiguous {
			t.Fatalf("%+v", o)
		}
		a.Again = true
		changed := r.writer(func(c *Config) { c.Launch.UserData = []byte("other") })
		time.Sleep(time.Minute)
		if o := r.launch(changed, a); o.Settlement != fleet.Unknown || len(o.Instances) != 2 {
			t.Errorf("after a minute: %+v", o)
		}
		never := ask(w, "never", "m1.small", zoneA, 1, policy.OnDemand)
		never.Again = true
		time.Sleep(5*time.Minute + time.Second)
		if o := r.launch(changed, a); o.Settlement != fleet.Settled || len(o.Instances) != 2 || o.Refused != 0 {
			t.Errorf("after five minutes more: %+v", o)
		}
		if o := r.launch(changed, never); o.Settlement != fleet.Settled || len(o.Instances) != 0 || o.Refused != 1 {
			t.Errorf("never launched: %+v", o)
		}
		// EC2 itself says so where the fingerprint does not
		forged := a
		forged.Spec = changed.Spec()
		if o := r.launch(changed, forged); o.Code != "IdempotentParameterMismatch" || len(o.Instances) != 2 {
			t.Errorf("%+v", o)
		}
		if r.Launched("one") != 2 || r.Launched("never") != 0 {
			t.Error("launched again")
		}
	})
}

// Asked for again after its instances have ended, an intent is done.
func TestAgainAfterTheEnd(t *testing.T) {
	in(t, func(r *region, w *Writer) {
		a := ask(w, "one", "m1.small", zoneA, 1, policy.OnDemand)
		o := r.launch(w, a)
		w.Terminate(r.Context(), []string{o.Instances[0].ID})
		time.Sleep(2 * time.Minute)
		a.Again = true
		if o := r.launch(w, a); o.Settlement != fleet.Settled || len(o.Instances) != 0 || o.Code != "IdempotentInstanceTerminated" || w.Observe(r.Context()).Frozen != nil {
			t.Errorf("%+v", o)
		}
	})
}

func TestPagesOfALargeFleet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRegion(t, func(c *cloud.Config) { c.World.MaxInstances, c.Unthrottled = 2000, true })
		w := r.writer()
		for i := range 12 {
			if o := r.launch(w, ask(w, fmt.Sprint("n", i), "m1.small", zoneA, 100, policy.OnDemand)); len(o.Instances) != 100 {
				t.Fatalf("%+v", o)
			}
		}
		v := w.Observe(r.Context())
		if !v.Complete || len(v.Instances) != 1200 || v.EC2.Calls != 14 {
			t.Errorf("%d instances, %d calls, %v", len(v.Instances), v.EC2.Calls, v.Err)
		}
		// the second page cannot be read: what was on the first is there, no more is known
		r.look(func(c *cloud.Cloud) {
			c.AddFault(cloud.ActionFault{Action: "DescribeInstances", Delay: time.Millisecond, Count: 1})
			c.AddFault(cloud.ActionFault{Action: "DescribeInstances", Code: "InternalError", Count: 1})
		})
		v = w.Observe(r.Context())
		if v.Complete || len(v.Instances) != 1000 || v.Err == nil || !strings.Contains(v.Err.Error(), "page 2: InternalError") {
			t.Errorf("%d instances, complete %t, %v", len(v.Instances), v.Complete, v.Err)
		}
		synctest.Wait()
	})
}

// Among four hundred and fifty some are gone and some protected: the others end,
// in few calls.
func TestTerminateInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRegion(t, func(c *cloud.Config) { c.Unthrottled = true })
		w := r.writer()
		var ids []string
		for i := range 5 {
			for _, x := range r.launch(w, ask(w, fmt.Sprint("n", i), "m1.small", zoneA, 90, policy.OnDemand)).Instances {
				ids = append(ids, x.ID)
			}
		}
		gone := []string{ids[3], ids[30], ids[440]}
		r.look(func(c *cloud.Cloud) {
			if _, err := c.TerminateInstances(gone, false); err != nil {
				t.Fatal(err)
			}
			c.Instance(ids[100]).Spec.Protected = "true"
		})
		time.Sleep(100 * time.Minute) // EC2 has forgotten them, we have not
		before := w.Observe(r.Context()).EC2.Calls
		want := map[string]fleet.Ended{ids[100]: fleet.Denied}
		for _, id := range gone {
			want[id] = fleet.NotFound
		}
		for _, e := range w.Terminate(r.Context(), ids) {
			expect, special := want[e.ID]
			if !special {
				expect = fleet.Accepted
			}
			if e.Ended != expect {
				t.Errorf("%+v, want %s", e, expect)
			}
		}
		if calls := w.Observe(r.Context()).EC2.Calls - before - 1; calls > 6 {
			t.Errorf("%d calls for 3 batches with 3 bad ones", calls)
		}
		if alive := r.Alive(); !slices.Equal(alive, ids[100:101]) {
			t.Errorf("alive: %v", alive)
		}
		synctest.Wait()
	})
}

// An error that names nobody is hunted down by halving, and never with more than
// a few calls.
func TestTerminateHalves(t *testing.T) {
	in(t, func(r *region, w *Writer) {
		var ids []string
		for _, x := range r.launch(w, ask(w, "one", "m1.small", zoneA, 64, policy.OnDemand)).Instances {
			ids = append(ids, x.ID)
		}
		r.look(func(c *cloud.Cloud) {
			c.AddFault(cloud.ActionFault{Action: "TerminateInstances", Code: "UnauthorizedOperation", Count: 3})
		})
		for _, e := range w.Terminate(r.Context(), ids) {
			if e.Ended != fleet.Accepted {
				t.Errorf("%+v", e)
			}
		}
		var more []string
		time.Sleep(time.Minute)
		for _, x := range r.launch(w, ask(w, "two", "m1.small", zoneA, 64, policy.OnDemand)).Instances {
			more = append(more, x.ID)
		}
		id := int64(0)
		r.look(func(c *cloud.Cloud) {
			id = c.AddFault(cloud.ActionFault{Action: "TerminateInstances", Code: "UnauthorizedOperation"})
		})
		before := w.Observe(r.Context()).EC2.Calls
		w.Terminate(r.Context(), more)
		if calls := w.Observe(r.Context()).EC2.Calls - before - 1; calls > terminateMax {
			t.Errorf("%d calls", calls)
		}
		if n := len(r.Alive()); n != 64 {
			t.Errorf("%d alive", n)
		}
		r.look(func(c *cloud.Cloud) { c.RemoveFault(id) })
	})
}

func TestPermissions(t *testing.T) {
	in(t, func(r *region, w *Writer) {
		said := func() (words []string) {
			for _, p := range w.Permissions(r.Context(), "m1.small") {
				words = append(words, fmt.Sprint(p.Action, " ", p.Allowed, " ", p.Code))
			}
			return words
		}
		all := []string{
			"DescribeInstances true ", "RunInstances in us-east-1a true DryRunOperation", "RunInstances in us-east-1b true DryRunOperation", "CreateFleet true DryRunOperation",
		}
		if got := said(); !slices.Equal(got, all) {
			t.Errorf("%q, want %q", got, all)
		}
		r.launch(w, ask(w, "one", "m1.small", zoneA, 1, policy.OnDemand))
		r.look(func(c *cloud.Cloud) {
			c.AddFault(cloud.ActionFault{Action: "CreateFleet", Code: "UnauthorizedOperation", Count: 1})
		})
		all[3] = "CreateFleet false UnauthorizedOperation"
		all = append(all, "TerminateInstances true DryRunOperation")
		if got := said(); !slices.Equal(got, all) {
			t.Errorf("%q, want %q", got, all)
		}
		if v := w.Observe(r.Context()); len(r.Alive()) != 1 || v.Frozen != nil {
			t.Error("a dry run changed something")
		}
	})
}

// The first call is carried out long after its client has left, and between the
// two EC2 has nothing: that refusal must not settle the intent, or the ledger
// would count two instances fewer than there are.
func TestRefusalInDoubtSettlesNothing(t *testing.T) {
	in(t, func(r *region, w *Writer) {
		room := func(n int) {
			r.look(func(c *cloud.Cloud) {
				for _, zone := range []string{"a", "b"} {
					if err := c.SetCapacity("m1.small", zone, n); err != nil {
						t.Fatal(err)
					}
				}
			})
		}
		ledger := fleet.NewLedger(fleet.DefaultRules(0))
		if _, err := ledger.Intend(ask(w, "one", "m1.small", zoneA, 2, policy.OnDemand).Intent); err != nil {
			t.Fatal(err)
		}
		settle := func() fleet.Outcome {
			o := w.Launch(r.Context(), ledger.Due(time.Now()))
			ledger.Settle(time.Now(), o)
			return o[0]
		}
		r.look(func(c *cloud.Cloud) {
			c.AddFault(cloud.ActionFault{Action: "RunInstances", Delay: 80 * time.Second, Count: 1})
			c.AddFault(cloud.ActionFault{Action: "RunInstances", Code: "InternalError", Count: 1})
		})
		if o := settle(); o.Settlement != fleet.Unknown || o.Class != fleet.Ambiguous { // after 21 s
			t.Fatalf("%+v", o)
		}
		time.Sleep(40 * time.Second)
		room(0)
		if o := settle(); o.Settlement != fleet.Unknown || o.Class != fleet.Capacity || ledger.Size() != 2 { // after 61 s
			t.Fatalf("in doubt: %+v, size %d", o, ledger.Size())
		}
		room(5)
		time.Sleep(30 * time.Second) // after 80 s it is carried out
		if r.Launched("one") != 2 || ledger.Size() != 2 {
			t.Errorf("%d launched, the ledger counts %d", r.Launched("one"), ledger.Size())
		}
		if o := settle(); o.Settlement != fleet.Settled || len(o.Instances) != 2 || ledger.Size() != 2 {
			t.Errorf("in the end: %+v, size %d", o, ledger.Size())
		}
	})
}
