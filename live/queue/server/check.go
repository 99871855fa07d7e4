package server

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/skynet-ec2/skynet/live/api"
)

// Bounds of what callers may say, beyond those of package api.
const (
	slotsMax     = 1000
	rolesMax     = 32
	typesMax     = 256
	releasesMax  = 64
	durationMaxS = 10 * 365 * 24 * 3600 // of any duration: ten years
	durationMax  = durationMaxS * 1000  // the same in ms
	bytesMax     = 1 << 50
	countMax     = 1 << 40
)

func checkSpec(p *problems, at string, s *api.JobSpec) {
	p.name(at+"type", s.Type, true)
	p.within(at+"priority", float64(s.Priority), 0, api.PriorityMax)
	p.name(at+"tenant", s.Tenant, false)
	p.name(at+"key", s.Key, false)
	p.name(at+"concurrency_key", s.ConcurrencyKey, false)
	p.name(at+"group", s.Group, false)
	p.instant(at+"run_at", s.RunAt)
	p.within(at+"delay_ms", float64(s.DelayMS), 0, durationMax)
	if !s.RunAt.IsZero() && s.DelayMS != 0 {
		p.add(api.Error{Code: api.CodeInvalid, Field: at + "delay_ms", Message: at + "delay_ms and run_at say the same thing; give one of them"})
	}
	p.within(at+"estimate_s", s.EstimateS, 0, durationMaxS)
	p.within(at+"due_ms", float64(s.DueMS), 0, durationMax)
	p.within(at+"max_run_ms", float64(s.MaxRunMS), 0, durationMax)
	p.within(at+"attempts_max", float64(s.AttemptsMax), 0, 1000)
	p.within(at+"bytes_in", float64(s.BytesIn), 0, bytesMax)
	if len(s.Args) > api.ArgsMaxBytes {
		bound := float64(api.ArgsMaxBytes)
		p.add(api.Error{Code: api.CodeTooLarge, Field: at + "args", Max: &bound, Message: fmt.Sprintf("%sargs has %d bytes, it must have at most %d", at, len(s.Args), api.ArgsMaxBytes)})
	}
}

func checkOneSpec(p *problems, s *api.JobSpec) { checkSpec(p, "", s) }

func checkPriority(p *problems, r *api.PriorityRequest) {
	p.within("priority", float64(r.Priority), 0, api.PriorityMax)
}

func checkSelect(p *problems, r *api.SelectRequest) {
	s := r.Selector
	if s.Type == "" && s.Tenant == "" && s.Group == "" && s.State == "" && s.Priority == nil && len(s.Jobs) == 0 && s.OlderThanS == 0 {
		p.add(api.Error{Code: api.CodeRequired, Field: "selector", Message: "selector must say which jobs; an empty one would mean all of them"})
	}
	p.name("selector.type", s.Type, false)
	p.name("selector.tenant", s.Tenant, false)
	p.name("selector.group", s.Group, false)
	if s.State != "" {
		p.word("selector.state", string(s.State), stateWords)
	}
	if s.Priority != nil {
		p.within("selector.priority", float64(*s.Priority), 0, api.PriorityMax)
	}
	p.count("selector.jobs", len(s.Jobs), api.BatchMax)
	p.within("selector.older_than_s", s.OlderThanS, 0, durationMaxS)
	p.within("confirm", float64(r.Confirm), 0, countMax)
}

var stateWords = func() []string {
	var words []string
	for _, s := range api.States {
		words = append(words, string(s))
	}
	return words
}()

func checkGroup(p *problems, r *api.GroupRequest) {
	p.name("name", r.Name, false)
	p.name("tenant", r.Tenant, false)
	p.name("key", r.Key, false)
	p.within("size", float64(r.Size), 0, countMax)
}

func checkRegister(p *problems, r *api.RegisterRequest) {
	p.name("instance_id", r.InstanceID, true)
	p.name("instance_type", r.InstanceType, true)
	p.name("market", r.Market, false)
	p.name("zone", r.Zone, false)
	p.within("slots", float64(r.Slots), 1, slotsMax)
	p.name("cluster", r.Cluster, true)
	checkNames(p, "roles", r.Roles, rolesMax)
	checkNames(p, "types", r.Types, typesMax)
	p.name("bundle_version", r.BundleVersion, false)
	p.within("release", float64(r.Release), 0, api.IDMax)
	p.count("bad_releases", len(r.BadReleases), releasesMax)
	p.name("boot_id", r.BootID, true)
	p.name("api_version", r.APIVersion, false)
	checkRunning(p, r.Running)
	if b := r.Boot; b != nil {
		p.instant("boot.launched_at", b.LaunchedAt)
		for _, d := range []struct {
			field string
			ms    int64
		}{{"uptime_ms", b.UptimeMS}, {"auth_ms", b.AuthMS}, {"fetch_ms", b.FetchMS}, {"unpack_ms", b.UnpackMS}, {"start_ms", b.StartMS}} {
			p.within("boot."+d.field, float64(d.ms), 0, durationMax)
		}
	}
}

func checkNames(p *problems, field string, names []string, most int) {
	p.count(field, len(names), most)
	for i, n := range names {
		p.name(fmt.Sprintf("%s[%d]", field, i), n, true)
	}
}

func checkRunning(p *problems, running []api.RunningJob) {
	p.count("running", len(running), api.BatchMax)
	for i, r := range running {
		if r.Job < 1 || r.Job > api.IDMax || r.Token > api.IDMax || !(r.Progress >= 0 && r.Progress <= 1) {
			at := fmt.Sprintf("running[%d].", i)
			p.within(at+"job", float64(r.Job), 1, api.IDMax)
			p.within(at+"token", float64(r.Token), 0, api.IDMax)
			p.within(at+"progress", r.Progress, 0, 1)
		}
	}
}

var outcomeWords = []string{string(api.OutcomeOK), string(api.OutcomeError), string(api.OutcomeReleased), string(api.OutcomeCancelled)}

// checkDone checks jobs that ended. An error's text is the program's that
// failed, so it is made fit rather than refused.
func checkDone(p *problems, done []api.DoneJob) {
	p.count("done", len(done), api.BatchMax)
	for i := range done {
		d := &done[i]
		d.Error = cut(strings.Map(printable, d.Error), api.ErrorMax)
		at := fmt.Sprintf("done[%d].", i)
		p.within(at+"job", float64(d.Job), 1, api.IDMax)
		p.within(at+"token", float64(d.Token), 0, api.IDMax)
		p.word(at+"outcome", string(d.Outcome), outcomeWords)
		p.text(at+"result_uri", d.ResultURI, api.URIMax)
		if strings.ContainsRune(d.ResultURI, 0) {
			p.add(api.Error{Code: api.CodeInvalid, Field: at + "result_uri", Message: at + "result_uri must be text without control characters"})
		}
		if m := d.Metrics; m != nil {
			p.within(at+"metrics.run_s", m.RunS, 0, durationMaxS)
			p.within(at+"metrics.cpu_s", m.CPUS, 0, durationMaxS)
			p.within(at+"metrics.bytes_in", float64(m.BytesIn), 0, bytesMax)
			p.within(at+"metrics.bytes_out", float64(m.BytesOut), 0, bytesMax)
			p.within(at+"metrics.peak_memory_bytes", float64(m.PeakMemoryBytes), 0, bytesMax)
		}
	}
}

// printable replaces what no log and no database should hold.
func printable(r rune) rune {
	if r < ' ' && r != '\n' && r != '\t' {
		return '\uFFFD'
	}
	return r
}

func checkWork(p *problems, r *api.WorkRequest) {
	p.name("session", r.Session, true)
	p.name("req_id", r.ReqID, true)
	p.within("wait_ms", float64(r.WaitMS), 0, durationMax)
	r.WaitMS = min(r.WaitMS, api.WaitMaxMS)
	p.within("max", float64(r.Max), 0, api.BatchMax)
	checkNames(p, "types", r.Types, typesMax)
	p.within("slots_free", float64(r.SlotsFree), 0, slotsMax)
	p.name("bundle_version", r.BundleVersion, false)
	p.within("release", float64(r.Release), 0, api.IDMax)
	p.count("bad_releases", len(r.BadReleases), releasesMax)
	p.within("load", r.Load, 0, 1e6)
	checkRunning(p, r.Running)
	checkDone(p, r.Done)
}

func checkHeartbeat(p *problems, r *api.HeartbeatRequest) {
	p.name("session", r.Session, true)
	p.within("slots_free", float64(r.SlotsFree), 0, slotsMax)
	p.name("bundle_version", r.BundleVersion, false)
	p.within("load", r.Load, 0, 1e6)
	checkRunning(p, r.Running)
}

func checkComplete(p *problems, r *api.CompleteRequest) {
	p.name("session", r.Session, true)
	if len(r.Done) == 0 {
		p.required("done")
	}
	checkDone(p, r.Done)
}

func checkGoodbye(p *problems, r *api.GoodbyeRequest) {
	p.name("session", r.Session, true)
	p.name("reason", r.Reason, false)
}

func checkLimit(p *problems, l *api.Limit) {
	p.within("running_max", float64(l.RunningMax), 0, 1e9)
	p.within("rate_per_s", l.RatePerS, 0, 1e9)
	if l.RatePerS > 0 && l.RatePerS < 1e-6 {
		p.within("rate_per_s", l.RatePerS, 1e-6, 1e9)
	}
	p.within("burst", float64(l.Burst), 0, 1e9)
	if l.Burst > 0 && l.RatePerS == 0 {
		p.required("rate_per_s")
	}
}

func checkKeyLimit(p *problems, l *api.KeyLimit) {
	p.within("running_max", float64(l.RunningMax), 0, 1e9)
}

func checkObserve(p *problems, r *api.ObserveRequest) {
	for _, name := range slices.Sorted(maps.Keys(r.Speeds)) {
		p.within("speeds."+name, r.Speeds[name], 1e-6, 1e6)
	}
	for i, l := range r.LateAfter {
		field := fmt.Sprintf("late_after[%d].", i)
		p.name(field+"type", l.Type, true)
		p.within(field+"priority", float64(l.Priority), 0, 255)
		p.within(field+"after_s", l.AfterS, 0, 1e12)
	}
}

func checkWeight(p *problems, w *api.Weight) { p.within("weight", float64(w.Weight), 1, 1000) }

func checkSchedule(p *problems, s *api.Schedule) {
	p.name("name", s.Name, false)
	p.name("cron", s.Cron, true)
	p.name("zone", s.Zone, false)
	checkSpec(p, "job.", &s.Job)
	for _, f := range []struct {
		field string
		given bool
	}{{"job.run_at", !s.Job.RunAt.IsZero()}, {"job.delay_ms", s.Job.DelayMS != 0}, {"job.key", s.Job.Key != ""}} {
		if f.given {
			p.add(api.Error{Code: api.CodeInvalid, Field: f.field, Message: f.field + " is not allowed in a schedule: each run has its own"})
		}
	}
}

var opWords = []string{string(api.OpWork), string(api.OpNap), string(api.OpDrain), string(api.OpShutdown), string(api.OpUpdate), string(api.OpReload)}

func checkDirective(p *problems, d *api.DirectiveRequest) {
	p.name("worker_id", d.WorkerID, false)
	p.name("instance_id", d.InstanceID, false)
	p.name("role", d.Role, false)
	p.word("op", string(d.Op), opWords)
	scoped := d.WorkerID != "" || d.InstanceID != "" || d.Role != ""
	if scoped == d.All {
		p.add(api.Error{Code: api.CodeRequired, Field: "all", Message: "say whom it is for: worker_id, instance_id or role, or else all"})
	}
	p.within("after_ms", float64(d.AfterMS), 0, durationMax)
	p.within("spread_ms", float64(d.SpreadMS), 0, durationMax)
	p.name("bundle", d.Bundle, d.Op == api.OpUpdate)
	p.within("percent", float64(d.Percent), 0, 100)
	p.text("reason", d.Reason, api.ErrorMax)
	d.Reason = strings.Map(printable, d.Reason)
	p.within("lasts_ms", float64(d.LastsMS), 0, durationMax)
}

func checkTokenRequest(p *problems, r *api.TokenRequest) {
	var roles []string
	for _, role := range api.Roles {
		roles = append(roles, string(role))
	}
	p.word("role", string(r.Role), roles)
	p.name("name", r.Name, false)
	p.name("tenant", r.Tenant, false)
	p.name("instance_id", r.InstanceID, false)
	p.within("lasts_s", float64(r.LastsS), 0, durationMaxS)
}

func checkBootstrap(p *problems, r *api.BootstrapRequest) {
	p.name("kind", r.Kind, true)
	p.name("cluster", r.Cluster, true)
	p.name("boot_id", r.BootID, true)
	p.text("document", r.Document, 16<<10)
	p.text("signature", r.Signature, 16<<10)
	p.text("web_identity_token", r.WebIdentityToken, api.WebIdentityTokenMax)
	p.name("instance_id", r.InstanceID, false)
	p.instant("at", r.At)
	p.name("mac", r.MAC, false)
}
