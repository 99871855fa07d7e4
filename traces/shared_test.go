package traces

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// shared returns the path of a recorded trace kept beside the repository. The
// test is skipped where it is absent.
func shared(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join("..", "..", "shared", "traces", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("needs ../shared/traces/%s beside the repository", name)
	}
	return path
}

// recorded is a trace's entry in stats.json.
type recorded struct {
	Name      string    `json:"name"`
	N         int64     `json:"n"`
	SpanDays  float64   `json:"span_d"`
	PerMinute float64   `json:"rate_per_min"`
	IDC1m     float64   `json:"idc_1m"`
	Max1m     int64     `json:"max_1m"`
	IDC10m    float64   `json:"idc_10m"`
	IDC1h     float64   `json:"idc_1h"`
	Profile   []float64 `json:"how_profile"`
	CycleR2   *float64  `json:"r2_how"`
	GapSCV    float64   `json:"scv_ia"`
	SvcMean   float64   `json:"svc_mean"`
	SvcP50    float64   `json:"svc_p50"`
	SvcP95    float64   `json:"svc_p95"`
	SvcP99    float64   `json:"svc_p99"`
	SvcMax    float64   `json:"svc_max"`
	SvcSCV    float64   `json:"svc_scv"`
	Offered   float64   `json:"offered_erlang"`
	Start     time.Time `json:"t0_utc"`
	OffsetH   float64   `json:"tz_for_profile_h"`
	DayPeak   float64   `json:"hod_peak"`
	DayTrough float64   `json:"hod_trough"`
}

func recordedStats(t *testing.T) []recorded {
	t.Helper()
	text, err := os.ReadFile(shared(t, "stats.json"))
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.ReplaceAll(text, []byte("NaN"), []byte("null"))
	var all []recorded
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}
