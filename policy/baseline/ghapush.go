package baseline

import (
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// GHAPush is the policy "gha-push": a runner for each webhook that tells of a
// queued job, as the Terraform module for self-hosted GitHub runners on AWS has it
// (github-aws-runners/terraform-aws-github-runner at 4475534).
//
//	up:   each job that was queued is a message; after delay, if the job still
//	      waits, one runner more, within max − runners there are, booting included
//	down: every down_period, of runners that are idle and older than min_running
//	      all but idle_count; those that did not register within boot_time are
//	      marked, and ended at the next pass
//	pool: every pool_period, as many as are missing to pool_size idle ones
//
// A runner is a slot. Nobody looks at the queue: what a message asks for is asked
// for once. Read in its source: the order of the steps, the checks, min_running of
// 5 minutes for Linux, boot_time of 5. Its maximum of 3 runners is a first user's
// limit and not the method's: max is the actuator's.
//
// Kept, from its issues: a message that finds the group at max is dropped, and so
// is, with refused = "lost", one that meets a refusal that the module does not
// know: its job waits until somebody else's runner is free, or for ever (#2449,
// #3105, #2925, #4820; retry = "on", its later job retry, repairs it). Without the
// check every job has its own runner, although one that was idle took it (#2306,
// check = "off"). The delay is part of every job's wait where nothing is idle.
// Where instances boot for longer than boot_time and a pass, they are ended before
// they register, and their messages are spent (boot_time repairs it).
//
// Deviations: which job a message was for is not known; the messages that find
// their job waiting are as many as there are jobs whose wait has just passed
// delay. The actuator chooses which instance leaves; the original ends the idle
// runner it looks at, and counts busy ones among the idle_count that it leaves. Without the check delay is rounded to ticks. Ephemeral
// runners, which serve one job, are not modelled: all pull on.
var GHAPush = newSpec(build{
	name: "gha-push",
	doc:  "one more runner for each job that a webhook tells of and that still waits half a minute later (Terraform module for self-hosted GitHub runners)",
	params: []policy.Param{
		ghaDelay, ghaCheck, ghaRefused, ghaRetry, ghaRetryDelay, ghaRetryMax,
		ghaIdleCount, ghaMinRunning, ghaBootTime, ghaDownPeriod, ghaPoolSize, ghaPoolPeriod,
	},
	oldest: true,
}, newGHAPush)

const (
	refusedRetried = "retried"
	refusedLost    = "lost"
)

var (
	ghaDelay = policy.Param{
		Name: "delay", Kind: policy.Duration, Min: 0, Max: float64(15 * time.Minute), Default: float64(30 * time.Second),
		Doc: "How long a message waits before it is looked at (delay_webhook_event).",
	}
	ghaCheck = policy.Param{
		Name: "check", Kind: policy.Choice, Choices: []string{"on", "off"}, Fixed: true,
		Doc: "Whether a runner is made only if the job still waits (enable_job_queued_check).",
	}
	ghaRefused = policy.Param{
		Name: "refused", Kind: policy.Choice, Choices: []string{refusedRetried, refusedLost}, Fixed: true,
		Doc: "What becomes of messages whose instances EC2 refuses: they come back, as for the errors the module lists (scale_errors), or are lost, as for all others.",
	}
	ghaRetry = policy.Param{
		Name: "retry", Kind: policy.Choice, Choices: []string{"off", "on"},
		Doc: "Whether a job that still waits later is told of again (job_retry).",
	}
	ghaRetryDelay = policy.Param{
		Name: "retry_delay", Kind: policy.Duration, Min: float64(30 * time.Second), Max: float64(time.Hour), Default: float64(5 * time.Minute), Log: true,
		Doc: "How long after its message a job is told of again, twice as long each time (delay_in_seconds, delay_backoff).",
	}
	ghaRetryMax = policy.Param{
		Name: "retry_max", Kind: policy.Integer, Min: 1, Max: 10, Default: 1,
		Doc: "How often it is told of again (max_attempts).",
	}
	ghaIdleCount = policy.Param{
		Name: "idle_count", Kind: policy.Integer, Min: 0, Max: 200,
		Doc: "The idle runners that a pass leaves (idle_config).",
	}
	ghaMinRunning = policy.Param{
		Name: "min_running", Kind: policy.Duration, Min: 0, Max: float64(3 * time.Hour), Default: float64(5 * time.Minute),
		Doc: "The age from which an idle instance may be ended (minimum_running_time_in_minutes).",
	}
	ghaBootTime = policy.Param{
		Name: "boot_time", Kind: policy.Duration, Min: float64(time.Minute), Max: float64(time.Hour), Default: float64(5 * time.Minute), Log: true,
		Doc: "How long an instance may boot before a pass marks it as an orphan (runner_boot_time_in_minutes).",
	}
	ghaDownPeriod = policy.Param{
		Name: "down_period", Kind: policy.Duration, Min: float64(time.Minute), Max: float64(time.Hour), Default: float64(5 * time.Minute), Log: true,
		Doc: "How often it looks for what may be ended (scale_down_schedule_expression).",
	}
	ghaPoolSize = policy.Param{
		Name: "pool_size", Kind: policy.Integer, Min: 0, Max: 1000,
		Doc: "The idle runners, booting included, that the pool is filled up to (pool_config); 0: no pool.",
	}
	ghaPoolPeriod = policy.Param{
		Name: "pool_period", Kind: policy.Duration, Min: float64(time.Minute), Max: float64(time.Hour), Default: float64(5 * time.Minute), Log: true,
		Doc: "How often the pool is filled up.",
	}

	ruleGHA     = policy.NewRule("gha-push.plan", "%.0f messages find their job waiting, %.0f of them are dropped at max; pool +%.0f, ended %.0f: %.0f slots desired", false)
	ruleGHALost = policy.NewRule("gha-push.lost", "EC2 refused %.0f slots: their messages are lost", false)
)

// ghaMessages are messages that are not yet looked at.
type ghaMessages struct {
	DueAt time.Time `json:"due_at"`
	Jobs  float64   `json:"jobs"`
}

// ghaMemory is the messages of jobs whose wait nobody checks, when the passes
// were, and what the last one marked.
type ghaMemory struct {
	Messages []ghaMessages       `json:"messages,omitempty"`
	DownAt   time.Time           `json:"down_at"`
	PoolAt   time.Time           `json:"pool_at"`
	Orphans  []policy.InstanceID `json:"orphans,omitempty"`
	// Asked is the slots that messages asked for at the last tick, and Wanted all
	// that it wanted then.
	Asked  int `json:"asked"`
	Wanted int `json:"wanted"`
}

// ghaDue reports whether a period is over since at, and if so begins the next.
func ghaDue(at *time.Time, now time.Time, period time.Duration) bool {
	if !at.IsZero() && now.Sub(*at) < period {
		return false
	}
	*at = now
	return true
}

// waited returns how many pending jobs' wait has passed after since the rule ran
// last.
func waited(kinds []policy.KindView, after, elapsed time.Duration) float64 {
	n := int64(0)
	for i := range kinds {
		for _, a := range kinds[i].PendingByAge {
			if a.Age > after && a.Age <= after+elapsed {
				n += a.Jobs
			}
		}
	}
	return float64(n)
}

// ghaCreate returns how many runners so many messages make within a maximum, and
// how many messages are dropped.
func ghaCreate(messages, most, current int) (create, dropped int) {
	create = min(messages, max(0, most-current))
	return create, messages - create
}

// ghaOrphans returns the slots of what was marked and still has not registered,
// which are ended, and marks what has been booting for too long.
func (m *ghaMemory) ghaOrphans(s *signals, bootTime time.Duration) (slots int) {
	var marked []policy.InstanceID
	for i := range s.instances {
		in := &s.instances[i]
		if in.Phase != policy.Requested && in.Phase != policy.Booting {
			continue
		}
		switch {
		case slices.Contains(m.Orphans, in.ID):
			slots += in.Slots
		case s.now.Sub(in.LaunchedAt) > bootTime:
			marked = append(marked, in.ID)
		}
	}
	m.Orphans = marked
	return slots
}

// told returns how many messages find their job waiting: by the jobs' waits, or,
// without the check, all whose delay is over.
func (m *ghaMemory) told(s *signals, check bool, delays []time.Duration) float64 {
	elapsed := s.tick
	if s.sinceRun != forever && s.sinceRun > 0 {
		elapsed = s.sinceRun
	}
	n := 0.0
	first := 0
	if !check {
		arrived := 0.0
		for i := range s.kinds {
			arrived += float64(s.kinds[i].LastTick.Jobs)
		}
		m.Messages = append(m.Messages, ghaMessages{s.now.Add(max(0, delays[0]-elapsed/2)), arrived})
		for len(m.Messages) > 0 && !m.Messages[0].DueAt.After(s.now) {
			n += m.Messages[0].Jobs
			m.Messages = lastOf(m.Messages, len(m.Messages)-1)
		}
		first = 1
	}
	for _, after := range delays[first:] {
		n += waited(s.kinds, after, elapsed)
	}
	return n
}

func newGHAPush(_ *policy.Env, v policy.Values) (rule[ghaMemory], error) {
	check, lost := v.Choice(&ghaCheck) == "on", v.Choice(&ghaRefused) == refusedLost
	delays := []time.Duration{v.Duration(&ghaDelay)}
	if v.Choice(&ghaRetry) == "on" {
		wait := v.Duration(&ghaRetryDelay)
		for range int(v.Number(&ghaRetryMax)) {
			delays = append(delays, delays[len(delays)-1]+wait)
			wait *= 2
		}
	}
	idleCount, poolSize := int(v.Number(&ghaIdleCount)), int(v.Number(&ghaPoolSize))
	minRunning, bootTime := v.Duration(&ghaMinRunning), v.Duration(&ghaBootTime)
	downPeriod, poolPeriod := v.Duration(&ghaDownPeriod), v.Duration(&ghaPoolPeriod)
	return func(s *signals, m *ghaMemory) verdict {
		current := s.desiredSlots
		refused := min(m.Asked, max(0, m.Wanted-current))
		messages := whole(m.told(s, check, delays))
		if !lost {
			messages += refused
		}
		create, dropped := ghaCreate(messages, s.most*s.slots, current)
		added := 0
		if poolSize > 0 && ghaDue(&m.PoolAt, s.now, poolPeriod) {
			added = min(max(0, poolSize-s.freeSlots()-s.bootingSlots), max(0, s.most*s.slots-current-create))
		}
		ended := 0
		if ghaDue(&m.DownAt, s.now, downPeriod) {
			ended = m.ghaOrphans(s, bootTime)
			ended += max(0, s.idleOlder(0, minRunning)*s.slots-idleCount)
		}
		want := current + create + added - ended
		m.Asked, m.Wanted = create, want
		reason := ruleGHA.Because(float64(messages), float64(dropped), float64(added), float64(ended), float64(want))
		if lost && refused > 0 {
			reason = ruleGHALost.Because(float64(refused))
		}
		if want == current {
			return hold(reason)
		}
		return s.toSlots(want, reason)
	}, nil
}
