package server

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/policy/spell"
)

// query holds the parameters of a call, checked against what the call takes.
type query struct {
	words    map[string]string
	numbers  map[string]int64
	instants map[string]time.Time
}

// parseQuery reads what stands after the question mark.
func parseQuery(raw string, takes []api.Param) (query, error) {
	q := query{words: map[string]string{}, numbers: map[string]int64{}, instants: map[string]time.Time{}}
	if raw == "" {
		return q, nil
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return q, &api.Error{Code: api.CodeMalformed, Field: "query", Message: "the query is not well formed"}
	}
	var p problems
	var known []string
	for _, t := range takes {
		known = append(known, t.Name)
	}
	var names []string
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		at := slices.Index(known, name)
		switch {
		case at < 0:
			p.add(api.Error{Code: api.CodeUnknownField, Field: cut(name, 80), Allowed: known, DidYouMean: spell.Nearest(name, known), Message: fmt.Sprintf("unknown parameter %q", cut(name, 80))})
		case len(values[name]) > 1:
			p.add(api.Error{Code: api.CodeInvalid, Field: name, Message: name + " is given more than once"})
		default:
			q.take(&p, takes[at], values[name][0])
		}
	}
	return q, p.err()
}

// take checks one parameter and keeps it.
func (q *query) take(p *problems, t api.Param, value string) {
	switch t.Kind {
	case "integer":
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n < 0 || n > t.Max {
			low, high := 0.0, float64(t.Max)
			p.add(api.Error{Code: api.CodeInvalid, Field: t.Name, Min: &low, Max: &high, Message: fmt.Sprintf("%s = %q: must be a whole number from 0 to %d", t.Name, cut(value, 40), t.Max)})
		}
		q.numbers[t.Name] = n
	case "time":
		at, err := time.Parse(time.RFC3339, value)
		if err != nil {
			p.add(api.Error{Code: api.CodeInvalid, Field: t.Name, Message: fmt.Sprintf("%s = %q: must be an instant such as 2026-01-31T12:00:00Z", t.Name, cut(value, 40))})
			return
		}
		p.instant(t.Name, at)
		q.instants[t.Name] = at
	default:
		if len(t.Enum) > 0 {
			p.word(t.Name, value, t.Enum)
		} else {
			p.name(t.Name, value, false)
		}
		q.words[t.Name] = value
	}
}
