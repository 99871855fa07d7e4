package main

import (
	"reflect"
	"strings"

	"github.com/skynet-ec2/skynet/policy"
)

// input is one field of an Observation, at any depth.
type input struct {
	// Path from the Observation, as the journal spells it: "[]" marks a list.
	Path string
	// Owner and Field name the struct and the field in package policy.
	Owner, Field string
	Type         reflect.Type
}

// key identifies the field among the fields of package policy.
func (in input) key() string { return in.Owner + "." + in.Field }

// composites are the structs that are inputs as a whole: their fields are one
// fact. Every other struct is walked.
var composites = []reflect.Type{
	reflect.TypeFor[policy.Reading](),
	reflect.TypeFor[policy.Flow](),
	reflect.TypeFor[policy.AgeCount](),
	reflect.TypeFor[policy.SizeCount](),
	reflect.TypeFor[policy.FreeCount](),
	reflect.TypeFor[policy.Wish](),
	reflect.TypeFor[policy.Coming](),
}

// inputs returns every input of an Observation, in the order of the source.
func inputs() []input { return walk(nil, "", reflect.TypeFor[policy.Observation]()) }

func walk(list []input, path string, t reflect.Type) []input {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			name = f.Name
			if f.Anonymous {
				name = strings.ToLower(name)
			}
		}
		if inner, ok := walked(f.Type); ok {
			if f.Type.Kind() == reflect.Slice {
				name += "[]"
			}
			list = walk(list, path+name+".", inner)
			continue
		}
		list = append(list, input{Path: path + name, Owner: t.Name(), Field: f.Name, Type: f.Type})
	}
	return list
}

// walked returns the struct that a field of type t holds or lists, if its
// fields are inputs of their own.
func walked(t reflect.Type) (reflect.Type, bool) {
	if t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t.PkgPath() != reflect.TypeFor[policy.Observation]().PkgPath() {
		return nil, false
	}
	for _, c := range composites {
		if t == c {
			return nil, false
		}
	}
	return t, true
}

// filled calls set for every input that has a value in o other than zero.
func filled(o *policy.Observation, set func(key string)) {
	markFilled(reflect.ValueOf(o).Elem(), set)
}

func markFilled(v reflect.Value, set func(key string)) {
	if v.Kind() == reflect.Slice {
		for i := range v.Len() {
			markFilled(v.Index(i), set)
		}
		return
	}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if _, ok := walked(f.Type); ok {
			markFilled(v.Field(i), set)
		} else if !zero(v.Field(i)) {
			set(v.Type().Name() + "." + f.Name)
		}
	}
}

// zero reports whether v tells nothing: its zero value, or a list of zeroes.
func zero(v reflect.Value) bool {
	if v.Kind() == reflect.Slice || v.Kind() == reflect.Array {
		for i := range v.Len() {
			if !zero(v.Index(i)) {
				return false
			}
		}
		return true
	}
	return v.IsZero()
}
