package dash

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/live/access"
	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/explain"
)

// loginView is what the login shows; To is where it leads.
type loginView struct{ Message, To string }

func (p *Page) loginView(r *http.Request, message string) loginView {
	v := loginView{message, "/"}
	if p.opt.Fleet != nil && (r.URL.Path == "/fleet" || r.PostFormValue("to") == "/fleet") {
		v.To = "/fleet"
	}
	return v
}

// view is what the page shows to a caller.
type view struct {
	Nav      nav
	At       time.Time
	Standby  bool
	Tenant   string // that the caller is bound to
	Stats    api.Stats
	States   []stateCount
	Ages     []string // heads of the age columns
	Trouble  []api.Flow
	Failed   int64 // dead and quarantined jobs
	Workers  []api.Worker
	ShowsAll bool // workers and services, too
}

type stateCount struct {
	State api.State
	Jobs  int64
}

// seesAll reports whether a caller may see more than jobs.
func seesAll(c access.Caller) bool { return c.Tenant == "" && c.Role != api.RoleProducer }

// view returns what a caller may see now.
func (p *Page) view(c access.Caller) view {
	v := view{Nav: nav{Here: "queue", Queue: "/", Assets: "/ui/", Login: true}, At: time.Now().UTC(), Tenant: c.Tenant, ShowsAll: seesAll(c)}
	if p.opt.Fleet != nil && v.ShowsAll {
		v.Nav.Fleet = "/fleet"
	}
	engine := p.engine.Load()
	if engine == nil {
		v.Standby = true
		return v
	}
	v.Stats = (*engine).Stats(c.Tenant)
	for _, s := range api.States {
		v.States = append(v.States, stateCount{s, v.Stats.States[s]})
	}
	v.Failed = v.Stats.States[api.StateDead] + v.Stats.States[api.StateQuarantined]
	for _, bound := range api.AgeBoundsS {
		v.Ages = append(v.Ages, "≤ "+ago(bound))
	}
	v.Ages = append(v.Ages, "older")
	for _, f := range v.Stats.Flows {
		if f.Failed.M60 > 0 || f.Retried.M60 > 0 || f.Lost.M60 > 0 {
			v.Trouble = append(v.Trouble, f)
		}
	}
	if v.ShowsAll {
		v.Workers = (*engine).Workers().Workers
	}
	return v
}

// ago returns seconds as people say them: 0.4 s, 12 s, 5 min, 3 h, 2 d.
func ago(s float64) string {
	switch {
	case s < 0.05:
		return "0 s"
	case s < 10:
		return strconv.FormatFloat(math.Round(s*10)/10, 'f', -1, 64) + " s"
	case s < 120:
		return fmt.Sprintf("%.0f s", s)
	case s < 2*3600:
		return fmt.Sprintf("%.0f min", s/60)
	case s < 48*3600:
		return fmt.Sprintf("%.0f h", s/3600)
	}
	return fmt.Sprintf("%.0f d", s/86400)
}

// clock returns a time as a clock of the day shows it.
func clock(t time.Time) string { return t.UTC().Format(clockFormat) }

func coreSeconds(w policy.CoreSeconds) string { return work(float64(w)) }

// rule and sentence are the two halves of a reason.
func rule(reason string) string {
	name, _, _ := strings.Cut(reason, ": ")
	return name
}

func sentence(reason string) string {
	_, text, _ := strings.Cut(reason, ": ")
	return text
}

// work returns core-seconds as people say them.
func work(s float64) string {
	if s < 2*3600 {
		return fmt.Sprintf("%.0f core-s", s)
	}
	return fmt.Sprintf("%.1f core-h", s/3600)
}

// count returns a number with thin spaces between its thousands.
func count(n any) string {
	var v int64
	switch n := n.(type) {
	case int64:
		v = n
	case int:
		v = int64(n)
	case float64:
		v = int64(math.Round(n))
	}
	return explain.Count(v)
}

// percent returns part of whole.
func percent(part, whole int64) string {
	if whole == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f %%", 100*float64(part)/float64(whole))
}
