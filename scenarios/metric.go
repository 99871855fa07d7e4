package scenarios

import (
	"reflect"
	"sort"
	"strconv"
	"strings"

	"github.com/skynet-ec2/skynet/sim"
)

// names are what the results of a scenario are kept by.
type names struct{ classes, types, windows []string }

// of returns the names under which the map at a JSON path has its entries.
func (n *names) of(path string) []string {
	switch path {
	case "classes":
		return n.classes
	case "windows":
		return n.windows
	}
	return n.types // launches and costs by instance type
}

// metrics lists the paths of every number in the results, in the order of the
// JSON. Days, of which there are as many as the run has, are listed as ".0".
func metrics(n *names) []string {
	return appendMetrics(nil, reflect.TypeFor[sim.Figures](), "", n)
}

func appendMetrics(list []string, t reflect.Type, path string, n *names) []string {
	switch t.Kind() {
	case reflect.Pointer:
		return appendMetrics(list, t.Elem(), path, n)
	case reflect.Struct:
		for i := range t.NumField() {
			if name := jsonName(t.Field(i)); name != "" {
				list = appendMetrics(list, t.Field(i).Type, dotted(path, name), n)
			}
		}
	case reflect.Map:
		for _, key := range n.of(path) {
			list = appendMetrics(list, t.Elem(), dotted(path, key), n)
		}
	case reflect.Slice:
		list = appendMetrics(list, t.Elem(), dotted(path, "0"), n)
	case reflect.Int, reflect.Int64, reflect.Uint64, reflect.Float64:
		list = append(list, path)
	}
	return list
}

func dotted(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "-" {
		return ""
	}
	return name
}

// isMetric reports whether path names a number in the results.
func isMetric(path string, n *names) bool {
	_, ok := resolve(reflect.Zero(reflect.TypeFor[sim.Figures]()), reflect.TypeFor[sim.Figures](), "", path, n)
	return ok
}

// Value returns the figure at a path of the results, such as cost_usd or
// classes.upload.sojourn_s.p95; false when it has no value.
func Value(f *sim.Figures, metric string) (float64, bool) { return figure(f, metric) }

// figure returns the number at path in f; false when it has no value.
func figure(f *sim.Figures, path string) (float64, bool) {
	v, ok := resolve(reflect.ValueOf(f).Elem(), reflect.TypeFor[sim.Figures](), "", path, nil)
	if !ok || !v.IsValid() {
		return 0, false
	}
	switch v.Kind() {
	case reflect.Int, reflect.Int64:
		return float64(v.Int()), true
	case reflect.Uint64:
		return float64(v.Uint()), true
	}
	return v.Float(), true
}

// head returns the first name of a path and what follows; ok is false when the
// path is empty or ends in a dot.
func head(path string) (first, rest string, ok bool) {
	first, rest, dot := strings.Cut(path, ".")
	return first, rest, first != "" && (!dot || rest != "")
}

// resolve follows rest from the value v of type t, which stands at path. It
// reports whether rest leads to a number; the value is invalid where the
// results have none. Entries of maps are those of v or, given n, those of n.
func resolve(v reflect.Value, t reflect.Type, path, rest string, n *names) (reflect.Value, bool) {
	var none reflect.Value
	if t.Kind() == reflect.Pointer {
		if v.IsValid() {
			v = v.Elem() // invalid when nil
		}
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Int, reflect.Int64, reflect.Uint64, reflect.Float64:
		return v, rest == ""
	case reflect.Struct:
		name, tail, ok := head(rest)
		for i := range t.NumField() {
			if !ok || jsonName(t.Field(i)) != name {
				continue
			}
			var inner reflect.Value
			if v.IsValid() {
				inner = v.Field(i)
			}
			return resolve(inner, t.Field(i).Type, dotted(path, name), tail, n)
		}
	case reflect.Slice:
		name, tail, ok := head(rest)
		at, err := strconv.Atoi(name)
		if !ok || err != nil || at < 0 || strconv.Itoa(at) != name {
			return none, false
		}
		var inner reflect.Value
		if v.IsValid() && at < v.Len() {
			inner = v.Index(at)
		}
		return resolve(inner, t.Elem(), dotted(path, name), tail, n)
	case reflect.Map:
		for _, key := range entries(v, path, n) {
			tail, ok := strings.CutPrefix(rest, key)
			if !ok || tail != "" && (tail[0] != '.' || tail == ".") {
				continue
			}
			var inner reflect.Value
			if v.IsValid() && !v.IsNil() {
				inner = v.MapIndex(reflect.ValueOf(key))
			}
			return resolve(inner, t.Elem(), dotted(path, key), strings.TrimPrefix(tail, "."), n)
		}
	}
	return none, false
}

// entries returns the keys of a map in the results, longest first: a name may
// begin with another and a dot.
func entries(v reflect.Value, path string, n *names) []string {
	var keys []string
	if n != nil {
		keys = append(keys, n.of(path)...)
	} else if v.IsValid() {
		for _, k := range v.MapKeys() {
			keys = append(keys, k.String())
		}
	}
	sort.Slice(keys, func(i, j int) bool {
		if len(keys[i]) != len(keys[j]) {
			return len(keys[i]) > len(keys[j])
		}
		return keys[i] < keys[j]
	})
	return keys
}
