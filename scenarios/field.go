package scenarios

import (
	"reflect"
	"slices"
	"strings"
	"time"
)

// field is a key of a table, as the tags of a struct's field tell it:
//
//	toml      its name; ",rest" collects the keys that no other field has
//	doc       what it means
//	default   its value when left out, as a TOML value without quotes
//	unset     what leaving it out means, where that is not a value
//	required  it must be given
//	unit      of a number
//	min, max  its bounds, both allowed
//	len       how many elements a list has
//	choices   the words it may be, separated by |
//	selects   its value selects which other keys the table has
//	of        the values of that selecting key that this key is for
type field struct {
	index     int
	name, doc string
	def       string
	unset     string
	unit      string
	min, max  string
	length    string
	choices   []string
	of        []string
	required  bool
	selects   bool
	rest      bool
	typ       reflect.Type
}

// fields returns the keys of a table kept in a struct of type t.
func fields(t reflect.Type) []field {
	var list []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, ok := f.Tag.Lookup("toml")
		if !ok {
			continue
		}
		words := func(tag string) []string {
			if s := f.Tag.Get(tag); s != "" {
				return strings.Split(s, "|")
			}
			return nil
		}
		list = append(list, field{
			index: i, name: name, doc: f.Tag.Get("doc"), def: f.Tag.Get("default"), unset: f.Tag.Get("unset"),
			unit: f.Tag.Get("unit"), min: f.Tag.Get("min"), max: f.Tag.Get("max"), length: f.Tag.Get("len"),
			choices: words("choices"), of: words("of"),
			required: f.Tag.Get("required") != "", selects: f.Tag.Get("selects") != "",
			rest: name == ",rest", typ: f.Type,
		})
	}
	return list
}

// appliesTo reports whether the key belongs to a table whose selecting key is
// selected.
func (f *field) appliesTo(selected string) bool {
	return len(f.of) == 0 || slices.Contains(f.of, selected)
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	timeType     = reflect.TypeFor[time.Time]()
	weekTimeType = reflect.TypeFor[weekTime]()
	rawType      = reflect.TypeFor[map[string]any]()
)

// shape is what kind of thing a key holds.
type shape int

const (
	aValue        shape = iota // a scalar or a list of scalars
	aTable                     // struct or *struct
	someTables                 // []struct
	namedTables                // map[string]struct
	anyParameters              // map[string]any
)

func shapeOf(t reflect.Type) shape {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == rawType:
		return anyParameters
	case t.Kind() == reflect.Map:
		return namedTables
	case t.Kind() == reflect.Slice && shapeOf(t.Elem()) == aTable:
		return someTables
	case t.Kind() == reflect.Struct && t != timeType && t != weekTimeType:
		return aTable
	}
	return aValue
}
