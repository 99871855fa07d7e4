package ec2api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/sim/cloud"
)

// Adjustable is a clock that can be set by the administrator's API.
type Adjustable interface {
	Clock
	// Advance moves the time on by d at once.
	Advance(d time.Duration)
	// SetSpeed makes the time pass at so many times the speed of the wall clock.
	SetSpeed(speed float64)
	// Speed returns that.
	Speed() float64
}

func (s *Server) adminRoutes() {
	for pattern, do := range map[string]func(*http.Request) (any, error){ // map order: each route stands by itself
		"GET /_sim/clock":                    s.readClock,
		"POST /_sim/clock":                   s.setClock,
		"GET /_sim/state":                    s.readState,
		"GET /_sim/instances":                s.readInstances,
		"POST /_sim/instances/{id}/{action}": s.touch,
		"GET /_sim/bill":                     s.readBill,
		"GET /_sim/requests":                 s.readRequests,
		"GET /_sim/faults":                   s.readFaults,
		"POST /_sim/faults":                  s.addFault,
		"DELETE /_sim/faults/{fault}":        s.removeFault,
		"PUT /_sim/capacity":                 s.setCapacity,
		"PUT /_sim/quota":                    s.setQuota,
		"PUT /_sim/list-lag":                 s.setListLag,
		"GET /_sim/identity-certificate":     s.readCertificate,
	} {
		s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			v, err := s.loggedAdmin(r, do)
			answer(w, v, err)
		})
	}
}

// adminError is an error of the administrator's API with its status.
type adminError struct {
	status int
	err    error
}

func (e adminError) Error() string { return e.err.Error() }

func notFound(format string, args ...any) error {
	return adminError{http.StatusNotFound, fmt.Errorf(format, args...)}
}

// answer writes v, or the error, as JSON.
func answer(w http.ResponseWriter, v any, err error) {
	status := http.StatusOK
	if err != nil {
		status = http.StatusBadRequest
		var chosen adminError
		if errors.As(err, &chosen) {
			status = chosen.status
		}
		v = map[string]string{"error": err.Error()}
	}
	if text, ok := v.([]byte); ok {
		w.Header().Set("Content-Type", "application/x-pem-file")
		w.Write(text)
		return
	}
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		panic(err) // this package's own types
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(text, '\n'))
}

// read decodes a request's JSON body into v. The content type must say that it is
// JSON: a page in somebody's browser cannot send that unasked.
func read(r *http.Request, v any) error {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		return adminError{http.StatusUnsupportedMediaType, errors.New("Content-Type must be application/json")}
	}
	d := json.NewDecoder(io.LimitReader(r.Body, bodyMax))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("body: %w", err)
	}
	return nil
}

// span is a duration in JSON, as text with a unit.
type span time.Duration

func (d span) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

func (d *span) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = span(v)
	return err
}

type clockView struct {
	Now     time.Time `json:"now"`
	Started time.Time `json:"started"`
	Speed   float64   `json:"speed,omitempty"`
}

func (s *Server) readClock(*http.Request) (any, error) {
	v := clockView{Now: s.opt.Clock.Now(), Started: s.cloud.Started()}
	if a, ok := s.opt.Clock.(Adjustable); ok {
		v.Speed = a.Speed()
	}
	return v, nil
}

// speedMax bounds the speed of the clock: a day in 9 s.
const speedMax = 10_000

func (s *Server) setClock(r *http.Request) (any, error) {
	var q struct {
		Advance span    `json:"advance"`
		Speed   float64 `json:"speed"`
	}
	if err := read(r, &q); err != nil {
		return nil, err
	}
	clock, ok := s.opt.Clock.(Adjustable)
	switch {
	case !ok:
		return nil, adminError{http.StatusConflict, errors.New("this server's clock cannot be set")}
	case q.Advance < 0:
		return nil, fmt.Errorf("advance = %s: must not be negative", time.Duration(q.Advance))
	case q.Speed != 0 && !(q.Speed >= 0.01 && q.Speed <= speedMax):
		return nil, fmt.Errorf("speed = %v: must be from 0.01 to %d", q.Speed, speedMax)
	}
	if q.Speed != 0 {
		clock.SetSpeed(q.Speed)
	}
	clock.Advance(time.Duration(q.Advance))
	s.Retime()
	return s.readClock(r)
}

func (s *Server) readState(*http.Request) (any, error) {
	v := struct {
		clockView
		Instances map[string]int `json:"instances"`
		BillUSD   float64        `json:"bill_usd"`
		Image     string         `json:"image"`
		Zones     []zoneView     `json:"zones"`
		Unplayed  []string       `json:"unplayed_faults,omitempty"`
	}{Instances: map[string]int{}}
	v.Now, v.Started = s.opt.Clock.Now(), s.cloud.Started()
	s.With(func(c *cloud.Cloud) {
		for _, in := range c.Instances() {
			v.Instances[in.State().String()]++
		}
		v.BillUSD = c.Bill().Total.Dollars()
		v.Image = c.Image().ID
		for _, z := range c.Zones() {
			v.Zones = append(v.Zones, zoneView{z.Name, z.Subnet})
		}
		for _, f := range c.Unplayed() {
			v.Unplayed = append(v.Unplayed, string(f.Kind))
		}
	})
	return v, nil
}

type zoneView struct {
	Name   string `json:"name"`
	Subnet string `json:"subnet"`
}

type instanceView struct {
	ID       string            `json:"id"`
	Number   int64             `json:"number"`
	Type     string            `json:"type"`
	Market   string            `json:"market"`
	Zone     string            `json:"zone"`
	State    string            `json:"state"`
	Works    bool              `json:"works"`
	Launched time.Time         `json:"launched"`
	BillUSD  float64           `json:"bill_usd"`
	Tags     map[string]string `json:"tags,omitempty"`
	Token    string            `json:"client_token,omitempty"`
}

func (s *Server) instanceViews(c *cloud.Cloud) []instanceView {
	views := []instanceView{}
	for _, line := range c.Bill().Lines {
		in := line.Instance
		v := instanceView{
			ID: in.ID, Number: in.Number, Type: c.Catalog().Types[in.Type].Name, Market: in.Market.String(),
			Zone: c.Zones()[in.Zone].Name, State: in.State().String(), Works: in.Works(),
			Launched: in.Launched, BillUSD: line.Amount.Dollars(), Token: in.Token, Tags: map[string]string{},
		}
		for _, t := range in.Tags {
			v.Tags[t.Key] = t.Value
		}
		views = append(views, v)
	}
	return views
}

func (s *Server) readInstances(*http.Request) (any, error) {
	var views []instanceView
	s.With(func(c *cloud.Cloud) { views = s.instanceViews(c) })
	return views, nil
}

// touch does something to one instance.
func (s *Server) touch(r *http.Request) (any, error) {
	if err := read(r, &struct{}{}); err != nil {
		return nil, err
	}
	id, found := r.PathValue("id"), false
	do, known := map[string]func(*cloud.Cloud, string) bool{
		"interrupt": (*cloud.Cloud).Interrupt,
		"rebalance": (*cloud.Cloud).Recommend,
		"crash":     (*cloud.Cloud).Crash,
	}[r.PathValue("action")]
	if !known {
		return nil, notFound("%s: must be interrupt, rebalance or crash", r.PathValue("action"))
	}
	s.With(func(c *cloud.Cloud) { found = do(c, id) })
	if !found {
		return nil, notFound("%s: no such instance is alive (interrupt and rebalance concern spot instances)", id)
	}
	return map[string]string{"instance": id, "done": r.PathValue("action")}, nil
}

func (s *Server) readBill(*http.Request) (any, error) {
	var v struct {
		At         time.Time      `json:"at"`
		TotalUSD   float64        `json:"total_usd"`
		EarlierUSD float64        `json:"earlier_usd"`
		Instances  []instanceView `json:"instances"`
	}
	s.With(func(c *cloud.Cloud) {
		b := c.Bill()
		v.At, v.TotalUSD, v.EarlierUSD = c.Now(), b.Total.Dollars(), b.Earlier.Dollars()
		v.Instances = s.instanceViews(c)
	})
	return v, nil
}

func (s *Server) readRequests(*http.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	copied := map[string]callCount{}
	for name, n := range s.calls { // map order: JSON sorts
		own := callCount{Calls: n.Calls, Errors: map[string]int64{}}
		for code, k := range n.Errors { // map order: JSON sorts
			own.Errors[code] = k
		}
		copied[name] = own
	}
	return copied, nil
}

// faultBody is a fault in JSON. Kind is one of the scenarios' kinds, with their
// keys, or "call", which concerns calls of one action.
type faultBody struct {
	ID          string   `json:"id,omitempty"`
	Kind        string   `json:"kind"`
	In          span     `json:"in,omitzero"`  // from now until it begins
	For         span     `json:"for,omitzero"` // that it lasts; 0: until removed
	Types       []string `json:"types,omitempty"`
	Zones       []string `json:"zones,omitempty"`
	Signals     []string `json:"signals,omitempty"`
	Probability float64  `json:"probability,omitempty"`
	Factor      float64  `json:"factor,omitempty"`
	Rate        float64  `json:"rate,omitempty"`
	Delay       span     `json:"delay,omitzero"`

	// of kind "call"
	Action string `json:"action,omitempty"`
	Code   string `json:"code,omitempty"`
	Status int    `json:"status,omitempty"`
	After  bool   `json:"after,omitempty"`
	Lost   bool   `json:"lost,omitempty"`
	Count  int    `json:"count,omitempty"`

	Active bool `json:"active,omitempty"`
}

const callKind = "call"

// check returns an error that names an impossible value.
func (f *faultBody) check() error {
	_, known := actions[f.Action]
	switch {
	case f.Probability < 0 || f.Probability > 1:
		return fmt.Errorf("probability = %v: must be from 0 to 1", f.Probability)
	case f.In < 0 || f.For < 0 || f.Delay < 0:
		return errors.New("in, for and delay must not be negative")
	case f.Kind != callKind && (f.Action != "" || f.Code != "" || f.Status != 0 || f.After || f.Lost || f.Count != 0):
		return fmt.Errorf("action, code, status, after, lost and count are keys of kind %q", callKind)
	case f.Kind != callKind && (f.Kind == string(sim.SlowBoot) || f.Kind == string(sim.PriceChange)) && !(f.Factor > 0):
		return fmt.Errorf("factor = %v: must be above 0", f.Factor)
	case f.Kind == callKind && f.Action != "" && !known:
		return fmt.Errorf("action %q: this server has no such action", f.Action)
	case f.Kind == callKind && f.Code == "" && !f.Lost && f.Delay == 0:
		return errors.New("the fault does nothing: it needs code, lost or delay")
	case f.Status != 0 && (f.Status < 400 || f.Status > 599):
		return fmt.Errorf("status = %d: must be from 400 to 599", f.Status)
	case f.Count < 0:
		return fmt.Errorf("count = %d: must not be negative", f.Count)
	}
	return nil
}

func (s *Server) addFault(r *http.Request) (any, error) {
	var f faultBody
	if err := read(r, &f); err != nil {
		return nil, err
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	var err error
	s.With(func(c *cloud.Cloud) {
		if f.Kind == callKind {
			a := cloud.ActionFault{
				Action: f.Action, Delay: time.Duration(f.Delay), Code: f.Code, Status: f.Status, After: f.After, Lost: f.Lost,
				Probability: f.Probability, Count: f.Count, From: c.Now().Add(time.Duration(f.In)),
			}
			if f.For > 0 {
				a.To = a.From.Add(time.Duration(f.For))
			}
			f.ID = "call-" + itoa(c.AddFault(a))
			return
		}
		a := sim.Fault{
			Kind: sim.FaultKind(f.Kind), From: time.Duration(f.In), Types: f.Types, Zones: f.Zones, Signals: f.Signals,
			Probability: f.Probability, Factor: f.Factor, Rate: f.Rate, Delay: time.Duration(f.Delay),
		}
		if f.For > 0 {
			a.To = a.From + time.Duration(f.For)
		}
		var n int
		if n, err = c.AddScenarioFault(a); err == nil {
			f.ID = "scenario-" + strconv.Itoa(n)
		}
	})
	return f, err
}

func (s *Server) removeFault(r *http.Request) (any, error) {
	name := r.PathValue("fault")
	kind, number, _ := strings.Cut(name, "-")
	n, err := strconv.ParseInt(number, 10, 32)
	removed := false
	s.With(func(c *cloud.Cloud) {
		switch {
		case err != nil:
		case kind == "call":
			removed = c.RemoveFault(n)
		case kind == "scenario":
			removed = c.EndScenarioFault(int(n))
		}
	})
	if !removed {
		return nil, notFound("fault %s: there is none of that id", name)
	}
	return map[string]string{"removed": name}, nil
}

func (s *Server) readFaults(*http.Request) (any, error) {
	all := []faultBody{}
	s.With(func(c *cloud.Cloud) {
		for _, f := range c.ScenarioFaults() {
			b := faultBody{
				ID: "scenario-" + strconv.Itoa(f.Number), Kind: string(f.Kind), Active: f.Active, Types: f.Types, Zones: f.Zones, Signals: f.Signals,
				Probability: f.Probability, Factor: f.Factor, Rate: f.Rate, Delay: span(f.Delay),
				In: span(max(f.From-c.Now().Sub(c.Started()), 0)),
			}
			if f.To > 0 {
				b.For = span(f.To - f.From)
			}
			all = append(all, b)
		}
		for _, f := range c.Faults() {
			all = append(all, faultBody{
				ID: "call-" + itoa(f.ID), Kind: callKind, Action: f.Action, Delay: span(f.Delay), Code: f.Code, Status: f.Status,
				After: f.After, Lost: f.Lost, Probability: f.Probability, Count: f.Count, Active: true,
			})
		}
	})
	return all, nil
}

func (s *Server) setCapacity(r *http.Request) (any, error) {
	var q struct {
		Type  string `json:"type"`
		Zone  string `json:"zone"`  // empty: every zone
		Count *int   `json:"count"` // null: no limit
	}
	if err := read(r, &q); err != nil {
		return nil, err
	}
	count := -1
	if q.Count != nil {
		if count = *q.Count; count < 0 {
			return nil, fmt.Errorf("count = %d: must not be negative; null removes the limit", count)
		}
	}
	var err error
	s.With(func(c *cloud.Cloud) { err = c.SetCapacity(q.Type, q.Zone, count) })
	return q, err
}

func (s *Server) setQuota(r *http.Request) (any, error) {
	var q struct {
		VCPUs     int `json:"vcpus"` // 0: none
		SpotVCPUs int `json:"spot_vcpus"`
	}
	if err := read(r, &q); err != nil {
		return nil, err
	}
	if q.VCPUs < 0 || q.SpotVCPUs < 0 {
		return nil, errors.New("vcpus and spot_vcpus must not be negative")
	}
	s.With(func(c *cloud.Cloud) { c.SetQuota(q.VCPUs, q.SpotVCPUs) })
	return q, nil
}

func (s *Server) setListLag(r *http.Request) (any, error) {
	var q struct {
		Mean span `json:"mean"`
	}
	if err := read(r, &q); err != nil {
		return nil, err
	}
	if q.Mean < 0 || time.Duration(q.Mean) > time.Hour {
		return nil, fmt.Errorf("mean = %s: must be from 0s to 1h", time.Duration(q.Mean))
	}
	s.With(func(c *cloud.Cloud) { c.SetListLag(time.Duration(q.Mean)) })
	return q, nil
}

func (s *Server) readCertificate(*http.Request) (any, error) {
	if s.opt.Identity == nil {
		return nil, notFound("this server signs no identity documents")
	}
	return s.opt.Identity.PEM(), nil
}
