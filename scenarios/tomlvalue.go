package scenarios

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// tomlValue returns a value as TOML writes it, cut to a readable length.
func tomlValue(v any) string {
	s := ""
	switch v := v.(type) {
	case string:
		s = strconv.Quote(v)
	case float64:
		s = tomlFloat(v)
	case time.Time:
		s = v.Format(tomlTimeLayout(v))
	case time.Duration:
		s = strconv.Quote(FormatDuration(v))
	case []any:
		parts := make([]string, 0, len(v))
		for _, e := range v[:min(len(v), 20)] {
			parts = append(parts, tomlValue(e))
		}
		s = "[" + strings.Join(parts, ", ") + "]"
	case []string:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = strconv.Quote(e)
		}
		s = "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		s = "{…}"
	case []map[string]any:
		s = "[{…}]"
	default:
		s = fmt.Sprint(v)
	}
	const most = 80
	if len(s) > most {
		cut := most
		for cut > 0 && s[cut]&0xc0 == 0x80 { // within a character
			cut--
		}
		s = s[:cut] + "…"
	}
	return s
}

// tomlFloat returns x as TOML writes a float: never as a whole number.
func tomlFloat(x float64) string {
	switch {
	case math.IsNaN(x):
		return "nan"
	case math.IsInf(x, 1):
		return "inf"
	case math.IsInf(x, -1):
		return "-inf"
	}
	s := strconv.FormatFloat(x, 'g', -1, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

// tomlTimeLayout returns the layout in which t stood in its file: TOML has dates,
// times of day and times without a zone too.
func tomlTimeLayout(t time.Time) string {
	switch t.Location().String() {
	case "date-local":
		return time.DateOnly
	case "time-local":
		return "15:04:05.999999999"
	case "datetime-local":
		return "2006-01-02T15:04:05.999999999"
	}
	return time.RFC3339Nano
}
