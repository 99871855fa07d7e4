package journal

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// fill gives v random values, at any depth; lists have up to three elements.
func fill(r *rand.Rand, v reflect.Value) {
	switch x := v.Addr().Interface().(type) {
	case *time.Time:
		if r.IntN(4) > 0 {
			*x = time.Date(2008, 6, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(r.Int64N(1e18)))
			if r.IntN(2) == 0 {
				*x = x.Truncate(time.Second)
			}
		}
		return
	case *policy.Market:
		*x = policy.Market(r.IntN(2))
		return
	case *policy.WishKind:
		*x = policy.WishKind(r.IntN(3))
		return
	case *policy.Phase:
		*x = policy.Phase(r.IntN(5))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(r, v.Field(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(r, v.Index(i))
		}
	case reflect.Slice:
		if n := r.IntN(4); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				fill(r, v.Index(i))
			}
		}
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.String:
		v.SetString([]string{"", "photo", "video_hd", "a \"quoted\" one", "<b>&", "été", "\x01\u2028", "a"}[r.IntN(8)])
	case reflect.Float64:
		v.SetFloat([]float64{0, 1, -1, 0.1, 1e-7, 1e21, 1.5e300, 5e-324, math.Copysign(0, -1), r.NormFloat64(), r.Float64() * 1e6}[r.IntN(11)])
	case reflect.Uint8:
		v.SetUint(r.Uint64N(256))
	default:
		v.SetInt([]int64{0, 1, -1, math.MaxInt64, math.MinInt64, r.Int64N(1e6)}[r.IntN(6)])
	}
}

// TestCodecIsJSON: for random observations the codec writes what encoding/json
// writes, and reads what encoding/json reads, into a fresh value and into one
// that held another.
func TestCodecIsJSON(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var used policy.Observation
	for range 800 {
		var o policy.Observation
		fill(r, reflect.ValueOf(&o).Elem())
		want, err := json.Marshal(&o)
		if err != nil {
			t.Fatal(err)
		}
		var c codec
		c.writeTo(nil)
		c.observation(&o)
		if c.err != nil || string(c.out) != string(want) {
			t.Fatalf("%v\ngot  %s\nwant %s", c.err, c.out, want)
		}
		var expected, fresh policy.Observation
		if err := json.Unmarshal(want, &expected); err != nil {
			t.Fatal(err)
		}
		c.readFrom(string(want))
		c.observation(&fresh)
		plain := !strings.Contains(string(want), `\`) && !strings.Contains(string(want), "é")
		if plain && (c.bad || c.in != "") {
			t.Fatalf("not read: %.80q is left of\n%s", c.in, want)
		}
		if c.bad {
			continue // left to encoding/json
		}
		if !reflect.DeepEqual(fresh, expected) {
			t.Fatalf("read  %+v\nwant %+v", fresh, expected)
		}
		c.readFrom(string(want))
		c.observation(&used)
		again, err := json.Marshal(&used)
		if err != nil || string(again) != string(want) {
			t.Fatalf("%v: into a used value\ngot  %s\nwant %s", err, again, want)
		}
		if (used.Money.Spot == nil) != (expected.Money.Spot == nil) {
			t.Fatal("a spot market appeared, or went")
		}
	}
}

var ruleTest = policy.NewRule("journal.test", "%s: %.1f of %g", true)

// TestDecisionIsJSON: a decision is written as encoding/json writes it, and read
// back as data.
func TestDecisionIsJSON(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		var d policy.Decision
		fill(r, reflect.ValueOf(&d.Launches).Elem())
		fill(r, reflect.ValueOf(&d.Drains).Elem())
		fill(r, reflect.ValueOf(&d.Undrains).Elem())
		fill(r, reflect.ValueOf(&d.NextTick).Elem())
		for range r.IntN(3) {
			d.Because = append(d.Because, ruleTest.Named("<a>", r.Float64(), math.Inf(r.IntN(3)-1)))
		}
		want, err := json.Marshal(&d)
		if err != nil {
			t.Fatal(err)
		}
		var c codec
		c.writeTo(nil)
		c.decision(&d)
		if c.err != nil || string(c.out) != string(want) {
			t.Fatalf("%v\ngot  %s\nwant %s", c.err, c.out, want)
		}
		rec := Record{Decision: string(want)}
		back, err := rec.Decode()
		if err != nil {
			t.Fatal(err)
		}
		own := DecisionOf(&d)
		for i := range own.Because {
			own.Because[i].Figures, back.Because[i].Figures = nil, nil
		}
		got, _ := json.Marshal(back)
		if want, _ := json.Marshal(own); string(got) != string(want) {
			t.Fatalf("read %s, want %s", got, want)
		}
	}
}

// TestNumbersThatJSONLacks: a reading that is not finite is an error that names
// the field, not a line that nobody can read.
func TestNumbersThatJSONLacks(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		var o policy.Observation
		o.History.Level = bad
		var c codec
		c.writeTo(nil)
		c.observation(&o)
		if c.err == nil || !strings.Contains(c.err.Error(), "level") {
			t.Errorf("%v: %v", bad, c.err)
		}
	}
}

// TestStrictNumbers: what the codec takes for a number is one of JSON's.
func TestStrictNumbers(t *testing.T) {
	for _, text := range []string{"0", "-0", "1", "-12", "1.5", "0.1", "1e9", "1E+9", "1.5e-9", "01", "-", "1.", ".5", "+1", "1e", "1e+", "0x1", "Inf", "NaN", "1_0", ""} {
		var c codec
		c.readFrom(text)
		_, _ = c.number()
		if got, want := !c.bad && c.in == "", json.Valid([]byte(text)); got != want {
			t.Errorf("%q: number %t, JSON %t", text, got, want)
		}
	}
}

// TestStrings: what encoding/json escapes or repairs is written as it does.
func TestStrings(t *testing.T) {
	for _, s := range []string{"", "photo", "a\"b", "<&>", "\xff\xfe", "\x00\x7f", "\u2028", "日本"} {
		want, _ := json.Marshal(s)
		if got := appendString(nil, s); string(got) != string(want) {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
	}
}
