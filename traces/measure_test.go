package traces

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// startingAt is a Source whose trace starts at a known instant.
type startingAt struct {
	Source
	start time.Time
}

func (s startingAt) Meta() Meta {
	m := s.Source.Meta()
	m.Start = s.start
	return m
}

func TestMeasureAgreesWithPublishedFigures(t *testing.T) {
	for _, want := range recordedStats(t) {
		t.Run(want.Name, func(t *testing.T) {
			src, err := Open(shared(t, want.Name+".csv.gz"), Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer src.Close()
			s, err := Measure(startingAt{src, want.Start}, time.Duration(want.OffsetH*float64(time.Hour)))
			if err != nil {
				t.Fatal(err)
			}
			near := func(name string, got *float64, want, tolerance float64) {
				t.Helper()
				if got == nil || math.Abs(*got-want) > tolerance*math.Abs(want)+1e-9 {
					t.Errorf("%s = %v, want %v within %v", name, figure(got), want, tolerance)
				}
			}
			if s.Jobs != want.N || s.MinuteMax != want.Max1m {
				t.Errorf("%d jobs, %d in one minute; want %d and %d", s.Jobs, s.MinuteMax, want.N, want.Max1m)
			}
			near("span", some(s.SpanS/86400), want.SpanDays, 1e-3)
			near("rate", &s.PerMinute, want.PerMinute, 1e-3)
			near("IDC 1 min", s.IDCMinute, want.IDC1m, 0.01)
			near("IDC 10 min", s.IDCTenMinutes, want.IDC10m, 0.01)
			near("IDC 1 h", s.IDCHour, want.IDC1h, 0.05)
			near("gap SCV", s.GapSCV, want.GapSCV, 0.01)
			near("service mean", &s.Service.Mean, want.SvcMean, 1e-3)
			near("service p50", &s.Service.P50, want.SvcP50, 2e-3)
			near("service p95", &s.Service.P95, want.SvcP95, 2e-3)
			near("service p99", &s.Service.P99, want.SvcP99, 5e-3)
			near("service max", &s.Service.Max, want.SvcMax, 1e-3)
			near("service SCV", &s.Service.SCV, want.SvcSCV, 2e-3)
			near("offered load", s.OfferedLoad, want.Offered, 2e-3)
			if want.CycleR2 != nil {
				near("cycle", s.CycleR2, *want.CycleR2, 0.03)
				// the published profile takes the trace's last hour, which is
				// not whole, for a whole one
				end := want.Start.Add(time.Duration(want.SpanDays*24*float64(time.Hour)) + s.UTCOffset)
				last := int(end.Weekday()+6)%7*24 + end.Hour()
				for h, p := range want.Profile {
					if h == last {
						continue
					}
					if s.Profile[h] == nil || math.Abs(*s.Profile[h]-p) > 0.05+0.05*p {
						t.Errorf("hour of week %d: %s, want %v", h, figure(s.Profile[h]), p)
					}
				}
			}
		})
	}
}

// TestMeasureTellsKinds: jobs are counted by type and priority over all sizes, the
// most frequent first, equals as they first arrived.
func TestMeasureTellsKinds(t *testing.T) {
	var text strings.Builder
	text.WriteString("arrival_s,service_s,type,priority,bytes_in\n")
	const types, rounds = 300, 4
	for i := range types * 2 * rounds {
		kind := i % (types * 2)
		if kind >= types && i/(types*2) == 0 {
			continue // of priority 1 there are fewer
		}
		fmt.Fprintf(&text, "%d,%d,t%d,%d,%d\n", i, kind+1, kind%types, kind/types, 1<<(i%40))
	}
	path := filepath.Join(t.TempDir(), "kinds.csv")
	if err := os.WriteFile(path, []byte(text.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	src, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	s, err := Measure(src, 0)
	if err != nil {
		t.Fatal(err)
	}
	var want []KindStats
	for kind := range types * 2 {
		want = append(want, KindStats{
			Type: fmt.Sprint("t", kind%types), Priority: uint8(kind / types), Jobs: rounds - int64(kind/types), MeanS: float64(kind + 1),
		})
	}
	if !slices.Equal(s.Kinds, want) {
		t.Errorf("got %v, want %v", s.Kinds, want)
	}
}

// Photos of a click are a burst whatever their sizes: it is of one type and
// priority.
func TestBurstsSpanSizes(t *testing.T) {
	s, err := Measure(&made{n: 200, optional: true, make: func(i int) job {
		size := int64(1) << (16 + i%10)
		kind := Kind{Type: "x", Priority: uint8(i / 100), Size: SizeBucket(size)}
		return job{Arrival: int64(i) * 1e6, Service: 1e9, BytesIn: size, Kind: kind}
	}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if s.Bursts.N != 2 || s.Bursts.Largest != 100 || s.Bursts.Share != 1 {
		t.Errorf("%+v, want two bursts of 100", s.Bursts)
	}
}

// Measuring keeps what the jobs take, not what the years between them would: two jobs
// as far apart as a trace allows took a gigabyte.
func TestMeasureOfDecadesKeepsMemorySmall(t *testing.T) {
	at := []int64{0, TimeMax}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s, err := Measure(&made{n: 2, make: func(i int) job { return job{Arrival: at[i], Service: 1, Kind: Kind{Type: "x"}} }}, 0)
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 200<<20 {
		t.Errorf("%d MB were allocated", used>>20)
	}
	if s.MinuteMax != 1 || math.Abs(*s.IDCMinute-1) > 1e-6 {
		t.Errorf("%d jobs in a minute, IDC %v; want 1 and 1", s.MinuteMax, *s.IDCMinute)
	}
}

// A quantile is within 0.1 % of a service time, and of services that are all alike
// it is theirs.
func TestQuantilesLieAmongTheServices(t *testing.T) {
	for _, services := range [][]int64{{5e9}, {5e9, 5e9, 5e9}, {1}, {TimeMax}, {3e9, 7_777_777_777}} {
		s, err := Measure(&made{n: len(services), make: func(i int) job {
			return job{Arrival: int64(i), Service: services[i], Kind: Kind{Type: "x"}}
		}}, 0)
		if err != nil {
			t.Fatal(err)
		}
		least, most := float64(slices.Min(services))/1e9, float64(slices.Max(services))/1e9
		for _, q := range []float64{s.Service.P50, s.Service.P95, s.Service.P99} {
			if q < least || q > most || s.Service.Max != most {
				t.Errorf("services %v: quantile %v, max %v", services, q, s.Service.Max)
			}
		}
	}
}
