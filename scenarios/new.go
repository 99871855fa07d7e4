package scenarios

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
