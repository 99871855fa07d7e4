package sim

import (
	"math/bits"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// instance is one instance of the simulated fleet, alive or waiting for its
// record to be reused.
type instance struct {
	// What every job touches comes first, in one cache line.
	id    int64 // launch ordinal, -1 when the record is free
	base  int32 // first slot
	n     int32 // slots
	busy  int32 // slots that run or hold a job
	typ   int32
	ratio ratio // service time from recorded work
	phase policy.Phase
	// silent workers run but cannot report; dead ones have crashed.
	silent, dead bool
	market       policy.Market
	zone         int32
	interrupt    int64 // when it will be taken back, never without notice

	launch    int64
	readyAt   int64 // never before it is ready
	confirmed int64 // from when EC2's list shows it
	seen      int64 // last report of its worker, -1 before the first
	crashed   int64 // when its worker crashed, never if it has not

	// What the last observation, or the last beat before a crash, showed.
	shownBusy   int32
	shownIdleIn time.Duration

	bill account
}

// account is an instance's bill so far. Prices are per hour in µUSD; amounts
// are kept in µUSD × ns and divided once, at the end, so a bill is rounded
// once.
type account struct {
	price      policy.MicroUSD
	priceSince int64           // paid at price from here on
	lastPrice  policy.MicroUSD // of the window that ends at priceSince
	whole      wide
	judged     wide
	shown      int64 // paid up to here in what the policy is told it spent
	free       int64 // time that was not charged after all (ns)
	before     int64 // time that was paid before the run began (ns)
}

// wide is an unsigned 128-bit sum of products.
type wide struct{ hi, lo uint64 }

func (w *wide) addProduct(a, b int64) {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	var carry uint64
	w.lo, carry = bits.Add64(w.lo, lo, 0)
	w.hi, _ = bits.Add64(w.hi, hi, carry)
}

func (w *wide) subProduct(a, b int64) {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	var borrow uint64
	w.lo, borrow = bits.Sub64(w.lo, lo, 0)
	w.hi, _ = bits.Sub64(w.hi, hi, borrow)
}

// hours returns the sum of so many nanoseconds in hours.
func (w wide) hours() float64 {
	return (float64(float64(w.hi)*(1<<64)) + float64(w.lo)) / float64(time.Hour)
}

// perHour returns the sum divided by an hour, rounded to the nearest µUSD.
func (w wide) perHour() policy.MicroUSD {
	lo, carry := bits.Add64(w.lo, uint64(time.Hour)/2, 0)
	q, _ := bits.Div64(w.hi+carry, lo, uint64(time.Hour))
	return policy.MicroUSD(q)
}

// settle books everything up to the end of the window that is paid at now, at
// the present price, and returns that end.
func (a *account) settle(in *instance, rule policy.Billing, now, judgeFrom int64) int64 {
	return a.settleTo(in, rule, in.launch+int64(rule.Paid(time.Duration(now-in.launch))), judgeFrom)
}

// settleBegun is settle up to the end of the last window, or second, that began
// before now: what begins later has another price, be it within the minimum that
// is paid in any case.
func (a *account) settleBegun(in *instance, rule policy.Billing, now, judgeFrom int64) int64 {
	quantum := int64(rule.Quantum)
	return a.settleTo(in, rule, in.launch+(now-in.launch+quantum-1)/quantum*quantum, judgeFrom)
}

// settleTo books everything up to end at the present price, and returns end.
func (a *account) settleTo(in *instance, rule policy.Billing, end, judgeFrom int64) int64 {
	if end > a.priceSince {
		a.whole.addProduct(end-a.priceSince, int64(a.price))
		if from := firstWindow(in.launch, a.priceSince, judgeFrom, int64(rule.Quantum)); from < end {
			a.judged.addProduct(end-from, int64(a.price))
		}
		a.priceSince, a.lastPrice = end, a.price
	}
	return end
}

// waive takes back what is charged from the given time on, a window's start:
// windows that are settled already, at the price they were, and those to come.
func (a *account) waive(in *instance, rule policy.Billing, from, now, judgeFrom int64) {
	if from > a.priceSince {
		a.settle(in, rule, from, judgeFrom)
	}
	if from == in.launch {
		a.whole, a.judged = wide{}, wide{}
	} else if from < a.priceSince { // the window that is under way
		a.whole.subProduct(a.priceSince-from, int64(a.lastPrice))
		if from >= judgeFrom {
			a.judged.subProduct(a.priceSince-from, int64(a.lastPrice))
		}
	}
	a.price = 0
	charged := max(from, in.launch+a.before) // a window of before the run is none of its bill
	a.free = max(in.launch+int64(rule.Paid(time.Duration(now-in.launch)))-charged, 0)
}

// refund takes back what EC2 does not charge when it takes an instance back: the
// broken hour under hourly billing, everything within the first hour under
// per-second billing.
func (in *instance) refund(rule policy.Billing, now, judgeFrom int64) {
	life := now - in.launch
	switch {
	case rule.Windows():
		quantum := int64(rule.Quantum)
		in.bill.waive(in, rule, in.launch+life/quantum*quantum, now, judgeFrom)
	case life < int64(time.Hour):
		in.bill.waive(in, rule, in.launch, now, judgeFrom)
	}
}

// firstWindow returns the start of the first window of an instance launched at
// launch that begins at or after both from (a window's start) and judgeFrom.
func firstWindow(launch, from, judgeFrom, quantum int64) int64 {
	if judgeFrom <= from {
		return from
	}
	k := (judgeFrom - launch + quantum - 1) / quantum
	return launch + k*quantum
}
