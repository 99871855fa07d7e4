package statehash_test

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy/statehash"
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

type lent struct {
	Lent  float64
	Grid3 [3][2]int64
}

type memory struct {
	lent
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
		lent: lent{1, [3][2]int64{{1, 2}, {3, 4}, {5, 6}}},
		At:   time.Date(2008, 6, 1, 20, 14, 0, 7, time.UTC), Took: time.Minute, Began: true,
		Ring: [5]float64{1, 2, 3, 4, 5}, Bins: [3]bin{{1, 2}, {3, 4}, {5, 6}}, Grid: [2][2]float64{{1, 2}, {3, 4}},
		Named: [2]inner{{"a", 1, 1}, {"b", 2, 2}}, Loads: []float64{7, 8}, Wishes: []inner{{"a name of more than eight letters", 3, 3}},
		Next: &inner{"next", 4, 4}, Byte: 9, Skipped: 1, hidden: 1,
	}
}

// TestEveryFieldCounts changes every exported number, word and time of a state
// in turn.
func TestEveryFieldCounts(t *testing.T) {
	m := full()
	was := statehash.Of(m)
	leaves := 0
	each(reflect.ValueOf(m).Elem(), "", func(path string, change, back func()) {
		leaves++
		change()
		if statehash.Of(m) == was {
			t.Errorf("%s does not count", path)
		}
		back()
		if statehash.Of(m) != was {
			t.Fatalf("%s: changed back, the hash stays", path)
		}
	})
	if leaves < 30 {
		t.Fatalf("only %d leaves", leaves)
	}
	m.Skipped, m.hidden, m.Named[0].hidden = 5, 5, 5
	if statehash.Of(m) != was {
		t.Error("what JSON leaves out counts")
	}
}

// each calls f with every exported leaf below v.
func each(v reflect.Value, path string, f func(path string, change, back func())) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		at := v.Interface().(time.Time)
		f(path, func() { v.Set(reflect.ValueOf(at.Add(1))) }, func() { v.Set(reflect.ValueOf(at)) })
		return
	}
	was := reflect.New(v.Type()).Elem()
	if v.Kind() != reflect.Struct {
		was.Set(v)
	}
	back := func() { v.Set(was) }
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); (field.IsExported() || field.Anonymous) && field.Tag.Get("json") != "-" {
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

// TestRestoredStateHasTheHash: what JSON restores has the same hash, nil lists and
// empty ones included.
func TestRestoredStateHasTheHash(t *testing.T) {
	for _, m := range []*memory{full(), {}, {Loads: []float64{}, Ring: [5]float64{math.Copysign(0, -1)}}} {
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var back memory
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		if got, want := statehash.Of(&back), statehash.Of(m); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

// TestHashesAreWhatTheyWere pins hashes: a journal written on one machine is
// replayed on another.
func TestHashesAreWhatTheyWere(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{statehash.Hash{}.String(), "00000000000000000000000000000000"},
		{statehash.OfText([]byte("{}")).String(), "30d3256b714cf977a86d9444d6147fea"},
		{statehash.Of(full()).String(), "8b96f9dc442145555f91921b8d11ad22"},
	} {
		if c.got != c.want {
			t.Errorf("hash %s, want %s", c.got, c.want)
		}
	}
}

// TestTextsDiffer: order, length and a last half word count.
func TestTextsDiffer(t *testing.T) {
	seen := map[string]string{}
	for _, text := range []string{"", "a", "b", "ab", "ba", "a\x00", "12345678", "123456789", "12345678\x00", strings.Repeat("x", 64), strings.Repeat("x", 65)} {
		hash := statehash.OfText([]byte(text)).String()
		if was, twice := seen[hash]; twice {
			t.Errorf("%q and %q have one hash", text, was)
		}
		seen[hash] = text
	}
}

// TestMapsAreRefused: a map has no order.
func TestMapsAreRefused(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a map was accepted")
		}
	}()
	statehash.Of(&struct{ M map[string]int }{})
}

// TestSmallNumbersDiffer: counters of few bits, in every combination, have
// hashes of their own, in the first half and in the second.
func TestSmallNumbersDiffer(t *testing.T) {
	type counters struct{ N [8]float64 }
	var seen [2]map[string]bool
	for i := range seen {
		seen[i] = map[string]bool{}
	}
	for code := range 1 << 16 {
		var c counters
		for i := range c.N {
			c.N[i] = float64(10 * (code >> (2 * i) & 3))
		}
		hash := statehash.Of(&c).String()
		seen[0][hash[:16]], seen[1][hash[16:]] = true, true
	}
	if len(seen[0]) != 1<<16 || len(seen[1]) != 1<<16 {
		t.Errorf("%d and %d hashes of %d states", len(seen[0]), len(seen[1]), 1<<16)
	}
}
