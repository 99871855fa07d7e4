package skynet

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/skynet-ec2/skynet/policy"
)

// fanWorld forecasts loads three ticks ahead and counts how many were within.
type fanWorld struct {
	fan   fan
	highs []float64
	loads []float64
}

func (w *fanWorld) play(minutes int, load func(minute int) float64) {
	for range minutes {
		y := load(len(w.loads))
		w.loads = append(w.loads, y)
		w.fan.Work = 60 * y
		w.fan.learn(60, 3)
		w.fan.predictHigh(w.fan.Quantile.Mean10)
		w.highs = append(w.highs, w.fan.Highs[w.fan.lastIndex()])
	}
}

// covered returns the share of the loads from minute from on that their
// forecasts covered.
func (w *fanWorld) covered(from int) float64 {
	within := 0
	for i := from; i < len(w.loads); i++ {
		if w.loads[i] <= w.highs[i-3] {
			within++
		}
	}
	return float64(within) / float64(len(w.loads)-from)
}

// A tick of Poisson jobs, of 6 core-seconds each, whose rate follows the day.
func dayOfJobs(r *rand.Rand, scale float64) func(minute int) float64 {
	return func(minute int) float64 {
		rate := scale * (20 + 15*math.Sin(2*math.Pi*float64(minute)/1440))
		return 6 * poisson(r, rate*10) / 60
	}
}

func TestForecastCoversNineInTen(t *testing.T) {
	for seed := range uint64(5) {
		w := fanWorld{fan: newFan()}
		w.play(6*1440, dayOfJobs(rand.New(rand.NewPCG(seed, 1)), 1))
		if got := w.covered(3 * 1440); got < 0.87 || got > 0.93 {
			t.Errorf("seed %d: %.3f of the loads are within their forecasts, want 0.87 to 0.93", seed, got)
		}
	}
}

// After a load a fifth as high, then three times as high, the forecast covers
// as much, and neither more nor less than a little above what comes.
func TestForecastFollowsAChange(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	w := fanWorld{fan: newFan()}
	for _, scale := range []float64{1, 0.2, 3} {
		from := len(w.loads) + 360
		w.play(3*1440, dayOfJobs(r, scale))
		if got := w.covered(from); got < 0.87 || got > 0.93 {
			t.Errorf("at %g of the load %.3f of the loads are within their forecasts, want 0.87 to 0.93", scale, got)
		}
	}
}

// A year without a job leaves a forecast that finds its way back in a day.
func TestForecastAwakes(t *testing.T) {
	w := fanWorld{fan: newFan()}
	r := rand.New(rand.NewPCG(3, 3))
	w.play(1440, dayOfJobs(r, 1))
	for range 365 * 1440 {
		w.fan.learn(60, 3)
		w.fan.predictHigh(0)
	}
	from := len(w.loads) + 1440
	w.play(4*1440, dayOfJobs(r, 1))
	if got := w.covered(from); got < 0.87 || got > 0.93 {
		t.Errorf("%.3f of the loads are within their forecasts, want 0.87 to 0.93", got)
	}
}

// The high forecast is of work as its jobs take on average, which it is judged by,
// also where the plan goes by what they took lately.
func TestForecastIsOfWorkOnAverage(t *testing.T) {
	kind := func(work, lately policy.CoreSeconds) policy.KindView {
		return policy.KindView{LastTick: policy.Flow{Jobs: 3, Work: work}, LastTickLately: lately}
	}
	f := newFan()
	f.addArrivals([]policy.KindView{kind(30, 300), kind(12, 1)})
	f.addArrivals([]policy.KindView{kind(18, 0)})
	if f.Work != 60 {
		t.Fatalf("%v core-seconds arrived, want 60", f.Work)
	}
	f.learn(60, 3)
	if f.Work != 0 || f.Samples != 1 || f.Quantile.Mean2 != 1 {
		t.Errorf("after a sample: %v left, %d samples, mean %v; want 0, 1, and a load of 1", f.Work, f.Samples, f.Quantile.Mean2)
	}
}

// The policy's own forecast is of the tick it says, in reference cores: where
// jobs of two lines arrive by chance it covers nine in ten of what arrives then.
func TestPolicyForecastsWhatArrives(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	w := newWorld(policy.PerSecond, threeClasses())
	if err := w.start(nil); err != nil {
		t.Fatal(err)
	}
	w.kind("photo", 0)
	w.kind("gallery", 2).mean = 8
	var highs, means, loads []float64
	const minutes, warm = 4 * 1440, 1440
	for i := range minutes {
		rate := 100 + 60*math.Sin(2*math.Pi*float64(i)/1440)
		w.kinds[0].perMinute = poisson(r, rate)
		w.kinds[1].perMinute = poisson(r, 30)
		w.apply(w.policy.Step(w.observe()))
		mean, high, ahead := w.policy.Forecast()
		if ahead != w.boot+w.o.Tick {
			t.Fatalf("forecasts %v ahead, want boot and tick: %v", ahead, w.boot+w.o.Tick)
		}
		means, highs = append(means, mean), append(highs, high)
		w.pass()
		loads = append(loads, (12.5*float64(w.kinds[0].last)+8*float64(w.kinds[1].last))/60)
	}
	within, n, of, sum := 0, 0, 0.0, 0.0
	for i := warm; i+2 < minutes; i++ { // the third minute after
		if loads[i+2] <= highs[i] {
			within++
		}
		of, sum, n = of+loads[i+2], sum+means[i], n+1
	}
	if got := float64(within) / float64(n); got < 0.87 || got > 0.93 {
		t.Errorf("%.3f of the loads are within their forecasts, want 0.87 to 0.93", got)
	}
	if math.Abs(sum/of-1) > 0.03 {
		t.Errorf("the mean forecast is %.3f of the mean load", sum/of)
	}
}
