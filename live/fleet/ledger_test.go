package fleet

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// book is a ledger with a clock, in a world that the test makes up.
type book struct {
	*testing.T
	*Ledger
	now  time.Time
	list []Listed
}

func open(t *testing.T) *book {
	return &book{T: t, Ledger: NewLedger(DefaultRules(2 * time.Minute)), now: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
}

func (b *book) intend(id string, n int) {
	b.Helper()
	if _, err := b.Intend(Intent{ID: id, Type: "c1.xlarge", Count: n, Decided: b.now}); err != nil {
		b.Fatal(err)
	}
}

// launch intends, sends and settles, and lists what came of it.
func (b *book) launch(id string, n int) {
	b.Helper()
	b.intend(id, n)
	b.Due(b.now)
	o := Outcome{Intent: id, Settlement: Settled}
	for i := range n {
		in := Listed{ID: fmt.Sprintf("i-%s%d", id, i), Type: "c1.xlarge", State: Running, Launched: b.now, Intent: id}
		b.list = append(b.list, in)
		o.Instances = append(o.Instances, Launched{ID: in.ID, Type: in.Type, At: b.now})
	}
	b.Settle(b.now, []Outcome{o})
}

func (b *book) view() View { return View{At: b.now, Complete: true, Instances: b.list} }

// sweep lets time pass and sweeps; it returns what was found, as words.
func (b *book) sweep(d time.Duration) (found, end []string) {
	b.now = b.now.Add(d)
	list, end := b.Sweep(b.now, b.view(), time.Time{})
	for _, f := range list {
		found = append(found, strings.TrimSpace(f.Kind.String()+" "+f.Instance))
	}
	return found, end
}

func (b *book) want(what string, got []string, want ...string) {
	b.Helper()
	if !slices.Equal(got, want) {
		b.Errorf("%s: %q, want %q", what, got, want)
	}
}

func (b *book) unlist(ids ...string) {
	b.list = slices.DeleteFunc(b.list, func(in Listed) bool { return slices.Contains(ids, in.ID) })
}

func TestLedgerCountsWhatMayBe(t *testing.T) {
	b := open(t)
	catalog := policy.EC2in2008()
	phases := func() (words []string) {
		for _, in := range b.Instances(b.now, &catalog) {
			words = append(words, fmt.Sprint(in.ID, in.Phase))
		}
		return words
	}
	b.intend("a", 2)
	b.want("planned", phases(), "0 requested", "1 requested")
	b.Due(b.now)
	b.Settle(b.now, []Outcome{{Intent: "a"}})
	b.want("unknown", phases(), "0 requested", "1 requested")
	b.list = append(b.list, Listed{ID: "i-1", Type: "c1.xlarge", State: Running, Launched: b.now, Intent: "a"})
	found, _ := b.sweep(time.Second)
	b.want("found", found, "adopted i-1")
	b.Heard("i-1", b.now)
	b.want("one shows", phases(), "0 ready", "1 requested")
	b.Due(b.now)
	b.Settle(b.now, []Outcome{{Intent: "a", Settlement: Settled, Instances: []Launched{{ID: "i-1", Type: "c1.xlarge"}}, Refused: 1}})
	b.want("settled", phases(), "0 ready")
	b.launch("b", 1)
	b.want("numbers are given once", phases(), "0 ready", "2 booting")
	if in := b.Instances(b.now, &catalog)[1]; in.Slots != 8 || in.PaidUntil != b.now.Add(time.Hour) || in.Type != 4 {
		t.Errorf("%+v", in)
	}
	if b.Size() != 2 {
		t.Errorf("size %d", b.Size())
	}
	if id, ok := b.EC2ID(2); !ok || id != "i-b0" {
		t.Errorf("number 2 is %q", id)
	}
	if n, ok := b.Number("i-b0"); !ok || n != 2 {
		t.Errorf("i-b0 has number %d", n)
	}
	if _, err := b.Intend(Intent{ID: "a", Type: "c1.xlarge", Count: 1, Decided: b.now}); err == nil {
		t.Error("an id was used twice")
	}
}

func TestLedgerAfterACrash(t *testing.T) {
	b := open(t)
	b.intend("planned", 1)
	b.Due(b.now)
	b.intend("never-sent", 1)
	if got := b.Recover(b.now); len(got) != 1 || got[0].ID != "never-sent" || b.Size() != 1 {
		t.Errorf("cancelled %+v, size %d", got, b.Size())
	}
	asks := b.Due(b.now.Add(time.Minute))
	if len(asks) != 1 || !asks[0].Again || !asks[0].InDoubt(b.now.Add(2*time.Minute)) || asks[0].InDoubt(b.now.Add(4*time.Minute)) {
		t.Errorf("asked again: %+v", asks)
	}
}

func TestIntentsAreChecked(t *testing.T) {
	good := Intent{ID: "a", Type: "c1.xlarge", Count: 1, Decided: time.Unix(1, 0)}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		says   string
		change func(*Intent)
	}{
		{"id", func(i *Intent) { i.ID = "" }},
		{"id", func(i *Intent) { i.ID = "a b" }},
		{"id", func(i *Intent) { i.ID = strings.Repeat("a", 65) }},
		{"type", func(i *Intent) { i.Type = "" }},
		{"count = 0", func(i *Intent) { i.Count = 0 }},
		{"count = 101", func(i *Intent) { i.Count = 101 }},
		{"time", func(i *Intent) { i.Decided = time.Time{} }},
	} {
		i := good
		c.change(&i)
		if err := i.Validate(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v, want it to say %q", i, err, c.says)
		}
	}
	a, b := good, good
	b.ID = "b"
	if len(a.Token("x")) != 40 || a.Token("x") == b.Token("x") || a.Token("x") == a.Token("y") || a.Token("x") != good.Token("x") {
		t.Error("tokens")
	}
}

func TestSweepOrphans(t *testing.T) {
	b := open(t)
	b.launch("a", 20)
	b.list = append(b.list, Listed{ID: "i-x", State: Running, Launched: b.now, Intent: "unknown"})
	found, end := b.sweep(4 * time.Minute)
	b.want("young", found)
	b.want("young", end)
	found, end = b.sweep(2 * time.Minute)
	b.want("old", found, "orphan i-x")
	b.want("old", end, "i-x")
	b.Ended(b.now, []Ending{{ID: "i-x", Ended: Accepted}})
	found, _ = b.sweep(time.Minute)
	b.want("ended, listed still", found)
	found, end = b.sweep(5 * time.Minute)
	b.want("ended, listed for long", found, "undead i-x")
	b.want("ended, listed for long", end, "i-x")

	b.unlist("i-x")
	for i := range 5 {
		b.list = append(b.list, Listed{ID: fmt.Sprint("i-many", i), State: Running, Launched: b.now.Add(-time.Hour)})
	}
	found, end = b.sweep(time.Minute)
	b.want("many", found, "mass orphan")
	b.want("many", end)
}

func TestSweepSurplus(t *testing.T) {
	b := open(t)
	b.launch("a", 1)
	b.list = append(b.list, Listed{ID: "i-y", State: Running, Launched: b.now, Intent: "a"})
	found, end := b.sweep(time.Second)
	b.want("found", found, "surplus i-y")
	b.want("end", end, "i-y")
}

func TestSweepLost(t *testing.T) {
	b := open(t)
	b.launch("a", 10)
	b.unlist("i-a0", "i-a1", "i-a2")
	for _, d := range []time.Duration{time.Minute, 4 * time.Minute, 30 * time.Second} {
		found, _ := b.sweep(d)
		b.want("missing", found)
	}
	b.Heard("i-a1", b.now) // it works
	found, _ := b.sweep(time.Minute)
	b.want("missing for long", found, "lost i-a0", "lost i-a2")
	if b.Size() != 8 {
		t.Errorf("size %d", b.Size())
	}
	// it shows up again, and is the one it was
	b.list = append(b.list, Listed{ID: "i-a2", Type: "c1.xlarge", State: Running, Launched: b.now.Add(-time.Hour), Intent: "a"})
	found, end := b.sweep(time.Minute)
	b.want("back", found, "adopted i-a2")
	b.want("back", end)
	if n, ok := b.Number("i-a2"); !ok || n != 2 {
		t.Errorf("number %d", n)
	}
	// a list in which half of the fleet is missing is wrong
	b.list = b.list[:4]
	for range 9 {
		found, _ = b.sweep(time.Minute)
	}
	b.want("half", found, "mass absence")
	if b.Size() != 9 {
		t.Errorf("size %d", b.Size())
	}
	// but not for ever: those that nobody heard of are gone
	for _, in := range b.Instances(b.now, &policy.Catalog{Types: []policy.InstanceType{{Name: "c1.xlarge", Slots: 8}}, Billing: policy.Hourly}) {
		if id, _ := b.EC2ID(in.ID); id == "i-a1" || id == "i-a9" {
			b.Heard(id, b.now)
		}
	}
	for range 8 {
		found, _ = b.sweep(time.Minute)
	}
	if b.Size() != 6 { // four are listed
		t.Errorf("size %d after %q", b.Size(), found)
	}
}

func TestSweepOfAPartIsNoEvidence(t *testing.T) {
	b := open(t)
	b.launch("a", 2)
	for range 20 {
		b.now = b.now.Add(time.Minute)
		if found, end := b.Sweep(b.now, View{At: b.now}, time.Time{}); len(found)+len(end) > 0 {
			t.Fatal(found, end)
		}
	}
	if b.Size() != 2 {
		t.Errorf("size %d", b.Size())
	}
}

func TestSweepNeverWorked(t *testing.T) {
	b := open(t)
	b.launch("a", 9)
	for i := range 8 {
		b.Heard(fmt.Sprint("i-a", i), b.now.Add(time.Minute))
	}
	began := b.now
	sweep := func(d time.Duration, queueSince time.Time) (words []string, end []string) {
		b.now = b.now.Add(d)
		found, end := b.Sweep(b.now, b.view(), queueSince)
		for _, f := range found {
			words = append(words, f.Kind.String()+" "+f.Instance)
		}
		return words, end
	}
	found, _ := sweep(5*time.Minute, began)
	b.want("in time yet", found)
	found, _ = sweep(time.Minute, time.Time{})
	b.want("the queue is down", found)
	found, _ = sweep(time.Minute, b.now)
	b.want("the queue is back since a minute", found)
	found, end := sweep(2*time.Minute, b.now.Add(-time.Minute))
	b.want("nobody heard it", found, "never worked i-a8")
	b.want("nobody heard it", end, "i-a8")
	found, end = sweep(time.Minute, began)
	b.want("once is enough", found)
	b.want("until EC2 has accepted", end, "i-a8")
}

func TestSweepAbandons(t *testing.T) {
	b := open(t)
	b.intend("a", 2)
	for range 10 {
		if n := len(b.Due(b.now)); n != 1 {
			t.Fatalf("%d due", n)
		}
		b.Settle(b.now, []Outcome{{Intent: "a"}})
		b.sweep(time.Minute)
	}
	b.now = b.now.Add(time.Second)
	if n := len(b.Due(b.now)); n != 0 {
		t.Errorf("%d due after ten minutes", n)
	}
	if b.Size() != 2 {
		t.Errorf("size %d: it may be there yet", b.Size())
	}
	found, _ := b.sweep(5 * time.Minute)
	b.want("old", found, "abandoned intent")
	if b.Size() != 0 {
		t.Errorf("size %d", b.Size())
	}
	b.list = append(b.list, Listed{ID: "i-late", Type: "c1.xlarge", State: Running, Launched: b.now, Intent: "a"})
	found, _ = b.sweep(time.Minute)
	b.want("late", found, "adopted i-late")
	if b.Size() != 1 {
		t.Errorf("size %d", b.Size())
	}
}

func TestEnded(t *testing.T) {
	b := open(t)
	b.launch("a", 3)
	b.Doom(0, 1)
	_, end := b.sweep(time.Minute)
	b.want("doomed", end, "i-a0", "i-a1")
	b.Ended(b.now, []Ending{{ID: "i-a0", Ended: NotFound}, {ID: "i-a1"}})
	if b.Size() != 3 {
		t.Error("not found, yet or unsure, is not gone")
	}
	b.unlist("i-a0")
	b.sweep(5 * time.Minute)
	b.Ended(b.now, []Ending{{ID: "i-a0", Ended: NotFound}, {ID: "i-a1", Ended: Accepted}})
	if b.Size() != 1 {
		t.Errorf("size %d", b.Size())
	}
	b.list[len(b.list)-1].State, b.list[len(b.list)-1].Reason = Over, "Server.InternalError"
	found, _ := b.sweep(time.Minute)
	b.want("over", found, "gone i-a2")
}

func TestStrangers(t *testing.T) {
	b := open(t)
	b.launch("a", 1)
	asking := []string{"i-a0", "i-stranger"}
	b.want("at first", b.Strangers(b.now, b.view(), asking))
	b.now = b.now.Add(5 * time.Minute)
	b.want("no list", b.Strangers(b.now, View{}, asking))
	b.want("at first again", b.Strangers(b.now, b.view(), asking))
	b.now = b.now.Add(5 * time.Minute)
	b.want("for long", b.Strangers(b.now, b.view(), asking), "i-stranger")
}

func TestLedgerIsItsJSON(t *testing.T) {
	b := open(t)
	b.launch("a", 3)
	b.Heard("i-a1", b.now)
	b.Doom(2)
	b.intend("b", 2)
	b.Due(b.now)
	b.Ended(b.now, []Ending{{ID: "i-a0", Ended: Accepted}})
	b.Strangers(b.now, b.view(), []string{"i-z"})
	text, err := b.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	again := NewLedger(b.rules)
	if err := again.UnmarshalJSON(text); err != nil {
		t.Fatal(err)
	}
	if same, err := again.MarshalJSON(); err != nil || string(same) != string(text) {
		t.Errorf("%s\n%s", text, same)
	}
	for _, broken := range []string{
		`{`, `{"intents": [null]}`, `{"next": 1, "intents": [{"id": "a", "type": "t", "count": 2, "decided": "2026-01-01T00:00:00Z"}]}`,
		`{"next": 9, "instances": [{"number": 2, "id": "i-1"}, {"number": 1, "id": "i-2"}]}`,
		`{"next": 1, "instances": [{"number": 1, "id": "i-1"}]}`,
	} {
		if err := again.UnmarshalJSON([]byte(broken)); err == nil {
			t.Errorf("%s was taken in", broken)
		}
	}
	if same, _ := again.MarshalJSON(); string(same) != string(text) {
		t.Error("a broken one changed the ledger")
	}
}

func TestForget(t *testing.T) {
	b := open(t)
	b.launch("a", 2)
	b.Ended(b.now, []Ending{{ID: "i-a0", Ended: Accepted}, {ID: "i-a1", Ended: Accepted}})
	b.list = nil
	b.sweep(memory + time.Minute)
	b.sweep(time.Minute)
	if text, _ := b.MarshalJSON(); string(text) != `{"next":2}` {
		t.Errorf("%s", text)
	}
}
