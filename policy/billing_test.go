package policy_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/skynet-ec2/skynet/policy"
)

var billings = []policy.Billing{policy.Hourly, policy.PerSecond}

// TestPaidLaws checks the properties of Billing.Paid's comment, and that the
// money and the end of the paid window follow from it.
func TestPaidLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SampledFrom(billings).Draw(t, "rule")
		life := drawLife(t, b, "life")
		paid := b.Paid(life)
		switch {
		case paid < life || paid < b.Minimum:
			t.Fatalf("%s: Paid(%v) = %v", b.Name, life, paid)
		case paid >= max(life, b.Minimum)+b.Quantum:
			t.Fatalf("%s: Paid(%v) = %v: a window nobody began", b.Name, life, paid)
		case paid%b.Quantum != 0:
			t.Fatalf("%s: Paid(%v) = %v: not whole windows", b.Name, life, paid)
		case b.Paid(paid) != paid:
			t.Fatalf("%s: Paid(%v) = %v", b.Name, paid, b.Paid(paid))
		}
		if longer := life + drawLife(t, b, "more"); b.Paid(longer) < paid {
			t.Fatalf("%s: Paid(%v) = %v < Paid(%v) = %v", b.Name, longer, b.Paid(longer), life, paid)
		}

		launch := time.Date(2008, 6, 1, 18, 30, 0, 0, time.UTC)
		until := b.PaidUntil(launch, launch.Add(life))
		if until.Sub(launch) != paid {
			t.Fatalf("%s: PaidUntil %v after launch, Paid %v", b.Name, until.Sub(launch), paid)
		}
		price := policy.MicroUSD(rapid.Int64Range(0, 100_000_000).Draw(t, "price"))
		if a, z := b.Bill(life, price), b.Bill(until.Sub(launch), price); a != z {
			t.Fatalf("%s: leaving after %v costs %v, at the end of the window %v", b.Name, life, a, z)
		}
	})
}

// drawLife draws a life near the end of a window as often as any other.
func drawLife(t *rapid.T, b policy.Billing, name string) time.Duration {
	windows := rapid.Int64Range(0, 1000).Draw(t, name+" windows")
	near := rapid.SampledFrom([]time.Duration{-1, 0, 1, time.Second, 59 * time.Second}).Draw(t, name+" near")
	if rapid.Bool().Draw(t, name+" anywhere") {
		near = time.Duration(rapid.Int64Range(0, int64(24*time.Hour)).Draw(t, name))
	}
	return max(0, time.Duration(windows)*b.Quantum+near)
}

// TestBill checks bills a person can check: to the millionth of a dollar,
// rounded once, halves up.
func TestBill(t *testing.T) {
	for _, c := range []struct {
		rule  policy.Billing
		life  time.Duration
		price policy.MicroUSD
		want  policy.MicroUSD
	}{
		{policy.Hourly, 0, 100_000, 100_000},
		{policy.Hourly, time.Hour, 100_000, 100_000},
		{policy.Hourly, time.Hour + 1, 100_000, 200_000},
		{policy.Hourly, 7 * 24 * time.Hour, 800_000, 168 * 800_000},
		{policy.PerSecond, 10 * time.Second, 3_600_000, 60_000},
		{policy.PerSecond, 61 * time.Second, 3_600_000, 61_000},
		{policy.PerSecond, time.Hour, 72_500, 72_500},
		{policy.PerSecond, 90 * time.Second, 20, 1},         // 0.5 rounds up
		{policy.PerSecond, 89 * time.Second, 20, 0},         // 0.494
		{policy.PerSecond, 61 * time.Second, 85_000, 1_440}, // 1440.28
	} {
		if got := c.rule.Bill(c.life, c.price); got != c.want {
			t.Errorf("%s: %v at %d an hour: %d, want %d", c.rule.Name, c.life, c.price, got, c.want)
		}
	}
}

// TestBillingByName: the names scenarios use find their rule, others nothing.
func TestBillingByName(t *testing.T) {
	for _, b := range billings {
		if got, ok := policy.BillingByName(b.Name); !ok || got != b {
			t.Errorf("BillingByName(%q) = %v, %v", b.Name, got, ok)
		}
	}
	if b, ok := policy.BillingByName("per-minute"); ok {
		t.Errorf("BillingByName(per-minute) = %v", b)
	}
	if !policy.Hourly.Windows() || policy.PerSecond.Windows() {
		t.Error("an hour is worth planning for, a second is not")
	}
}
