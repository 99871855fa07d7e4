package scenarios

import (
	"fmt"
	"strings"
	"time"
)

// FleetSource is the [source] table: where jobs wait, if not in SkyNet's queue.
type FleetSource struct {
	Kind       string        `toml:"kind" required:"yes" selects:"yes" choices:"sqs|prometheus" doc:"What tells of them: Amazon SQS itself, or a Prometheus server."`
	CloudWatch bool          `toml:"cloudwatch" of:"sqs" default:"false" doc:"CloudWatch is asked too, once a minute: for the age of the oldest message and for how many were deleted."`
	URL        string        `toml:"url" of:"prometheus" required:"yes" doc:"The server, http://… or https://…, without /api/v1."`
	Token      string        `toml:"token" of:"prometheus" unset:"none" doc:"Where its bearer token is: env:NAME, file:PATH or ssm:/NAME."`
	AgeMax     time.Duration `toml:"age_max" of:"prometheus" default:"2m" min:"10s" max:"30m" doc:"An older sample of a depth is unknown."`
	Workers    string        `toml:"workers" of:"prometheus" unset:"none" doc:"Query with a series for each worker: how many jobs it runs."`
	Instance   string        `toml:"instance_label" of:"prometheus" default:"instance_id" doc:"The label of workers that holds EC2's id, i-…"`
	ReadyAfter time.Duration `toml:"ready_after" default:"2m" min:"0s" max:"1h" doc:"How long after its launch an instance counts as ready, where no query tells of workers."`
	IdleAfter  time.Duration `toml:"idle_after" default:"2m" min:"10s" max:"1h" doc:"How long an instance must have been seen idle before it is known to be, and may be ended: its worker says so, or, without a query for workers, nothing is in flight in the whole queue."`
	DrainGrace time.Duration `toml:"drain_grace" unset:"it stays" min:"1m" max:"24h" doc:"How long an instance that is to go and is not known to be idle stays at most. Jobs on it are cut off then."`
	HoldZero   time.Duration `toml:"hold_zero" default:"5m" min:"1m" max:"1h" doc:"How long a fall to nothing that cannot be true is taken as unknown before it is believed."`
	Jobs       []SourceJobs  `toml:"jobs" doc:"A kind of job, and where it waits."`
}

// SourceJobs is a [[source.jobs]] table.
type SourceJobs struct {
	Type          string        `toml:"type" required:"yes" doc:"Job type, as the scenario's classes name it."`
	Priority      int           `toml:"priority" default:"0" min:"0" max:"255" doc:"Priority; 0 is first. Which job is taken first the workers decide: it says whose promise this is."`
	Service       time.Duration `toml:"service" unset:"learned" min:"1ms" max:"24h" doc:"Mean time that a job takes on a slot of speed 1. SQS needs it."`
	Queue         string        `toml:"queue" unset:"none" doc:"sqs: the queue's URL, https://…/NAME."`
	Depth         string        `toml:"depth" unset:"none" doc:"prometheus: query for the jobs that wait."`
	InFlight      string        `toml:"in_flight" unset:"what workers say" doc:"prometheus: query for the jobs that run."`
	OldestS       string        `toml:"oldest_s" unset:"derived" doc:"prometheus: query for the age of the oldest waiting job, in seconds."`
	ServiceS      string        `toml:"service_s" unset:"none" doc:"prometheus: query for the mean service time on the fleet's slots, in seconds; service has the last word."`
	Arrived       string        `toml:"arrived" unset:"derived" doc:"prometheus: query for a counter of jobs that arrived."`
	ArrivedPerS   string        `toml:"arrived_per_s" unset:"derived" doc:"prometheus: query for their rate a second, instead."`
	Completed     string        `toml:"completed" unset:"derived" doc:"prometheus: query for a counter of jobs that were completed."`
	CompletedPerS string        `toml:"completed_per_s" unset:"derived" doc:"prometheus: query for their rate a second, instead."`
}

// check reports what no tag can say about a source.
func (s *FleetSource) check(d *document) {
	if s.Kind == "prometheus" {
		d.web("source.url", s.URL)
		d.secret("source.token", s.Token)
	}
	if len(s.Jobs) == 0 {
		d.wrong("source.jobs", "missing: at least one must be given")
	}
	for i := range s.Jobs {
		j := &s.Jobs[i]
		at := fmt.Sprintf("source.jobs[%d]", i+1)
		j.checkKeys(d, at, s.Kind)
		for _, other := range s.Jobs[:i] {
			if j.Type == other.Type && j.Priority == other.Priority {
				d.wrong(at+".type", fmt.Sprintf("%s of priority %d stands there already", j.Type, j.Priority))
			}
		}
		switch {
		case s.Kind == "sqs" && j.Queue == "":
			d.wrong(at+".queue", "missing: it must be given for sqs")
		case s.Kind == "sqs" && (!strings.HasPrefix(j.Queue, "http://") && !strings.HasPrefix(j.Queue, "https://") || strings.HasSuffix(j.Queue, "/")):
			d.bad(at+".queue", j.Queue, "a queue's URL, https://…/NAME")
		case s.Kind == "sqs" && j.Service == 0:
			d.wrong(at+".service", "missing: it must be given for sqs, which tells of no completions")
		case s.Kind == "prometheus" && j.Depth == "":
			d.wrong(at+".depth", "missing: it must be given for prometheus")
		case s.Kind == "prometheus" && j.InFlight == "" && (s.Workers == "" || len(s.Jobs) > 1):
			d.wrong(at+".in_flight", "missing: it must be given, unless source.workers tells what runs and there is one kind of job")
		case s.Kind == "prometheus" && j.Service == 0 && j.ServiceS == "" && j.Completed == "" && j.CompletedPerS == "":
			d.wrong(at+".service", "missing: service or service_s, or completed or completed_per_s to learn it by, must be given")
		}
	}
}

// checkKeys reports keys of another kind of source, and two keys for one thing.
func (j *SourceJobs) checkKeys(d *document, at, kind string) {
	for _, key := range []string{"depth", "in_flight", "oldest_s", "service_s", "arrived", "arrived_per_s", "completed", "completed_per_s"} {
		if kind == "sqs" && d.given[at+"."+key] {
			d.wrong(at+"."+key, `kind = "sqs" has no such key`)
		}
	}
	if kind == "prometheus" && d.given[at+".queue"] {
		d.wrong(at+".queue", `kind = "prometheus" has no such key`)
	}
	for _, key := range []string{"arrived", "completed"} {
		if d.given[at+"."+key] && d.given[at+"."+key+"_per_s"] {
			d.wrong(at+"."+key+"_per_s", key+" tells that already: one of both must be left out")
		}
	}
}

// web reports a value that is no address of the web.
func (d *document) web(path, value string) {
	if d.clean(path) && value != "" && !strings.HasPrefix(value, "http://") && !strings.HasPrefix(value, "https://") {
		d.bad(path, value, "http://… or https://…")
	}
}

// secret reports a value that names no place of a secret. The value may be the
// secret, and is not shown.
func (d *document) secret(path, value string) {
	if value != "" && !isSecret(value) {
		d.wrong(path, "must be env:NAME, file:PATH or ssm:/NAME: where the secret is, not the secret itself")
	}
}

// isSecret reports whether a value names the place of a secret: env:NAME, file:PATH
// or ssm:/NAME.
func isSecret(value string) bool {
	for _, place := range []string{"env:", "file:", "ssm:"} {
		if name, ok := strings.CutPrefix(value, place); ok && name != "" {
			return true
		}
	}
	return false
}
