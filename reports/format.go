package reports

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy/explain"
)

// noValue stands for a figure that has none.
const noValue = "–"

// Count returns n with its digits in groups of three: 3 087 412.
func Count[N int | int64](n N) string { return explain.Count(n) }

func grouped(number string) string { return explain.Grouped(number) }

// fixed returns x with the given number of decimals, digits grouped, and
// without the sign of a negative zero.
func fixed(x float64, decimals int) string {
	if math.IsNaN(x) {
		return noValue
	}
	if math.IsInf(x, 0) {
		return strings.ReplaceAll(strconv.FormatFloat(x, 'f', -1, 64), "-", "−")
	}
	text := strconv.FormatFloat(x, 'f', decimals, 64)
	if strings.Trim(text, "-0.") == "" {
		text = strings.TrimPrefix(text, "-")
	}
	return grouped(text)
}

// Number returns x with the digits that matter: four, but all before the point.
func Number(x float64) string {
	switch a := math.Abs(x); {
	case math.IsNaN(x):
		return noValue
	case a >= 999.95 || a == 0:
		return fixed(x, 0)
	case a >= 0.01:
		text := strconv.FormatFloat(x, 'f', max(0, 3-int(math.Floor(math.Log10(a)))), 64)
		return grouped(strings.TrimSuffix(strings.TrimRight(text, "0"), "."))
	}
	return strings.Replace(strconv.FormatFloat(x, 'g', 3, 64), "-", "−", 1)
}

// Money returns an amount in dollars to the cent: $ 1 312.40. An amount below
// ten cents that is not zero shows two digits that matter.
func Money(usd float64) string {
	if a := math.Abs(usd); a > 0 && a < 0.0995 { // from there on it rounds to 0.10
		decimals := min(1-int(math.Floor(math.Log10(a))), 6)
		return "$ " + fixed(usd, max(decimals, 2))
	}
	return "$ " + fixed(usd, 2)
}

// Percent returns a fraction in percent with the given number of decimals,
// rounded down: what is promised is not reached by rounding.
func Percent(share float64, decimals int) string {
	if math.IsNaN(share) {
		return noValue
	}
	power := math.Pow(10, float64(decimals))
	// 1e-9: 0.29 × 100 is a little less than 29
	return fixed(math.Floor(share*100*power+1e-9)/power, decimals) + " %"
}

// attainment returns a fraction of jobs in percent with up to two decimals,
// rounded down.
func attainment(share float64) string {
	number, _, _ := strings.Cut(Percent(share, 2), " ")
	if strings.Contains(number, ".") {
		number = strings.TrimSuffix(strings.TrimRight(number, "0"), ".")
	}
	return number + " %"
}

// Duration returns a time as people say it, to about three digits: 0 s, 4.2 ms,
// 5.1 s, 29.0 s, 3 m 12 s, 2 h 5 m, 1 d 12 h, 7 d, 365 d.
func Duration(d time.Duration) string {
	if d < 0 {
		if d == math.MinInt64 {
			d++
		}
		return "−" + Duration(-d)
	}
	switch {
	case d == 0:
		return "0 s"
	case d < time.Microsecond:
		return strconv.FormatInt(int64(d), 10) + " ns"
	case d < 999500*time.Nanosecond:
		return digits(float64(d)/1e3) + " µs"
	case d < 999500*time.Microsecond:
		return digits(float64(d)/1e6) + " ms"
	case d < 59950*time.Millisecond:
		return fixed(d.Seconds(), 1) + " s"
	case d < time.Hour-500*time.Millisecond:
		return units(d.Round(time.Second), time.Minute, " m", time.Second, " s")
	case d < 24*time.Hour-30*time.Second:
		return units(d.Round(time.Minute), time.Hour, " h", time.Minute, " m")
	case d < 100*24*time.Hour-30*time.Minute:
		return units(d.Round(time.Hour), 24*time.Hour, " d", time.Hour, " h")
	}
	const day = 24 * time.Hour
	return Count(int64(d/day+d%day/(day/2))) + " d"
}

// units returns d in a large and a small unit, without the small one where it
// is 0.
func units(d, large time.Duration, largeName string, small time.Duration, smallName string) string {
	text := Count(int64(d/large)) + largeName
	if rest := d % large / small; rest > 0 {
		text += " " + strconv.FormatInt(int64(rest), 10) + smallName
	}
	return text
}

// digits returns x in [1, 1000) with three digits.
func digits(x float64) string {
	switch {
	case x < 9.995:
		return strconv.FormatFloat(x, 'f', 2, 64)
	case x < 99.95:
		return strconv.FormatFloat(x, 'f', 1, 64)
	}
	return strconv.FormatFloat(x, 'f', 0, 64)
}

// Target returns a promised time exactly: 30 s, 1 m 30 s, 0.5 s.
func Target(d time.Duration) string {
	if d > 0 && d < time.Minute {
		return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + " s"
	}
	if d%time.Second != 0 {
		return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + " s"
	}
	var parts []string
	for _, u := range []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, " d"}, {time.Hour, " h"}, {time.Minute, " m"}, {time.Second, " s"}} {
		if n := d / u.length; n > 0 {
			parts = append(parts, Count(int64(n))+u.name)
			d -= n * u.length
		}
	}
	if parts == nil {
		return "0 s"
	}
	return strings.Join(parts, " ")
}

// Seconds returns a figure in seconds as Duration does, and a dash for one that
// has no value.
func Seconds(s *float64) string {
	if s == nil || math.IsNaN(*s) {
		return noValue
	}
	return Duration(time.Duration(min(max(*s*1e9, math.MinInt64), 1<<63-1024)))
}

// Rate returns how many a second, to two digits: 1.7 M jobs/s.
func Rate(perSecond float64, what string) string {
	if !(perSecond > 0) || math.IsInf(perSecond, 0) {
		return noValue
	}
	name := " "
	for _, k := range []struct {
		at   float64
		name string
	}{{999.5e6, " G "}, {999.5e3, " M "}, {999.5, " k "}} {
		if perSecond >= k.at {
			perSecond, name = perSecond/(k.at/0.9995), k.name
			break
		}
	}
	decimals := 0
	if perSecond < 9.95 {
		decimals = 1
	}
	return strconv.FormatFloat(perSecond, 'f', decimals, 64) + name + what + "/s"
}
