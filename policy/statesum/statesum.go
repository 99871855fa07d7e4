// Package statesum makes short sums of what a policy remembers. Two states with
// one sum are the same state; writing tens of kilobytes of JSON at every
// decision to find that out would cost fifty times as much as the decision.
//
// A sum guards against accidents, not against an adversary.
package statesum

import (
	"fmt"
	"math"
	"math/bits"
	"reflect"
	"sync"
	"time"
	"unsafe"

	"github.com/skynet-ec2/skynet/policy/draw"
)

// Sum is 128 bits that tell a state from another. The zero Sum is of nothing.
type Sum struct{ a, b uint64 }

// String returns the sum as 32 hexadecimal digits.
func (s Sum) String() string {
	return fmt.Sprintf("%016x%016x", draw.Mix(s.a), draw.Mix(s.b^s.a))
}

func (s *Sum) add(v uint64) {
	s.a = (s.a ^ v*0x9e3779b97f4a7c15) * 0xff51afd7ed558ccd
	s.b = bits.RotateLeft64(s.b, 29) + s.a ^ v>>7
}

func (s *Sum) text(t string) {
	s.add(uint64(len(t)))
	for len(t) >= 8 {
		s.add(uint64(t[0]) | uint64(t[1])<<8 | uint64(t[2])<<16 | uint64(t[3])<<24 |
			uint64(t[4])<<32 | uint64(t[5])<<40 | uint64(t[6])<<48 | uint64(t[7])<<56)
		t = t[8:]
	}
	last := uint64(0)
	for i := range len(t) {
		last |= uint64(t[i]) << (8 * i)
	}
	s.add(last)
}

// OfText returns the sum of a text, such as a state's JSON.
func OfText(text []byte) Sum {
	var s Sum
	s.text(string(text))
	return s
}

// Of returns the sum of the struct that state points to: of its exported fields
// and theirs, as JSON would write them, in the order of the source. It panics on
// what no state of a policy may hold: maps, interfaces, functions and channels.
//
// Properties:
//   - a state and the one restored from its JSON have one sum
//   - a change of any exported field, at any depth, changes the sum
//   - it is the same on every architecture
func Of(state any) Sum {
	var s Sum
	s.value(reflect.ValueOf(state).Elem())
	return s
}

var timeType = reflect.TypeFor[time.Time]()

// value adds v, which is addressable.
func (s *Sum) value(v reflect.Value) {
	t := v.Type()
	if t == timeType {
		at := v.Interface().(time.Time)
		s.add(uint64(at.Unix()))
		s.add(uint64(at.Nanosecond()))
		return
	}
	switch t.Kind() {
	case reflect.Bool:
		if v.Bool() {
			s.add(1)
		} else {
			s.add(0)
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		s.add(uint64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		s.add(v.Uint())
	case reflect.Float32, reflect.Float64:
		s.add(math.Float64bits(v.Float()))
	case reflect.String:
		s.text(v.String())
	case reflect.Struct:
		for _, i := range fieldsOf(t) {
			s.value(v.Field(i))
		}
	case reflect.Array:
		s.list(v)
	case reflect.Slice:
		s.add(uint64(v.Len()))
		s.list(v)
	case reflect.Pointer:
		if v.IsNil() {
			s.add(0)
			return
		}
		s.add(1)
		s.value(v.Elem())
	default:
		panic(fmt.Sprintf("statesum: a state must not hold a %v", t))
	}
}

// list adds the elements of an array or a slice. Rings of numbers are most of a
// state: they are read as the words they are.
func (s *Sum) list(v reflect.Value) {
	n := v.Len()
	if n == 0 {
		return
	}
	if elem := v.Type().Elem(); allWords(elem) {
		first := (*uint64)(v.Index(0).Addr().UnsafePointer())
		s.words(unsafe.Slice(first, n*int(elem.Size()/8)))
		return
	}
	for i := range n {
		s.value(v.Index(i))
	}
}

// words adds many numbers, in four lanes: one after the other, each would wait
// for the multiplication before it.
func (s *Sum) words(all []uint64) {
	var lane [4]Sum
	for len(all) >= 4 {
		lane[0].add(all[0])
		lane[1].add(all[1])
		lane[2].add(all[2])
		lane[3].add(all[3])
		all = all[4:]
	}
	for _, w := range all {
		lane[0].add(w)
	}
	for i := range lane {
		s.add(lane[i].a)
		s.add(lane[i].b)
	}
}

// fields are the exported fields of struct types, by type: looking them up takes
// longer than adding them.
var fields sync.Map

// fieldsOf returns the places of the fields that JSON writes.
func fieldsOf(t reflect.Type) []int {
	if known, ok := fields.Load(t); ok {
		return known.([]int)
	}
	var at []int
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() && f.Tag.Get("json") != "-" {
			at = append(at, i)
		}
	}
	fields.Store(t, at)
	return at
}

// allWords reports whether a type is made of 64-bit numbers alone, all of which
// count.
func allWords(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Float64, reflect.Int64, reflect.Uint64:
		return true
	case reflect.Array:
		return t.Len() > 0 && allWords(t.Elem())
	case reflect.Struct:
		at := fieldsOf(t)
		for _, i := range at {
			if !allWords(t.Field(i).Type) {
				return false
			}
		}
		return len(at) > 0 && len(at) == t.NumField()
	}
	return false
}
