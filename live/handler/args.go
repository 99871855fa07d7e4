package handler

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"reflect"
	"regexp"
	"strings"

	"github.com/skynet-ec2/skynet/policy/spell"
)

// decodeArgs reads a job's arguments into v, a pointer to a struct. Unknown
// names are mistakes, not wishes to pass over.
func decodeArgs(args json.RawMessage, v any) error {
	if len(bytes.TrimSpace(args)) == 0 {
		args = json.RawMessage("{}")
	}
	d := json.NewDecoder(bytes.NewReader(args))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("more than one value")
		}
	}
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong) && wrong.Field != "":
		return final(fmt.Errorf("args: %s: a %s is no %s", wrong.Field, wrong.Value, wrong.Type))
	case strings.HasPrefix(err.Error(), unknownField):
		name := strings.Trim(strings.TrimPrefix(err.Error(), unknownField), `"`)
		return final(fmt.Errorf("args: unknown %q%s", name, spell.DidYouMean(name, jsonNames(v))))
	}
	return final(fmt.Errorf("args: %w", err))
}

// unknownField begins the error that encoding/json has no type for.
const unknownField = "json: unknown field "

// jsonNames returns the names of v's fields in JSON.
func jsonNames(v any) []string {
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeOf(v).Elem()) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// notInName is what a file's name must not have.
var notInName = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// stem returns the beginning of the names of a result's files: that of the
// photo's own name, else of its address.
func stem(name, uri string) string {
	if name == "" {
		name, _, _ = strings.Cut(uri, "?")
	}
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.TrimSuffix(name, path.Ext(name))
	name = strings.Trim(notInName.ReplaceAllString(name, "-"), "-_")
	if name == "" {
		return "photo"
	}
	return name[:min(len(name), 60)]
}
