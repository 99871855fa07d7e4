package statesum_test

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy/statesum"
)

type bin struct {
	Load   float64 `json:"l"`
	Visits int64   `json:"v"`
}

type inner struct {
	Name   string
	Small  int
	hidden int
}

type memory struct {
	At      time.Time
	Took    time.Duration
	Began   bool
	Ring    [5]float64
	Bins    [3]bin
	Grid    [2][2]float64
	Named   [2]inner
	Loads   []float64 `json:"loads,omitempty"`
	Wishes  []inner   `json:"wishes,omitempty"`
	Next    *inner    `json:"next,omitempty"`
	Byte    uint8
	Skipped int `json:"-"`
	hidden  int
}

func full() *memory {
	return &memory{
		At: time.Date(2008, 6, 1, 20, 14, 0, 7, time.UTC), Took: time.Minute, Began: true,
		Ring: [5]float64{1, 2, 3, 4, 5}, Bins: [3]bin{{1, 2}, {3, 4}, {5, 6}}, Grid: [2][2]float64{{1, 2}, {3, 4}},
		Named: [2]inner{{"a", 1, 1}, {"b", 2, 2}}, Loads: []float64{7, 8}, Wishes: []inner{{"a name of more than eight letters", 3, 3}},
		Next: &inner{"next", 4, 4}, Byte: 9, Skipped: 1, hidden: 1,
	}
}

// TestEveryFieldCounts changes every exported number, word and time of a state
// in turn.
func TestEveryFieldCounts(t *testing.T) {
	m := full()
	was := statesum.Of(m)
	leaves := 0
	each(reflect.ValueOf(m).Elem(), "", func(path string, change, back func()) {
		leaves++
		change()
		if statesum.Of(m) == was {
			t.Errorf("%s does not count", path)
		}
		back()
		if statesum.Of(m) != was {
			t.Fatalf("%s: changed back, the sum stays", path)
		}
	})
	if leaves < 30 {
		t.Fatalf("only %d leaves", leaves)
	}
	m.Skipped, m.hidden, m.Named[0].hidden = 5, 5, 5
	if statesum.Of(m) != was {
		t.Error("what JSON leaves out counts")
	}
}

// each calls f with every exported leaf below v.
func each(v reflect.Value, path string, f func(path string, change, back func())) {
	if at, ok := v.Interface().(time.Time); ok {
		f(path, func() { v.Set(reflect.ValueOf(at.Add(1))) }, func() { v.Set(reflect.ValueOf(at)) })
		return
	}
	was := reflect.New(v.Type()).Elem()
	was.Set(v)
	back := func() { v.Set(was) }
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() && field.Tag.Get("json") != "-" {
				each(v.Field(i), path+"."+field.Name, f)
			}
		}
	case reflect.Array, reflect.Slice:
		for i := range v.Len() {
			each(v.Index(i), path+"[]", f)
		}
		if v.Kind() == reflect.Slice {
			f(path+" shorter", func() { v.Set(v.Slice(0, v.Len()-1)) }, back)
		}
	case reflect.Pointer:
		each(v.Elem(), path, f)
		f(path+" gone", func() { v.SetZero() }, back)
	case reflect.Bool:
		f(path, func() { v.SetBool(!was.Bool()) }, back)
	case reflect.Float64:
		f(path, func() { v.SetFloat(math.Nextafter(was.Float(), 1e9)) }, back)
	case reflect.String:
		f(path, func() { v.SetString(was.String() + "x") }, back)
	case reflect.Uint8:
		f(path, func() { v.SetUint(was.Uint() + 1) }, back)
	default:
		f(path, func() { v.SetInt(was.Int() + 1) }, back)
	}
}

// TestRestoredStateHasTheSum: what JSON restores has the same sum, nil lists and
// empty ones included.
func TestRestoredStateHasTheSum(t *testing.T) {
	for _, m := range []*memory{full(), {}, {Loads: []float64{}, Ring: [5]float64{math.Copysign(0, -1)}}} {
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var back memory
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		if got, want := statesum.Of(&back), statesum.Of(m); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

// TestSumsAreWhatTheyWere pins sums: a journal written on one machine is
// replayed on another.
func TestSumsAreWhatTheyWere(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{statesum.Sum{}.String(), "00000000000000000000000000000000"},
		{statesum.OfText([]byte("{}")).String(), "ad0a4c9fed59be6a8fc35b96ee5bbc2c"},
		{statesum.Of(full()).String(), "549cc3381611031c083dca31ab13d968"},
	} {
		if c.got != c.want {
			t.Errorf("sum %s, want %s", c.got, c.want)
		}
	}
}

// TestTextsDiffer: order, length and a last half word count.
func TestTextsDiffer(t *testing.T) {
	seen := map[string]string{}
	for _, text := range []string{"", "a", "b", "ab", "ba", "a\x00", "12345678", "123456789", "12345678\x00", strings.Repeat("x", 64), strings.Repeat("x", 65)} {
		sum := statesum.OfText([]byte(text)).String()
		if was, twice := seen[sum]; twice {
			t.Errorf("%q and %q have one sum", text, was)
		}
		seen[sum] = text
	}
}

// TestMapsAreRefused: a map has no order.
func TestMapsAreRefused(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a map was accepted")
		}
	}()
	statesum.Of(&struct{ M map[string]int }{})
}
