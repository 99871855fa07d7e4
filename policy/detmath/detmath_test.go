package detmath

import (
	"math"
	"math/rand/v2"
	"testing"
)

func relative(got, want float64) float64 {
	if got == want {
		return 0
	}
	return math.Abs(got-want) / math.Max(math.Abs(want), 1e-300)
}

func TestAgainstTheStandardLibrary(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		x := (r.Float64() - 0.5) * 1400
		if e := relative(Exp(x), math.Exp(x)); e > 4e-16 && math.Exp(x) > 1e-300 {
			t.Fatalf("Exp(%v) = %v, want %v", x, Exp(x), math.Exp(x))
		}
		x = (r.Float64() - 0.5) * 4
		if e := relative(Exp(x), math.Exp(x)); e > 4e-16 {
			t.Fatalf("Exp(%v) = %v, want %v", x, Exp(x), math.Exp(x))
		}
		u := math.Exp((r.Float64() - 0.5) * 1000)
		if e := relative(Log(u), math.Log(u)); e > 5e-16 {
			t.Fatalf("Log(%v) = %v, want %v", u, Log(u), math.Log(u))
		}
		p := r.Float64()
		want := -math.Sqrt2 * math.Erfinv(1-2*p)
		if math.Abs(NormalQuantile(p)-want) > 1e-12*(1+math.Abs(want)) && p > 1e-9 && p < 1-1e-9 {
			t.Fatalf("NormalQuantile(%v) = %v, want %v", p, NormalQuantile(p), want)
		}
	}
}

func TestEdges(t *testing.T) {
	for _, c := range []struct{ got, want float64 }{
		{Exp(0), 1},
		{Exp(1000), math.Inf(1)},
		{Exp(-1000), 0},
		{Log(1), 0},
		{Log(0), math.Inf(-1)},
		{Log(math.Inf(1)), math.Inf(1)},
		{Pow(2, 0), 1},
		{Pow(0, 3), 0},
		{NormalQuantile(0.5), 0},
		{NormalQuantile(0), math.Inf(-1)},
		{NormalQuantile(1), math.Inf(1)},
	} {
		if c.got != c.want {
			t.Errorf("got %v, want %v", c.got, c.want)
		}
	}
	if !math.IsNaN(Log(-1)) || !math.IsNaN(Exp(math.NaN())) || !math.IsNaN(NormalQuantile(2)) {
		t.Error("outside its domain a function must return NaN")
	}
}

// The bits themselves: another architecture must print the same.
func TestBits(t *testing.T) {
	for _, c := range []struct {
		name string
		got  float64
		bits uint64
	}{
		{"Exp(1)", Exp(1), 0x4005bf0a8b14576a},
		{"Exp(-0.3)", Exp(-0.3), math.Float64bits(0.7408182206817179)},
		{"Log(10)", Log(10), 0x40026bb1bbb55516},
	} {
		if math.Float64bits(c.got) != c.bits {
			t.Errorf("%s = %#x (%v), want %#x", c.name, math.Float64bits(c.got), c.got, c.bits)
		}
	}
}
