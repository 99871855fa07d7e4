package cloud

import "fmt"

// Error is a refusal in EC2's words.
type Error struct {
	Code    string // such as "InsufficientInstanceCapacity"
	Message string
	Status  int // of HTTP
}

// Error returns the code and the message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// fail returns an error that is the client's fault (status 400).
func fail(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Status: 400}
}

// Errors that several actions give.
func errDryRun() *Error {
	return &Error{"DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412}
}

func errThrottled() *Error {
	return &Error{"RequestLimitExceeded", "Request limit exceeded.", 503}
}

func errUnavailable() *Error {
	return &Error{"Unavailable", "The service is unavailable. Please try again shortly.", 503}
}

func errCapacity(typ, zone string) *Error {
	return &Error{"InsufficientInstanceCapacity", fmt.Sprintf(
		"We currently do not have sufficient %s capacity in the Availability Zone you requested (%s).", typ, zone), 500}
}

func errMismatch() *Error {
	return fail("IdempotentParameterMismatch", "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).")
}
