package dash

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/skynet-ec2/skynet/live/access"
	"github.com/skynet-ec2/skynet/live/api"
)

type loginView struct{ Message string }

// view is what the page shows to a caller.
type view struct {
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

// view returns what a caller may see now.
func (p *Page) view(c access.Caller) view {
	v := view{At: time.Now().UTC(), Tenant: c.Tenant, ShowsAll: c.Tenant == "" && c.Role != api.RoleProducer}
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
	digits := strconv.FormatInt(v, 10)
	for at := len(digits) - 3; at > 0 && digits[at-1] != '-'; at -= 3 {
		digits = digits[:at] + "\u202f" + digits[at:]
	}
	return digits
}

// percent returns part of whole.
func percent(part, whole int64) string {
	if whole == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f %%", 100*float64(part)/float64(whole))
}
