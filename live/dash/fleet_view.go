package dash

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/live/controller/server"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/explain"
)

// nav is the way from one page to the other.
type nav struct {
	Here         string // fleet, queue
	Fleet, Queue string // addresses; empty: there is none
	Assets       string // where style sheets and scripts are
	Login        bool   // the page stands behind a login
}

type stopView struct {
	Nav             nav
	Shown           server.Shown
	Can             bool
	Lasts           []lastsView
	Row, File       *controller.Stopped
	Unread          string // why the row could not be read
	Message, Reason string
}

type lastsView struct{ Value, Text string }

type decisionsView struct {
	Nav             nav
	Fleet, Journals string
	List            []decisionView
	Older           int64 // the number that older ones come before; 0: there are none
}

// fleetView is what the fleet's page shows.
type fleetView struct {
	server.Shown
	Nav      nav
	Charts   []template.HTML
	Last     *decisionView
	Acting   []decisionView // the latest that a reader would want to see
	Acted    int            // how many of the day there are
	Day      []server.Moment
	Since    time.Time // of the oldest decision shown
	Tiles    []tile
	Rows     []instanceRow
	More     int // instances that are not shown
	Refusals []refusalRow
	Guard    []guardRow
	Holds    []holdRow
	Apart    apartView
	Late     bool // no decision for too long
}

// tile is one figure. Full is how much of its limit it takes, 0 to 100; below 0: it
// has none.
type tile struct {
	Name, Value, Of, Note string
	Full                  float64
	Alarm                 bool
}

type decisionView struct {
	server.Moment
	Explain string
}

type instanceRow struct {
	server.Instance
	Age, Paid, Left, Seen string
	Short                 bool // it is paid for less than five minutes more
}

type refusalRow struct {
	Type, Market, Zone, Why string
	Asked, Refused, Times   int
	Last                    time.Time
}

type guardRow struct {
	Rule, Text string
	Times      int
	Last       time.Time
}

type holdRow struct {
	Why   string
	Times int
	Last  time.Time
}

type apartView struct {
	Times, Launches, Drains int
	Last                    *decisionView
}

// fleetParts are the templates that are renewed, each in an element of its name.
var fleetParts = []string{"status", "tiles", "latest", "acting", "classes", "limits", "instances"}

const (
	clockFormat   = "15:04:05"
	actingShown   = 25
	rowsShown     = 300
	paidSoon      = 5 * time.Minute
	guardRowsMost = 8
)

func (f *Fleet) decision(m *server.Moment) decisionView {
	return decisionView{*m, explainCommand(f.opt.Journals, m.Number)}
}

// view returns what the page shows now.
func (f *Fleet) view() *fleetView {
	v := &fleetView{Shown: f.opt.Controller.Shown(), Day: f.opt.Controller.Day()}
	if n := len(v.Day); n > 0 {
		last := f.decision(&v.Day[n-1])
		v.Last, v.Since = &last, v.Day[0].At
	}
	v.sumUp(f)
	v.Late = v.Decided && v.AgeS > 3*v.TickS
	if v.Decided {
		v.Tiles = v.tiles()
		v.list()
	}
	return v
}

// sumUp goes through the day.
func (v *fleetView) sumUp(f *Fleet) {
	guard, holds, refusals := map[string]*guardRow{}, map[string]*holdRow{}, map[string]*refusalRow{}
	for i := len(v.Day) - 1; i >= 0; i-- {
		m := &v.Day[i]
		if m.Acts() {
			v.Acted++
			if len(v.Acting) < actingShown {
				v.Acting = append(v.Acting, f.decision(m))
			}
		}
		for _, b := range m.Because {
			rule, text, _ := strings.Cut(b, ": ")
			if !strings.HasPrefix(rule, "guard.") {
				continue
			}
			if guard[rule] == nil {
				guard[rule] = &guardRow{Rule: rule, Text: text, Last: m.At}
			}
			guard[rule].Times++
		}
		if m.Held != "" {
			why, _, _ := strings.Cut(m.Held, ", since ")
			if holds[why] == nil {
				holds[why] = &holdRow{Why: why, Last: m.At}
			}
			holds[why].Times++
		}
		for _, r := range m.Refusals {
			typ := fmt.Sprintf("type %d", r.Type)
			if r.Type >= 0 && r.Type < len(v.Types) {
				typ = v.Types[r.Type]
			}
			key := typ + " " + r.Market.String() + " " + r.Zone + " " + r.Why
			if refusals[key] == nil {
				refusals[key] = &refusalRow{Type: typ, Market: r.Market.String(), Zone: r.Zone, Why: r.Why, Last: r.At}
			}
			x := refusals[key]
			x.Asked, x.Refused, x.Times = x.Asked+r.Asked, x.Refused+r.Refused, x.Times+1
			if r.At.After(x.Last) {
				x.Last = r.At
			}
		}
		if m.Apart.Is() {
			v.Apart.Times++
			v.Apart.Launches += m.Apart.Launches
			v.Apart.Drains += m.Apart.Drains
			if v.Apart.Last == nil {
				d := f.decision(m)
				v.Apart.Last = &d
			}
		}
	}
	for _, x := range guard {
		v.Guard = append(v.Guard, *x)
	}
	for _, x := range holds {
		v.Holds = append(v.Holds, *x)
	}
	for _, x := range refusals {
		v.Refusals = append(v.Refusals, *x)
	}
	slices.SortFunc(v.Guard, func(a, b guardRow) int { return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Rule, b.Rule)) })
	slices.SortFunc(v.Holds, func(a, b holdRow) int { return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Why, b.Why)) })
	slices.SortFunc(v.Refusals, func(a, b refusalRow) int { return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Type, b.Type)) })
	v.Guard = v.Guard[:min(len(v.Guard), guardRowsMost)]
}

// tiles are the figures at the top.
func (v *fleetView) tiles() []tile {
	m := &v.Last.Moment
	limited := func(max int) (of string) {
		if max < math.MaxInt32 {
			of = "of " + count(max)
		}
		return of
	}
	full := func(value, max float64) float64 {
		if max <= 0 || max >= float64(policy.Unlimited) {
			return -1
		}
		return min(100, 100*value/max)
	}
	var late int64
	for i := range v.Classes {
		late += v.Classes[i].WillMiss[0]
	}
	phases := []string{}
	for _, p := range []policy.Phase{policy.Ready, policy.Booting, policy.Requested, policy.Draining, policy.Lost} {
		if n := v.Status.Instances[p.String()]; n > 0 {
			phases = append(phases, fmt.Sprintf("%s %s", count(n), p))
		}
	}
	all := []tile{
		{Name: "Instances", Value: count(m.Instances), Of: limited(v.Caps.FleetMax), Note: strings.Join(phases, ", "), Full: full(float64(m.Instances), float64(v.Caps.FleetMax)), Alarm: m.SilentWorkers > 0},
		{Name: "Slots busy", Value: count(m.Busy), Of: "of " + count(m.Ready), Note: fmt.Sprintf("%s boot, %s drain", count(m.Booting), count(m.Draining)), Full: full(float64(m.Busy), float64(m.Ready))},
		{Name: "Waiting", Value: count(m.Waiting), Note: "oldest " + ago(m.OldestWait.Seconds()) + ", " + count(m.Running) + " run", Full: -1},
		{Name: "Will miss", Value: count(late), Note: "unless started in a minute", Full: -1, Alarm: late > 0},
	}
	slack := tile{Name: "Slack, 24 h", Value: "–", Full: -1}
	if !math.IsNaN(m.Slack24h) {
		slack.Value = fmt.Sprintf("%.1f %%", 100*m.Slack24h)
	}
	if !math.IsNaN(m.Slack) {
		slack.Note = fmt.Sprintf("now %.0f %%", 100*m.Slack)
	}
	if v.SlackTarget > 0 {
		slack.Note = strings.TrimPrefix(slack.Note+fmt.Sprintf(", target %.0f %%", 100*v.SlackTarget), ", ")
	}
	all = append(all, slack)
	for _, x := range []struct {
		name         string
		spent, limit policy.MicroUSD
		budget       float64
	}{
		{"This hour", m.SpentHour, v.Caps.HourMax, v.Budget.Hour},
		{"Today", m.SpentDay, v.Caps.DayMax, v.Budget.Day},
		{"This month", m.SpentMonth, v.Caps.MonthMax, v.Budget.Month},
	} {
		t := tile{Name: x.name, Value: dollars(x.spent), Note: "no cap", Full: -1}
		if x.limit > 0 && x.limit < policy.Unlimited {
			t.Note, t.Full = "cap "+dollars(x.limit), full(float64(x.spent), float64(x.limit))
			t.Alarm = x.spent >= x.limit
		}
		if x.budget > 0 {
			t.Note += fmt.Sprintf(", budget $ %.2f", x.budget)
		}
		all = append(all, t)
	}
	paid := tile{Name: "Paid hours", Value: fmt.Sprintf("%.1f", v.PaidHours), Of: fmt.Sprintf("%.1f ahead", v.AheadHours), Note: dollars(m.PerHour) + " per hour now", Full: -1}
	if v.Caps.CoresMax < math.MaxInt32 {
		paid.Note += fmt.Sprintf(", %s of %s cores", count(v.Cores), count(v.Caps.CoresMax))
	}
	return append(all, paid)
}

// list are the rows of instances: what wants a look first, then the oldest.
func (v *fleetView) list() {
	order := func(p policy.Phase) int {
		return slices.Index([]policy.Phase{policy.Lost, policy.Draining, policy.Requested, policy.Booting, policy.Ready}, p)
	}
	slices.SortStableFunc(v.Shown.Instances, func(a, b server.Instance) int { return cmp.Compare(order(a.Phase), order(b.Phase)) })
	for i := range v.Shown.Instances {
		if i == rowsShown {
			v.More = len(v.Shown.Instances) - rowsShown
			break
		}
		in := &v.Shown.Instances[i]
		r := instanceRow{Instance: *in, Age: ago(v.Now.Sub(in.LaunchedAt).Seconds()), Paid: "–", Left: "–", Seen: "never"}
		if !in.PaidUntil.IsZero() {
			left := in.PaidUntil.Sub(v.Now)
			r.Paid, r.Short = in.PaidUntil.UTC().Format("15:04"), left < paidSoon
			r.Left = fmt.Sprintf("%.0f min", max(0, left).Minutes())
		}
		if !in.LastSeen.IsZero() {
			r.Seen = ago(max(0, v.Now.Sub(in.LastSeen)).Seconds()) + " ago"
		}
		v.Rows = append(v.Rows, r)
	}
}

// dollars returns an amount as people say it.
func dollars(m policy.MicroUSD) string {
	return "$ " + explain.Grouped(fmt.Sprintf("%.2f", m.Dollars()))
}
