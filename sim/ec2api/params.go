package ec2api

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/skynet-ec2/skynet/sim/cloud"
)

// params are the parameters of a call. They note which were read, so that a
// misspelled one is refused and not ignored, and the first that cannot be read.
type params struct {
	values url.Values
	prefix string
	state  *reading
}

// reading is shared by the parts of one call's parameters.
type reading struct {
	read map[string]bool
	err  *cloud.Error
}

func newParams(v url.Values) params {
	return params{values: v, state: &reading{read: map[string]bool{"Action": true, "Version": true}}}
}

// in returns the parameters below a prefix, such as "Placement".
func (p params) in(prefix string) params {
	p.prefix += prefix + "."
	return p
}

func (p params) fail(code, format string, args ...any) {
	if p.state.err == nil {
		p.state.err = &cloud.Error{Code: code, Message: fmt.Sprintf(format, args...), Status: 400}
	}
}

// text returns a parameter; empty: not given.
func (p params) text(name string) string {
	name = p.prefix + name
	p.state.read[name] = true
	return p.values.Get(name)
}

// whole returns a whole number from least to most; unset where it is not given.
func (p params) whole(name string, unset, least, most int) int {
	s := p.text(name)
	if s == "" {
		return unset
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < least || n > most {
		p.fail("InvalidParameterValue", "Value (%s) for parameter %s is invalid. It must be from %d to %d.", s, p.prefix+name, least, most)
	}
	return n
}

func (p params) number(name string) float64 {
	s := p.text(name)
	if s == "" {
		return 0
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || x != x {
		p.fail("InvalidParameterValue", "Value (%s) for parameter %s is invalid.", s, p.prefix+name)
	}
	return x
}

func (p params) truth(name string) bool {
	switch s := p.text(name); s {
	case "", "false":
		return false
	case "true":
		return true
	default:
		p.fail("InvalidParameterValue", "Value (%s) for parameter %s is invalid. It must be true or false.", s, p.prefix+name)
		return false
	}
}

// list returns name.1, name.2 …
func (p params) list(name string) []string {
	var all []string
	for i := 1; ; i++ {
		key := name + "." + strconv.Itoa(i)
		if !p.values.Has(p.prefix + key) {
			return all
		}
		all = append(all, p.text(key))
	}
}

// each returns the parameters below name.1, name.2 …
func (p params) each(name string) []params {
	var all []params
	for i := 1; ; i++ {
		sub := p.in(name + "." + strconv.Itoa(i))
		if !sub.any() {
			return all
		}
		all = append(all, sub)
	}
}

// any reports whether there is a parameter below the prefix.
func (p params) any() bool {
	for key := range p.values { // map order: whether there is one
		if strings.HasPrefix(key, p.prefix) {
			return true
		}
	}
	return false
}

// skip accepts parameters that change nothing here.
func (p params) skip(names ...string) {
	for key := range p.values { // map order: each is judged by itself
		rest, below := strings.CutPrefix(key, p.prefix)
		first, _, _ := strings.Cut(rest, ".")
		if below && slices.Contains(names, first) {
			p.state.read[key] = true
		}
	}
}

// finish returns the first error, if only that a parameter is unknown.
func (p params) finish() *cloud.Error {
	if p.state.err != nil {
		return p.state.err
	}
	for _, key := range sortedKeys(p.values) {
		if !p.state.read[key] {
			return &cloud.Error{Code: "UnknownParameter", Message: "The parameter " + key + " is not recognized", Status: 400}
		}
	}
	return nil
}

func sortedKeys(v url.Values) []string {
	keys := make([]string, 0, len(v))
	for key := range v { // map order: sorted below
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// print returns a digest of what a repetition of the call must have in common
// with it: everything but the token and the zone.
func (p params) print() string {
	h := sha256.New()
	for _, key := range sortedKeys(p.values) {
		if key != "ClientToken" && key != "DryRun" && key != "Placement.AvailabilityZone" {
			fmt.Fprintf(h, "%q=%q\n", key, p.values[key])
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// filters returns Filter.1.Name and its values, and so on.
func (p params) filters() []cloud.Filter {
	var all []cloud.Filter
	for _, f := range p.each("Filter") {
		all = append(all, cloud.Filter{Name: f.text("Name"), Values: f.list("Value")})
	}
	return all
}

// tags returns Tag.1.Key and its value, and so on.
func (p params) tags() []cloud.Tag {
	var all []cloud.Tag
	for _, t := range p.each("Tag") {
		all = append(all, cloud.Tag{Key: t.text("Key"), Value: t.text("Value")})
	}
	return all
}

// taggedAs returns the tags that TagSpecification gives to each kind of resource.
func (p params) taggedAs(kinds ...string) map[string][]cloud.Tag {
	all := map[string][]cloud.Tag{}
	for _, s := range p.each("TagSpecification") {
		kind := s.text("ResourceType")
		if !slices.Contains(kinds, kind) {
			p.fail("InvalidParameterValue", "'%s' is not a valid taggable resource type for this operation.", kind)
		}
		all[kind] = append(all[kind], s.tags()...)
	}
	return all
}
