package desk

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/live/access"
	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/spell"
)

// Options describe a desk. All are required but Zones, FileStop, Serving, Fits,
// Journals, Now and Log.
type Options struct {
	Fleet  string
	Book   controller.Book
	Switch controller.Switch
	// Caller returns whose a token is; false: nobody's.
	Caller func(token string) (access.Caller, bool)
	// Decode makes a candidate of a policy's file, or says what is wrong with it.
	Decode func(text []byte) (controller.Candidate, error)
	// Catalog is what the fleet may be made of.
	Catalog *policy.Catalog
	// Zones are those that instances are launched into; none: EC2 chooses.
	Zones []string
	// FileStop is the stop beside the controller; nil: there is none.
	FileStop func(now time.Time) controller.Stopped
	// Serving returns what decides; false: this process stands by.
	Serving func() (controller.Serving, bool)
	// Fits returns an error for a wish of which nothing could come, and otherwise what
	// the limits leave of it, in a sentence; nil: nobody knows.
	Fits func(*controller.Wish) (note string, err error)
	// Journals is the folder of the fleet's journals; "": they are not handed out.
	Journals string
	// Pages is where the journal is kept beside its files; nil: nowhere.
	Pages controller.Pages
	Now   func() time.Time
	Log   *slog.Logger
}

// bodyMax bounds a call's body, in bytes.
const bodyMax = controller.PolicyMax * 2

type handler struct {
	Options
	mux *http.ServeMux
}

// Routes are the patterns that Handler answers.
var Routes = []string{"/v1/orders", "/v1/policies", "/v1/policies/", "/v1/wishes", "/v1/wishes/end", "/v1/stop", "/v1/resume", "/v1/acts", "/v1/journals", "/v1/journals/", "/v1/journal"}

// Handler serves a desk.
func Handler(o Options) http.Handler {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	h := &handler{o, http.NewServeMux()}
	read := []api.Role{api.RoleReader, api.RoleOperator}
	order := []api.Role{api.RoleOperator}
	for _, route := range []struct {
		pattern string
		roles   []api.Role
		do      func(r *http.Request, who string) (any, error)
	}{
		{"GET /v1/orders", read, h.orders},
		{"GET /v1/policies/{number}", read, h.policy},
		{"POST /v1/policies", order, h.deploy},
		{"POST /v1/policies/rollback", order, h.rollback},
		{"POST /v1/wishes", order, h.wish},
		{"POST /v1/wishes/end", order, h.end},
		{"POST /v1/stop", order, h.stop},
		{"POST /v1/resume", order, h.resume},
		{"GET /v1/acts", read, h.acts},
		{"GET /v1/journals", read, h.journals},
	} {
		h.mux.HandleFunc(route.pattern, h.checked(route.roles, func(w http.ResponseWriter, r *http.Request, who string) error {
			answer, err := route.do(r, who)
			if err != nil {
				return err
			}
			w.Header().Set("Content-Type", "application/json")
			return json.NewEncoder(w).Encode(answer)
		}))
	}
	h.mux.HandleFunc("GET /v1/journals/{name}", h.checked(read, h.journal))
	h.mux.HandleFunc("GET /v1/journal", h.checked(read, h.pages))
	return h.mux
}

// checked lets callers of some roles through, and answers errors.
func (h *handler) checked(roles []api.Role, do func(w http.ResponseWriter, r *http.Request, who string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		caller, known := h.Caller(access.Bearer(r.Header.Get("Authorization")))
		var err error
		switch {
		case !known:
			err = &api.Error{Code: api.CodeUnauthorized, Status: http.StatusUnauthorized, Message: "a token is needed: Authorization: Bearer …"}
		case !caller.MayCall(roles):
			err = &api.Error{Code: api.CodeForbidden, Status: http.StatusForbidden, Message: fmt.Sprintf("a token of role %s does not open this: %s does", caller.Role, named(roles))}
		default:
			r.Body = http.MaxBytesReader(w, r.Body, bodyMax)
			err = do(w, r, nameOf(caller))
		}
		if err != nil {
			h.refuse(w, r, err)
		}
	}
}

// named lists roles.
func named(roles []api.Role) string {
	words := make([]string, len(roles))
	for i, r := range roles {
		words[i] = string(r)
	}
	return strings.Join(words, " or ")
}

// nameOf says who a caller is.
func nameOf(c access.Caller) string {
	if c.Name != "" {
		return c.Name
	}
	return string(c.Role)
}

// refuse answers an error.
func (h *handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	e := &api.Error{Code: api.CodeUnavailable, Status: http.StatusServiceUnavailable, Message: "the store does not answer: nothing was ordered"}
	var bad *controller.InvalidError
	var own *api.Error
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &own):
		e = own
	case errors.As(err, &bad):
		e = &api.Error{Code: api.CodeInvalid, Status: http.StatusBadRequest, Message: bad.Reason}
	case errors.As(err, &large):
		e = &api.Error{Code: api.CodeTooLarge, Status: http.StatusRequestEntityTooLarge, Message: fmt.Sprintf("the body is longer than %d bytes", bodyMax)}
	case errors.Is(err, controller.ErrStale):
		e = &api.Error{Code: api.CodeConflict, Status: http.StatusConflict, Message: "the orders have changed since the plan was made: plan again"}
	default:
		h.Log.Error("an order failed", "fleet", h.Fleet, "call", r.Method+" "+r.URL.Path, "error", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.Status)
	if err := json.NewEncoder(w).Encode(api.ErrorResponse{Error: *e}); err != nil {
		h.Log.Debug("answer a refusal", "error", err)
	}
}

// body reads a call's body into a T, strictly.
func body[T any](r *http.Request) (T, error) {
	var x T
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return x, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&x); err != nil {
		return x, &api.Error{Code: api.CodeMalformed, Status: http.StatusBadRequest, Message: err.Error()}
	}
	return x, nil
}

func notFound(format string, args ...any) error {
	return &api.Error{Code: api.CodeNotFound, Status: http.StatusNotFound, Message: fmt.Sprintf(format, args...)}
}

func (h *handler) orders(r *http.Request, _ string) (any, error) {
	o, err := h.Book.Orders(r.Context(), h.Fleet)
	if err != nil {
		return nil, err
	}
	for i := range o.Versions {
		o.Versions[i].Text = ""
	}
	now := h.Now()
	o.Wishes = slices.DeleteFunc(o.Wishes, func(w controller.Wish) bool { return !w.Until.After(now) })
	v := View{Fleet: h.Fleet, Orders: o}
	s, err := h.Switch.StopRow(r.Context(), h.Fleet)
	if err != nil {
		return nil, err
	}
	if s.Is(now) {
		v.Stop = &s
	}
	if h.FileStop != nil {
		if s := h.FileStop(now); s.Is(now) {
			v.FileStop = &s
		}
	}
	if h.Serving != nil {
		if s, leads := h.Serving(); leads {
			v.Serving = &s
		}
	}
	return v, nil
}

func (h *handler) policy(r *http.Request, _ string) (any, error) {
	number, err := strconv.Atoi(r.PathValue("number"))
	if err != nil {
		return nil, notFound("version %q: must be a number", r.PathValue("number"))
	}
	o, err := h.Book.Orders(r.Context(), h.Fleet)
	if err != nil {
		return nil, err
	}
	v, known := o.Version(number)
	if !known {
		return nil, notFound("version %d: there is none", number)
	}
	return v, nil
}

func (h *handler) deploy(r *http.Request, who string) (any, error) {
	d, err := body[Deployment](r)
	if err != nil {
		return nil, err
	}
	if err := asOf(d.As); err != nil {
		return nil, err
	}
	made, err := h.Decode([]byte(d.Text))
	if err == nil {
		_, err = made.Policy()
	}
	if err != nil {
		return nil, &api.Error{Code: api.CodeInvalid, Status: http.StatusBadRequest, Message: err.Error()}
	}
	o, err := h.Book.Orders(r.Context(), h.Fleet)
	if err != nil {
		return nil, err
	}
	if o.Revision != d.Revision {
		return nil, controller.ErrStale
	}
	now := h.Now().UTC().Truncate(time.Second)
	v, err := o.Deploy(controller.Version{
		Label: made.Described.Label, Hash: fmt.Sprintf("%x", sha256.Sum256([]byte(d.Text))), Text: d.Text, By: who, At: now, Why: d.Why,
		Checked: d.Checked, Passed: d.Passed, Override: d.Override, TunedOn: d.TunedOn, JudgedOn: d.JudgedOn,
	}, d.As == shadow)
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("deploy version %d (%s, sha256 %.12s) as %s", v.Number, v.Label, v.Hash, d.As)
	if v.Override != "" {
		what += fmt.Sprintf(", though its check fails (%s): %s", v.Checked, v.Override)
	}
	if err := h.Book.Order(r.Context(), h.Fleet, o, controller.Act{At: now, By: who, What: what, Why: d.Why}); err != nil {
		return nil, err
	}
	h.Log.Info("a policy was deployed", "fleet", h.Fleet, "version", v.Number, "policy", v.Label, "as", d.As, "by", who, "why", d.Why)
	v.Text = ""
	return v, nil
}

// What a policy is deployed as.
const (
	active = "active"
	shadow = "shadow"
)

func asOf(word string) error {
	if word != active && word != shadow {
		return &api.Error{Code: api.CodeInvalid, Status: http.StatusBadRequest, Field: "as", Message: fmt.Sprintf("as = %q: must be active or shadow", word), Allowed: []string{active, shadow}}
	}
	return nil
}

func (h *handler) rollback(r *http.Request, who string) (any, error) {
	b, err := body[Rollback](r)
	if err != nil {
		return nil, err
	}
	if err := asOf(b.As); err != nil {
		return nil, err
	}
	var back RolledBack
	err = h.change(r, who, b.Why, func(o *controller.Orders) (string, error) {
		if b.As == shadow {
			if back.Was = o.Shadow; back.Was == 0 {
				return "", &controller.InvalidError{Reason: "no version is deployed as shadow"}
			}
			o.Shadow = 0
			return fmt.Sprintf("end the shadow, version %d", back.Was), nil
		}
		back.Was = o.Active
		var err error
		back.Version, err = o.Rollback()
		return fmt.Sprintf("roll back from version %d to %d", back.Was, back.Version), err
	})
	return back, err
}

// change changes the orders, whatever they have become meanwhile.
func (h *handler) change(r *http.Request, who, why string, do func(*controller.Orders) (what string, err error)) error {
	var what string
	_, err := controller.Change(r.Context(), h.Book, h.Fleet, func(o *controller.Orders) (controller.Act, error) {
		var err error
		what, err = do(o)
		act := controller.Act{At: h.Now().UTC().Truncate(time.Second), By: who, What: what, Why: why}
		return act, errors.Join(err, act.Validate())
	})
	if err == nil {
		h.Log.Info("the orders have changed", "fleet", h.Fleet, "what", what, "by", who, "why", why)
	}
	return err
}

func (h *handler) wish(r *http.Request, who string) (any, error) {
	b, err := body[WishRequest](r)
	if err != nil {
		return nil, err
	}
	now := h.Now().UTC().Truncate(time.Second)
	w := controller.Wish{
		Kind: b.Kind, Instance: b.Instance, Type: b.Type, Zone: b.Zone, Instances: b.Instances, Cores: b.Cores, By: who, Why: b.Why,
		Until: now.Add(time.Duration(min(max(b.ForS, 0), 2*controller.WishMax.Seconds()) * float64(time.Second))),
	}
	note := ""
	err = h.change(r, who, b.Why, func(o *controller.Orders) (string, error) {
		added, err := o.Add(now, w, h.Catalog.Names())
		if err == nil {
			w = added
			note, err = h.fits(&w)
		}
		return fmt.Sprintf("%s until %s", w, w.Until.Format(time.RFC3339)), err
	})
	return Wished{w, note}, err
}

// fits is Fits, of cordons of zones too.
func (h *handler) fits(w *controller.Wish) (note string, err error) {
	switch {
	case w.Kind != policy.WishCordon || w.Zone == "":
	case len(h.Zones) == 0:
		return "EC2 chooses the zone here, since [[ec2.subnet]] names none: nothing at all is launched meanwhile", nil
	case !slices.Contains(h.Zones, w.Zone):
		return "", &controller.InvalidError{Reason: fmt.Sprintf("zone = %q: the fleet launches into %s only%s", w.Zone, strings.Join(h.Zones, " and "), spell.DidYouMean(w.Zone, h.Zones))}
	}
	if h.Fits == nil {
		return "", nil
	}
	return h.Fits(w)
}

func (h *handler) end(r *http.Request, who string) (any, error) {
	b, err := body[EndRequest](r)
	if err != nil {
		return nil, err
	}
	var ended Wishes
	err = h.change(r, who, b.Why, func(o *controller.Orders) (string, error) {
		ended.Wishes = o.End(func(w *controller.Wish) bool {
			if b.Number != 0 {
				return w.Number == b.Number
			}
			return w.Kind == policy.WishCordon && (b.Type != "" && w.Type == b.Type || b.Zone != "" && w.Zone == b.Zone)
		})
		if len(ended.Wishes) == 0 {
			return "", notFound("no such wish stands")
		}
		what := "end"
		for _, w := range ended.Wishes {
			what += fmt.Sprintf(" #%d %s", w.Number, w)
		}
		return what, nil
	})
	return ended, err
}

func (h *handler) stop(r *http.Request, who string) (any, error) {
	b, err := body[StopRequest](r)
	if err != nil {
		return nil, err
	}
	s := controller.Stopped{Reason: b.Why, By: who, Since: h.Now().UTC().Truncate(time.Second)}
	if b.ForS != 0 {
		s.Until = s.Since.Add(time.Duration(min(max(b.ForS, 0), 10*365*24*3600) * float64(time.Second)))
	}
	if err := s.Validate(); err != nil {
		return nil, err
	}
	h.Log.Warn("stopped", "fleet", h.Fleet, "by", who, "why", b.Why)
	return s, h.Switch.Stop(r.Context(), h.Fleet, s)
}

func (h *handler) resume(r *http.Request, who string) (any, error) {
	b, err := body[StopRequest](r)
	if err != nil {
		return nil, err
	}
	act := controller.Act{At: h.Now().UTC().Truncate(time.Second), By: who, What: "resume", Why: b.Why}
	if err := act.Validate(); err != nil {
		return nil, err
	}
	h.Log.Warn("resumed", "fleet", h.Fleet, "by", who, "why", b.Why)
	return h.Switch.Resume(r.Context(), h.Fleet, act)
}

func (h *handler) acts(r *http.Request, _ string) (any, error) {
	most := 100
	if text := r.URL.Query().Get("most"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 10_000 {
			return nil, &controller.InvalidError{Reason: fmt.Sprintf("most = %q: must be from 1 to 10000", text)}
		}
		most = n
	}
	acts, err := h.Book.Acts(r.Context(), h.Fleet, most)
	return Acts{acts}, err
}

// files returns the active policy's journals: not a shadow's.
func (h *handler) files() ([]JournalFile, error) {
	all := []JournalFile{}
	if h.Journals == "" {
		return all, nil
	}
	entries, err := os.ReadDir(h.Journals)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && info.Mode().IsRegular() && strings.HasPrefix(e.Name(), h.Fleet+"-2") && strings.HasSuffix(e.Name(), ".jsonl.zst") {
			all = append(all, JournalFile{e.Name(), info.Size(), info.ModTime().UTC()})
		}
	}
	return all, nil
}

func (h *handler) journals(*http.Request, string) (any, error) {
	files, err := h.files()
	return Journals{files}, err
}

// journal hands a file out as it is on the disk.
func (h *handler) journal(w http.ResponseWriter, r *http.Request, _ string) error {
	files, err := h.files()
	if err != nil {
		return err
	}
	name := r.PathValue("name")
	if !slices.ContainsFunc(files, func(f JournalFile) bool { return f.Name == name }) {
		return notFound("journal %q: there is none", name)
	}
	http.ServeFile(w, r, filepath.Join(h.Journals, name))
	return nil
}
