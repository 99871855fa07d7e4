package api

import (
	"fmt"
	"strings"
	"time"
)

// ErrorResponse is the body of every answer whose status is 400 or above.
type ErrorResponse struct {
	Error Error `json:"error"`
}

// Error says what was wrong with a call, for a program and for a person.
type Error struct {
	Code         Code       `json:"code"`
	Message      string     `json:"message"`                  // one sentence
	Field        string     `json:"field,omitempty"`          // that is wrong, such as "jobs[3].priority"; of a query or path: its name
	Allowed      []string   `json:"allowed,omitempty"`        // words that would have been right
	Min          *float64   `json:"min,omitempty"`            // least number that would have been right
	Max          *float64   `json:"max,omitempty"`            // greatest
	DidYouMean   string     `json:"did_you_mean,omitempty"`   // the nearest right word
	RetryAfterMS int64      `json:"retry_after_ms,omitempty"` // of 429 and 503: try again after so long; already jittered
	Directive    *Directive `json:"directive,omitempty"`      // of 429 and 503 to a worker: nap
	Problems     []Problem  `json:"problems,omitempty"`       // further problems of the same call, at most 20
	Status       int        `json:"-"`                        // HTTP status; filled in by clients
}

// Problem is one more thing wrong with a call.
type Problem struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	Field   string `json:"field,omitempty"`
}

// Code names a kind of error. Clients branch on it.
type Code string

// The codes of errors, with the HTTP status they come with.
const (
	CodeMalformed      Code = "malformed"       // 400: not JSON, or cut, or too deep
	CodeUnknownField   Code = "unknown_field"   // 400: a field, query or path value that does not exist
	CodeInvalid        Code = "invalid"         // 400: a value out of its bounds, or of the wrong type
	CodeRequired       Code = "required"        // 400: a value that must be given
	CodeUnauthorized   Code = "unauthorized"    // 401: no token, or none that is good
	CodeForbidden      Code = "forbidden"       // 403: the token does not open this
	CodeWrongCluster   Code = "wrong_cluster"   // 403: a worker of another cluster
	CodeNotFound       Code = "not_found"       // 404: no such job, group, worker …, or none that the token may see
	CodeNoMethod       Code = "no_method"       // 405: the path exists, the method does not
	CodeUnknownSession Code = "unknown_session" // 409: register again, then repeat the call with what still runs
	CodeStale          Code = "stale"           // 409: the lease was lost; do not repeat
	CodeConflict       Code = "conflict"        // 409: the job's state does not allow it
	CodeMoreMatch      Code = "more_match"      // 409: a selector matches more jobs than were confirmed
	CodeTooLarge       Code = "too_large"       // 413: the body, or a part of it
	CodeMediaType      Code = "media_type"      // 415: a Content-Type or Content-Encoding that is not understood
	CodeTooMany        Code = "too_many"        // 429: slow down; retry_after_ms says how long
	CodeNotLeader      Code = "not_leader"      // 503: a standby; ask again, or the other one
	CodeUnavailable    Code = "unavailable"     // 503: the store does not answer, the queue is full or stopping, or the keys of web identity tokens cannot be had
	CodeInternal       Code = "internal"        // 500: a fault of the queue; it is in its log
)

// Error returns the message, with the field, the nearest right word and the code.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Field != "" && !strings.Contains(e.Message, e.Field) {
		fmt.Fprintf(&b, "%s: ", e.Field)
	}
	b.WriteString(e.Message)
	if e.DidYouMean != "" {
		fmt.Fprintf(&b, " (did you mean %q?)", e.DidYouMean)
	}
	for _, p := range e.Problems {
		fmt.Fprintf(&b, "; %s", p.Message)
	}
	return b.String()
}

// BadInput reports that the call, not the queue or the network, is at fault.
func (e *Error) BadInput() bool { return e.Status >= 400 && e.Status < 500 && e.Code != CodeTooMany }

// RetryAfter returns how long to wait before the call is repeated; 0 where the
// queue did not say.
func (e *Error) RetryAfter() time.Duration { return time.Duration(e.RetryAfterMS) * time.Millisecond }
