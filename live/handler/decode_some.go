package handler

import (
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// decodeSome reads what a handler knows of a job's arguments and leaves the
// rest to the program.
func decodeSome(args json.RawMessage, v any) error {
	if len(args) == 0 {
		return nil
	}
	if err := json.Unmarshal(args, v); err != nil {
		return final(fmt.Errorf("args: %w", err))
	}
	return nil
}

var plainExt = regexp.MustCompile(`^\.[A-Za-z0-9]{1,8}$`)

// safeExt returns how the name of an input ends, for programs that go by it.
func safeExt(name, uri string) string {
	if name == "" {
		name, _, _ = strings.Cut(uri, "?")
	}
	if ext := path.Ext(name); plainExt.MatchString(ext) {
		return ext
	}
	return ""
}
