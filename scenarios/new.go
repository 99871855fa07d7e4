package scenarios

import (
	"bytes"
	"fmt"
	"io"
	"sort"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/traces"
)

// Example returns a commented scenario that runs as it is: an evening of a
// small photo site.
func Example(title string) []byte {
	return []byte(`# What to expect: say here, before any number, how a good policy should fare and why.
# Every key: docs/scenario.md. Check this file: skynet scenario lint FILE. Run it: skynet simulate FILE.
title = ` + quoted(title) + `
start = 2008-06-02T00:00:00Z     # when the trace begins, in UTC
utc_offset = "-7h"               # the users' clock
judge_from = "30m"               # the time before is billed, not judged: the fleet starts from nothing
duration = "6h"
tick = "1m"                      # time between two decisions
seed = 1                         # same seed, same weather, same bytes

[generate]                       # jobs to run; or a recorded trace: [trace] file = "week.parquet"
model = "photo-site"
scale = 0.25                     # 1.0: 416 000 uploads a day

[[class]]                        # what each class of jobs is promised; the first that matches wins
name = "upload"
type = "photo"
target = "30s"                   # from arrival to done
attain = 0.95                    # of its jobs

[[class]]
name = "rest"                    # no type, no priority: it catches the rest
target = "20m"
attain = 0.95

[cloud]
catalog = "ec2-2008"             # or ec2-2026, a file, or [[cloud.type]] tables
billing = "hourly"               # or per-second
boot = { model = "lognormal", median = "95s", p99 = "230s", max = "300s" }
max_instances = 100

[guard]                          # limits on what any policy may do
launch_max = 20                  # instances by one decision
fleet_max = 60                   # instances at once

# [[fault]]                      # weather: the cheapest type is sold out for an hour
# kind = "refuse"
# types = "c1.xlarge"
# from = "2h"
# to = "3h"

[[promise]]                      # beyond the classes' targets; any figure of simulate --json
metric = "jobs.lost"
max = 0.0

[policy]
name = "skynet"
`)
}

// ExampleFor returns a commented scenario for a recorded trace: a class for
// each of its busiest types, with targets that its service times allow. file
// is how the scenario is to name the trace. It reads src to its end.
func ExampleFor(title, file string, src traces.Source) ([]byte, error) {
	kinds, err := surveyTypes(src)
	if err != nil {
		return nil, err
	}
	if len(kinds) == 0 {
		return nil, fmt.Errorf("%s: no jobs in it", file)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `# What to expect: say here, before any number, how a good policy should fare and why.
# Every key: docs/scenario.md. Check this file: skynet scenario lint FILE. Run it: skynet simulate FILE.
title = %s
tick = "1m"
seed = 1

[trace]
file = %s
# reference_speed = 1.0          # of the core that service times were measured on
`, quoted(title), quoted(file))
	const most = 8 // classes; the rest of the types share one
	taken := map[string]bool{"rest": true}
	for _, k := range kinds[:min(len(kinds), most)] {
		name := className(k.name)
		for n := 2; taken[name]; n++ {
			name = fmt.Sprintf("%.60s_%d", className(k.name), n)
		}
		taken[name] = true
		fmt.Fprintf(&b, `
[[class]]                        # %d jobs, 95 %% of which take at most %s
name = %s
type = %s
target = %s
attain = 0.95
`, k.jobs, formatDuration(k.p95), quoted(name), quoted(k.name), tomlValue(k.target()))
	}
	b.WriteString(`
[[class]]
name = "rest"                    # whatever else comes
target = "1h"
attain = 0.95

[cloud]
catalog = "ec2-2008"
boot = { model = "lognormal", median = "95s", p99 = "230s", max = "300s" }
max_instances = 500

[policy]
name = "skynet"
`)
	return b.Bytes(), nil
}

// typeSurvey is what ExampleFor learns of a job type.
type typeSurvey struct {
	name string
	jobs int64
	p95  time.Duration
	// powers counts jobs by the power of two, in µs, that their service
	// reaches.
	powers [64]int64
}

// target returns a target that leaves room for a wait: four times the 95th
// percentile of service, at least 30 s, as people would write it.
func (t *typeSurvey) target() time.Duration {
	for _, d := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 20 * time.Minute, time.Hour, 4 * time.Hour} {
		if d >= 4*t.p95 {
			return d
		}
	}
	return min((4*t.p95).Truncate(time.Hour)+time.Hour, 8760*time.Hour)
}

// surveyTypes returns the types of a trace, the most frequent first.
func surveyTypes(src traces.Source) ([]*typeSurvey, error) {
	byName := map[string]*typeSurvey{}
	var byKind []*typeSurvey
	var b traces.Batch
	for {
		err := src.Next(&b)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		for i := len(byKind); i < len(b.Kinds); i++ {
			name := b.Kinds[i].Type
			if byName[name] == nil {
				byName[name] = &typeSurvey{name: name}
			}
			byKind = append(byKind, byName[name])
		}
		for i, k := range b.Kind {
			t := byKind[k]
			t.jobs++
			power := 0
			for us := b.Service[i] / 1000; us > 0; us >>= 1 {
				power++
			}
			t.powers[power]++
		}
	}
	var list []*typeSurvey
	for _, name := range sortedKeys(byName) {
		t := byName[name]
		if t.jobs == 0 {
			continue
		}
		seen := int64(0)
		for power, n := range t.powers {
			if seen += n; seen*100 >= 95*t.jobs {
				t.p95 = time.Duration(1<<min(power, 50)) * time.Microsecond
				break
			}
		}
		if t.p95 > time.Second {
			t.p95 = (t.p95 + time.Second - 1).Truncate(time.Second)
		}
		list = append(list, t)
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].jobs > list[j].jobs })
	return list, nil
}

// className returns a class's name for a job type.
func className(jobType string) string {
	name := strings.Map(func(r rune) rune {
		if r < 0x80 && isBare(byte(r)) {
			return r
		}
		return '_'
	}, jobType)
	if name == "" {
		name = "unnamed"
	}
	return name[:min(len(name), 64)]
}
