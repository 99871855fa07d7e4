package cli

import (
	"errors"
	"io/fs"
	"syscall"
)

// The exit codes of every program.
const (
	ExitGood        = 0
	ExitBroken      = 1   // a promise is broken; in check, a regression
	ExitBadInput    = 2   // bad usage, or a file that says something impossible
	ExitFailure     = 3   // an internal failure, or one of the outside world
	ExitInterrupted = 130 // stopped by Ctrl-C or SIGTERM
)

// ExitError is an error that chooses the exit code. Its Err may be nil: then
// everything has been said already and only the code is left to report.
type ExitError struct {
	Code  int
	Err   error
	Usage bool // the verb's help would explain what is wrong
}

// Error returns what Err says, or nothing.
func (e ExitError) Error() string {
	if e.Err == nil {
		return ""
	}
	return e.Err.Error()
}

// Unwrap returns Err.
func (e ExitError) Unwrap() error { return e.Err }

// UsageError returns err as a mistake in the command line: exit code 2, and a
// hint at the verb's help.
func UsageError(err error) error {
	return ExitError{Code: ExitBadInput, Err: err, Usage: true}
}

// InputError returns err as a mistake in what the user gave: exit code 2.
func InputError(err error) error { return ExitError{Code: ExitBadInput, Err: err} }

// OutsideError returns err as a failure of the outside world, such as a full
// disk, or of the program itself: exit code 3.
func OutsideError(err error) error { return ExitError{Code: ExitFailure, Err: err} }

// BrokenError returns err as a promise that was not kept: exit code 1. A verb
// that has printed its verdict passes nil.
func BrokenError(err error) error { return ExitError{Code: ExitBroken, Err: err} }

// ExitCode returns the code that err deserves.
//
// An interrupted verb that returns an error was interrupted, whatever the
// error says. Otherwise an ExitError chooses; an error whose chain has a
// BadInput method that returns true, and a file that is not there, are bad
// input; anything else is a failure.
func ExitCode(err error, interrupted bool) int {
	var chosen ExitError
	var input interface{ BadInput() bool }
	switch {
	case err == nil:
		return ExitGood
	case interrupted:
		return ExitInterrupted
	case errors.As(err, &chosen):
		return chosen.Code
	case errors.As(err, &input) && input.BadInput():
		return ExitBadInput
	case notAFile(err):
		return ExitBadInput
	}
	return ExitFailure
}

// notAFile reports whether err tells of a path that leads to no file: it does
// not exist, it is a folder, or it crosses something that is not one.
func notAFile(err error) bool {
	var path *fs.PathError
	return errors.As(err, &path) &&
		(errors.Is(path, fs.ErrNotExist) || errors.Is(path, syscall.EISDIR) || errors.Is(path, syscall.ENOTDIR))
}
