package baseline

import "github.com/skynet-ec2/skynet/policy/detmath"

// autoregressionMax is the highest order of an autoregression.
const autoregressionMax = 9

// An autoregression forecasts a series as its mean plus a weighted sum of its
// last deviations from it.
type autoregression struct {
	mean    float64
	order   int
	weights [autoregressionMax]float64 // of the last value, the one before, …
}

// fitAutoregression returns the autoregression of the series with the order, up
// to orderMax, that Akaike's criterion prefers. The weights solve the
// Yule-Walker equations by the Levinson-Durbin recursion over the orders; with
// the biased autocovariances used here the process is always stationary, so no
// forecast explodes. A constant series has order 0.
// Sources: J. Durbin, 1960; H. Akaike, 1974.
func fitAutoregression(series []float64, orderMax int) autoregression {
	n := len(series)
	a := autoregression{}
	if n == 0 {
		return a
	}
	for _, x := range series {
		a.mean += x
	}
	a.mean /= float64(n)
	orderMax = min(orderMax, autoregressionMax, n-1)
	var cov [autoregressionMax + 1]float64
	for lag := 0; lag <= orderMax; lag++ {
		for i := lag; i < n; i++ {
			cov[lag] += float64((series[i] - a.mean) * (series[i-lag] - a.mean))
		}
		cov[lag] /= float64(n)
	}
	level := cov[0] // variance left to explain
	if level <= float64(1e-12*a.mean)*a.mean {
		return a
	}
	best := float64(float64(n) * detmath.Log(level))
	var w [autoregressionMax]float64
	for p := 1; p <= orderMax; p++ {
		k := cov[p]
		for j := 1; j < p; j++ {
			k -= float64(w[j-1] * cov[p-j])
		}
		k /= level
		old := w
		for j := 1; j < p; j++ {
			w[j-1] = old[j-1] - float64(k*old[p-1-j])
		}
		w[p-1] = k
		level = float64(level * (1 - float64(k*k)))
		if level <= 0 {
			break // the series is exactly periodic: what was found before will do
		}
		if aic := float64(float64(n)*detmath.Log(level)) + 2*float64(p); aic < best {
			best, a.order, a.weights = aic, p, w
		}
	}
	return a
}

// forecast returns the next len(into) values of the series.
func (a *autoregression) forecast(series, into []float64) {
	n := len(series)
	for h := range into {
		x := a.mean
		for j := range a.order {
			past := 0.0
			switch i := h - 1 - j; {
			case i >= 0:
				past = into[i]
			case n+i >= 0:
				past = series[n+i]
			default:
				past = a.mean
			}
			x += float64(a.weights[j] * (past - a.mean))
		}
		into[h] = x
	}
}
