package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
)

// object is a JSON object; encoding/json sorts its names.
type object map[string]any

// schemas collects the types that calls carry.
type schemas struct {
	words comments
	all   object
}

func document(words comments) object {
	s := &schemas{words, object{}}
	for _, c := range api.Calls { // what is taken strictly anywhere is described so
		if c.Request != nil && !c.Lenient {
			s.of(reflect.TypeOf(c.Request), false)
		}
	}
	paths := object{}
	for _, c := range api.Calls {
		at, ok := paths[c.Path].(object)
		if !ok {
			at = object{}
			paths[c.Path] = at
		}
		at[strings.ToLower(c.Method)] = s.operation(c)
	}
	s.of(reflect.TypeFor[api.ErrorResponse](), true)
	s.of(reflect.TypeFor[api.Finished](), true)
	return object{
		"openapi": "3.1.0",
		"info": object{
			"title": "SkyNet queue", "version": api.Version,
			"description": "Workers ask for work, producers submit jobs, operators look and steer. " +
				"Job ids and lease tokens are whole numbers below 2^53. Workers' calls ignore fields they do not know; other calls refuse them. " +
				"What went wrong is an ErrorResponse: branch on its code.",
		},
		"paths":    paths,
		"security": []any{object{"token": []any{}}},
		"components": object{
			"schemas":         s.all,
			"securitySchemes": object{"token": object{"type": "http", "scheme": "bearer"}},
		},
	}
}

var pathValue = regexp.MustCompile(`\{(\w+)\}`)

func (s *schemas) operation(c api.Call) object {
	op := object{"operationId": c.Name, "summary": c.Summary, "responses": s.responses(c)}
	if len(c.Roles) == 0 {
		op["security"] = []any{}
	} else {
		op["description"] = "For tokens of role " + words(c.Roles) + "."
	}
	var parameters []any
	for _, m := range pathValue.FindAllStringSubmatch(c.Path, -1) {
		schema := object{"type": "string", "minLength": 1, "maxLength": api.NameMax}
		if m[1] == "job" {
			schema = object{"type": "integer", "format": "int64", "minimum": 1, "maximum": api.IDMax}
		}
		parameters = append(parameters, object{"name": m[1], "in": "path", "required": true, "schema": schema})
	}
	for _, q := range c.Query {
		parameters = append(parameters, object{"name": q.Name, "in": "query", "description": q.Doc, "schema": parameter(q)})
	}
	if c.Name == "submitJob" || c.Name == "submitBatch" {
		parameters = append(parameters, object{
			"name": api.IdempotencyHeader, "in": "header", "schema": object{"type": "string", "maxLength": api.NameMax},
			"description": "A repetition of the call with the same key within 24 h answers as the first one did, without adding jobs again.",
		})
	}
	if len(parameters) > 0 {
		op["parameters"] = parameters
	}
	if c.Request != nil {
		content := object{"application/json": object{"schema": s.of(reflect.TypeOf(c.Request), c.Lenient)}}
		if c.Lines {
			content["application/x-ndjson"] = object{"schema": object{"type": "string", "description": "one job a line"}}
		}
		op["requestBody"] = object{"required": true, "content": content}
	}
	return op
}

func words(roles []api.Role) string {
	var all []string
	for _, r := range roles {
		all = append(all, string(r))
	}
	return strings.Join(all, ", ")
}

func parameter(q api.Param) object {
	switch q.Kind {
	case "integer":
		return object{"type": "integer", "format": "int64", "minimum": 0, "maximum": q.Max}
	case "time":
		return object{"type": "string", "format": "date-time"}
	}
	schema := object{"type": "string"}
	if len(q.Enum) > 0 {
		schema["enum"] = q.Enum
	}
	return schema
}

func (s *schemas) responses(c api.Call) object {
	success := object{"description": "success"}
	switch {
	case c.Response != nil:
		success["content"] = object{"application/json": object{"schema": s.of(reflect.TypeOf(c.Response), true)}}
	case c.Name == "history":
		success["content"] = object{
			"text/csv":                       object{"schema": object{"type": "string"}},
			"application/vnd.apache.parquet": object{"schema": object{"type": "string"}},
			"application/x-ndjson":           object{"schema": object{"type": "string", "description": "one Finished a line"}},
		}
	case c.Media == "application/json":
		success["content"] = object{c.Media: object{"schema": object{"type": "object"}}}
	case c.Media != "":
		success["content"] = object{c.Media: object{"schema": object{"type": "string"}}}
	}
	all := object{fmt.Sprint(c.Status): success}
	wrong := object{"description": "what is wrong", "content": object{"application/json": object{"schema": reference("ErrorResponse")}}}
	all["4XX"], all["5XX"] = wrong, wrong
	if c.Name == "complete" {
		all["409"] = object{"description": "every lease was lost, or the session is not known", "content": object{"application/json": object{
			"schema": object{"anyOf": []any{reference("CompleteResponse"), reference("ErrorResponse")}},
		}}}
	}
	return all
}

func reference(name string) object { return object{"$ref": "#/components/schemas/" + name} }

// of returns the schema of a type. A struct or a type of words is described
// among the components. An open struct may hold names that are not described:
// those of another release.
func (s *schemas) of(t reflect.Type, open bool) object {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case t == reflect.TypeFor[json.RawMessage]():
		return object{}
	}
	switch t.Kind() {
	case reflect.Struct:
		return s.ofStruct(t, open)
	case reflect.String:
		return s.ofWords(t)
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return object{"type": "integer", "format": "int64"}
	case reflect.Uint32, reflect.Uint64:
		return object{"type": "integer", "format": "int64", "minimum": 0}
	case reflect.Float64:
		return object{"type": "number"}
	case reflect.Slice:
		return object{"type": "array", "items": s.of(t.Elem(), open)}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": s.of(t.Elem(), open)}
	}
	panic("describe: no schema for " + t.String())
}

// ofWords describes a string, or a type that has constants as an enumeration.
// Codes and states may gain words, so nothing is said there of other words.
func (s *schemas) ofWords(t reflect.Type) object {
	values := s.words.enums[t.Name()]
	if t.Name() == "string" || len(values) == 0 {
		return object{"type": "string"}
	}
	if s.all[t.Name()] == nil {
		s.all[t.Name()] = object{"type": "string", "description": s.words.types[t.Name()], "enum": values}
	}
	return reference(t.Name())
}

func (s *schemas) ofStruct(t reflect.Type, open bool) object {
	name := t.Name()
	if s.all[name] != nil {
		return reference(name)
	}
	properties := object{}
	schema := object{"type": "object", "description": s.words.types[name], "properties": properties}
	s.all[name] = schema // before its fields, which may lead here again
	var required []string
	for _, f := range reflect.VisibleFields(t) {
		tag := f.Tag.Get("json")
		field, options, _ := strings.Cut(tag, ",")
		if f.Anonymous || field == "" || field == "-" {
			continue
		}
		property := s.of(f.Type, open)
		if text := s.words.fields[owner(t, f)][f.Name]; text != "" {
			property["description"] = text
		}
		properties[field] = property
		if options == "" {
			required = append(required, field)
		}
	}
	if len(required) > 0 {
		schema["required"] = required
	}
	if !open {
		schema["additionalProperties"] = false
	}
	return reference(name)
}

// owner returns the name of the type that declares a field of t, which may be one
// that t embeds.
func owner(t reflect.Type, f reflect.StructField) string {
	if len(f.Index) == 1 {
		return t.Name()
	}
	return t.FieldByIndex(f.Index[:len(f.Index)-1]).Type.Name()
}
