package server

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/policy/spell"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// decode reads a body into v. What is wrong with it comes back as an api.Error
// that names the field, below the given one.
func decode(body []byte, v any, lenient bool, below string) error {
	read := api.UnmarshalStrict
	if lenient {
		read = api.Unmarshal
	}
	err := read(body, v)
	if err == nil {
		return nil
	}
	return explain(err, reflect.TypeOf(v), below)
}

// explain turns an error of the JSON reader into one for the caller.
func explain(err error, into reflect.Type, below string) *api.Error {
	var meaning *json.SemanticError
	if errors.As(err, &meaning) {
		field := fieldOf(meaning.JSONPointer, below)
		if errors.Is(meaning.Err, json.ErrUnknownName) {
			name := meaning.JSONPointer.LastToken()
			known := namesAt(into, meaning.JSONPointer.Parent())
			return &api.Error{
				Code: api.CodeUnknownField, Field: field, Allowed: known, DidYouMean: spell.Nearest(name, known),
				Message: fmt.Sprintf("unknown field %q", cut(name, 80)),
			}
		}
		if field == "" {
			field = "body"
		}
		return &api.Error{Code: api.CodeInvalid, Field: field, Message: fmt.Sprintf("%s must be %s", field, wanted(meaning.GoType))}
	}
	var grammar *jsontext.SyntacticError
	if errors.As(err, &grammar) {
		why := "not JSON"
		if errors.Is(grammar.Err, jsontext.ErrDuplicateName) {
			why = "a name is given twice"
		}
		return &api.Error{Code: api.CodeMalformed, Field: fieldOf(grammar.JSONPointer, below), Message: fmt.Sprintf("%s, at byte %d of the body", why, grammar.ByteOffset)}
	}
	return &api.Error{Code: api.CodeMalformed, Field: below, Message: "not JSON: the body ends too early or is empty"}
}

// fieldDepth is how many steps of a path into a body are told.
const fieldDepth = 8

// fieldOf writes a JSON pointer as people write it: jobs[3].priority.
func fieldOf(p jsontext.Pointer, below string) string {
	var b strings.Builder
	b.WriteString(below)
	depth := 0
	for token := range p.Tokens() {
		if depth++; depth > fieldDepth {
			b.WriteString("…")
			break
		}
		if n, err := strconv.Atoi(token); err == nil {
			fmt.Fprintf(&b, "[%d]", n)
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(cut(token, 80))
	}
	return b.String()
}

// namesAt returns the JSON names of the fields of the struct that a pointer
// leads to, starting from a type.
func namesAt(t reflect.Type, p jsontext.Pointer) []string {
	t = element(t)
	for token := range p.Tokens() {
		if t.Kind() == reflect.Slice {
			t = element(t.Elem())
			continue
		}
		if t.Kind() != reflect.Struct {
			return nil
		}
		field, ok := fieldNamed(t, token)
		if !ok {
			return nil
		}
		t = element(field)
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var names []string
	for _, f := range reflect.VisibleFields(t) {
		if name := jsonName(f); name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func fieldNamed(t reflect.Type, name string) (reflect.Type, bool) {
	for _, f := range reflect.VisibleFields(t) {
		if jsonName(f) == name {
			return f.Type, true
		}
	}
	return nil, false
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "-" {
		return ""
	}
	return name
}

func element(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// wanted says what JSON a Go type takes.
func wanted(t reflect.Type) string {
	if t == nil {
		return "of another type"
	}
	t = element(t)
	if t == reflect.TypeFor[time.Time]() {
		return "an instant such as 2026-01-31T12:00:00Z"
	}
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number, not negative"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice, reflect.Array:
		return "a list"
	}
	return "an object"
}
