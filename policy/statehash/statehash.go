// Package statehash makes short hashes of what a policy remembers. Two states with
// one hash are the same state; writing tens of kilobytes of JSON at every
// decision to find that out would cost fifty times as much as the decision.
//
// A hash guards against accidents, not against an adversary.
package statehash

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

// Hash is 128 bits that tell a state from another. The zero Hash is of nothing.
type Hash struct{ a, b uint64 }

// String returns the hash as 32 hexadecimal digits.
func (h Hash) String() string {
	return fmt.Sprintf("%016x%016x", draw.Mix(h.a), draw.Mix(h.b^h.a))
}

func (h *Hash) add(v uint64) {
	h.a = (h.a ^ v) * 0xff51afd7ed558ccd
	h.a ^= h.a >> 32 // a number like 30.0 differs from 40.0 in its upper bits only
	h.b = bits.RotateLeft64(h.b, 29) + h.a ^ v>>7
}

func (h *Hash) text(t string) {
	h.add(uint64(len(t)))
	for len(t) >= 8 {
		h.add(uint64(t[0]) | uint64(t[1])<<8 | uint64(t[2])<<16 | uint64(t[3])<<24 |
			uint64(t[4])<<32 | uint64(t[5])<<40 | uint64(t[6])<<48 | uint64(t[7])<<56)
		t = t[8:]
	}
	last := uint64(0)
	for i := range len(t) {
		last |= uint64(t[i]) << (8 * i)
	}
	h.add(last)
}

// OfText returns the hash of a text, such as a state's JSON.
func OfText(text []byte) Hash {
	var h Hash
	h.text(string(text))
	return h
}

// Of returns the hash of the struct that state points to: of its exported fields
// and theirs, as JSON would write them, in the order of the source. It panics on
// what no state of a policy may hold: maps, interfaces, functions and channels.
//
// Properties:
//   - a state and the one restored from its JSON have one hash
//   - a change of any exported field, at any depth, changes the hash
//   - it is the same on every architecture
func Of(state any) Hash {
	var h Hash
	h.value(reflect.ValueOf(state).Elem())
	return h
}

var timeType = reflect.TypeFor[time.Time]()

// value adds v, which is addressable.
func (h *Hash) value(v reflect.Value) {
	t := v.Type()
	if t == timeType {
		at := v.Interface().(time.Time)
		h.add(uint64(at.Unix()))
		h.add(uint64(at.Nanosecond()))
		return
	}
	switch t.Kind() {
	case reflect.Bool:
		if v.Bool() {
			h.add(1)
		} else {
			h.add(0)
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		h.add(uint64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		h.add(v.Uint())
	case reflect.Float32, reflect.Float64:
		h.add(math.Float64bits(v.Float()))
	case reflect.String:
		h.text(v.String())
	case reflect.Struct:
		for _, i := range fieldsOf(t) {
			h.value(v.Field(i))
		}
	case reflect.Array:
		h.list(v)
	case reflect.Slice:
		h.add(uint64(v.Len()))
		h.list(v)
	case reflect.Pointer:
		if v.IsNil() {
			h.add(0)
			return
		}
		h.add(1)
		h.value(v.Elem())
	default:
		panic(fmt.Sprintf("statehash: a state must not hold a %v", t))
	}
}

// list adds the elements of an array or a slice. Rings of numbers are most of a
// state: they are read as the words they are.
func (h *Hash) list(v reflect.Value) {
	n := v.Len()
	if n == 0 {
		return
	}
	if elem := v.Type().Elem(); allWords(elem) {
		first := (*uint64)(v.Index(0).Addr().UnsafePointer())
		h.words(unsafe.Slice(first, n*int(elem.Size()/8)))
		return
	}
	for i := range n {
		h.value(v.Index(i))
	}
}

// words adds many numbers, in four lanes: one after the other, each would wait
// for the multiplication before it.
func (h *Hash) words(all []uint64) {
	var lane [4]Hash
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
		h.add(lane[i].a)
		h.add(lane[i].b)
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
		f := t.Field(i)
		embedded := f.Anonymous && f.Type.Kind() == reflect.Struct // its fields count, whatever its name
		if (f.IsExported() || embedded) && f.Tag.Get("json") != "-" {
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
