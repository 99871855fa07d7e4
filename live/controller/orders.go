package controller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/spell"
)

// Orders are what operators want of a fleet: which policy decides, which one
// beside it, and wishes for a time. They are kept in the controller's store, apart
// from what the controller itself saves, and read at every tick. The zero Orders
// want nothing: the configuration's policy decides.
type Orders struct {
	// Format of this text; 0 where nothing was ordered yet.
	Format int `json:"format,omitempty"`
	// Revision grows with every change.
	Revision int64 `json:"revision"`
	// Last is the latest number given to a version or a wish.
	Last int `json:"last,omitempty"`
	// Versions of policies that were deployed, in that order. Active decides and
	// Shadow decides beside it; 0: the configuration's. Before are those that were
	// active before, the latest last: what a rollback returns to.
	Versions []Version `json:"versions,omitempty"`
	Active   int       `json:"active,omitempty"`
	Shadow   int       `json:"shadow,omitempty"`
	Before   []int     `json:"before,omitempty"`
	Wishes   []Wish    `json:"wishes,omitempty"`
}

// ordersFormat is the format that this program writes, and the only one it reads.
const ordersFormat = 1

// Version is a policy that somebody deployed.
type Version struct {
	Number int `json:"number"`
	// Label is the policy's name with the digits that tell its parameters, Text its
	// file, Hash the SHA-256 of Text in hex.
	Label string `json:"label"`
	Hash  string `json:"sha256"`
	Text  string `json:"text,omitempty"`
	// By, At and Why say who deployed it, when and what for.
	By  string    `json:"by"`
	At  time.Time `json:"at"`
	Why string    `json:"why"`
	// Checked says in a line what its check came to; Passed, whether it passed.
	// Override is why it was deployed all the same.
	Checked  string `json:"checked"`
	Passed   bool   `json:"passed"`
	Override string `json:"override,omitempty"`
	// TunedOn and JudgedOn are of its file's provenance; empty: it has none.
	TunedOn  string `json:"tuned_on,omitempty"`
	JudgedOn string `json:"judged_on,omitempty"`
}

// Wish is what somebody asks of the fleet until a time.
type Wish struct {
	Number int             `json:"number"`
	Kind   policy.WishKind `json:"kind"`
	// Instance is EC2's id of the one to be drained.
	Instance string `json:"instance,omitempty"`
	// Type of instance, and Zone: what a cordon closes, one of them; a floor's type,
	// empty: any.
	Type string `json:"type,omitempty"`
	Zone string `json:"zone,omitempty"`
	// Instances or Cores of a floor.
	Instances int       `json:"instances,omitempty"`
	Cores     int       `json:"cores,omitempty"`
	By        string    `json:"by"`
	Why       string    `json:"why"`
	Since     time.Time `json:"since"`
	Until     time.Time `json:"until"`
}

// String says what is asked for.
func (w Wish) String() string {
	switch {
	case w.Kind == policy.WishDrain:
		return "drain " + w.Instance
	case w.Kind == policy.WishCordon && w.Zone != "":
		return "cordon zone " + w.Zone
	case w.Kind == policy.WishCordon:
		return "cordon type " + w.Type
	}
	n, unit := w.Instances, "instances"
	if w.Cores > 0 {
		n, unit = w.Cores, "cores"
	}
	text := fmt.Sprintf("floor %d %s", n, unit)
	if w.Type != "" {
		text += " of " + w.Type
	}
	return text
}

// Bounds of orders.
const (
	// WishMax is how long a wish may last.
	WishMax = 30 * 24 * time.Hour
	// wishesMost are how many may stand at once, versionsMost how many are kept.
	wishesMost, versionsMost = 200, 50
	// PolicyMax is how long a policy's file may be, in bytes.
	PolicyMax = 256 << 10
	// reasonMax is how long a name or a reason may be, in bytes.
	reasonMax = 500
)

// Act is one thing that somebody did to a fleet.
type Act struct {
	At   time.Time `json:"at"`
	By   string    `json:"by"`
	What string    `json:"what"`
	Why  string    `json:"why,omitempty"`
}

// Validate returns an error unless a says who did it and why.
func (a Act) Validate() error { return signed(a.By, a.Why) }

// ErrStale says that the orders have changed since they were read.
var ErrStale = errors.New("the orders have changed meanwhile")

// Book keeps orders, and who gave them. Every change stands in the acts, with it
// or not at all.
type Book interface {
	// Orders returns what stands.
	Orders(ctx context.Context, fleet string) (Orders, error)
	// Order replaces what stands, whose revision must still be o.Revision, and
	// fails with ErrStale where it is not. It raises the revision.
	Order(ctx context.Context, fleet string, o Orders, act Act) error
	// Note writes an act down that changes no order.
	Note(ctx context.Context, fleet string, act Act) error
	// Acts returns the latest acts, the latest first, at most so many.
	Acts(ctx context.Context, fleet string, most int) ([]Act, error)
}

// Switch is the kill switch as a row of the store.
type Switch interface {
	// Stop stops the fleet's controller, whatever stood there before.
	Stop(ctx context.Context, fleet string, s Stopped) error
	// Resume takes the stop back and returns what it was: the zero Stopped where
	// there was none.
	Resume(ctx context.Context, fleet string, act Act) (Stopped, error)
	// StopRow returns the stop that stands; the zero Stopped where there is none.
	StopRow(ctx context.Context, fleet string) (Stopped, error)
}

// InvalidError is an order that cannot be given.
type InvalidError struct{ Reason string }

func (e *InvalidError) Error() string { return e.Reason }

// BadInput marks the error as the user's.
func (e *InvalidError) BadInput() bool { return true }

func invalid(format string, args ...any) error { return &InvalidError{fmt.Sprintf(format, args...)} }

// signed returns an error unless who and why are said.
func signed(by, why string) error {
	for _, x := range []struct{ key, text string }{{"by", by}, {"reason", why}} {
		if x.text == "" {
			return invalid("%s: must be given: whoever looks has to know", x.key)
		}
		if len(x.text) > reasonMax {
			return invalid("%s: %d bytes: must be at most %d", x.key, len(x.text), reasonMax)
		}
	}
	return nil
}

// Version returns a version by its number.
func (o *Orders) Version(number int) (*Version, bool) {
	for i := range o.Versions {
		if o.Versions[i].Number == number {
			return &o.Versions[i], true
		}
	}
	return nil, false
}

// Deploy makes v the active version, or the shadow, and gives it its number. One
// whose check failed needs an Override.
func (o *Orders) Deploy(v Version, asShadow bool) (Version, error) {
	if err := signed(v.By, v.Why); err != nil {
		return v, err
	}
	switch {
	case v.Text == "" || len(v.Text) > PolicyMax:
		return v, invalid("text: %d bytes: must be from 1 to %d", len(v.Text), PolicyMax)
	case !v.Passed && v.Override == "":
		return v, invalid("the policy's check fails (%s): nothing is deployed; to deploy it all the same say why in override", v.Checked)
	case len(v.Override) > reasonMax || len(v.Checked) > 4*reasonMax:
		return v, invalid("override, checked: at most %d and %d bytes", reasonMax, 4*reasonMax)
	}
	o.Last++
	v.Number = o.Last
	o.Versions = append(o.Versions, v)
	if asShadow {
		o.Shadow = v.Number
	} else {
		o.Before = append(o.Before, o.Active)
		o.Active = v.Number
	}
	o.trim()
	return v, nil
}

// Rollback returns to the version that was active before, and returns its number;
// 0 is the configuration's policy.
func (o *Orders) Rollback() (int, error) {
	n := len(o.Before)
	if n == 0 {
		return 0, invalid("nothing was deployed before: there is nothing to return to")
	}
	o.Active, o.Before = o.Before[n-1], o.Before[:n-1]
	return o.Active, nil
}

// trim forgets the oldest versions that nothing can return to any more.
func (o *Orders) trim() {
	if n := len(o.Before); n > versionsMost/2 {
		o.Before = slices.Delete(o.Before, 0, n-versionsMost/2)
	}
	for i := 0; len(o.Versions) > versionsMost && i < len(o.Versions); {
		if number := o.Versions[i].Number; number == o.Active || number == o.Shadow || slices.Contains(o.Before, number) {
			i++
			continue
		}
		o.Versions = slices.Delete(o.Versions, i, i+1)
	}
}

// Add adds a wish from now on, and gives it its number. Wishes that are over are
// forgotten. types are those of the fleet's catalog.
func (o *Orders) Add(now time.Time, w Wish, types []string) (Wish, error) {
	if err := signed(w.By, w.Why); err != nil {
		return w, err
	}
	lasts := w.Until.Sub(now)
	drain, cordon, floor := w.Kind == policy.WishDrain, w.Kind == policy.WishCordon, w.Kind == policy.WishFloor
	switch {
	case lasts <= 0 || lasts > WishMax:
		return w, invalid("for: %s: must be more than 0 and at most %s", lasts.Round(time.Second), WishMax)
	case drain && w.Instance == "":
		return w, invalid("drain: name an instance, i-…")
	case cordon && (w.Type == "") == (w.Zone == ""):
		return w, invalid("cordon: name a type or a zone, one of them")
	case floor && (w.Instances > 0) == (w.Cores > 0), w.Instances < 0, w.Cores < 0, w.Instances > 100_000, w.Cores > 1_000_000:
		return w, invalid("floor: say how many instances, 1 to 100000, or cores, 1 to 1000000, one of them")
	case w.Type != "" && !slices.Contains(types, w.Type):
		return w, invalid("type = %q: the fleet's catalog has no such type%s: it has %s", w.Type, spell.DidYouMean(w.Type, types), strings.Join(types, ", "))
	}
	o.Wishes = slices.DeleteFunc(o.Wishes, func(x Wish) bool { return !x.Until.After(now) })
	if len(o.Wishes) >= wishesMost {
		return w, invalid("%d wishes stand already: end one first", wishesMost)
	}
	o.Last++
	w.Number, w.Since = o.Last, now
	o.Wishes = append(o.Wishes, w)
	return w, nil
}

// End ends wishes before their time, and returns them.
func (o *Orders) End(which func(*Wish) bool) []Wish {
	var ended []Wish
	o.Wishes = slices.DeleteFunc(o.Wishes, func(w Wish) bool {
		if which(&w) {
			ended = append(ended, w)
			return true
		}
		return false
	})
	return ended
}

// Change changes the orders as change says, which also returns what to write down;
// should somebody else change them meanwhile it begins anew.
func Change(ctx context.Context, b Book, fleet string, change func(*Orders) (Act, error)) (Orders, error) {
	for tries := 0; ; tries++ {
		o, err := b.Orders(ctx, fleet)
		if err != nil {
			return o, err
		}
		act, err := change(&o)
		if err != nil {
			return o, err
		}
		err = b.Order(ctx, fleet, o, act)
		if err == nil {
			o.Revision++
			return o, nil
		}
		if !errors.Is(err, ErrStale) || tries == 10 {
			return o, err
		}
	}
}

// Encode returns the text that DecodeOrders reads.
func (o Orders) Encode() ([]byte, error) {
	o.Format = ordersFormat
	return json.Marshal(&o)
}

// DecodeOrders returns the orders that a text of a revision holds; nil: none were
// given yet.
func DecodeOrders(text []byte, revision int64) (Orders, error) {
	o := Orders{}
	if text != nil {
		if err := json.Unmarshal(text, &o); err != nil {
			return Orders{}, fmt.Errorf("orders: %w", err)
		}
		if o.Format != ordersFormat {
			return Orders{}, fmt.Errorf("orders: format %d: this program reads format %d", o.Format, ordersFormat)
		}
	}
	o.Revision = revision
	return o, nil
}
