package main

import (
	"errors"
	"io/fs"
	"syscall"
)

// The exit codes of skynet.
const (
	exitGood        = 0
	exitBroken      = 1   // a promise is broken; in check, a regression
	exitBadInput    = 2   // bad usage, or a file that says something impossible
	exitFailure     = 3   // an internal failure, or one of the outside world
	exitInterrupted = 130 // stopped by Ctrl-C or SIGTERM
)

// exitError is an error that chooses the exit code. Its err may be nil: then
// everything has been said already and only the code is left to report.
type exitError struct {
	code  int
	err   error
	usage bool // the verb's help would explain what is wrong
}

func (e exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e exitError) Unwrap() error { return e.err }

// usageError returns err as a mistake in the command line: exit code 2, and a
// hint at the verb's help.
func usageError(err error) error {
	return exitError{code: exitBadInput, err: err, usage: true}
}

// inputError returns err as a mistake in what the user gave: exit code 2.
func inputError(err error) error { return exitError{code: exitBadInput, err: err} }

// outsideError returns err as a failure of the outside world, such as a full
// disk, or of skynet itself: exit code 3.
func outsideError(err error) error { return exitError{code: exitFailure, err: err} }

// brokenError returns err as a promise that was not kept: exit code 1. A verb
// that has printed its verdict passes nil.
func brokenError(err error) error { return exitError{code: exitBroken, err: err} }

// exitCode returns the code that err deserves.
//
// An interrupted verb that returns an error was interrupted, whatever the
// error says. Otherwise an exitError chooses; an error whose chain has a
// BadInput method that returns true, and a file that is not there, are bad
// input; anything else is a failure.
func exitCode(err error, interrupted bool) int {
	var chosen exitError
	var input interface{ BadInput() bool }
	switch {
	case err == nil:
		return exitGood
	case interrupted:
		return exitInterrupted
	case errors.As(err, &chosen):
		return chosen.code
	case errors.As(err, &input) && input.BadInput():
		return exitBadInput
	case notAFile(err):
		return exitBadInput
	}
	return exitFailure
}

// notAFile reports whether err tells of a path that leads to no file: it does
// not exist, it is a folder, or it crosses something that is not one.
func notAFile(err error) bool {
	var path *fs.PathError
	return errors.As(err, &path) &&
		(errors.Is(path, fs.ErrNotExist) || errors.Is(path, syscall.EISDIR) || errors.Is(path, syscall.ENOTDIR))
}
