package server

import (
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/policy/spell"
)

// statusOf is the HTTP status that comes with a code.
var statusOf = map[api.Code]int{
	api.CodeMalformed:      http.StatusBadRequest,
	api.CodeUnknownField:   http.StatusBadRequest,
	api.CodeInvalid:        http.StatusBadRequest,
	api.CodeRequired:       http.StatusBadRequest,
	api.CodeUnauthorized:   http.StatusUnauthorized,
	api.CodeForbidden:      http.StatusForbidden,
	api.CodeWrongCluster:   http.StatusForbidden,
	api.CodeNotFound:       http.StatusNotFound,
	api.CodeNoMethod:       http.StatusMethodNotAllowed,
	api.CodeUnknownSession: http.StatusConflict,
	api.CodeStale:          http.StatusConflict,
	api.CodeConflict:       http.StatusConflict,
	api.CodeMoreMatch:      http.StatusConflict,
	api.CodeTooLarge:       http.StatusRequestEntityTooLarge,
	api.CodeMediaType:      http.StatusUnsupportedMediaType,
	api.CodeTooMany:        http.StatusTooManyRequests,
	api.CodeNotLeader:      http.StatusServiceUnavailable,
	api.CodeUnavailable:    http.StatusServiceUnavailable,
	api.CodeInternal:       http.StatusInternalServerError,
}

// problems collects what is wrong with a call, so that all of it can be said at
// once. Its methods add a problem if a value breaks their rule.
type problems struct {
	first *api.Error
}

// problemsMax is how many problems an answer names beside the first.
const problemsMax = 20

func (p *problems) add(e api.Error) {
	switch {
	case p.first == nil:
		p.first = &e
	case len(p.first.Problems) < problemsMax:
		p.first.Problems = append(p.first.Problems, api.Problem{Code: e.Code, Message: e.Error(), Field: e.Field})
	}
}

// err returns all problems as one error, or nil.
func (p *problems) err() error {
	if p.first == nil {
		return nil
	}
	return p.first
}

// required reports a value that is missing.
func (p *problems) required(field string) {
	p.add(api.Error{Code: api.CodeRequired, Field: field, Message: field + " must be given"})
}

// name checks a word that names something.
func (p *problems) name(field, value string, must bool) {
	p.text(field, value, api.NameMax)
	switch {
	case value == "" && must:
		p.required(field)
	case strings.ContainsFunc(value, unicode.IsControl) || !utf8.ValidString(value):
		p.add(api.Error{Code: api.CodeInvalid, Field: field, Message: field + " must be text without control characters"})
	}
}

// text checks the length of a text.
func (p *problems) text(field, value string, most int) {
	if len(value) > most {
		bound := float64(most)
		p.add(api.Error{Code: api.CodeInvalid, Field: field, Max: &bound, Message: fmt.Sprintf("%s has %d bytes, it must have at most %d", field, len(value), most)})
	}
}

// within checks that a number lies between two bounds.
func (p *problems) within(field string, value, low, high float64) {
	if !(value >= low && value <= high) { // NaN is outside
		p.add(api.Error{Code: api.CodeInvalid, Field: field, Min: &low, Max: &high, Message: fmt.Sprintf("%s = %v: must be from %v to %v", field, value, whole(low), whole(high))})
	}
}

// whole prints large bounds without an exponent.
func whole(v float64) any {
	if v == float64(int64(v)) {
		return int64(v)
	}
	return v
}

// word checks that a value is one of a few words.
func (p *problems) word(field, value string, allowed []string) {
	for _, a := range allowed {
		if value == a {
			return
		}
	}
	p.add(api.Error{
		Code: api.CodeInvalid, Field: field, Allowed: allowed, DidYouMean: spell.Nearest(value, allowed),
		Message: fmt.Sprintf("%s = %q: must be one of %s", field, cut(value, 40), strings.Join(allowed, ", ")),
	})
}

// count checks the length of a list.
func (p *problems) count(field string, n, most int) {
	if n > most {
		bound := float64(most)
		p.add(api.Error{Code: api.CodeInvalid, Field: field, Max: &bound, Message: fmt.Sprintf("%s has %d entries, it must have at most %d", field, n, most)})
	}
}

// Instants that a queue can count in nanoseconds, with room on both sides.
var (
	instantMin = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	instantMax = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// instant checks a time that may be left out.
func (p *problems) instant(field string, at time.Time) {
	if !at.IsZero() && (at.Before(instantMin) || !at.Before(instantMax)) {
		p.add(api.Error{Code: api.CodeInvalid, Field: field, Message: fmt.Sprintf("%s = %s: must be an instant of the years 2000 to 2199", field, at.Format(time.RFC3339))})
	}
}

// cut returns at most n bytes of s, and never part of a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
