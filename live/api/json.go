package api

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	v1 "github.com/go-json-experiment/json/v1"
)

// The two readers and the writer of this interface's JSON. Names are matched
// exactly, a name given twice and text that is not UTF-8 are errors, lists are
// never null, and omitempty means what it does in encoding/json.
var (
	writing = json.JoinOptions(v1.OmitEmptyWithLegacySemantics(true), json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	strict  = json.JoinOptions(json.RejectUnknownMembers(true))
)

// Marshal returns v as JSON. What is not UTF-8 becomes U+FFFD.
func Marshal(v any) ([]byte, error) { return json.Marshal(v, writing) }

// Unmarshal reads JSON into v and ignores names that v does not know.
func Unmarshal(b []byte, v any) error { return json.Unmarshal(b, v) }

// UnmarshalStrict reads JSON into v; a name that v does not know is an error.
func UnmarshalStrict(b []byte, v any) error { return json.Unmarshal(b, v, strict) }
